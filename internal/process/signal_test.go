// SPDX-License-Identifier: GPL-2.0-or-later

package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// The test's own program is the process in other namespaces.
const roleKey = "NETLIVE_TEST_PROCESS"

func TestMain(m *testing.M) {
	switch os.Getenv(roleKey) {
	case "":
		os.Exit(m.Run())
	case "start": // what it takes for its own start
		found, err := Lineage(os.DirFS("/proc"), uint32(os.Getpid()), 0)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(found[0].Start, Signal(found[0].PID, found[0].Start, 0))
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	case "signal": // a signal to itself, by its number in a namespace that /proc does not show
		fmt.Println(os.Getpid(), Signal(uint32(os.Getpid()), startOf1(), 0))
	}
}

// startOf1 is when the process started that /proc shows as number 1.
func startOf1() uint64 {
	s, _ := newReader(os.DirFS("/proc")).stat(1)
	return max(s.start, 1)
}

// await waits until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s", what)
		}
	}
}

// family starts a shell with a child that both live until the child ends, and returns the shell and the child's number.
func family(t *testing.T) (cmd *exec.Cmd, child uint32) {
	t.Helper()
	cmd = exec.Command("sh", "-c", "sleep 1000 & echo $!; wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(line), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, uint32(n)
}

func TestSignal(t *testing.T) {
	kerneltest.NoLeaks(t)
	cmd, pid := family(t)
	found := awaitLineage(t, int(pid), "sleep")
	if found[1].PID != uint32(cmd.Process.Pid) || found[2].PID != uint32(os.Getpid()) {
		t.Fatalf("lineage %v", pids(found))
	}
	began := found[0].Start
	for _, other := range []uint64{1, began - 1, began + tick, began - tick, 1<<64 - 1} {
		if err := Signal(pid, other, unix.SIGKILL); !errors.Is(err, ErrGone) {
			t.Errorf("start %d: %v", other, err)
		}
	}
	if err := Signal(pid, 0, unix.SIGKILL); !errors.Is(err, ErrUnknownStart) {
		t.Errorf("start 0: %v", err)
	}
	// It is as it was, and anything within its tick is its start.
	for _, same := range []uint64{began, began + 1, began + tick - 1} {
		if err := Signal(pid, same, 0); err != nil {
			t.Errorf("start %d: %v", same, err)
		}
	}
	if s, err := newReader(os.DirFS("/proc")).stat(pid); err != nil || s.state == 'Z' {
		t.Fatalf("it ended: %+v %v", s, err)
	}
	if err := Signal(pid, began, 1000); !errors.Is(err, unix.EINVAL) || err.Error() != fmt.Sprintf("process: signal %d: invalid argument", pid) {
		t.Errorf("no such signal: %v", err)
	}
	if err := Signal(pid, began, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// The shell waits for its child, so the one is gone when the other is.
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	err := Signal(pid, began, unix.SIGKILL)
	if !errors.Is(err, ErrGone) || err.Error() != fmt.Sprintf("process: signal %d: the process has ended", pid) {
		t.Errorf("when it has ended: %v", err)
	}
	if _, err := Lineage(os.DirFS("/proc"), pid, began); !errors.Is(err, ErrGone) {
		t.Errorf("its lineage: %v", err)
	}
}

// Numbers that mean several processes to kill(2), and those of threads, are no processes.
func TestSignalNobody(t *testing.T) {
	for _, pid := range []uint32{0, 1 << 31, 1<<32 - 1, 1<<31 - 1} {
		if err := Signal(pid, 1, unix.SIGKILL); !errors.Is(err, ErrGone) {
			t.Errorf("%d: %v", pid, err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: on the first thread, whose number is the process's, it would prove nothing
		tid := unix.Gettid()
		if tid == os.Getpid() {
			t.Error("on the first thread")
			return
		}
		s, err := newReader(os.DirFS("/proc")).stat(uint32(tid))
		if err != nil {
			t.Error(err)
			return
		}
		if err := Signal(uint32(tid), s.start, 0); !errors.Is(err, ErrGone) {
			t.Errorf("a thread: %v", err)
		}
	}()
	<-done
}

func TestSignalDenied(t *testing.T) {
	kerneltest.RequireRoot(t)
	kerneltest.NoLeaks(t)
	cmd := exec.Command("sleep", "1000")
	start(t, cmd)
	began := awaitLineage(t, cmd.Process.Pid, "sleep")[0].Start
	pid := uint32(cmd.Process.Pid)
	asNobody(t, func() {
		err := Signal(pid, began, unix.SIGKILL)
		if !errors.Is(err, os.ErrPermission) || err.Error() != fmt.Sprintf("process: signal %d: operation not permitted", pid) {
			t.Errorf("%v", err)
		}
		if err := Signal(pid, began+tick, unix.SIGKILL); !errors.Is(err, ErrGone) {
			t.Errorf("of another start: %v", err)
		}
	})
}

// helper starts this program in a role, by unshare(1) with the arguments.
func helper(t *testing.T, role string, args ...string) (line string) {
	t.Helper()
	cmd := exec.Command("unshare", append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), roleKey+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// In a time namespace /proc counts from another moment; Start is the same in all, as BPF has it.
func TestTimeNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	before := bootNow(t)
	line := helper(t, "start", "--time", "--boottime", "1000000", "--fork")
	after := bootNow(t)
	number, rest, _ := strings.Cut(line, " ")
	began, err := strconv.ParseUint(number, 10, 64)
	if err != nil || rest != "<nil>" {
		t.Fatal(line)
	}
	if began+tick < before || began > after {
		t.Errorf("started at %d, not in %d to %d", began, before, after)
	}
}

// Where /proc is of another PID namespace a number is two processes. Neither gets the signal.
func TestPIDNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	if line, want := helper(t, "signal", "--pid", "--fork"), "1 process: signal 1: /proc is of another PID namespace"; line != want {
		t.Errorf("%s, want %s", line, want)
	}
}

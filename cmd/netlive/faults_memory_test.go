// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// With however little memory a verb gives its output or ends with a code, and does not hang.
func TestLittleMemory(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	for _, line := range []string{"-tanp", "watch -tan --count 1 --interval 10ms", "trace --for 10ms"} {
		for _, how := range []string{"ulimit -l 0", "export GOMEMLIMIT=1MiB"} {
			if code, out, errs := shell(t, ns, how+"; exec netlive "+line); code != exitOK || out == "" || strings.Contains(errs, "polling") {
				t.Errorf("%s: %s: exit code %d, %q, stderr %q", how, line, code, out, errs)
			}
		}
		// Where Go gets no memory at all it ends with its own words and its code, which nothing can be done about.
		for _, kilobytes := range []int{150_000, 1_300_000} {
			if code, out, errs := shell(t, ns, fmt.Sprintf("ulimit -v %d; exec netlive %s", kilobytes, line)); code != exitOK && (code != exitUsage && code != exitFailure || errs == "") {
				t.Errorf("%d KiB: %s: exit code %d, %q, stderr %q", kilobytes, line, code, out, errs)
			}
		}
	}
}

// memoryGroup makes a cgroup whose processes may have so much memory together, and returns its directory.
func memoryGroup(t *testing.T, most int) string {
	t.Helper()
	name := fmt.Sprintf("netlive-test-%d", os.Getpid())
	var errs []error
	for _, c := range []struct{ dir, limit string }{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}} {
		dir := filepath.Join(c.dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, c.limit), []byte(strconv.Itoa(most)), 0o644); err != nil {
			errs = append(errs, err, os.Remove(dir))
			continue
		}
		t.Cleanup(func() {
			if err := os.Remove(dir); err != nil {
				t.Error(err)
			}
		})
		return dir
	}
	t.Skipf("needs a memory controller of cgroups that may be used: %v", errors.Join(errs...))
	return ""
}

// Killed for want of memory it leaves nothing in the kernel.
func TestKilledForWantOfMemory(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	dir := memoryGroup(t, 200<<20)
	trace := start(t, kerneltest.NetNS(t), "bash", "-c", "echo $$ >"+dir+"/cgroup.procs; echo 1000 >/proc/self/oom_score_adj; exec netlive trace --event all")
	trace.awaitErr("tracing")
	held := heldBy(t, trace.Process.Pid)
	// Another in the same group wants more than there is; of the two netlive is to go, and then the other.
	hog := exec.Command("bash", "-c", "echo $$ >"+dir+"/cgroup.procs; exec tail /dev/zero")
	if err := hog.Run(); err == nil {
		t.Error("there was memory for all")
	}
	code, _, errs := trace.wait()
	if status, ok := trace.ProcessState.Sys().(syscall.WaitStatus); code != -1 || !ok || status.Signal() != unix.SIGKILL {
		t.Fatalf("exit code %d, %v, stderr %q", code, trace.ProcessState, errs)
	}
	held.gone(t)
}

// A command that netlive traces has the signals of a shell's, and outlives a netlive that is killed: it is not to suffer for being looked at.
func TestCommandOfAKilledTrace(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	// Whose reader leaves ends by SIGPIPE, and says nothing.
	if code, out, errs := shell(t, ns, "netlive trace -- bash -c 'yes | head -n 1'"); code != exitOK || out != "y\n" || strings.Contains(errs, "Broken pipe") {
		t.Errorf("exit code %d, %q, stderr %q", code, out, errs)
	}
	trace := start(t, ns, "netlive", "trace", "--", "bash", "-c", "echo begun; read -r line; echo it had $line")
	if line, err := trace.out.ReadString('\n'); line != "begun\n" {
		t.Fatalf("%q, %v", line, err)
	}
	held := heldBy(t, trace.Process.Pid)
	if err := trace.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	held.gone(t)
	if _, err := trace.stdin.Write([]byte("time\n")); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := trace.wait(); string(out) != "it had time\n" {
		t.Errorf("the command: %q", out)
	}
}

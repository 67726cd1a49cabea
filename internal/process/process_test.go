// SPDX-License-Identifier: GPL-2.0-or-later

package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// fake adds a process to a fake /proc.
func fake(fsys fstest.MapFS, pid, ppid int, comm string, ticks uint64) {
	dir := strconv.Itoa(pid) + "/"
	fsys[dir+"stat"] = &fstest.MapFile{Data: fmt.Appendf(nil, "%d (%s) S %d%s", pid, comm, ppid, strings.Replace(tail, "4242", strconv.FormatUint(ticks, 10), 1))}
	fsys[dir+"status"] = &fstest.MapFile{Data: []byte("Name:\tx\nUid:\t1\t2\t3\t4\n")}
}

func pids(found []Process) (all []uint32) {
	for _, p := range found {
		all = append(all, p.PID)
	}
	return all
}

// A lineage of a /proc that is made up.
func TestLineageParses(t *testing.T) {
	fsys := fstest.MapFS{}
	fake(fsys, 1, 0, "systemd", 3)
	fake(fsys, 70, 1, "sshd", 300)
	fake(fsys, 812, 70, ") R 9 (\n", 4242)
	fsys["812/cmdline"] = &fstest.MapFile{Data: []byte("/bin/x\x00-\x1b[2J\x00")}
	fsys["812/cgroup"] = &fstest.MapFile{Data: []byte("1:name=systemd:/y\n0::/user.slice\n")}
	fsys["812/exe"] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("/bin/x (deleted)")}
	fsys["812/cwd"] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("/home/a\nb")}
	found, err := Lineage(fsys, 812, 42_429_999_999)
	if err != nil {
		t.Fatal(err)
	}
	booted := found[0].Began.Add(-42_420_000_000)
	want := []Process{
		{PID: 812, PPID: 70, Start: 42_420_000_000, Comm: ") R 9 (\n", Args: []string{"/bin/x", "-\x1b[2J"}, Exe: "/bin/x (deleted)", Cwd: "/home/a\nb",
			UID: 2, Cgroup: "/user.slice", State: 'S', Threads: 7, Began: booted.Add(42_420_000_000)},
		{PID: 70, PPID: 1, Start: 3_000_000_000, Comm: "sshd", UID: 2, State: 'S', Threads: 7, Began: booted.Add(3_000_000_000)},
		{PID: 1, Start: 30_000_000, Comm: "systemd", UID: 2, State: 'S', Threads: 7, Began: booted.Add(30_000_000)},
	}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("got %+v\nwant %+v", found, want)
	}
}

// The start guards against another process with the number.
func TestLineageStart(t *testing.T) {
	fsys := fstest.MapFS{}
	fake(fsys, 812, 0, "x", 4242)
	for start, ok := range map[uint64]bool{
		0: true, 42_420_000_000: true, 42_420_000_001: true, 42_429_999_999: true, 42_430_000_000: false, 42_419_999_999: false, 1: false, 1<<64 - 1: false,
	} {
		found, err := Lineage(fsys, 812, start)
		if (err == nil) != ok || !ok && !errors.Is(err, ErrGone) || ok != (len(found) == 1) {
			t.Errorf("%d: %v %v", start, pids(found), err)
		}
	}
	// In a time namespace the ticks are those of its clock, and Start is not. The offset need be no whole tick.
	fsys["self/timens_offsets"] = &fstest.MapFile{Data: []byte("monotonic 0 0\nboottime 40 3000000\n")}
	for start, ok := range map[uint64]bool{2_416_999_999: false, 2_417_000_000: true, 2_426_999_999: true, 2_427_000_000: false} {
		found, err := Lineage(fsys, 812, start)
		if (err == nil) != ok || ok && found[0].Start != 2_417_000_000 {
			t.Errorf("in a time namespace, %d: %+v %v", start, found, err)
		}
		if ok {
			if _, err := Lineage(fsys, 812, found[0].Start); err != nil {
				t.Errorf("its own start: %v", err)
			}
		}
	}
}

// What ends a lineage, and what is an error.
func TestLineageEnds(t *testing.T) {
	fsys := fstest.MapFS{}
	fake(fsys, 5, 4, "child of one that is not shown", 9)
	fake(fsys, 6, 6, "its own parent", 9)
	fake(fsys, 7, 1, "of one with no users", 9)
	fake(fsys, 1, 0, "init", 1)
	delete(fsys, "1/status")
	for i := range 100 {
		fake(fsys, 200+i, 201+i, "x", 9)
	}
	fsys["300/stat"] = &fstest.MapFile{Data: []byte("300 (cut) S")}
	fake(fsys, 301, 0, "x", 9)
	fsys["301/stat"].Data = bytes.Replace(fsys["301/stat"].Data, []byte("301"), []byte("302"), 1)
	for _, c := range []struct {
		pid  uint32
		n    int
		fail string
	}{
		{5, 1, ""},
		{6, lineageMax, ""},
		{7, 1, ""},
		{200, lineageMax, ""},
		{250, 50, ""}, // up to 299, whose parent makes no sense
		{1, 0, "process: look at 1: 1/status has no Uid"},
		{300, 0, `process: look at 300: 300/stat: bad text "300 (cut) S"`},
		{4, 0, "process: look at 4: the process has ended"},
		{0, 0, "process: look at 0: the process has ended"},
		{1<<32 - 1, 0, "process: look at 4294967295: the process has ended"},
	} {
		found, err := Lineage(fsys, c.pid, 0)
		if len(found) != c.n || (err == nil) != (c.fail == "") || err != nil && err.Error() != c.fail {
			t.Errorf("%d: %v %v", c.pid, pids(found), err)
		}
	}
	if _, err := Lineage(fsys, 301, 0); err == nil || !strings.Contains(err.Error(), "301/stat: bad text") {
		t.Errorf("of another number: %v", err)
	}
}

// changing is a /proc in which a file is another from the n-th time on that it is opened.
type changing struct {
	fstest.MapFS
	name string
	from int
	then []byte // nil: gone
	n    int
}

func (c *changing) Open(name string) (fs.File, error) {
	if name == c.name {
		if c.n++; c.n == c.from {
			delete(c.MapFS, name)
			if c.then != nil {
				c.MapFS[name] = &fstest.MapFile{Data: c.then}
			}
		}
	}
	return c.MapFS.Open(name)
}

// Processes that end, or whose parents end, while they are looked at.
func TestLineageChanges(t *testing.T) {
	line := func(pid, ppid int, ticks string) []byte {
		return fmt.Appendf(nil, "%d (x) S %d%s", pid, ppid, strings.Replace(tail, "4242", ticks, 1))
	}
	for _, c := range []struct {
		of   string
		from int
		then []byte
		want []uint32
		gone bool
	}{
		{"nothing", 0, nil, []uint32{812, 70, 1}, false},
		{"it ended before", 1, nil, nil, true},
		{"it ended meanwhile", 2, nil, nil, true},
		{"another has its number", 2, line(812, 70, "5000"), nil, true},
		{"it ended when its parent was looked at", 3, nil, []uint32{812}, false},
		{"another has its number then", 3, line(812, 70, "5000"), []uint32{812}, false},
		{"its parent ended", 3, line(812, 1, "4242"), []uint32{812, 1}, false},
	} {
		fsys := fstest.MapFS{}
		fake(fsys, 1, 0, "init", 1)
		fake(fsys, 70, 1, "sh", 2)
		fake(fsys, 812, 70, "x", 4242)
		found, err := Lineage(&changing{MapFS: fsys, name: "812/stat", from: c.from, then: c.then}, 812, 0)
		if fmt.Sprint(pids(found)) != fmt.Sprint(c.want) || errors.Is(err, ErrGone) != c.gone || (err == nil) == c.gone {
			t.Errorf("%s: %v %v", c.of, pids(found), err)
		}
		if n := len(found); n > 1 && found[0].PPID != found[1].PID {
			t.Errorf("%s: parent %d, then %d", c.of, found[0].PPID, found[1].PID)
		}
	}
}

// start starts a program that reads, or sleeps, until the test is over.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// awaitLineage returns the lineage of a child as soon as it runs its program: until then it is a copy of this test.
func awaitLineage(t *testing.T, pid int, comm string) []Process {
	t.Helper()
	await(t, comm+" to run", func() bool {
		found, err := Lineage(os.DirFS("/proc"), uint32(pid), 0)
		return err == nil && found[0].Comm == comm && found[0].Args != nil
	})
	found, err := Lineage(os.DirFS("/proc"), uint32(pid), 0)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func bootNow(t *testing.T) uint64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		t.Fatal(err)
	}
	return uint64(now.Nano() - bootOffset(readFile(t, "/proc/self/timens_offsets")))
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A real process: a program with a name that reads like the rest of its line, hostile arguments, and a file that is gone.
func TestLineageReal(t *testing.T) {
	kerneltest.NoLeaks(t)
	const name = ") R 1 (\n"
	dir := t.TempDir()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, name)
	if err := os.WriteFile(program, readFile(t, sh), 0o755); err != nil {
		t.Fatal(err)
	}
	before := bootNow(t)
	cmd := exec.Command(program, "-c", "read x", "a\nb")
	cmd.Args[0] = "evil\x1b[2J"
	cmd.Dir = dir
	start(t, cmd)
	after := bootNow(t)
	awaitLineage(t, cmd.Process.Pid, name)
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	found := awaitLineage(t, cmd.Process.Pid, name)
	p := found[0]
	if p.Start+tick < before || p.Start > after {
		t.Errorf("started at %d, not in %d to %d", p.Start, before, after)
	}
	if want := []string{"evil\x1b[2J", "-c", "read x", "a\nb"}; !reflect.DeepEqual(p.Args, want) {
		t.Errorf("args %q", p.Args)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.Exe != filepath.Join(real, name)+" (deleted)" || p.Cwd != real {
		t.Errorf("exe %q, cwd %q", p.Exe, p.Cwd)
	}
	if p.UID != uint32(os.Geteuid()) || p.Threads != 1 || p.PPID != uint32(os.Getpid()) {
		t.Errorf("%+v", p)
	}
	if want := cgroupPath(readFile(t, "/proc/self/cgroup")); p.Cgroup != want {
		t.Errorf("cgroup %q, not %q", p.Cgroup, want)
	}
	if found[1].PID != uint32(os.Getpid()) || found[1].Threads < 2 {
		t.Errorf("parent %+v", found[1])
	}
	// From here on it is the machine's own. Each is the next one's child, and older; the last has no parent to be seen.
	for i := 1; i < len(found); i++ {
		if found[i-1].PPID != found[i].PID || found[i].Start > found[i-1].Start {
			t.Errorf("%d follows %d", found[i].PID, found[i-1].PID)
		}
	}
	if last := found[len(found)-1]; last.PPID != 0 {
		t.Errorf("ends at %+v", last)
	}
}

// A command line longer than what is kept of it.
func TestArgsBound(t *testing.T) {
	cmd := exec.Command("sh", "-c", "read x", strings.Repeat("x", 100_000))
	start(t, cmd)
	found := awaitLineage(t, cmd.Process.Pid, "sh")
	if n := len(strings.Join(found[0].Args, "\x00")); n != argsMax || len(found[0].Args) != 4 {
		t.Errorf("%d arguments of %d bytes", len(found[0].Args), n)
	}
}

// Another user's links are denied, which is no reason to tell nothing.
func TestLineageOfOthers(t *testing.T) {
	kerneltest.RequireRoot(t)
	asNobody(t, func() {
		found, err := Lineage(os.DirFS("/proc"), uint32(os.Getpid()), 0)
		if err != nil {
			t.Error(err)
			return
		}
		if p := found[1]; p.Exe != "" || p.Cwd != "" || p.Comm == "" || p.Args == nil || p.UID != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// asNobody calls f on a thread that has no privileges.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // it ends with the goroutine: nothing else runs on it
		const nobody = 65534
		// The system call and not the C library's way, which is for all threads.
		if _, _, err := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); err != 0 {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// SPDX-License-Identifier: GPL-2.0-or-later

package netns

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"netlive/internal/kerneltest"
)

// limit bounds the wait for anything.
const limit = 30 * time.Second

// named makes a namespace as ip-netns(8) does.
func named(t *testing.T, name string) uint32 {
	t.Helper()
	kerneltest.RequireRoot(t)
	ip(t, "netns", "add", name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	inode, err := inodeOf("/run/netns/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return inode
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// unique is a name that no other test has.
func unique(what string) string { return fmt.Sprintf("netlive-%s-%d", what, os.Getpid()) }

// tenant starts a process that is in ns until it is killed.
func tenant(t *testing.T, ns *kerneltest.NS, command ...string) (cmd *exec.Cmd, stdin io.Writer) {
	t.Helper()
	cmd = exec.Command(command[0], command[1:]...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(cmd) })
	// Its name is the program's from exec on.
	await(t, func() bool { return strings.HasPrefix(processName(strconv.Itoa(cmd.Process.Pid)), command[0]+"/") })
	return cmd, stdin
}

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !done(); {
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}

// all is All by number.
func all(t *testing.T) map[uint32]Space {
	t.Helper()
	list, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(list, func(a, b Space) int { return int(a.inode) - int(b.inode) }) {
		t.Error("not in the order of numbers")
	}
	m := map[uint32]Space{}
	for _, s := range list {
		if m[s.inode].path != "" {
			t.Errorf("%d is there twice", s.inode)
		}
		m[s.inode] = s
	}
	return m
}

func TestAll(t *testing.T) {
	kerneltest.NoLeaks(t)
	kerneltest.RequireRoot(t)
	name := unique("all")
	inode := named(t, name)
	ns := kerneltest.NetNS(t)
	if got, ok := all(t)[ns.Inode()]; ok {
		t.Errorf("nobody is in it and it has no name: %+v", got)
	}
	first, _ := tenant(t, ns, "cat")
	second, _ := tenant(t, ns, "sleep", "1000")
	found := all(t)
	if host, err := inodeOf("/proc/1/ns/net"); err == nil && found[host].Name() != "host" {
		t.Errorf("%d is %q, want host", host, found[host].Name())
	} else if err != nil && !errors.Is(err, fs.ErrPermission) { // which the machine may not even give to root
		t.Error(err)
	}
	for number, want := range map[uint32]string{
		inode:      name,
		ns.Inode(): fmt.Sprintf("cat/%d", min(first.Process.Pid, second.Process.Pid)),
	} {
		if first.Process.Pid > second.Process.Pid && number == ns.Inode() {
			want = fmt.Sprintf("sleep/%d", second.Process.Pid) // PIDs have begun anew
		}
		if got := found[number]; got.Name() != want || got.Inode() != number {
			t.Errorf("%d is %q, want %q", number, got.Name(), want)
		}
	}
	end(first)
	end(second)
	ip(t, "netns", "del", name)
	for number := range all(t) {
		if number == ns.Inode() || number == inode {
			t.Errorf("%d is still found", number)
		}
	}
}

// A file where names are kept that is no namespace is none: ip-netns(8) makes it before it mounts on it.
func TestHalfMadeName(t *testing.T) {
	name := unique("half")
	named(t, name) // there is a directory now
	path := "/run/netns/" + name + "x"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(path) })
	for _, s := range all(t) {
		if s.path == path {
			t.Errorf("found as %+v", s)
		}
	}
	if s, err := Find(name + "x"); err == nil {
		t.Errorf("found as %+v", s)
	}
}

func TestFind(t *testing.T) {
	kerneltest.RequireRoot(t)
	name := unique("find")
	inode := named(t, name)
	ns := kerneltest.NetNS(t)
	cmd, _ := tenant(t, ns, "cat")
	pid := strconv.Itoa(cmd.Process.Pid)
	s, err := Find("host")
	if err != nil || s.Name() != "host" {
		t.Errorf("host: %+v, %v", s, err)
	}
	// Not even root may look at PID 1 everywhere.
	if host, err := inodeOf("/proc/1/ns/net"); err == nil && s.Inode() != host {
		t.Errorf("host is %d, PID 1's %d", s.Inode(), host)
	}
	for _, c := range []struct {
		word, name string
		inode      uint32
	}{{name, name, inode}, {pid, "cat/" + pid, ns.Inode()}} {
		if s, err := Find(c.word); err != nil || s.Name() != c.name || s.Inode() != c.inode {
			t.Errorf("%s: %q %d, %v; want %q %d", c.word, s.Name(), s.Inode(), err, c.name, c.inode)
		}
	}
	for _, word := range []string{"", "nosuch", ".", "..", "/proc/self/ns/net", "../netns/" + name, "-1", "0", "2147483647", "99999999999999999999"} {
		if s, err := Find(word); err == nil {
			t.Errorf("%q: %+v", word, s)
		}
	}
}

// where is the number of the calling thread's namespace.
func where(t *testing.T) uint32 {
	t.Helper()
	inode, err := inodeOf("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return inode
}

func TestDo(t *testing.T) {
	kerneltest.NoLeaks(t)
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	cmd, _ := tenant(t, ns, "cat")
	s, err := Find(strconv.Itoa(cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	home := where(t)
	ours := errors.New("ours")
	err = s.Do(func() error {
		if inode := where(t); inode != ns.Inode() {
			t.Errorf("in %d, want %d", inode, ns.Inode())
		}
		return ours
	})
	if !errors.Is(err, ours) {
		t.Errorf("Do: %v", err)
	}
	for range 100 { // whichever thread runs us now is none that was there
		if inode := where(t); inode != home {
			t.Fatalf("a thread was left in %d", inode)
		}
		if err := s.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	end(cmd)
	err = s.Do(func() error { t.Error("called in a namespace that nobody is in"); return nil })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after its end: %v", err)
	}
}

// A process that has gone to another namespace, or another process by its PID, does not lead there.
func TestDoElsewhere(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	cmd, stdin := tenant(t, ns, "bash", "-c", "read -r && exec unshare --net cat")
	s, err := Find(strconv.Itoa(cmd.Process.Pid))
	if err != nil || s.Inode() != ns.Inode() {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := io.WriteString(stdin, "\n"); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		inode, err := inodeOf(s.path)
		return err == nil && inode != ns.Inode()
	})
	err = s.Do(func() error { t.Error("called elsewhere"); return nil })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Do: %v", err)
	}
}

// A name that is given to another namespace meanwhile does not lead to that.
func TestDoRenamed(t *testing.T) {
	name := unique("renamed")
	named(t, name)
	s, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	keep, err := os.Open(s.path) // so that the next has another number
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	ip(t, "netns", "del", name)
	ip(t, "netns", "add", name)
	err = s.Do(func() error { t.Error("called elsewhere"); return nil })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Do: %v", err)
	}
}

// What is not known is looked for, once a second at most; what has gone keeps its name.
func TestNames(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns, later := kerneltest.NetNS(t), kerneltest.NetNS(t)
	cmd, _ := tenant(t, ns, "cat")
	want := fmt.Sprintf("cat/%d", cmd.Process.Pid)
	next, _ := tenant(t, later, "sleep", "1000")
	late := fmt.Sprintf("sleep/%d", next.Process.Pid)
	synctest.Test(t, func(t *testing.T) {
		var n Names
		expect := func(inode uint32, want string) {
			t.Helper()
			if got := n.Name(inode); got != want {
				t.Errorf("%d is %q, want %q", inode, got, want)
			}
		}
		n.Set([]Space{{7, "seven", "/nowhere"}})
		expect(7, "seven")
		expect(ns.Inode(), "") // the last look was just now
		time.Sleep(lookAgain)
		expect(ns.Inode(), "")
		time.Sleep(time.Nanosecond)
		expect(ns.Inode(), want)
		delete(n.names, later.Inode())
		expect(later.Inode(), "")
		time.Sleep(lookAgain + 1)
		expect(later.Inode(), late)
		end(cmd)
		for range 3 {
			time.Sleep(time.Hour)
			expect(1, "") // is looked for, and nobody has it
			expect(ns.Inode(), want)
			expect(7, "seven")
		}
	})
}

// The kernel gives the number of a namespace that ended to the next one: that has its own name.
func TestNamesOfOneNumber(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	first, _ := tenant(t, ns, "cat")
	var n Names
	if got, want := n.Name(ns.Inode()), fmt.Sprintf("cat/%d", first.Process.Pid); got != want {
		t.Fatalf("%q, want %q", got, want)
	}
	end(first)
	second, _ := tenant(t, ns, "sleep", "1000")
	want := fmt.Sprintf("sleep/%d", second.Process.Pid)
	await(t, func() bool { return n.Name(ns.Inode()) == want })
}

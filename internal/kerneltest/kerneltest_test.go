// SPDX-License-Identifier: GPL-2.0-or-later

package kerneltest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func TestNetNS(t *testing.T) {
	NoLeaks(t)
	ns := NetNS(t)
	want := fmt.Sprintf("net:[%d]", ns.Inode())

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home := readlink(t, threadNetNS)
	ns.Do(func() {
		if got := readlink(t, threadNetNS); got != want {
			t.Errorf("inside: %s, want %s", got, want)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Errorf("lo is not usable: %v", err)
			return
		}
		l.Close()
	})
	if got := readlink(t, threadNetNS); got != home || got == want {
		t.Errorf("after Do: %s, want %s", got, home)
	}

	var out strings.Builder
	cmd := exec.Command("readlink", "/proc/self/ns/net")
	cmd.Stdout = &out
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(out.String()); got != want {
		t.Errorf("child: %s, want %s", got, want)
	}
	if got := readlink(t, threadNetNS); got != home {
		t.Errorf("after Start: %s, want %s", got, home)
	}
}

func TestNetNSAreApart(t *testing.T) {
	a, b := NetNS(t), NetNS(t)
	if a.Inode() == b.Inode() {
		t.Errorf("two namespaces with one inode %d", a.Inode())
	}
}

// TestNeverOnFirstThread checks what lets /proc/self stay as it is.
func TestNeverOnFirstThread(t *testing.T) {
	ns := NetNS(t)
	home := readlink(t, "/proc/self/ns/net")
	ns.Do(func() {
		if got := readlink(t, "/proc/self/ns/net"); got != home {
			t.Errorf("the process moved to %s from %s", got, home)
		}
	})
}

// TestDoEndsEarly checks that the thread comes back when f ends the goroutine, as t.Fatal does.
func TestDoEndsEarly(t *testing.T) {
	ns := NetNS(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home := readlink(t, threadNetNS)
	func() {
		defer func() { _ = recover() }()
		ns.Do(func() { panic("early") })
	}()
	if got := readlink(t, threadNetNS); got != home {
		t.Errorf("after a panic: %s, want %s", got, home)
	}
}

func TestNewFiles(t *testing.T) {
	before := map[string]string{"0": "/dev/null", "3": "pipe:[7]"}
	after := map[string]string{"0": "/dev/null", "3": "pipe:[8]", "4": "socket:[9]"}
	if got := fmt.Sprint(newFiles(before, after)); got != "[3 -> pipe:[8] 4 -> socket:[9]]" {
		t.Errorf("leaked %s", got)
	}
	if got := newFiles(after, before); fmt.Sprint(got) != "[3 -> pipe:[7]]" {
		t.Errorf("leaked %s", got)
	}
}

// verdict is a testing.TB that remembers what it was told.
type verdict struct {
	testing.TB
	word, text string
}

func (v *verdict) Helper()                   {}
func (v *verdict) Fatalf(f string, a ...any) { v.say("fatal", f, a) }
func (v *verdict) Skipf(f string, a ...any)  { v.say("skip", f, a) }
func (v *verdict) say(word, f string, a []any) {
	if v.word == "" {
		v.word, v.text = word, fmt.Sprintf(f, a...)
	}
}

func TestRequireBPF(t *testing.T) {
	v := &verdict{}
	if RequireBPF(v, nil); v.word != "" {
		t.Errorf("no error: %s %q", v.word, v.text)
	}
	_, btf := os.Stat(vmlinuxBTF)
	want := "skip"
	if os.Geteuid() == 0 && btf == nil {
		want = "fatal"
	}
	RequireBPF(v, errors.New("out of luck"))
	if v.word != want || !strings.Contains(v.text, "out of luck") {
		t.Errorf("got %s %q, want %s with the error", v.word, v.text, want)
	}
}

func readlink(t *testing.T, name string) string {
	t.Helper()
	link, err := os.Readlink(name)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// inLoop runs a line of bash in ns again and again until the test ends.
func inLoop(t *testing.T, ns *kerneltest.NS, line string) {
	t.Helper()
	loop := exec.Command("bash", "-c", "while :; do "+line+"; done 2>/dev/null")
	loop.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := ns.Start(loop); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Kill(-loop.Process.Pid, unix.SIGKILL); err != nil {
			t.Error(err)
		}
		_ = loop.Wait() // that it was killed is no news
	})
}

// Processes with sockets that are gone while they are read are left out, and nobody else is.
func TestProcessesVanish(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	connect(t, ns, l)
	// None of TCP: where rows go while the kernel's file is read others may be missing, in netstat too.
	inLoop(t, ns, "for i in 1 2 3 4 5 6; do (exec 5<>/dev/udp/127.0.0.1/9; :) & done; wait")
	us := fmt.Sprintf("%d/", os.Getpid())
	for range 5 {
		if out := runIn(t, ns, "netlive", "-tanp"); strings.Count(string(out), us) < 3 {
			t.Errorf("we are not all there:\n%s", out)
		}
		runIn(t, ns, "netlive", "-tan", "--json", "--unit")
	}
	for _, source := range []string{"ebpf", "procfs"} {
		watch := start(t, ns, "netlive", "watch", "-tanp", "--unit", "--json", "--interval", "20ms", "--source", source)
		for range 20 {
			n := 0
			for _, s := range watch.frame(time.Time{}).Sockets {
				for _, o := range s.Owners {
					if o.PID == os.Getpid() {
						n++
					}
				}
			}
			if n < 3 {
				t.Errorf("%s: we hold %d sockets", source, n)
			}
		}
		if code, _, errs := watch.end(unix.SIGTERM); code != exitOK || strings.Contains(strings.TrimPrefix(string(errs), "netlive: polling"), "netlive:") {
			t.Errorf("%s: exit code %d, stderr %q", source, code, errs)
		}
	}
}

// Namespaces that come and go while they are walked cost no frame, and those that stay are shown in each.
func TestNamespacesVanish(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	stays := named(t, ns, "stays")
	name := fmt.Sprintf("netlive-%d-vanishes", os.Getpid())
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	// One that has a name, one that a process alone holds, one whose name stays when its mount has gone.
	inLoop(t, ns, strings.ReplaceAll("ip netns add N; ip netns exec N true & unshare -n true; umount /run/netns/N; wait; ip netns del N; rm -f /run/netns/N", "N", name))
	for range 4 {
		if why := stays.complaint(oneShot(t, ns, "--netns", "all")); why != "" {
			t.Errorf("once: %s", why)
		}
	}
	for _, source := range []string{"ebpf", "procfs"} {
		watch := start(t, ns, "netlive", "watch", "-an", "--json", "--netns", "all", "--interval", "20ms", "--source", source)
		watch.placed(stays.complaint)
		for range 15 {
			line, err := watch.out.ReadBytes('\n')
			if err != nil {
				_, _, errs := watch.wait()
				t.Fatalf("%s: %v: %s", source, err, errs)
			}
			var f placedFrame
			if err := json.Unmarshal(line, &f); err != nil {
				t.Fatal(err)
			}
			if why := stays.complaint(f.Sockets); why != "" {
				t.Errorf("%s: %s", source, why)
			}
		}
		if code, _, errs := watch.end(unix.SIGTERM); code != exitOK || strings.Contains(strings.TrimPrefix(string(errs), "netlive: polling"), "netlive:") {
			t.Errorf("%s: exit code %d, stderr %q", source, code, errs)
		}
	}
}

// A namespace that is watched alone may lose its name, and is shown as long as a process is in it. Then it is told to have gone.
func TestWatchedNamespaceGoes(t *testing.T) {
	kerneltest.RequireRoot(t)
	// Not beside others: one of their processes that enters all namespaces keeps this one alive.
	ns := kerneltest.NetNS(t)
	goes := named(t, ns, "goes")
	var watches []*process
	for _, source := range []string{"ebpf", "procfs"} {
		watch := start(t, ns, "netlive", "watch", "-an", "--json", "--netns", goes.name, "--interval", "50ms", "--source", source)
		watch.placed(goes.only)
		watches = append(watches, watch)
	}
	runIn(t, ns, "ip", "netns", "del", goes.name)
	for _, watch := range watches {
		watch.frame(time.Now())
		watch.placed(func(rows []placedJSON) string { // by another name
			if len(goes.kinds(rows)) == 0 {
				return "it is there no more"
			}
			return ""
		})
	}
	goes.end()
	for _, watch := range watches {
		watch.waitErr("is not there any more")
		watch.frame(time.Now())
		if code, _, _ := watch.end(unix.SIGTERM); code != exitOK {
			t.Errorf("exit code %d", code)
		}
	}
}

// Interfaces that are renamed, made and removed while they are read leave lo as it was, and every frame whole.
func TestInterfacesVanish(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	inLoop(t, ns, "ip link add v1 type veth peer name v2; ip link set v1 name w1; ip link set w1 up; ip addr add 192.0.2.1/24 dev w1; ip link del w1")
	for range 4 {
		for _, line := range []string{"-ia --json", "-rn -4 -6 --json", "-gn --json"} {
			out := runIn(t, ns, "netlive", strings.Fields(line)...)
			if !json.Valid(out) || !bytes.Contains(out, []byte(`"lo"`)) && line != "-rn -4 -6 --json" {
				t.Errorf("%s: %s", line, out)
			}
		}
		if out := runIn(t, ns, "netlive", "-ia"); !strings.Contains(string(out), "\nlo ") {
			t.Errorf("-ia: %s", out)
		}
	}
	for _, line := range []string{"watch -ia", "watch -rn -4 -6", "watch -gn"} {
		watch := start(t, ns, "netlive", strings.Fields(line+" --json --interval 20ms")...)
		for range 20 {
			text, err := watch.out.ReadBytes('\n')
			if err != nil || !json.Valid(text) || !bytes.Contains(text, []byte(`"lo"`)) {
				t.Fatalf("%s: %v: %s", line, err, text)
			}
		}
		if code, _, errs := watch.end(unix.SIGTERM); code != exitOK {
			t.Errorf("%s: exit code %d, stderr %q", line, code, errs)
		}
	}
}

// The number of a namespace that has gone is soon another's: what is in that one is not shown, and nothing is told of it.
func TestNumberOfNamespaceUsedAgain(t *testing.T) {
	kerneltest.RequireRoot(t)
	for n := 1; !useNumberAgain(t, fmt.Sprint("number", n)); n++ {
		if n == 20 {
			t.Fatal("others were always first to get the number")
		}
	}
}

// useNumberAgain reports whether it got the number of a namespace that had gone for another one.
func useNumberAgain(t *testing.T, name string) bool {
	ns := kerneltest.NetNS(t)
	goes := named(t, ns, name)
	var watches []*process
	for _, source := range []string{"ebpf", "procfs"} {
		watch := start(t, ns, "netlive", "watch", "-anp", "--json", "--netns", goes.name, "--interval", "50ms", "--source", source)
		defer func() { _ = watch.Process.Kill() }() // of a game that is given up
		watch.placed(goes.only)
		watches = append(watches, watch)
	}
	trace := start(t, ns, "netlive", "trace", "--json", "--event", "state", "--netns", goes.name)
	defer func() { _ = trace.Process.Kill() }()
	trace.awaitBegin()
	goes.end()
	runIn(t, ns, "ip", "netns", "del", goes.name)
	// By the same name, and by the same number as soon as that is free: the lowest is taken.
	again := named(t, ns, name)
	for deadline := time.Now().Add(3 * time.Second); again.inode != goes.inode; again = named(t, ns, name) {
		again.end()
		runIn(t, ns, "ip", "netns", "del", again.name)
		if time.Now().After(deadline) {
			return false
		}
	}
	for _, watch := range watches {
		watch.waitErr("is not there any more")
		for range 3 {
			line, err := watch.out.ReadBytes('\n')
			var f placedFrame
			if err = errors.Join(err, json.Unmarshal(line, &f)); err != nil {
				t.Fatal(err)
			}
			for _, s := range f.Sockets {
				for _, o := range s.Owners {
					if o.PID == again.tenant.Process.Pid {
						t.Errorf("of another namespace: %+v", s)
					}
				}
			}
		}
	}
	again.end()
	_, out, _ := trace.end(unix.SIGINT)
	if pid := fmt.Sprintf(`"pid":%d,`, again.tenant.Process.Pid); strings.Contains(string(out), pid) {
		t.Errorf("of another namespace: %s", out)
	}
	return true
}

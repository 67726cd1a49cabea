// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/privilege"
)

// child is the process that the terminal's shell has begun.
func (term *terminal) child() int {
	term.t.Helper()
	shell := strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_pid}"))
	text, err := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	if err != nil {
		term.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		term.t.Fatalf("children of the shell: %q", text)
	}
	return pid
}

// A screen keeps what its keys take, and what it takes to load programs until it has: K and X reach what is of other users, and a file is saved where root
// is a stranger.
func TestPrivilegesOfAScreen(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	program, err := publicCopy(t, "listener")
	if err != nil {
		t.Fatal(err)
	}
	command := append(asNobody(""), program, "7777")
	child := start(t, ns, command[0], command[1:]...)
	ready(t, child, "")
	_, l := listen(t, ns)
	p := connect(t, ns, l)

	reading := append(append([]string{"cap_net_admin", "cap_dac_override"}, finding...), privilege.Walk.Capabilities()...)
	acting := append([]string{"cap_kill"}, reading...)
	term := watchOn(t, ns, 140, 30, slowly, "-ian")
	term.await(pageWords[4]...)
	awaitKept(t, term.child(), append(acting, loading...)...)
	term.press("4")
	term.await("Destination", "Gateway")
	term.press("1")
	term.await("ebpf", "LISTEN 2", "ESTABLISHED 2")
	awaitKept(t, term.child(), acting...)

	term.toRow(":7777")
	term.press("K")
	pid := fmt.Sprint(child.Process.Pid)
	term.await("Type " + pid)
	term.typed(pid)
	term.press("Enter")
	term.await("SIGTERM was sent to " + pid)
	child.wait()

	term.toRow(p.from())
	term.press("X")
	term.await("Type close:")
	term.typed("close")
	term.press("Enter")
	term.await("closed 127.0.0.1:", "⇄")

	home := t.TempDir()
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "rows.txt")
	term.press("e")
	term.await("save to (.txt .json .csv)")
	term.press("C-u")
	term.typed(file)
	term.press("Enter")
	term.await("saved ")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	awaitKept(t, term.child(), acting...)
	term.quit()

	term = watchOn(t, ns, 140, 30, "", "-tan --read-only")
	term.await("ebpf", "LISTEN 1")
	awaitKept(t, term.child(), reading...)
	term.quit()
}

// What the kernel tells to CAP_NET_ADMIN alone is told.
func TestMarkOnAScreen(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	p := connect(t, ns, l)
	for _, c := range []*net.TCPConn{p.client, p.server} {
		raw, err := c.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var bad error
		err = raw.Control(func(fd uintptr) { bad = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, 0x4711) })
		if err := errors.Join(err, bad); err != nil {
			t.Fatal(err)
		}
	}
	for _, option := range []string{"", " --read-only"} {
		term := watchOn(t, ns, 140, 50, "", "-tan"+option)
		term.await("ESTABLISHED 2")
		term.toRow(p.from())
		term.press("Enter")
		if screen, ok := term.awaitFor(10*time.Second, "mark 0x4711"); !ok {
			t.Errorf("%s: no mark:\n%s", option, screen)
		}
		term.press("Escape")
		term.awaitNot("mark 0x4711")
		term.quit()
	}
}

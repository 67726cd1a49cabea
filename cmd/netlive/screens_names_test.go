// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// Names that strangers have chosen cannot move the cursor, clear the screen or speak to the terminal.
func TestScreenHostileNames(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	dir, err := os.MkdirTemp("", "names") // a path of a socket has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const evil = "\x1b[2J\x1b[H\nup"
	// A process's comm is the name of its file (fs/exec.c, begin_new_exec).
	file := filepath.Join(dir, evil)
	if err := os.Symlink(tool(t, "bash"), file); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(file, "-c", "exec 3<>/dev/tcp/127.0.0.1/$1; read", "\x1b]0;owned\x07", fmt.Sprint(l.Addr().(*net.TCPAddr).Port), "\x1b[31m\n\u202e")
	child.Args[0] = "\x1b]0;owned\x07\x1b[2J\nargs"
	a, stdin := connected(t, ns, child, l)
	var u, abstract net.Listener
	ns.Do(func() {
		if u, err = net.Listen("unix", filepath.Join(dir, "\x1b[2J\x1b[1;1H\nsocket")); err == nil {
			abstract, err = net.Listen("unix", "@\x1b]0;owned\x07\x1b[5A\rabstract")
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	defer u.Close()
	defer abstract.Close()

	term := watchOn(t, ns, 180, 40, "", "-anp")
	term.tmux("set", "-g", "set-clipboard", "on")
	intact := func(texts ...string) string {
		t.Helper()
		text := term.await(texts...)
		lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
		if len(lines) != 40 || !strings.HasPrefix(lines[0], "netlive ") || !strings.HasPrefix(lines[1], " 1 Connections") ||
			!strings.Contains(lines[39], "? help") && !strings.Contains(lines[39], "copied") {
			t.Errorf("the screen is not as it was drawn, %d lines:\n%s", len(lines), text)
		}
		if title := term.tmux("display-message", "-p", "#{pane_title}"); strings.Contains(title, "owned") {
			t.Errorf("the title is %q", title)
		}
		return text
	}
	pid := fmt.Sprint(child.Process.Pid)
	text := intact(`\x1b[2J\x1b[1;1H\nsocket`, `\x1b]0;owned\x07\x1b[5A\x0dabstract`, pid+`/`)
	for line := range strings.Lines(text) {
		if strings.Contains(line, "socket") != strings.Contains(line, `\nsocket`) && strings.HasPrefix(line, " unix") {
			t.Errorf("a line is broken: %q", line)
		}
	}
	term.command("group process")
	intact("by process", "["+pid+"]")
	term.command("group none")
	term.awaitNot("by process")
	term.command(fmt.Sprintf("filter sport = :%d", a.RemoteAddr().(*net.TCPAddr).Port))
	term.await("1 of 6: ")
	term.press("Enter")
	intact("why it is open", pid+` `, `\nargs`)
	term.press("c")
	intact("copied: ")
	term.press("3")
	intact("EVENT", "following")
	term.press("Escape")
	term.awaitNot("filter: ")
	if err := errors.Join(a.Close(), stdin.Close()); err != nil { // which ends the process
		t.Fatal(err)
	}
	intact(" close ")
	term.quit()
}

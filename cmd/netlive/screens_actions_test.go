// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// jsonRows are the sockets of a table in JSON, in one order.
func jsonRows(t *testing.T, text []byte) (rows []row) {
	t.Helper()
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	byText(rows)
	return rows
}

func byText(rows []row) {
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// What is saved is what the table of the command line has at that time, and each form has every row. A row that is copied goes to the
// terminal's clipboard.
func TestScreenSaveAndCopy(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	ready(t, start(t, ns, "tenant", "still"), "")
	term := watchOn(t, ns, 120, 30, "", "-tanp")
	term.tmux("set", "-g", "set-clipboard", "on")
	term.await("LISTEN 1", "ESTABLISHED 2")
	dir := t.TempDir()
	save := func(name string) []byte {
		t.Helper()
		path := filepath.Join(dir, name)
		term.press("e")
		term.await("save to (.txt .json .csv): netlive-connections-")
		term.press("C-u")
		term.typed(path)
		term.press("Enter")
		term.await("saved 3 rows to ")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	saved := jsonRows(t, save("a.json"))
	var frame struct{ Sockets json.RawMessage }
	if err := json.Unmarshal(runIn(t, ns, "netlive", "watch", "-tanp", "--json", "--count", "1"), &frame); err != nil {
		t.Fatal(err)
	}
	if frame := jsonRows(t, frame.Sockets); len(saved) != 3 || !reflect.DeepEqual(saved, frame) {
		t.Errorf("saved\n%v\nnetlive watch --json\n%v", saved, frame)
	}
	// The table is read from /proc, which has no cookies, and knows owners in its own way.
	table := jsonRows(t, runIn(t, ns, "netlive", "-tanp", "--json"))
	for _, rows := range [][]row{saved, table} {
		for _, r := range rows {
			delete(r, "cookie")
			for _, o := range r["owners"].([]any) {
				delete(o.(row), "how")
				delete(o.(row), "start_ns")
			}
		}
		byText(rows)
	}
	if !reflect.DeepEqual(saved, table) {
		t.Errorf("saved\n%v\nnetlive -tanp --json\n%v", saved, table)
	}
	for _, name := range []string{"a.txt", "a.csv"} {
		if lines := strings.Split(strings.TrimSpace(string(save(name))), "\n"); len(lines) != 4 || strings.Count(strings.Join(lines, "\n"), "127.0.0.1:7301") != 3 {
			t.Errorf("%s: %q", name, lines)
		}
	}
	// What is there is nobody's to overwrite, and a form has to be said.
	term.press("e")
	term.press("C-u")
	term.typed(filepath.Join(dir, "a.txt"))
	term.press("Enter")
	term.await("is there already")
	for range ".txt" {
		term.press("BSpace")
	}
	term.press("Enter")
	term.await("the name has to end in .txt, .json or .csv")
	term.press("Escape")
	term.await("? help")

	term.press("G")
	term.press("c")
	screen := term.await("copied: tcp")
	_, copied, _ := strings.Cut(screen, "copied: ")
	copied = strings.TrimSpace(copied)
	term.awaitThat("the clipboard has "+copied, func(string) bool {
		out, err := exec.Command("tmux", "-S", term.socket, "show-buffer").Output()
		return err == nil && strings.HasPrefix(string(out), strings.TrimSuffix(copied, "…"))
	})
	term.quit()
}

// A process is ended, and a connection closed, only by who types the word that is asked for.
func TestScreenKillAndClose(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	child := start(t, ns, "listener", "7777")
	ready(t, child, "")
	_, l := listen(t, ns)
	p := connect(t, ns, l)
	ends := make(chan error, 2)
	for _, c := range []net.Conn{p.client, p.server} {
		go func() {
			_, err := c.Read(make([]byte, 1))
			ends <- err
		}()
	}
	term := watchOn(t, ns, 140, 30, slowly, "-tanp")
	term.await("LISTEN 2", "ESTABLISHED 2")
	pid := fmt.Sprint(child.Process.Pid)

	term.toRow(":7777")
	term.press("K")
	term.await("End " + pid + "/listener by SIGTERM? Type " + pid + ":")
	term.typed("yes")
	term.press("Enter")
	term.await("that was not " + pid + ": nothing was done")
	term.press("K")
	term.await("Type " + pid)
	term.press("Escape")
	term.await("nothing was done")
	if err := unix.Kill(child.Process.Pid, 0); err != nil {
		t.Fatalf("the process has ended: %v", err)
	}
	term.press("K")
	term.await("Type " + pid)
	term.typed(pid)
	term.press("Enter")
	term.await("SIGTERM was sent to " + pid)
	if child.wait(); child.ProcessState.Sys().(interface{ Signal() unix.Signal }).Signal() != unix.SIGTERM {
		t.Errorf("it ended by %v", child.ProcessState)
	}
	term.rowOf("-tcp", ":7777 ")

	term.toRow(p.from())
	term.press("X")
	term.await("Close 127.0.0.1:", "Type close:")
	term.typed("closed")
	term.press("Enter")
	term.await("that was not close: nothing was done")
	term.rowOf(" "+p.from()+" ", "ESTABLISHED")
	term.press("X")
	term.await("Type close:")
	term.typed("close")
	term.press("Enter")
	term.await("closed 127.0.0.1:", "⇄")
	var got []error
	for range 2 {
		select {
		case err := <-ends:
			got = append(got, err)
		case <-time.After(limit):
			t.Fatal("the connection was not closed")
		}
	}
	// sock_diag's destroy gives one end ECONNABORTED (tcp_abort), and the reset that it sends the other ECONNRESET.
	for _, want := range []error{unix.ECONNABORTED, unix.ECONNRESET} {
		if !slices.ContainsFunc(got, func(err error) bool { return errors.Is(err, want) }) {
			t.Errorf("%v is not among %v", want, got)
		}
	}
	term.awaitNot("ESTABLISHED")
	term.quit()
}

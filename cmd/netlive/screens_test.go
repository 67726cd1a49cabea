// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netlive/internal/kerneltest"
)

// slowly keeps what has closed on the screen for longer than a test takes to look.
const slowly = "linger = \"1m\"\n"

// watchOn shows netlive watch with args on a terminal, with a configuration and no other setting of who runs the tests.
func watchOn(t *testing.T, ns *kerneltest.NS, width, height int, config, args string) *terminal {
	t.Helper()
	return newTerminal(t, ns, width, height, "netlive watch "+args, configure(t, config).env...)
}

// setting is a configuration: the file, and what makes it that of who is started with it.
type setting struct {
	file string
	env  []string
}

func configure(t *testing.T, config string) setting {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "netlive", "config.toml")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return setting{file, []string{"XDG_CONFIG_HOME=" + dir, "LC_ALL=C.UTF-8", "NO_COLOR="}}
}

// tmux runs a command of the terminal's own and returns what it prints.
func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// typed types a text as it is.
func (term *terminal) typed(text string) {
	term.t.Helper()
	term.tmux("send-keys", "-l", text)
}

// command runs an action by its name.
func (term *terminal) command(text string) {
	term.t.Helper()
	term.press(":")
	term.typed(text)
	term.press("Enter")
}

// awaitThat returns the screen when it is as wanted.
func (term *terminal) awaitThat(what string, is func(screen string) bool) string {
	term.t.Helper()
	var screen string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if screen = term.screen(); is(screen) {
			return screen
		}
	}
	term.t.Fatalf("never seen: %s\n%s", what, screen)
	return ""
}

// awaitNot returns the screen when it shows none of the texts.
func (term *terminal) awaitNot(texts ...string) string {
	term.t.Helper()
	return term.awaitThat(fmt.Sprintf("no %q", texts), func(screen string) bool {
		for _, text := range texts {
			if strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// quit ends watch by its key, and looks that the terminal is as it was: what is typed is echoed, and nothing of the screen is left.
func (term *terminal) quit() {
	term.t.Helper()
	term.press("q")
	term.sane("exit code 0")
}

// sane looks that a terminal has been left with an exit code and as it was.
func (term *terminal) sane(code string) {
	term.t.Helper()
	if screen := term.await(code); strings.Contains(screen, "? help") || strings.Contains(screen, "q quit") {
		term.t.Errorf("the screen was left behind:\n%s", screen)
	}
	out, err := exec.Command("stty", "-a", "-F", strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_tty}"))).CombinedOutput()
	if text := " " + strings.Join(strings.Fields(string(out)), " "); err != nil || !strings.Contains(text, " echo ") || !strings.Contains(text, " icanon ") {
		term.t.Errorf("%v: %s", err, out)
	}
	for _, flag := range []string{"alternate_on", "mouse_any_flag", "bracket_paste_flag"} {
		if is := strings.TrimSpace(term.tmux("display-message", "-p", "#{"+flag+"}")); is != "0" && is != "" {
			term.t.Errorf("%s is %s", flag, is)
		}
	}
	if is := strings.TrimSpace(term.tmux("display-message", "-p", "#{cursor_flag}")); is != "1" {
		term.t.Errorf("the cursor is hidden")
	}
}

// twin is a connection, both of whose ends are this process's.
type twin struct{ client, server *net.TCPConn }

// connect makes a connection to a listener in ns.
func connect(t *testing.T, ns *kerneltest.NS, l net.Listener) (p twin) {
	t.Helper()
	ns.Do(func() {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		a, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p = twin{c.(*net.TCPConn), a.(*net.TCPConn)}
	})
	t.Cleanup(p.close)
	return p
}

func (p twin) close() {
	_ = p.client.Close() // it may be closed already
	_ = p.server.Close()
}

// from is the client's end, as the screen has it.
func (p twin) from() string { return p.client.LocalAddr().String() }

// The words by which each screen is known.
var pageWords = [][]string{
	{"Local Address", "Foreign Address", "State", "Other end"},
	{"Backlog", "Accept/s", "Accepted", "Overflow"},
	{"TIME", "EVENT", "PROCESS", "following"},
	{"Destination", "Gateway", "Genmask", "127.0.0.0"},
	{"Iface", "RX/s", "TX/s", "lo "},
	{"Total", "Tcp counter", "active connection openings"},
	{"Interface", "RefCnt", "Group", "224.0.0.1"},
}

// Each screen has its key and its name, and Tab goes through them in a circle.
func TestScreensByKey(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	ip(t, ns, "route add 127.0.0.0/8 dev lo")
	term := watchOn(t, ns, 120, 60, "", "-tan")
	term.await(pageWords[0]...)
	for _, i := range []int{6, 0, 1, 2, 3, 4, 5, 1} {
		term.press(fmt.Sprint(i + 1))
		term.await(pageWords[i]...)
	}
	for _, i := range []int{2, 3, 4, 5, 6, 0, 1} {
		term.press("Tab")
		term.await(pageWords[i]...)
	}
	term.press("BTab")
	term.await(pageWords[0]...)
	term.command("statistics")
	term.await(pageWords[5]...)
	term.press("?")
	term.await("keys: ", "1-7", "sort by a column", "Marks: ")
	term.press("q") // any key closes it
	term.awaitNot("Marks: ")
	term.quit()
}

// netstat's options say which screen is the first, and without them the configuration does.
func TestScreensByOption(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config, args string
		page         int
	}{
		{"", "-tulpn", 1},
		{"", "-rn", 3},
		{"", "-i", 4},
		{"", "-s", 5},
		{"", "-gn", 6},
		{"screen = \"events\"\n", "", 2},
		{"screen = \"events\"\n", "-tan", 0},
		{"screen = \"routes\"\n", "-s", 5},
	} {
		t.Run(strings.TrimSpace(c.args+" "+strings.TrimSpace(c.config)), func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			ip(t, ns, "route add 127.0.0.0/8 dev lo")
			term := watchOn(t, ns, 120, 60, c.config, c.args)
			term.await(pageWords[c.page]...)
			term.quit()
		})
	}
}

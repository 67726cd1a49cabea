// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// What strangers call things: they clear the screen, forge a row, colour (as C1 controls too), turn the direction of writing, and are no UTF-8.
var hostileNames = []string{"\x1b[2J\x1b[H", "a\nb", "\u009b31mred", "\x9b31m", "\u202egnp.exe", "\xff\xfe", "\x1b]0;t\x07", "\rtcp 0"}

// hostileRig is a namespace where everything has such a name, with the files of /etc.
type hostileRig struct {
	*stage
	port int
}

func newHostileRig(t *testing.T) *hostileRig {
	t.Helper()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	rig := &hostileRig{port: l.Addr().(*net.TCPAddr).Port}
	dir, err := os.MkdirTemp("", "names") // a path of a socket has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for i, name := range hostileNames {
		// A process's comm is the name of its file (fs/exec.c, begin_new_exec).
		file := filepath.Join(dir, name)
		if err := os.Symlink(tool(t, "bash"), file); err != nil {
			t.Fatal(err)
		}
		child := exec.Command(file, "-c", "exec 3<>/dev/tcp/127.0.0.1/$1; read", name, fmt.Sprint(rig.port))
		child.Args[0] = name
		connected(t, ns, child, l)
		ns.Do(func() {
			for _, path := range []string{filepath.Join(dir, fmt.Sprint(i)+name), "@" + name + strings.Repeat("\x1b", 100-len(name))} {
				u, err := net.Listen("unix", path)
				if err != nil {
					t.Fatalf("%q: %v", path, err)
				}
				t.Cleanup(func() { _ = u.Close() })
			}
		})
		// The kernel refuses blanks, slashes and colons in the name of an interface, and nothing else (net/core/dev.c, dev_valid_name).
		if device := fmt.Sprintf("%d%.8s", i, name); !strings.ContainsAny(device, "\n\r:/ ") && !strings.Contains(device, "\xa0") {
			peer := fmt.Sprintf("p%d", i)
			if out, err := ipIn(ns, "link", "add", device, "type", "veth", "peer", "name", peer); err != nil {
				t.Fatalf("%q: %v: %s", device, err, out)
			}
			for _, args := range [][]string{{"link", "set", device, "up"}, {"addr", "add", fmt.Sprintf("10.77.%d.1/24", i), "dev", device}} {
				if out, err := ipIn(ns, args...); err != nil {
					t.Fatalf("%q: %v: %s", args, err, out)
				}
			}
		}
	}
	etc := tree(t, filepath.Join("testdata", "conformance", "etc.txtar"))
	for file, text := range map[string]string{
		"hosts":    "127.0.0.1 lo\x1b[2Jcal\u202e\n10.77.0.0 n\x9bet\n",
		"services": fmt.Sprintf("sv\x1b[31m\u202e %d/tcp\n", rig.port),
		"networks": "ne\x1bt\u202e 10.77.0.0\n",
		"passwd":   "ro\x1b[2J\u202e\xff:x:0:0::/:\n",
	} {
		if err := os.WriteFile(filepath.Join(etc, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rig.stage = newStage(t, "hostile", findPrograms(t), ns, [2]string{"/etc", etc})
	return rig
}

func ipIn(ns *kerneltest.NS, args ...string) (string, error) {
	cmd := exec.Command("ip", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := ns.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	return said.String(), err
}

// say runs netlive, by that name, with words, and returns what it wrote to a pipe, or to a terminal.
func (rig *hostileRig) say(terminal bool, words ...string) (out, errs []byte) {
	rig.t.Helper()
	cmd := exec.Command(rig.netlive, words...)
	cmd.Args[0] = "netlive"
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm", "NO_COLOR=1")
	var said, wrong bytes.Buffer
	cmd.Stderr = &wrong
	if !terminal {
		cmd.Stdout = &said
		rig.start(cmd)
	} else {
		master, slave := ptyPair(rig.t)
		defer master.Close()
		cmd.Stdout = slave
		rig.start(cmd)
		_ = slave.Close()
		_, _ = io.Copy(&said, master) // ends with EIO when nobody has the other side any more
	}
	hung := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer hung.Stop()
	_ = cmd.Wait() // the exit code is not what this is about
	return bytes.ReplaceAll(said.Bytes(), []byte("\r\n"), []byte("\n")), wrong.Bytes()
}

// connected starts a child that connects to l and ends with its input, the test's at the latest: our end of the connection, and the input.
func connected(t *testing.T, ns *kerneltest.NS, child *exec.Cmd, l net.Listener) (net.Conn, io.Closer) {
	t.Helper()
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start(child); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close(); _ = child.Wait() })
	a, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a, stdin
}

// ptyPair makes a terminal: what is written to slave comes out of master, of which a Close ends a Read.
func ptyPair(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	if err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// checkShown fails the test if a text could do anything to a terminal.
func checkShown(t *testing.T, what string, text []byte) {
	t.Helper()
	if i := bytes.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }); i >= 0 || !utf8.Valid(text) {
		t.Errorf("%s: %.80q would reach a terminal", what, text[max(i, 0):])
	}
}

// Names that strangers chose are escaped wherever people read them, are whole in JSON, and are netstat's own bytes where netstat is asked for.
func TestHostileNamesInEveryOutput(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	rig := newHostileRig(t)

	t.Run("netstat", func(t *testing.T) {
		// The names of hosts are not among these: Go takes those that are no names for none.
		for i, text := range []string{"-tape --numeric-hosts", "-xanp", "-ie", "-rW --numeric-hosts", "-tapW --numeric-hosts", "-tap --numeric-hosts", "-xl", "-i", "-r", "-g", "-s"} {
			line := parseLine(text)
			both := []commandLine{line, line.strictly()}
			if i > 3 {
				both = both[:1]
			}
			for _, l := range both {
				var got, want outcome
				for range 8 { // counters move
					if want, got = rig.run(rig.netstat, l), rig.run(rig.netlive, l); got == want {
						break
					}
				}
				if got != want {
					t.Errorf("%s:\n%s", l, got.against(want))
				}
				if i < 2 && !strings.Contains(got.out, "\x1b[2J") {
					t.Errorf("%s has no hostile name: %q", l, got.out)
				}
			}
		}
	})
	t.Run("terminal", func(t *testing.T) {
		for _, text := range []string{"-tan", "-tap", "-tape", "-tapW", "-xanp", "-i", "-ien", "-r", "-rW", "-g", "-tapW --unit --netns all", "-lxp"} {
			out, errs := rig.say(true, strings.Fields(text)...)
			checkShown(t, text, out)
			checkShown(t, text+" on stderr", errs)
			if strings.Contains(text, "tap") && !bytes.Contains(out, []byte(`\x1b[2J`)) {
				t.Errorf("%s: no escaped name in %q", text, out)
			}
		}
		out, errs := rig.say(true, "doctor")
		checkShown(t, "doctor", append(out, errs...))
	})
	t.Run("json", func(t *testing.T) {
		for _, text := range []string{"--json -tape", "--json -xanp", "--json -ie", "--json -r", "--json -g", "--json -s", "watch --json --count 1 -anp", "watch --json --count 1 -i",
			"watch --json --count 1 -r", "doctor --json"} {
			out, errs := rig.say(false, strings.Fields(text)...)
			checkShown(t, text, out)
			checkShown(t, text+" on stderr", errs)
			n := 0
			for decoder := json.NewDecoder(bytes.NewReader(out)); ; n++ {
				var v any
				if err := decoder.Decode(&v); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%s: %v in %q", text, err, out)
				}
			}
			if n == 0 {
				t.Errorf("%s: nothing but %q", text, errs)
			}
		}
		out, _ := rig.say(false, "--json", "-tanp")
		for _, name := range hostileNames {
			quoted, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			var program string
			if err := json.Unmarshal(quoted, &program); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(fmt.Sprint(jsonTexts(t, out)), program) {
				t.Errorf("%q is not in the JSON", program)
			}
		}
	})
	t.Run("frames", func(t *testing.T) {
		for _, text := range []string{"-anp", "-ane --unit", "-i", "-r", "-g", "-anp --source procfs"} {
			out, errs := rig.say(false, append([]string{"watch", "--count", "1"}, strings.Fields(text)...)...)
			checkShown(t, text, append(out, errs...))
		}
	})
	t.Run("trace", func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range hostileNames {
			if err := os.Symlink(tool(t, "bash"), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		each := fmt.Sprintf(`for f in "$0"/*; do "$f" -c 'exec 3<>/dev/tcp/127.0.0.1/%d; exec 3>&-' "$f"; done`, rig.port)
		for _, form := range []string{"--absolute", "--csv", "--json"} {
			out, errs := rig.say(false, "trace", form, "--event", "open,close,fail", "--", "bash", "-c", each, dir)
			if len(out) > 0 {
				t.Errorf("%s: the command said %q", form, out)
			}
			checkShown(t, "trace "+form, errs)
			if n := bytes.Count(errs, []byte("close")); n < len(hostileNames) {
				t.Errorf("%s: %d ends of connections, want %d: %q", form, n, len(hostileNames), errs)
			}
			if form == "--csv" {
				if _, err := csv.NewReader(bytes.NewReader(errs)).ReadAll(); err != nil {
					t.Errorf("%q: %v", errs, err)
				}
			}
			for line := range bytes.Lines(errs) {
				if form == "--json" && !json.Valid(line) {
					t.Errorf("%q is no JSON", line)
				}
			}
		}
	})
}

// jsonTexts are all strings in JSON.
func jsonTexts(t *testing.T, text []byte) (texts []string) {
	t.Helper()
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := decoder.Token()
		if err != nil {
			return texts
		}
		if s, ok := token.(string); ok {
			texts = append(texts, s)
		}
	}
}

// A process that lives in a directory as deep as the kernel lets it be, with names that do no good, leaves the screen as it was drawn.
func TestScreenDeepDirectory(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	const pathMax = 4096 - 1 // with the NUL
	deep := t.TempDir()
	for name := "/\x1b[2J\u202e\n" + strings.Repeat("x", 180); len(deep)+len(name) < pathMax-len("/bash"); {
		deep += name
	}
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(tool(t, "bash"), "-c", `exec 3<>"/dev/tcp/127.0.0.1/$1"; read`, deep, fmt.Sprint(l.Addr().(*net.TCPAddr).Port), strings.Repeat("\x1b[1;1H", 600))
	child.Dir = deep
	a, _ := connected(t, ns, child, l)
	term := watchOn(t, ns, 100, 30, "", "-tanp")
	term.await("LISTEN 1")
	term.command(fmt.Sprintf("filter sport = :%d", a.RemoteAddr().(*net.TCPAddr).Port))
	term.await("1 of 3: ")
	term.press("Enter")
	text := term.await("why it is open", fmt.Sprint(child.Process.Pid), "; read "+deep[:len("/tmp/TestScreenDeep")])
	if lines := strings.Split(strings.TrimRight(text, "\n"), "\n"); len(lines) != 30 || !strings.HasPrefix(lines[0], "netlive ") {
		t.Errorf("the screen is not as it was drawn, %d lines:\n%s", len(lines), text)
	}
	term.quit()
}

// What the words of a command line, the environment and files say is repeated in errors such that it can do nothing to a terminal. netstat's own messages are
// netstat's.
func TestHostileWordsInErrors(t *testing.T) {
	t.Parallel()
	const evil = "\x1b[2J\u009b\u202e\xff\nx"
	deep := "/" + strings.Repeat(evil+"/", 4000/len(evil)) // no path is longer than 4 KiB
	config := filepath.Join(t.TempDir(), evil+".toml")
	if err := os.WriteFile(config, []byte("[colors]\n\""+strings.ReplaceAll(evil, "\n", "")+"\" = 1\n= \x1b[2J\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	options := []string{"--filter", "--sort", "--columns", "--netns", "--interval", "--color", "--group", "--event", "--ring", "--source", "--count", "--for", "-A", "--protocol"}
	var lines [][]string
	for _, verb := range []string{"", "watch", "trace", "doctor", "help", "completion", "man"} {
		begin := strings.Fields(verb)
		for _, words := range [][]string{{"port = " + evil}, {"--" + evil}, {"-" + evil}, {"--config", deep}, {"--json=" + evil}, {"--explain-filter", "--filter", "proc = '" + evil + "'"}} {
			if verb != "man" || len(words) == 1 {
				lines = append(lines, append(begin[:len(begin):len(begin)], words...))
			}
		}
		if verb != "watch" && verb != "trace" && verb != "" {
			continue
		}
		for _, option := range options {
			if option != "--netns" || verb != "trace" { // no name of a namespace does any harm there either, but takes a second
				value := evil
				if option == "--filter" {
					value = "port = " + evil // a word alone is one to look for
				}
				lines = append(lines, append(begin[:len(begin):len(begin)], option, value))
			}
		}
	}
	lines = append(lines, []string{"trace", "--", deep}, []string{"trace", "--", "/" + evil}, []string{"watch", "--config", config}, []string{"watch", "--config", config + evil})
	for _, line := range lines {
		for _, env := range []string{"NETLIVE_COMPAT=", "NETLIVE_COMPAT=" + evil} {
			if env != "NETLIVE_COMPAT=" && len(line) > 1 {
				continue
			}
			cmd := exec.Command("netlive", line...)
			cmd.Env = append(os.Environ(), env, "LC_ALL=C.UTF-8", "XDG_CONFIG_HOME=/"+evil)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			master, slave := ptyPair(t) // the screen's settings are read for a screen alone
			if len(line) > 1 && line[0] == "watch" && line[1] == "--config" {
				cmd.Stdin, cmd.Stdout = slave, slave
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			hung := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			if !hung.Stop() {
				t.Errorf("%q did not end", line)
			}
			_, _ = slave.Close(), master.Close()
			checkShown(t, fmt.Sprintf("%.60q says", line), errs.Bytes())
			checkShown(t, fmt.Sprintf("%.60q prints", line), out.Bytes())
			if bytes.Contains(errs.Bytes(), []byte("\nx")) {
				t.Errorf("%q: a line of its own in %q", line, &errs)
			}
		}
	}
}

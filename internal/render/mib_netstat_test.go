// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/procfallback"
)

// The command lines on which netstat is asked, and what each asks for.
var mibCommands = []struct {
	args []string
	s    Statistics
}{
	{[]string{"-s"}, Statistics{Raw: true, TCP: true, UDP: true, SCTP: true}},
	{[]string{"-s6"}, Statistics{Families: "inet6", Raw: true, TCP: true, UDP: true, SCTP: true}},
	{[]string{"-st"}, Statistics{TCP: true}},
	{[]string{"-su"}, Statistics{UDP: true}},
	{[]string{"-sw"}, Statistics{Raw: true}},
	{[]string{"-sS"}, Statistics{SCTP: true}},
	{[]string{"-sU"}, Statistics{}},
	{[]string{"-stu"}, Statistics{TCP: true, UDP: true}},
	{[]string{"-s4wS"}, Statistics{Families: "inet", Raw: true, SCTP: true}},
	{[]string{"-s6t"}, Statistics{Families: "inet6", TCP: true}},
	{[]string{"-s6u"}, Statistics{Families: "inet6", UDP: true}},
	{[]string{"-s6w"}, Statistics{Families: "inet6", Raw: true}},
	{[]string{"-s6SU"}, Statistics{Families: "inet6", SCTP: true}},
	{[]string{"-s", "-4", "-6"}, Statistics{Families: "inet,inet6", Raw: true, TCP: true, UDP: true, SCTP: true}},
	{[]string{"-s", "-x"}, Statistics{Families: "unix", Raw: true, TCP: true, UDP: true, SCTP: true}},
}

// said is the outcome of a command.
type said struct {
	out, errs string
	code      int
}

// askNetstat runs the real netstat from the calling thread, whose namespaces it inherits.
func askNetstat(t *testing.T, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command("netstat", args...)
	cmd.Env = []string{"LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("run netstat: %v", err)
	}
	return said{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// askOurselves gives the report that s asks for on what is below proc.
func askOurselves(t *testing.T, s *Statistics, proc string) said {
	t.Helper()
	files, err := procfallback.New(os.DirFS(proc)).Counters(t.Context(), s.Wants())
	if err != nil {
		t.Fatal(err)
	}
	out, errs, code := s.Append(nil, nil, &files)
	return said{string(out), string(errs), code}
}

// hideProc binds the calling goroutine to its thread, for as long as that lives, and there
// puts dir in the place of /proc, for the commands that it starts.
func hideProc(t *testing.T, dir string) {
	t.Helper()
	kerneltest.RequireRoot(t)
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); errors.Is(err, unix.EPERM) {
		t.Skipf("needs CAP_SYS_ADMIN to make a mount namespace: %v", err)
	} else if err != nil {
		t.Fatalf("make a mount namespace: %v", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("make mounts private: %v", err)
	}
	if err := unix.Mount(dir, "/proc", "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("mount %s on /proc: %v", dir, err)
	}
}

// On made-up files, whatever they hold, netstat and we say the same.
func TestStatisticsLikeNetstat(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "net/sctp"), 0o755); err != nil {
		t.Fatal(err)
	}
	hideProc(t, dir)
	const (
		rounds    = 240
		sometimes = 3 // commands of a round, besides -s and -s6
	)
	g := newMIBGenerator(1)
	next, failures := 0, 0
	for round := range rounds {
		g.write(t, dir)
		for i := range 2 + sometimes {
			if i >= 2 {
				i = 2 + next%(len(mibCommands)-2)
				next++
			}
			c := &mibCommands[i]
			want, got := askNetstat(t, c.args...), askOurselves(t, &c.s, dir)
			if got == want {
				continue
			}
			t.Errorf("round %d, netstat %v, exit code %d and %d, stderr %q and %q, first difference:\n%s",
				round, c.args, want.code, got.code, want.errs, got.errs, firstDifference(want.out, got.out))
			if failures++; failures == 5 {
				t.Fatal("and so on")
			}
		}
	}
}

// firstDifference is the first line of netstat's that is not ours, with both.
func firstDifference(want, got string) string {
	w, g := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	at := 0
	for at < min(len(w), len(g))-1 && w[at] == g[at] {
		at++
	}
	return "netstat: " + w[at] + "\nwe:      " + g[at]
}

// A directory in the place of a file, and a link that leads nowhere: read and open fail.
func TestStatisticsLikeNetstatWhenFilesFail(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "net/sctp"), 0o755); err != nil {
		t.Fatal(err)
	}
	hideProc(t, dir)
	good := map[string]string{
		"net/snmp": "Ip: InReceives\nIp: 1\nTcp: InSegs\nTcp: 2\n", "net/netstat": "TcpExt: TW\nTcpExt: 3\n",
		"net/sctp/snmp": "SctpShutdowns\t4\n", "net/snmp6": "Ip6InReceives\t5\n",
	}
	for name := range good {
		for _, bad := range []string{"missing", "directory", "loop", "empty"} {
			path := filepath.Join(dir, name)
			for name, text := range good {
				path := filepath.Join(dir, name)
				if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			err := os.Remove(path)
			switch bad {
			case "directory":
				err = errors.Join(err, os.Mkdir(path, 0o755))
			case "loop":
				err = errors.Join(err, os.Symlink(filepath.Base(path), path))
			case "empty":
				err = errors.Join(err, os.WriteFile(path, nil, 0o644))
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range mibCommands {
				want, got := askNetstat(t, c.args...), askOurselves(t, &c.s, dir)
				if got != want {
					t.Errorf("%s %s, netstat %v:\n%+v\nwe:\n%+v", bad, name, c.args, want, got)
				}
			}
		}
	}
}

// On the real files of a namespace where nothing goes on.
func TestStatisticsLikeNetstatOnThisKernel(t *testing.T) {
	kerneltest.NetNS(t).Do(func() {
		makeTraffic(t)
		for _, c := range mibCommands {
			// The kernel itself may send something between two readings, but not for ever.
			for attempt := range 20 {
				before := askNetstat(t, c.args...)
				got := askOurselves(t, &c.s, "/proc")
				if got == before {
					break
				}
				if after := askNetstat(t, c.args...); got == after {
					break
				} else if attempt == 19 {
					t.Errorf("netstat %v, exit code %d and %d, stderr %q and %q, first difference:\n%s",
						c.args, after.code, got.code, after.errs, got.errs, firstDifference(after.out, got.out))
				}
			}
		}
	})
}

// makeTraffic lets counters of all kinds move: TCP, UDP, and ICMP for a port where nobody listens.
func makeTraffic(t *testing.T) {
	t.Helper()
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		c.Close()
		u, err := net.Dial("udp", net.JoinHostPort(host, "9"))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			// The second fails with what ICMP said of the first.
			_, _ = u.Write([]byte("x"))
		}
		u.Close()
	}
}

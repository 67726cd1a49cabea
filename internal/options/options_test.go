// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"netlive/internal/sock"
)

func parse(t *testing.T, face Face, line string) Options {
	t.Helper()
	o, err := Parse(face, "netstat", strings.Fields(line))
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return o
}

func TestOptions(t *testing.T) {
	for line, want := range map[string]func(*Options) bool{
		"-tulpn": func(o *Options) bool {
			return o.Protos() == sock.ProtosTCP|sock.ProtosUDP && o.Listening && o.Programs && o.NumericHosts && o.NumericPorts && o.NumericUsers
		},
		"":                        func(o *Options) bool { return o.ShowsInet() && o.ShowsUnix() && !o.All && !o.NumericHosts },
		"-ee -e":                  func(o *Options) bool { return o.Extend == 3 },
		"--numeric-h --numeric-p": func(o *Options) bool { return o.NumericHosts && o.NumericPorts && !o.NumericUsers },
		"--program -t":            func(o *Options) bool { return o.Programs },
		"foo -t bar -- -x":        func(o *Options) bool { return o.Protos() == sock.ProtosTCP && len(o.Operands) == 3 },
		"-4":                      func(o *Options) bool { return o.Protos() == protosInet&protosV4 },
		"--inet6":                 func(o *Options) bool { return o.Protos() == protosInet&^protosV4 },
		"-t6":                     func(o *Options) bool { return o.Protos() == sock.Protos(sock.TCP6) },
		"-4 -x":                   func(o *Options) bool { return o.Protos() == protosInet&protosV4|sock.ProtosUnix },
		"-x":                      func(o *Options) bool { return o.Protos() == sock.ProtosUnix && !o.ShowsInet() },
		"-xt":                     func(o *Options) bool { return o.Protos() == sock.ProtosUnix|sock.ProtosTCP },
		"-A inet,unix":            func(o *Options) bool { return o.ShowsInet() && o.ShowsUnix() && !o.Protos().Has(sock.TCP6) },
		"-Ainet -l":               func(o *Options) bool { return o.ShowsInet() && o.Listening },
		"--protocol=ip6":          func(o *Options) bool { return o.Protos() == protosInet&^protosV4 },
		"-h -Q":                   func(o *Options) bool { return o.Help },
		"-V --foo":                func(o *Options) bool { return o.Version },
		"--tcpip -t":              func(o *Options) bool { return len(o.Warnings) == 1 && o.Protos() == sock.ProtosTCP },
	} {
		if o := parse(t, Netstat, line); !want(&o) {
			t.Errorf("%q: %+v", line, o)
		}
	}
}

func TestOwnOptions(t *testing.T) {
	o := parse(t, Verb, "-t --json --interval 2.5 --count=3 --source procfs")
	if !o.JSON || o.Interval != 2500*time.Millisecond || o.Count != 3 || o.Source != SourceProcfs {
		t.Errorf("%+v", o)
	}
	if o := parse(t, Verb, "--interval 250ms"); o.Interval != 250*time.Millisecond {
		t.Errorf("%v", o.Interval)
	}
	for line, want := range map[string]string{
		"--interval soon": `netlive: --interval: "soon" is not a duration (try 500ms, 2s)`,
		"--interval 0":    `netlive: --interval: "0" is too short (at least 10ms)`,
		"--interval -1s":  `netlive: --interval: "-1s" is too short (at least 10ms)`,
		"--interval NaN":  `netlive: --interval: "NaN" is not a duration (try 500ms, 2s)`,
		"--count 0":       `netlive: --count: "0" is not a number of frames (try 1, 10)`,
		"--count many":    `netlive: --count: "many" is not a number of frames (try 1, 10)`,
		"--source x":      `netlive: --source: "x" is not a source (try auto, ebpf, procfs)`,
		"--interval":      "netstat: option '--interval' requires an argument",
		"--json=1":        "netstat: option '--json' doesn't allow an argument",
	} {
		_, err := Parse(Verb, "netstat", strings.Fields(line))
		var e *Error
		if !errors.As(err, &e) || e.Message != want || e.ExitCode != exitUsage {
			t.Errorf("%q: %v (%+v)", line, err, e)
		}
	}
	// A shortened option of netstat's means the same with our options there.
	if _, err := Parse(Verb, "netstat", []string{"--conti", "--interf"}); err == nil || !strings.Contains(err.Error(), "-i (interfaces)") {
		t.Errorf("%v", err)
	}
}

func TestRefused(t *testing.T) {
	for line, want := range map[string]string{
		"-rn":      "netstat: not supported: -r (routes)",
		"-A ddp":   "netstat: not supported: address family ddp",
		"-ant -o":  "netstat: not supported: -o (timers)",
		"-A foo":   "Unknown address family `foo'.",
		"-A inet,": "Unknown address family `'.",
	} {
		_, err := Parse(Netstat, "netstat", strings.Fields(line))
		var e *Error
		if !errors.As(err, &e) || e.Message != want || e.ExitCode != exitFailure {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestShows(t *testing.T) {
	zero, some := netip.MustParseAddrPort("0.0.0.0:0"), netip.MustParseAddrPort("10.0.0.9:80")
	noAddr := netip.MustParseAddrPort("0.0.0.0:80")
	tests := []struct {
		name      string
		s         sock.Socket
		listening bool
	}{
		{"listener", sock.Socket{Proto: sock.TCP, State: sock.Listen, Remote: zero}, true},
		{"connection", sock.Socket{Proto: sock.TCP, State: sock.Established, Remote: some}, false},
		{"TCP goes by the port, not the state", sock.Socket{Proto: sock.TCP, State: sock.Close, Remote: zero}, true},
		{"UDP goes by the address", sock.Socket{Proto: sock.UDP, State: sock.Close, Remote: noAddr}, true},
		{"connected UDP", sock.Socket{Proto: sock.UDP, State: sock.Established, Remote: some}, false},
		{"UNIX listener", sock.Socket{Proto: sock.Unix, State: sock.UnixListening}, true},
		{"UNIX datagram", sock.Socket{Proto: sock.Unix, State: sock.UnixUnconnected}, false},
	}
	for _, test := range tests {
		for line, want := range map[string]bool{"": !test.listening, "-l": test.listening, "-a": true, "-al": true} {
			o := parse(t, Netstat, line)
			if o.Shows(&test.s) != want {
				t.Errorf("%s with %q: %v", test.name, line, !want)
			}
		}
	}
	o := parse(t, Netstat, "-au")
	if o.Shows(&tests[0].s) {
		t.Error("-u shows TCP")
	}
}

// Lines that end in getopt's refusal, or in -h or -V, say to the byte what netstat says, with its exit code.
func TestErrorsAreNetstats(t *testing.T) {
	netstat, err := exec.LookPath("netstat")
	if err != nil {
		t.Fatal("needs netstat: make test-deps installs it")
	}
	fixed := []string{
		"-T", "-A", "--foo", "--numeric=3", "--protocol", "--num", "-?", "-tQ", "--=x", "--foo=x", "--nu=x", "--", "-h", "-V", "-hV",
		"--a", "--c", "--co", "--con", "--cont", "--i", "--in", "--l", "--n", "--nu", "--numeri", "--numeric-", "--p",
		"--pr", "--pro", "--r", "--ro", "--s", "--t", "--tc", "--u", "--ud", "--un", "--v", "--ve", "--ver", "-A foo", "-A ,inet",
		"-ieth0", "--interfaces=eth1", "--ip6", "-A foo -h", "-h -Q", "-;", "-:", "-t:", "--all=", "x -Q",
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	pieces := []string{
		"-t", "-tu", "-n", "-a", "-l", "-p", "-e", "-W", "--tcp", "--nume", "--numeric-h", "word", "-4", "--inet", "-x", "-Ainet", "-A", "unix",
		"-Q", "-tT", "--bogus", "--co", "--wide=1", "--pro", "-h", "-V", "--vers", "-A nonsense", "--protocol=inet6", "--", "-",
	}
	for range 300 {
		var line []string
		for range 1 + rnd.IntN(5) {
			line = append(line, pieces[rnd.IntN(len(pieces))])
		}
		fixed = append(fixed, strings.Join(line, " "))
	}
	tried := 0
	for _, line := range fixed {
		args := strings.Fields(line)
		o, err := Parse(Netstat, netstat, args)
		var e *Error
		if err == nil && !o.Help && !o.Version {
			continue // it would print tables
		}
		tried++
		var stdout, stderr bytes.Buffer
		code := 0
		switch {
		case errors.As(err, &e):
			code = e.ExitCode
			e.Print(&stderr)
		case o.Help:
			stdout.WriteString(HelpText)
			stderr.WriteString(HelpFamilies)
		default:
			stdout.WriteString(VersionText)
		}
		cmd := exec.Command(netstat, args...)
		cmd.Env = []string{"LC_ALL=C"}
		var wantOut, wantErr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &wantOut, &wantErr
		_ = cmd.Run() // the exit code is compared
		if want := cmd.ProcessState.ExitCode(); code != want || stdout.String() != wantOut.String() || stderr.String() != wantErr.String() {
			t.Errorf("%q: exit code %d, want %d\n%s", line, code, want, firstDifference(stdout.String()+stderr.String(), wantOut.String()+wantErr.String()))
		}
	}
	if tried < 100 {
		t.Errorf("only %d lines ended in an error", tried)
	}
}

func firstDifference(got, want string) string {
	g, w := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("got  %q\nwant %q", g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

func FuzzParse(f *testing.F) {
	f.Add("-tulpn --json --interval 1s")
	f.Add("--num -A inet,unix -- x")
	f.Fuzz(func(t *testing.T, line string) {
		for _, face := range []Face{Netstat, Netlive, Verb} {
			o, err := Parse(face, "netlive", strings.Split(line, " "))
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%q: %T", line, err)
			}
			if err == nil && o.Interval < MinInterval {
				t.Errorf("%q: interval %v", line, o.Interval)
			}
			o.Shows(&sock.Socket{Proto: sock.TCP})
		}
	})
}

// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The candidates of a shortened option, in the order in which getopt names them.
func TestAmbiguous(t *testing.T) {
	for _, test := range []struct{ names, possible string }{
		{"a", "ax25 all"},
		{"c", "continuous cache context"},
		{"co con cont", "continuous context"},
		{"i", "ip interfaces"},
		{"in", "inet interfaces"},
		{"l", "l2cap listening"},
		{"n", "netrom numeric numeric-hosts numeric-ports numeric-users"},
		{"nu num nume numer numeri", "numeric numeric-hosts numeric-ports numeric-users"},
		{"numeric-", "numeric-hosts numeric-ports numeric-users"},
		{"p pr pro", "protocol programs"},
		{"r", "rose route raw rfcomm"},
		{"ro", "rose route"},
		{"s", "sctp statistics symbolic"},
		{"t", "tcpip tcp timers"},
		{"tc", "tcpip tcp"},
		{"u", "unix udp udplite unix"},
		{"ud", "udp udplite"},
		{"un", "unix unix"},
		{"v ve ver", "version verbose"},
	} {
		for name := range strings.FieldsSeq(test.names) {
			list := "'--" + strings.Join(strings.Fields(test.possible), "' '--") + "'"
			// netlive's own options are never candidates: they may not make another ambiguous.
			for _, face := range []Face{Netstat, Netlive, Verb} {
				want := fmt.Sprintf("p: option '--%s' is ambiguous; possibilities: %s", name, list)
				if _, err := Parse(face, "p", []string{"--" + name}, nil); err == nil || err.Error() != want {
					t.Errorf("--%s: %v, want %s", name, err, want)
				}
			}
		}
	}
}

// The shortest names that are not ambiguous.
func TestUnique(t *testing.T) {
	for short, want := range map[string]string{
		"al": "all", "ap": "appletalk", "ax": "ax25", "b": "bluetooth", "ca": "cache", "d": "ddp", "e": "extend", "f": "fib",
		"g": "groups", "h": "help", "m": "masquerade", "int": "interfaces", "li": "listening", "ne": "netrom", "ine": "inet",
		"prog": "programs", "program": "programs", "ra": "raw", "rou": "route", "ros": "rose", "sc": "sctp", "st": "statistics",
		"sy": "symbolic", "ti": "timers", "vers": "version", "verb": "verbose", "w": "wide", "x": "x25", "unix": "unix", "ip": "ip",
	} {
		g := &getopt{long: netstatOptions()}
		if o, err := g.find(short, short); err != nil || o.name != want {
			t.Errorf("--%s: %v, %v, want --%s", short, o, err, want)
		}
	}
	// unix is in the table twice; the exact name is the first of them.
	g := &getopt{long: netstatOptions()}
	if o, err := g.find("unix", "unix"); err != nil || o.val != valFamily {
		t.Errorf("%v, %v", o, err)
	}
}

func TestGetoptMessages(t *testing.T) {
	for line, want := range map[string]string{
		"-T":          "p: invalid option -- 'T'",
		"-tQa":        "p: invalid option -- 'Q'",
		"-é":          "p: invalid option -- '\xc3'",
		"-A":          "p: option requires an argument -- 'A'",
		"--foo":       "p: unrecognized option '--foo'",
		"--foo=3":     "p: unrecognized option '--foo=3'",
		"--numeric=3": "p: option '--numeric' doesn't allow an argument",
		"--progr=3":   "p: option '--programs' doesn't allow an argument",
		"--protocol":  "p: option '--protocol' requires an argument",
		"--num=3":     "p: option '--num=3' is ambiguous; possibilities: '--numeric' '--numeric-hosts' '--numeric-ports' '--numeric-users'",
		"--json":      "p: unrecognized option '--json'", // netlive's, not netstat's
	} {
		_, err := Parse(Netstat, "p", strings.Fields(line), nil)
		var e *Error
		if !errors.As(err, &e) || e.Message != want || e.ExitCode != 3 || e.Help != HelpText+HelpFamilies {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// refuses are lines of which each must say what netstat says.
var refuses = []string{
	"-T", "-A", "--foo", "--numeric=3", "--protocol", "-?", "-tQ", "--=x", "--foo=x", "--nu=x", "-h", "-V", "-hV", "-Vh",
	"-A foo", "-A ,inet", "-A inet,", "-Ainet,foo", "-ieth0", "--interfaces=eth1", "--ip6", "-A foo -h", "-h -A foo", "-h -Q", "-;", "-:",
	"-t:", "--all=", "x -Q", "-I", "-L", "-B", "-G", "-D", "--netlink", "--ec", "--econet", "--ash", "--program-name", "--tcpip -Q",
	"--tcpip --tcpip -h", "-rr", "-ii", "-ss", "-MM", "-ri", "-rs --foo", "-r -M -h", "-sr -V", "-Z", "-Z -h", "-h -Z", "-V -Z", "-tZ --foo",
	"-é", "-t€", "--€=2", "-A é", "-", "--", "-- -Q", "-A -- -Q", "-A -Q", "-t-", "-d -Q", "foo bar -Q baz",
	"--protocol= -Q", "--protocol=inet -Q", "--prot unix -Q", "--a", "--c", "--co", "--i", "--n", "--nu", "--numeric-", "--p", "--r", "--s",
	"--t", "--tc", "--u", "--un", "--v",
}

// pieces make lines of which many end in a refusal.
var pieces = []string{
	"-t", "-tu", "-n", "-a", "-l", "-p", "-e", "-W", "--tcp", "--nume", "--numeric-h", "word", "-4", "--inet", "-x", "-Ainet", "-A", "unix",
	"-Q", "-tT", "--bogus", "--co", "--wide=1", "--pro", "-h", "-V", "--vers", "-A nonsense", "--protocol=inet6", "--", "-", "-Z", "--context",
	"--tcpip", "-r", "-i", "-s", "--ax25", "--ine", "--unix", "--un", "--proto", "-d", "-C?", "--fi", "-A inet,x25,tcpip",
}

// Lines that end in a refusal, or in -h or -V, say to the byte what netstat says, with its exit code.
func TestRefusesAsNetstat(t *testing.T) {
	netstat, err := exec.LookPath("netstat")
	if err != nil {
		t.Fatal("needs netstat: make test-deps installs it")
	}
	var lines [][]string
	for _, line := range refuses {
		lines = append(lines, strings.Fields(line))
	}
	// netstat's list of families has room for 255 bytes.
	for n := 40; n < 60; n++ {
		long := strings.Repeat("ip,", n)
		lines = append(lines, []string{"-A", long + "ip", "-h"}, []string{"-A", long + "foo"},
			[]string{"-A", strings.Repeat("inet6,", n) + "unix", "-Q"}, []string{"-A", strings.Repeat("ipx,", n) + "x", "-Q"})
	}
	lines = append(lines, []string{"-A", strings.Repeat("x", 300)}, append(slices.Repeat([]string{"-4"}, 80), "-h"), []string{"", "-Q"})
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var line []string
		for range 1 + rnd.IntN(5) {
			line = append(line, strings.Fields(pieces[rnd.IntN(len(pieces))])...)
		}
		lines = append(lines, line)
	}
	for name, env := range map[string][]string{
		"permute": {"LC_ALL=C"},
		"posixly": {"LC_ALL=C", "POSIXLY_CORRECT="},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range env {
				name, value, _ := strings.Cut(v, "=")
				t.Setenv(name, value)
			}
			compared := 0
			for _, args := range lines {
				out, errs, code, quick := run(netstat, args)
				if !quick {
					continue // netstat would print tables
				}
				compared++
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				cmd := exec.CommandContext(ctx, netstat, args...)
				cmd.Env = env
				var wantOut, wantErr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &wantOut, &wantErr
				_ = cmd.Run() // the exit code is compared
				cancel()
				if want := cmd.ProcessState.ExitCode(); code != want || out != wantOut.String() || errs != wantErr.String() {
					t.Errorf("%q: exit code %d, want %d\n%s\n%s", args, code, want,
						firstDifference(out, wantOut.String()), firstDifference(errs, wantErr.String()))
				}
			}
			if compared < 200 {
				t.Errorf("only %d lines ended in a refusal", compared)
			}
		})
	}
}

// run is what netlive called as prog does with args before any table; quick is false when it would print one.
func run(prog string, args []string) (stdout, stderr string, code int, quick bool) {
	o, err := Parse(Netstat, prog, args, nil)
	var errs bytes.Buffer
	for _, w := range o.Warnings {
		fmt.Fprintln(&errs, w)
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		e.Print(&errs)
		return "", errs.String(), e.ExitCode, true
	case o.Help:
		errs.WriteString(HelpFamilies)
		return HelpText, errs.String(), 0, true
	case o.Version:
		return VersionText, errs.String(), 0, true
	}
	return "", "", 0, false
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

// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"netlive/internal/sock"
)

func parse(t *testing.T, face Face, line string) Options {
	t.Helper()
	o, err := Parse(face, "netstat", strings.Fields(line), nil)
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
		"":                        func(o *Options) bool { return !o.All && !o.Listening && !o.NumericHosts && o.Extend == 0 },
		"-ee -e":                  func(o *Options) bool { return o.Extend == 3 },
		"--numeric-h --numeric-p": func(o *Options) bool { return o.NumericHosts && o.NumericPorts && !o.NumericUsers },
		"--program -t":            func(o *Options) bool { return o.Programs },
		"-acvWd":                  func(o *Options) bool { return o.All && o.Continuous && o.Verbose && o.Wide },
		"foo -t bar -- -x": func(o *Options) bool {
			return o.Protos() == sock.ProtosTCP && slices.Equal(o.Operands, []string{"foo", "bar", "-x"})
		},
		"-c 5":                   func(o *Options) bool { return o.Continuous && slices.Equal(o.Operands, []string{"5"}) },
		"-4 --unix -A ip6 --ine": func(o *Options) bool { return strings.Join(o.Families, ",") == "inet,unix,inet6,inet" },
		"-h -Q":                  func(o *Options) bool { return o.Help },
		"-ieth0":                 func(o *Options) bool { return o.Help && o.Mode == ModeInterfaces && o.Extend == 1 },
		"-V --foo":               func(o *Options) bool { return o.Version },
		"--tcpip -t":             func(o *Options) bool { return len(o.Warnings) == 1 && o.Protos() == sock.ProtosTCP },
	} {
		if o := parse(t, Netstat, line); !want(&o) {
			t.Errorf("%q: %+v", line, o)
		}
	}
}

func TestPosixlyCorrect(t *testing.T) {
	t.Setenv("POSIXLY_CORRECT", "")
	o := parse(t, Netstat, "-t foo -Q")
	if o.Protos() != sock.ProtosTCP || !slices.Equal(o.Operands, []string{"foo", "-Q"}) {
		t.Errorf("%+v", o)
	}
}

func TestOwnOptions(t *testing.T) {
	o := parse(t, Verb, "-t --json --interval 2.5 --count=3 --source procfs")
	if !o.JSON || o.Interval != 2500*time.Millisecond || o.Count != 3 || o.Source != SourceProcfs {
		t.Errorf("%+v", o)
	}
	for line, want := range map[string]time.Duration{
		"": time.Second, "--interval 250ms": 250 * time.Millisecond, "--interval=2": 2 * time.Second, "--interval .5": time.Second / 2,
		"--interval 10ms": MinInterval, "--interval 1m30s": 90 * time.Second,
	} {
		if o := parse(t, Netlive, line); o.Interval != want {
			t.Errorf("%q: %v", line, o.Interval)
		}
	}
	if o := parse(t, Verb, "-? -Q"); !o.Help {
		t.Error("-? is no help to a verb")
	}
	for line, want := range map[string]string{
		"--interval soon":  `netlive: --interval: "soon" is not a duration (try 500ms, 2s)`,
		"--interval=":      `netlive: --interval: "" is not a duration (try 500ms, 2s)`,
		"--interval 0":     `netlive: --interval: "0" is too short (at least 10ms)`,
		"--interval 9ms":   `netlive: --interval: "9ms" is too short (at least 10ms)`,
		"--interval -1s":   `netlive: --interval: "-1s" is too short (at least 10ms)`,
		"--interval NaN":   `netlive: --interval: "NaN" is not a duration (try 500ms, 2s)`,
		"--interval -Inf":  `netlive: --interval: "-Inf" is not a duration (try 500ms, 2s)`,
		"--interval 1e300": `netlive: --interval: "1e300" is not a duration (try 500ms, 2s)`,
		"--count 0":        `netlive: --count: "0" is not a number from 1 (try 1, 10)`,
		"--count -1":       `netlive: --count: "-1" is not a number from 1 (try 1, 10)`,
		"--count many":     `netlive: --count: "many" is not a number from 1 (try 1, 10)`,
		"--source x":       `netlive: --source: "x" is not a source (try auto, ebpf, procfs)`,
		"--for soon":       `netlive: --for: "soon" is not a duration (try 500ms, 2s)`,
		"--for 0":          `netlive: --for: "0" is too short (at least 10ms)`,
		"--color maybe":    `netlive: --color: "maybe" is not a time for colours (try auto, always, never)`,
		"--color=":         `netlive: --color: "" is not a time for colours (try auto, always, never)`,
		"--event clos":     `netlive: --event: "clos" is not an event (try close, lost)`,
		"--event open,,":   `netlive: --event: "" is not an event (try ` + eventWords + `)`,
		"--event owner":    `netlive: --event: "owner" is not an event (try ` + eventWords + `)`,
		"--columns a,,b":   `netlive: --columns: "a,,b" has a column without a name`,
		"--filter":         "p: option '--filter' requires an argument",
		"--csv=1":          "p: option '--csv' doesn't allow an argument",
		"--filt x":         "p: unrecognized option '--filt'",
		"--interval":       "p: option '--interval' requires an argument",
		"--json=1":         "p: option '--json' doesn't allow an argument",
		"--jso":            "p: unrecognized option '--jso'",
		"-ri":              "p: -r, -i, -M and -s are one or the other, and once",
	} {
		for face, code := range map[Face]int{Netlive: 3, Verb: 2, Runner: 2} {
			_, err := Parse(face, "p", strings.Fields(line), nil)
			var e *Error
			if !errors.As(err, &e) || e.Message != want || e.ExitCode != code {
				t.Errorf("%q: %v (%+v)", line, err, e)
			}
		}
	}
	// A shortened option of netstat's means the same with our options there.
	if o, err := Parse(Verb, "netstat", []string{"--conti", "--interf"}, nil); err != nil || !o.Continuous || o.Mode != ModeInterfaces {
		t.Errorf("%+v, %v", o, err)
	}
}

const eventWords = "state, listen, open, accept, fail, close, retransmit, reset, drop, overflow, error, bind, lost, resync, all"

func TestTraceOptions(t *testing.T) {
	o := parse(t, Runner, "--event open,close --event=RETRANS --columns time,local --columns pid --absolute --for 1.5 --color never")
	if o.Events != sock.Events(sock.EventOpen, sock.EventClose, sock.EventRetransmit) || !slices.Equal(o.Columns, []string{"time", "local", "pid"}) ||
		!o.Absolute || o.Delta || o.For != 1500*time.Millisecond || o.Color != "never" || o.CSV || o.Summary || o.Stack || o.Timed {
		t.Errorf("%+v", o)
	}
	o = parse(t, Runner, "--delta --csv --summary --stack --event all")
	if !o.Delta || !o.CSV || !o.Summary || !o.Stack || !o.Events.Has(sock.EventState) || !o.Events.Has(sock.EventResync) || o.Events.Has(sock.EventOwner) {
		t.Errorf("%+v", o)
	}
	if o = parse(t, Runner, "-t"); o.Events != 0 || o.Columns != nil || o.For != 0 || o.Color != "" || o.Command != nil || o.Filter != nil {
		t.Errorf("%+v", o)
	}
}

// What follows -- is the command of a verb that runs one, and else words like others.
func TestCommand(t *testing.T) {
	o := parse(t, Runner, "port 80 -4 -- curl -4 -- x")
	if want := []string{"curl", "-4", "--", "x"}; !slices.Equal(o.Command, want) || o.Filter.Text() != "port 80" || !slices.Equal(o.Families, []string{"inet"}) {
		t.Errorf("%q, filter %q", o.Command, o.Filter.Text())
	}
	if o = parse(t, Runner, "--"); o.Command == nil || len(o.Command) > 0 || o.Filter != nil {
		t.Errorf("%#v, filter %q", o.Command, o.Filter.Text())
	}
	for _, face := range []Face{Netlive, Verb} {
		if o = parse(t, face, "port -- 80"); o.Command != nil || o.Filter.Text() != "port 80" {
			t.Errorf("%q, filter %q", o.Command, o.Filter.Text())
		}
	}
	if o = parse(t, Netstat, "port -- ("); o.Command != nil || o.Filter != nil || !slices.Equal(o.Operands, []string{"port", "("}) {
		t.Errorf("%+v", o)
	}
}

// The words that are no options are a filter, and so is each --filter: all must match.
func TestFilter(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-t"}, ""},
		{[]string{"--filter", ""}, ""},
		{[]string{"-tan", "state", "established", "( dport = :443 )"}, "state established ( dport = :443 )"},
		{[]string{"dport", "=", "443", "-tan", "or", "port", "22"}, "dport = 443 or port 22"},
		{[]string{"--filter", "port 80 or port 443", "--filter=pid 1", "nginx"}, "(port 80 or port 443) and (pid 1) and (nginx)"},
	} {
		for _, face := range []Face{Netlive, Verb, Runner} {
			o, err := Parse(face, "p", c.args, nil)
			if err != nil || o.Filter.Text() != c.want || o.Filter.All() != (c.want == "") {
				t.Errorf("%q: %q, %v, want %q", c.args, o.Filter.Text(), err, c.want)
			}
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"sprt", "=", "80"}, `netlive: filter, column 1: unknown field "sprt": expected sport, dport, port (a word that is searched for can be quoted)
  sprt = 80
  ^`},
		{[]string{"--filter", "port 80 (", "--filter", "(("}, `netlive: filter, column 10: ends too early: expected a field, a word, a number, an address, not, (
  port 80 (
           ^`},
		{[]string{"state", "open", "-t"}, `netlive: filter, column 7: unknown state "open": ` + `expected established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait, last-ack, listening, closing, connected, synchronized, bucket, big, all
  state open
        ^`},
		{[]string{"--filter", "port 80", "rtt", "<", "5"}, `netlive: filter, column 7: "5" has no unit: expected duration as 10ms, 3s, 2m, 1h or 1d, range as 1s-5s
  rtt < 5
        ^`},
	} {
		for face, code := range map[Face]int{Netlive: 3, Verb: 2, Runner: 2} {
			_, err := Parse(face, "p", c.args, nil)
			var e *Error
			if !errors.As(err, &e) || e.Message != c.want || e.ExitCode != code || e.Help != "Try 'netlive help filters'.\n" {
				t.Errorf("%q: %v (%+v)", c.args, err, e)
			}
		}
	}
	// Help and versions are for who does not know how to write one.
	if o, err := Parse(Netlive, "p", []string{"(", "-h"}, nil); err != nil || !o.Help {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestFamilies(t *testing.T) {
	for line, want := range map[string]string{
		"-A unix,foo -r":   "Unknown address family `foo'.",
		"-A inet,":         "Unknown address family `'.",
		"--protocol=INET6": "Unknown address family `INET6'.",
	} {
		for _, face := range []Face{Netstat, Netlive, Verb} {
			_, err := Parse(face, "p", strings.Fields(line), nil)
			var e *Error
			if !errors.As(err, &e) || e.Message != want || e.ExitCode != exitFailure {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
	o := parse(t, Netstat, "-A ip,ip6,tcpip,unix,ddp,appletalk,econet,ash,bluetooth -4")
	if want := strings.Fields("inet inet6 inet unix ddp ddp ec ash bluetooth inet"); !slices.Equal(o.Families, want) {
		t.Errorf("%q, want %q", o.Families, want)
	}
}

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
		"--count 0":        `netlive: --count: "0" is not a number of frames (try 1, 10)`,
		"--count -1":       `netlive: --count: "-1" is not a number of frames (try 1, 10)`,
		"--count many":     `netlive: --count: "many" is not a number of frames (try 1, 10)`,
		"--source x":       `netlive: --source: "x" is not a source (try auto, ebpf, procfs)`,
		"--interval":       "p: option '--interval' requires an argument",
		"--json=1":         "p: option '--json' doesn't allow an argument",
		"--jso":            "p: unrecognized option '--jso'",
		"-ri":              "p: -r, -i, -M and -s are one or the other, and once",
	} {
		for face, code := range map[Face]int{Netlive: 3, Verb: 2} {
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

func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"-tulpn --json --interval 1s", "--num -A inet,unix -- x", "-A", "--protocol=", "-rr", "-é --count 99999999999999999999", "--=", "-W=1 -c5 - --",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for _, face := range []Face{Netstat, Netlive, Verb} {
			o, err := Parse(face, "netlive", strings.Split(line, " "), nil)
			var e *Error
			switch {
			case err == nil && o.Interval < MinInterval, err == nil && o.Count < 0:
				t.Errorf("%q: %+v", line, o)
			case err != nil && !errors.As(err, &e):
				t.Errorf("%q: %T", line, err)
			case err != nil && (e.ExitCode < 1 || e.Message == "" && e.Help == ""):
				t.Errorf("%q: %+v", line, e)
			case err == nil && !o.Help && !o.Version && o.Protos() == 0:
				t.Errorf("%q shows nothing", line)
			}
		}
	})
}

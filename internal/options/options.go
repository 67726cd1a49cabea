// SPDX-License-Identifier: GPL-2.0-or-later

// Package options reads netstat's command line: what getopt_long accepts, what each
// option means, and what is asked for in the end. One parser serves the netstat face and every verb, so that
// an option means the same everywhere.
package options

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlive/internal/sock"
)

// Face says who reads the command line.
type Face uint8

const (
	// Netstat is netlive called as netstat: net-tools' options, messages and exit codes.
	Netstat Face = iota
	// Netlive is netlive without a verb: the same, and netlive's own long options.
	Netlive
	// Verb is a verb of netlive's: the same options, and exit code 2 for a command line that is wrong.
	Verb
)

// Source is where sockets are read.
type Source uint8

const (
	SourceAuto   Source = iota // BPF if it can be had, else /proc
	SourceEBPF                 // BPF or nothing
	SourceProcfs               // /proc
)

// Options is what a command line asks for. Letters in comments are netstat's.
type Options struct {
	All, Listening bool // -a, -l; -a wins
	Wide           bool // -W
	Verbose        bool // -v
	Continuous     bool // -c
	Programs       bool // -p
	Extend         int  // -e, counted
	// Numeric output of -n or its three parts.
	NumericHosts, NumericPorts, NumericUsers bool

	Help, Version bool // -h, -V: nothing else counts then

	JSON     bool          // --json
	Interval time.Duration // --interval, 1 s if not given
	Count    int           // --count, 0 without end
	Source   Source        // --source
	// Operands are the words that are no options. netstat ignores them.
	Operands []string
	// Warnings are lines for stderr that do not stop netstat.
	Warnings []string

	face     Face
	families []string // as given, repeats included
	named    sock.ProtoSet
	letters  map[int]bool // of all options given, and the val* of long ones
}

// Error is a command line that cannot be used.
type Error struct {
	Message  string
	ExitCode int
	// Help is printed after the message.
	Help string
}

func (e *Error) Error() string { return e.Message }

// Print writes the message and the help that goes with it.
func (e *Error) Print(w io.Writer) {
	if e.Message != "" {
		fmt.Fprintln(w, e.Message)
	}
	fmt.Fprint(w, e.Help)
}

// Usage is the error of a verb's command line.
func Usage(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...), ExitCode: exitUsage}
}

// net-tools' and our own exit codes for a command line that is wrong.
const (
	exitFailure      = 1
	exitUsage        = 2
	exitNetstatUsage = 3
)

// Parse reads the options in args. prog begins getopt's messages: argv[0] for the netstat face.
// The error is an *Error.
func Parse(face Face, prog string, args []string) (Options, error) {
	o := Options{Interval: time.Second, face: face, letters: map[int]bool{}}
	_, posixly := os.LookupEnv("POSIXLY_CORRECT")
	g := &getopt{prog: prog, short: shortOptions, long: netstatOptions(), posixly: posixly}
	if face != Netstat {
		g.exact = ownOptions()
	}
	operands, err := g.parse(args, o.set)
	o.Operands = operands
	var refused *getoptError
	switch {
	case errors.Is(err, errStop):
		return o, nil
	case errors.As(err, &refused):
		return o, face.usage(refused.message)
	case err != nil:
		return o, err
	}
	if !o.Help && !o.Version {
		err = o.refuse(prog)
	}
	return o, err
}

// usage is the error for a line that getopt refuses.
func (f Face) usage(message string) error {
	switch f {
	case Netstat:
		return &Error{Message: message, ExitCode: exitNetstatUsage, Help: helpErrors()}
	case Netlive:
		return &Error{Message: message, ExitCode: exitNetstatUsage, Help: "Try 'netlive help'.\n"}
	}
	return &Error{Message: message, ExitCode: exitUsage}
}

// errStop ends parsing at an option after which netstat looks at nothing more.
var errStop = errors.New("stop")

// set takes in one option.
func (o *Options) set(val int, arg string) error {
	o.letters[val] = true
	switch val {
	case 'A':
		return o.addFamilies(arg)
	case valFamily:
		if arg == "tcpip" {
			// A word of net-tools' option table that its own code does not know.
			o.Warnings = append(o.Warnings, "netstat.c: Internal Error `longopts 1 range'.")
			return nil
		}
		return o.addFamilies(arg)
	case '4':
		return o.addFamilies("inet")
	case '6':
		return o.addFamilies("inet6")
	case 'x':
		return o.addFamilies("unix")
	case 't':
		o.named |= sock.ProtosTCP
	case 'u':
		o.named |= sock.ProtosUDP
	case 'U':
		o.named |= sock.ProtosUDPLite
	case 'w':
		o.named |= sock.ProtosRaw
	case 'a':
		o.All = true
	case 'l':
		o.Listening = true
	case 'W':
		o.Wide = true
	case 'v':
		o.Verbose = true
	case 'c':
		o.Continuous = true
	case 'p':
		o.Programs = true
	case 'e':
		o.Extend++
	case 'n':
		o.NumericHosts, o.NumericPorts, o.NumericUsers = true, true, true
	case valNumericHosts:
		o.NumericHosts = true
	case valNumericPorts:
		o.NumericPorts = true
	case valNumericUsers:
		o.NumericUsers = true
	case 'V':
		o.Version = true
		return errStop
	case 'h':
		o.Help = true
		return errStop
	case '?':
		return o.face.usage("")
	case valJSON:
		o.JSON = true
	case valInterval:
		return o.setInterval(arg)
	case valCount:
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 {
			return Usage("netlive: --count: %q is not a number of frames (try 1, 10)", arg)
		}
		o.Count = n
	case valSource:
		at := slices.Index([]string{"auto", "ebpf", "procfs"}, arg)
		if at < 0 {
			return Usage("netlive: --source: %q is not a source (try auto, ebpf, procfs)", arg)
		}
		o.Source = Source(at)
	}
	return nil
}

// MinInterval is the shortest --interval: less would be polling in a loop.
const MinInterval = 10 * time.Millisecond

func (o *Options) setInterval(arg string) error {
	d, err := time.ParseDuration(arg)
	if seconds, plain := strconv.ParseFloat(arg, 64); plain == nil && seconds < 1e9 {
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil {
		return Usage("netlive: --interval: %q is not a duration (try 500ms, 2s)", arg)
	}
	if d < MinInterval {
		return Usage("netlive: --interval: %q is too short (at least %v)", arg, MinInterval)
	}
	o.Interval = d
	return nil
}

// The family words of -A, and what netstat calls the family.
var families = map[string]string{
	"inet": "inet", "ip": "inet", "tcpip": "inet", "inet6": "inet6", "ip6": "inet6", "unix": "unix",
	"ax25": "ax25", "x25": "x25", "ipx": "ipx", "rose": "rose", "netrom": "netrom",
	"appletalk": "ddp", "ddp": "ddp", "econet": "ec", "ash": "ash", "bluetooth": "bluetooth",
}

func (o *Options) addFamilies(list string) error {
	for _, word := range strings.Split(list, ",") {
		f, ok := families[word]
		if !ok {
			return &Error{Message: fmt.Sprintf("Unknown address family `%s'.", word), ExitCode: exitFailure}
		}
		o.families = append(o.families, f)
	}
	return nil
}

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
	"strings"
	"time"

	"netlive/internal/filter"
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
	// Runner is a verb that runs a command: what follows -- is that.
	Runner
)

// Source is where sockets are read.
type Source uint8

const (
	SourceAuto   Source = iota // BPF if it can be had, else /proc
	SourceEBPF                 // BPF or nothing
	SourceProcfs               // /proc
)

// Mode is which kind of table is asked for. At most one option names a mode.
type Mode uint8

const (
	ModeSockets    Mode = iota // sockets, and multicast groups with Groups
	ModeRoute                  // -r
	ModeInterfaces             // -i
	ModeMasquerade             // -M
	ModeStatistics             // -s
)

// Options is what a command line asks for; Parse makes it. Letters in comments are netstat's.
type Options struct {
	Mode           Mode
	All, Listening bool // -a, -l; -a wins
	Wide           bool // -W
	Verbose        bool // -v
	Continuous     bool // -c
	Programs       bool // -p, or by -Z
	Timers         bool // -o
	Context        bool // -Z
	Groups         bool // -g
	FIB, Cache     bool // -F, -C: which routes
	Symbolic       bool // -N
	Extend         int  // -e, counted
	// Numeric output of -n or its three parts.
	NumericHosts, NumericPorts, NumericUsers bool

	// NamedProtos are those of -t, -S, -u, -U and -w. Families may select others; see Select.
	NamedProtos   sock.ProtoSet
	L2CAP, RFCOMM bool // -2, -f
	// Families are those of -A, -4, -6, -x and the long words, in netstat's own names, as
	// often and in the order as they were given.
	Families []string

	Help, Version bool // -h, -V: what follows them was not read

	JSON     bool          // --json
	Interval time.Duration // --interval, 1 s if not given: Timed says whether it was
	Timed    bool
	Count    int    // --count, 0 without end
	Source   Source // --source
	NetNS    string // --netns: all, host, a PID or a name of ip-netns(8); empty is the namespace we are in
	Unit     bool   // --unit: a column with the container or the systemd unit
	Ring     int    // --ring: bytes of the ring buffer; 0 is the default
	Config   string // --config: the file of watch's settings; empty when it was not given
	Sort     string // --sort: a column, with - before it the other way round
	Group    string // --group: what watch puts connections together by
	ReadOnly bool   // --read-only: watch ends no process and closes no connection
	Color    string // --color: auto, always or never; empty when it was not given

	// Filter is all that --filter and, but for the netstat face, the operands ask for; nil is no filter. Explain is --explain-filter.
	Filter  *filter.Filter
	Explain bool

	Events          sock.EventSet // --event, 0 if not given
	Columns         []string      // --columns
	CSV             bool          // --csv
	Absolute, Delta bool          // --absolute, --delta
	For             time.Duration // --for, 0 without end
	Summary         bool          // --summary
	Stack           bool          // --stack
	// Command is what follows -- of a Runner; nil without --.
	Command []string

	// Operands are the words that are no options. netstat ignores them.
	Operands []string
	// Warnings are lines for stderr that do not stop netstat.
	Warnings []string

	face     Face
	texts    Texts
	modes    int // how many options named a mode, repeats included
	filters  []*filter.Filter
	selected sock.ProtoSet // Select's, since Shows asks for each socket
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
// With -h or -V the error is nil, whatever else was asked for. The error is an *Error, and the Options beside it
// hold what was read before it, Warnings among it. Messages of netstat's and of getopt's are in the language of texts.
func Parse(face Face, prog string, args []string, texts Texts) (Options, error) {
	o := Options{Interval: time.Second, face: face, texts: texts}
	operands, rest, err := newGetopt(face, prog, texts).parse(args, o.set)
	if face == Runner {
		o.Command = rest
	} else {
		operands = append(operands, rest...)
	}
	o.Operands = operands
	var refused *getoptError
	switch {
	case errors.Is(err, errStop):
		return o, nil
	case errors.As(err, &refused):
		return o, o.usage(refused.message)
	case err != nil:
		return o, err
	}
	if o.modes > 1 {
		message := ""
		if face != Netstat { // which says nothing but the help
			message = prog + ": -r, -i, -M and -s are one or the other, and once"
		}
		return o, o.usage(message)
	}
	if face != Netstat && len(operands) > 0 {
		if err := o.addFilter(strings.Join(operands, " ")); err != nil { // as ss(8) has them
			return o, err
		}
	}
	o.Filter = filter.And(o.filters...)
	o.selected = o.Select().Protos
	return o, nil
}

// newGetopt is getopt with the options of face.
func newGetopt(face Face, prog string, texts Texts) *getopt {
	_, posixly := os.LookupEnv("POSIXLY_CORRECT")
	g := &getopt{prog: prog, texts: texts, short: shortOptions, long: netstatOptions(), posixly: posixly}
	if face != Netstat {
		g.exact = ownOptions()
	}
	return g
}

// addFilter adds a filter, of which each is checked on its own.
func (o *Options) addFilter(text string) error {
	f, err := filter.Parse(text)
	if err != nil {
		return o.FilterError(err)
	}
	o.filters = append(o.filters, f)
	return nil
}

// FilterError is the error for a filter that cannot be used: it says where, if err does.
func (o *Options) FilterError(err error) error {
	message := "netlive: " + err.Error()
	if at := (*filter.SyntaxError)(nil); errors.As(err, &at) {
		message += "\n  " + strings.ReplaceAll(at.Caret(), "\n", "\n  ")
	}
	e := &Error{Message: message, ExitCode: exitUsage, Help: "Try 'netlive help filters'.\n"}
	if o.face == Netlive {
		e.ExitCode = exitNetstatUsage
	}
	return e
}

// usage is the error for a line that getopt refuses.
func (o *Options) usage(message string) error {
	switch o.face {
	case Netstat:
		return &Error{Message: message, ExitCode: exitNetstatUsage, Help: helpErrors(o.texts)}
	case Netlive:
		return &Error{Message: message, ExitCode: exitNetstatUsage, Help: "Try 'netlive help'.\n"}
	}
	return &Error{Message: message, ExitCode: exitUsage}
}

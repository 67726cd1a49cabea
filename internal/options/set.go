// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlive/internal/filter"
	"netlive/internal/sock"
)

// errStop ends parsing at an option after which netstat looks at nothing more.
var errStop = errors.New("stop")

// SourceNames are the arguments of --source, in the order of the constants, ColorNames those of --color.
var (
	SourceNames = []string{"auto", "ebpf", "procfs"}
	ColorNames  = []string{"auto", "always", "never"}
)

// set takes in one option. As in netstat an option acts when it is reached: the first that ends the program wins.
func (o *Options) set(val int, arg string) error {
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
		o.NamedProtos |= sock.ProtosTCP
	case 'u':
		o.NamedProtos |= sock.ProtosUDP
	case 'U':
		o.NamedProtos |= sock.ProtosUDPLite
	case 'w':
		o.NamedProtos |= sock.ProtosRaw
	case 'S':
		o.NamedProtos |= sock.ProtosSCTP
	case '2':
		o.L2CAP = true
	case 'f':
		o.RFCOMM = true
	case 'r':
		o.setMode(ModeRoute)
	case 'i':
		o.setMode(ModeInterfaces)
	case 'M':
		o.setMode(ModeMasquerade)
	case 's':
		o.setMode(ModeStatistics)
	case 'g':
		o.Groups = true
	case 'F':
		o.FIB = true
	case 'C':
		o.Cache = true
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
	case 'o':
		o.Timers = true
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
	case 'N':
		o.Symbolic = true
	case 'Z':
		if !selinuxEnabled() {
			return &Error{Message: "SELinux is not enabled on this machine.", ExitCode: exitFailure}
		}
		o.Context, o.Programs = true, true
	case 'V':
		o.Version = true
		return errStop
	case 'h':
		o.Help = true
		return errStop
	case '?':
		if o.face == Verb || o.face == Runner {
			o.Help = true
			return errStop
		}
		return o.usage("") // an error to netstat, without a word
	case valJSON:
		o.JSON = true
	case valInterval:
		o.Timed = true
		return o.setTime("--interval", arg, &o.Interval)
	case valFor:
		return o.setTime("--for", arg, &o.For)
	case valCount:
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 {
			return o.badValue("--count: %q is not a number from 1 (try 1, 10)", arg)
		}
		o.Count = n
	case valNetNS:
		o.NetNS = arg
	case valUnit:
		o.Unit = true
	case valRing:
		return o.setRing(arg)
	case valSource:
		at := slices.Index(SourceNames, arg)
		if at < 0 {
			return o.badValue("--source: %q is not a source (try %s)", arg, strings.Join(SourceNames, ", "))
		}
		o.Source = Source(at)
	case valColor:
		if !slices.Contains(ColorNames, arg) {
			return o.badValue("--color: %q is not a time for colours (try %s)", arg, strings.Join(ColorNames, ", "))
		}
		o.Color = arg
	case valFilter:
		return o.addFilter(arg)
	case valExplainFilter:
		o.Explain = true
	case valEvent:
		return o.addEvents(arg)
	case valColumns:
		return o.addColumns(arg)
	case valCSV:
		o.CSV = true
	case valAbsolute:
		o.Absolute = true
	case valDelta:
		o.Delta = true
	case valSummary:
		o.Summary = true
	case valStack:
		o.Stack = true
	case valConfig:
		o.Config = arg
	case valSort:
		o.Sort = arg
	case valGroup:
		o.Group = arg
	case valReadOnly:
		o.ReadOnly = true
	}
	return nil
}

func (o *Options) setMode(m Mode) {
	o.Mode = m
	o.modes++
}

// badValue is the error for the argument of an option of netlive's own.
func (o *Options) badValue(format string, args ...any) error {
	return o.usage("netlive: " + fmt.Sprintf(format, args...))
}

// MinInterval is the shortest --interval, since less would be polling in a loop, and the shortest --for.
const MinInterval = 10 * time.Millisecond

// maxSeconds keeps seconds that are written as a plain number within a time.Duration.
const maxSeconds = 1e9

// setTime reads a duration, or a number of seconds.
func (o *Options) setTime(name, arg string, to *time.Duration) error {
	d, err := time.ParseDuration(arg)
	if seconds, plain := strconv.ParseFloat(arg, 64); plain == nil && -maxSeconds < seconds && seconds < maxSeconds {
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil {
		return o.badValue("%s: %q is not a duration (try 500ms, 2s)", name, arg)
	}
	if d < MinInterval {
		return o.badValue("%s: %q is too short (at least %v)", name, arg, MinInterval)
	}
	*to = d
	return nil
}

// addEvents reads a list of the words that the field event of a filter has.
func (o *Options) addEvents(list string) error {
	for word := range strings.SplitSeq(list, ",") {
		kinds, words, ok := filter.ParseEvents(word)
		if !ok {
			return o.badValue("--event: %q is not an event (try %s)", word, strings.Join(words, ", "))
		}
		o.Events |= kinds
	}
	return nil
}

// addColumns reads a list of words. Which there are is known to who prints them.
func (o *Options) addColumns(list string) error {
	for word := range strings.SplitSeq(list, ",") {
		if word == "" {
			return o.badValue("--columns: %q has a column without a name", list)
		}
		o.Columns = append(o.Columns, word)
	}
	return nil
}

// The least and the most --ring: a page, and what a ring buffer of the kernel's may have.
const (
	minRing = 4 << 10
	maxRing = 1 << 30
)

// setRing reads a number of bytes, of KiB with K, of MiB with M.
func (o *Options) setRing(arg string) error {
	digits, factor := arg, 1
	if rest, ok := strings.CutSuffix(arg, "K"); ok {
		digits, factor = rest, 1<<10
	} else if rest, ok := strings.CutSuffix(arg, "M"); ok {
		digits, factor = rest, 1<<20
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > maxRing/factor {
		return o.badValue("--ring: %q is not a size (try 64K, 16M)", arg)
	}
	if n *= factor; n < minRing || n&(n-1) != 0 {
		return o.badValue("--ring: %q is not a power of two from 4K to 1024M", arg)
	}
	o.Ring = n
	return nil
}

// The family words of -A, and what netstat calls the family.
var families = map[string]string{
	"inet": "inet", "ip": "inet", "tcpip": "inet", "inet6": "inet6", "ip6": "inet6", "unix": "unix",
	"ax25": "ax25", "x25": "x25", "ipx": "ipx", "rose": "rose", "netrom": "netrom",
	"appletalk": "ddp", "ddp": "ddp", "econet": "ec", "ash": "ash", "bluetooth": "bluetooth",
}

// netstat keeps the argument of -A, and all families joined by commas, in 256 bytes each, NUL included.
const familiesMax = 255

func (o *Options) addFamilies(list string) error {
	list = list[:min(len(list), familiesMax)]
	for word := range strings.SplitSeq(list, ",") {
		f, ok := families[word]
		if !ok {
			if o.face != Netstat {
				word = shown(word)
			}
			return &Error{Message: oneLine(fmt.Sprintf(o.texts.text("Unknown address family `%s'.\n"), word)), ExitCode: exitFailure}
		}
		if len(strings.Join(o.Families, ","))+1+len(f) > familiesMax {
			o.Warnings = append(o.Warnings, oneLine(o.texts.text("Too much address family arguments.\n")))
			return nil
		}
		o.Families = append(o.Families, f)
	}
	return nil
}

// oneLine is a text without its line feed: Error and Warnings have it added.
func oneLine(text string) string { return strings.TrimSuffix(text, "\n") }

// selinuxEnabled is libselinux's is_selinux_enabled(3): its file system is there, and its configuration.
func selinuxEnabled() bool {
	for _, name := range []string{"/sys/fs/selinux/enforce", "/etc/selinux/config"} {
		if _, err := os.Stat(name); err != nil {
			return false
		}
	}
	return true
}

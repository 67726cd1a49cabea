// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"netlive/internal/options"
	"netlive/internal/screen"
	"netlive/internal/tracer"
)

// Exit codes of the verbs. The netstat face has net-tools' own, which options.Error carries.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNothing     = 3
	exitPermission  = 4
	exitUnsupported = 5
	exitInterrupted = 130 // 128 + SIGINT, as shells count
	// exitBroken is netstat's alone: a file that is there and cannot be used.
	exitBroken = 255
)

const exitCodesHelp = `Exit codes

  The netstat face (netlive without a verb, or called as netstat) has net-tools' codes:
    0    all was printed
    1    something that was asked for is not to be had here
    2    a word that is nearly a verb, or an option that is a verb's (netlive)
    3    the options or the filter are wrong
    255  a file in /proc is there and cannot be used

  Verbs (watch, trace, doctor):
    0    ended as asked (q, --count, --for, SIGTERM), or because the reader of its output went away
    1    failed; the message says at what
    2    the command line or the filter is wrong
    3    nothing matched the filter in all that was asked for (watch --count N, trace --for TIME)
    4    not permitted; the message says which privilege would do
    5    this kernel cannot do it; the message says what it lacks. doctor: something is missing that netlive can use, of
         the kernel or a privilege
    130  interrupted (^C, SIGINT)
  Told to end by a signal a verb ends within three seconds, be there somebody who reads its output or not. Go's code for a fault in the
  program, and for SIGQUIT, is 2 too: then the stacks are on stderr.
  With -- COMMAND trace has the command's code: 128 and the signal's number when a signal ended it, 127 when there is no
  such command, 126 when it cannot be run.
`

// errInterrupted ends a verb that was interrupted by SIGINT.
var errInterrupted = errors.New("interrupted")

// errUnread ends a verb whose output nobody can read any more.
var errUnread = errors.New("nobody reads")

// errNothing ends a verb that was to end by itself, and whose filter nothing has matched until then.
var errNothing = errors.New("nothing matched")

// exitCode is the one place that turns an error into what the shell sees, and into the one
// message on stderr.
func exitCode(prog string, err error, stderr io.Writer) int {
	var usage *options.Error
	var exit *exitError
	switch {
	case err == nil, isClosedPipe(err), errors.Is(err, errTerminated), errors.Is(err, errUnread):
		return exitOK
	case errors.As(err, &exit):
		if exit.text != "" {
			fmt.Fprintf(stderr, "%s: %s\n", prog, shown(exit.text))
		}
		return exit.code
	case errors.Is(err, errNothing):
		return exitNothing // as grep has a code and no word for it
	case errors.Is(err, errInterrupted), errors.Is(err, screen.ErrInterrupted):
		return exitInterrupted
	case errors.As(err, &usage):
		usage.Print(stderr)
		return usage.ExitCode
	}
	fmt.Fprintf(stderr, "%s: %s\n", prog, shown(err.Error()))
	if hint := remedy(err); hint != "" {
		fmt.Fprintf(stderr, "%s: %s\n", prog, hint)
	}
	switch {
	case errors.Is(err, os.ErrPermission):
		return exitPermission
	case errors.Is(err, tracer.ErrUnsupported):
		return exitUnsupported
	}
	return exitFailure
}

// isClosedPipe reports whether err is that of a reader who has seen enough (head, grep -q).
func isClosedPipe(err error) bool { return errors.Is(err, unix.EPIPE) }

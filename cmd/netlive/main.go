// SPDX-License-Identifier: GPL-2.0-or-later

// Command netlive is netstat that the kernel keeps up to date: netstat's tables, the same kept
// true on the screen (watch), and a line for each change (trace).
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"netlive/internal/privilege"
)

func main() {
	if err := roomForFiles(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(exitFailure)
	}
	os.Exit(run(os.Args, streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Environ(),
		outTTY: term.IsTerminal(os.Stdout.Fd()), restrict: privilege.Restrict,
	}))
}

// streams are what a command reads and writes, and what it may know of them.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      []string
	outTTY   bool
	// when is --color, empty where that was not given.
	when string
	// newsBuffer is the room for rtnetlink's announcements in bytes; 0 is enough, and only tests have less.
	newsBuffer int
	// end is how signals end a verb; nil in tests.
	end *ending
	// restrict gives up privileges of the process; nil where that is not netlive's own.
	restrict func(privilege.Use) error
}

// helpWriter remembers why help could not be written, which cobra does not say.
type helpWriter struct {
	io.Writer
	err error
}

func (w *helpWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	w.err = cmp.Or(w.err, err)
	return n, err
}

// getenv is the value of a variable of the environment; of several the first counts, as for getenv(3).
func (s streams) getenv(name string) string {
	for _, e := range s.env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// color reports whether colours are asked for, or else that out is a terminal whose user does not mind them (no-color.org).
func (s streams) color() bool {
	switch s.when {
	case "always":
		return true
	case "never":
		return false
	}
	for _, e := range s.env {
		if e == "TERM=dumb" || len(e) > len("NO_COLOR=") && e[:len("NO_COLOR=")] == "NO_COLOR=" {
			return false
		}
	}
	return s.outTTY
}

// screenEnv is the environment as a screen should see it.
func (s streams) screenEnv() []string {
	if s.when != "always" && s.when != "never" {
		return s.env
	}
	env := slices.DeleteFunc(slices.Clone(s.env), func(e string) bool { return strings.HasPrefix(e, "NO_COLOR=") })
	if s.when == "never" {
		env = append(env, "NO_COLOR=1")
	}
	return env
}

// run is main with what it depends on as parameters. A link by the name of netstat is netstat and nothing else.
func run(args []string, std streams) int {
	prog := "netlive"
	if len(args) > 0 {
		prog = args[0]
	}
	if filepath.Base(prog) == "netstat" {
		return netstat(prog, args[1:], std)
	}
	if len(args) > 1 && isVerb(args[1]) {
		// A reader that went away is seen as an error of Write, not as a signal that kills.
		if !signal.Ignored(unix.SIGPIPE) {
			signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE) // and not Ignore, which a command would inherit
		}
		std.end = &ending{}
		ctx, stop := std.end.hear()
		defer stop()
		root := newRoot(std)
		if strings.HasPrefix(args[1], cobra.ShellCompRequestCmd) {
			completing(root)
		}
		root.SetArgs(args[1:])
		help := &helpWriter{Writer: std.out}
		root.SetOut(help)
		err := cmp.Or(root.ExecuteContext(ctx), help.err)
		if errors.Is(err, unix.EIO) && hungUp(std.out) {
			err = errUnread
		}
		return exitCode(root.Name(), err, std.err)
	}
	return face(args, std)
}

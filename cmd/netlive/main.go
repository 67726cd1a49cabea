// SPDX-License-Identifier: GPL-2.0-or-later

// Command netlive is netstat that the kernel keeps up to date: netstat's tables, the same kept
// true on the screen (watch), and a line for each change (trace).
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
)

func main() {
	os.Exit(run(os.Args, streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Environ(),
		outTTY: term.IsTerminal(os.Stdout.Fd()),
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
		signal.Ignore(unix.SIGPIPE)
		ctx, stop := interruptible()
		defer stop()
		root := newRoot(std)
		root.SetArgs(args[1:])
		return exitCode(root.Name(), root.ExecuteContext(ctx), std.err)
	}
	return face(args, std)
}

// interruptible is a context that SIGINT ends with errInterrupted as its cause, SIGTERM and SIGHUP with errTerminated: a terminal that goes, or that
// stays behind, is left as it was.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	if !signal.Ignored(unix.SIGHUP) { // nohup(1) has it ignored
		signal.Notify(signals, unix.SIGHUP)
	}
	go func() {
		if <-signals == unix.SIGINT {
			cancel(errInterrupted)
		} else {
			cancel(errTerminated)
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

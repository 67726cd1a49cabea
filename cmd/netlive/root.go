// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"netlive/internal/options"
)

//go:embed netlive.1
var manPage string

// errTerminated ends a verb that was told to by SIGTERM: that is a way to stop like any other.
var errTerminated = errors.New("terminated")

// newRoot is the tree of verbs. netstat's options have getopt's rules, which cobra does not
// know, so the verbs that take them parse for themselves.
func newRoot(std streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "netlive",
		Short:         "netstat that the kernel keeps up to date",
		Long:          longHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errors.New(shownWord(err.Error())) })
	root.AddCommand(
		newVerb(options.Verb, "watch [OPTIONS] [FILTER]", "netstat's socket tables, kept true on the screen", watchHelp, watchOptions, runWatch, std),
		newVerb(options.Runner, "trace [OPTIONS] [FILTER] [-- COMMAND]", "a line for each TCP event", traceHelp, traceOptions, runTrace, std),
		newDoctor(std),
		&cobra.Command{
			Use:   "version",
			Short: "the version of this program",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return runVersion(std) },
		},
		&cobra.Command{
			Use:   "man",
			Short: "the manual page, to be read by man: netlive man | man -l -",
			Args:  cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(std.out, manPage)
				return err
			},
		},
		&cobra.Command{Use: "json", Short: "what the names in JSON mean", Long: jsonHelp},
		&cobra.Command{Use: "filters", Short: "the language of filters", Long: filtersHelp()},
		&cobra.Command{Use: "exit-codes", Short: "what the exit codes mean", Long: exitCodesHelp},
	)
	return root
}

func runVersion(std streams) error {
	_, err := fmt.Fprintf(std.out, "netlive %s\n", version())
	return err
}

// version is the module's, as go install and go build record it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "(devel)" {
			v += " " + s.Value
		}
	}
	return v + " " + info.GoVersion
}

// isVerb reports whether word begins one of newRoot's commands: everything else is netstat's.
func isVerb(word string) bool {
	switch word {
	case "watch", "trace", "doctor", "version", "man", "help", "completion", "__complete", "__completeNoDesc":
		return true
	}
	return false
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"netlive/internal/options"
)

// netstat is the whole program when it is called by that name.
func netstat(prog string, args []string, std streams) int {
	w, err := newWords(std, true)
	if err != nil {
		return exitCode("netstat", err, std.err)
	}
	o, err := options.Parse(options.Netstat, prog, args, options.Texts(w.texts))
	for _, warning := range o.Warnings {
		fmt.Fprintln(std.err, warning)
	}
	switch {
	case err != nil:
	case o.Version:
		_, err = io.WriteString(std.out, options.VersionText)
	case o.Help:
		help, families := options.Help(options.Texts(w.texts))
		_, err = io.WriteString(std.out, help)
		_, err2 := io.WriteString(std.err, families)
		err = errors.Join(err, err2)
	default:
		return tables(&o, std, w)
	}
	return exitCode("netstat", err, std.err)
}

// face is netlive without a verb: netstat's options, and netlive's own long ones.
func face(args []string, std streams) int {
	w, err := newWords(std, false)
	if err != nil {
		return exitCode("netlive", err, std.err)
	}
	o, err := options.Parse(options.Netlive, "netlive", args[1:], options.Texts(w.texts))
	for _, warning := range o.Warnings {
		fmt.Fprintln(std.err, warning)
	}
	typo := verbMeant(args[1:], std)
	switch {
	case o.Version:
		err = runVersion(std)
	case o.Help:
		root := newRoot(std)
		err = root.Help()
	case typo != nil:
		err = typo
	case err == nil:
		err = tableOptions(&o)
		switch {
		case err != nil:
		case o.Explain:
			err = explain(std.out, &o, false)
		default:
			if err = enter(&o, std, args[0]); err == nil {
				return tables(&o, std, w)
			}
		}
	}
	return exitCode("netlive", err, std.err)
}

// tables prints what o asks for: once, or each second with -c. SIGINT and SIGTERM end it as they end netstat, by
// killing it, and so does a closed pipe. netstat's codes for what failed pass through.
func tables(o *options.Options, std streams, w words) int {
	places, err := newPlaces(o)
	if err == nil {
		err = places.enterable()
	}
	if err != nil {
		return exitCode("netlive", err, std.err)
	}
	printer := newPrinter(o, std, w, places)
	std.keep(tableUses(o))
	for {
		var p page
		err := printer.print(context.Background(), &p)
		if err == nil && !w.netstat {
			p.tell(std, p.notes)
		}
		if err == nil {
			p.tell(std, p.errs)
			p.show(std)
			err = p.broken
		}
		if err != nil {
			return exitCode("netlive", err, std.err)
		}
		// -s ignores -c, in netstat.
		if p.code != 0 || !o.Continuous || o.Mode == options.ModeStatistics {
			return p.code
		}
		time.Sleep(time.Second)
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"slices"

	"netlive/internal/filter"
	"netlive/internal/options"
	"netlive/internal/privilege"
)

// keep gives up the privileges that none of uses needs. Where the kernel does not let us all goes on as before: nothing that is shown depends on
// it.
func (s streams) keep(uses privilege.Use) {
	if s.restrict != nil {
		_ = s.restrict(uses)
	}
}

// namesSpaces reports whether network namespaces are called by names, which are looked for in /proc/PID/ns.
func namesSpaces(o *options.Options) bool {
	return o.NetNS != "" || slices.Contains(o.Columns, "netnsname") || o.Filter.Fields().Has(filter.FieldNetNS)
}

// traceUses are what a trace still does when it is attached. follow: a command has been begun.
func traceUses(o *options.Options, follow bool) privilege.Use {
	uses := privilege.Name
	if namesSpaces(o) {
		uses |= privilege.Find
	}
	if o.Stack {
		uses |= privilege.Symbols
	}
	if follow {
		uses |= privilege.Signal // it may have become another user: sudo, su
	}
	return uses
}

// watchUses are what watch still does without a screen when its source of sockets is open.
func watchUses(o *options.Options, src *source, owners bool) privilege.Use {
	uses := privilege.Name
	if src.tracer != nil {
		uses |= privilege.Walk
	}
	if src.tracer == nil && owners {
		uses |= privilege.Look
	}
	if namesSpaces(o) {
		uses |= privilege.Find
	}
	if o.NetNS != "" {
		uses |= privilege.Enter
	}
	return uses
}

// screenUses are what a screen may still be asked for: which namespace a socket is in, whatever the source. src is nil until it is open.
func screenUses(o *options.Options, src *source) privilege.Use {
	uses := privilege.Walk | privilege.Name | privilege.Find | privilege.Subscribe | privilege.Measure | privilege.Save
	switch {
	case src == nil:
		uses |= privilege.Load | privilege.Look // it may come to be /proc
	case src.tracer == nil:
		uses |= privilege.Look
	}
	if o.NetNS != "" {
		uses |= privilege.Enter
	}
	if !o.ReadOnly {
		uses |= privilege.Signal | privilege.Destroy
	}
	return uses
}

// tableUses are what a table takes that is printed.
func tableUses(o *options.Options) (uses privilege.Use) {
	switch {
	case o.Mode == options.ModeMasquerade:
		return uses | privilege.Track
	case o.Mode != options.ModeSockets:
		return uses
	}
	if wantsOwners(o) {
		uses |= privilege.Look | privilege.Name
	}
	if namesSpaces(o) {
		uses |= privilege.Find
	}
	if o.NetNS != "" {
		uses |= privilege.Enter
	}
	if o.Continuous || mayWalk(o, howMany()) { // there may be more sockets the next time
		uses |= privilege.Load | privilege.Walk
	}
	return uses
}

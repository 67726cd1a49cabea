// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// Accounts say what is told by a kernel that has all. An older one tells the same but for what docs/kernels.md says that it does not, and for nothing else:
// this file takes that away from an account.

// resetReason is a word of enum sk_rst_reason.
var resetReason = regexp.MustCompile(` (TCP_[A-Z0-9_]+|NO_SOCKET|INVALID_SYN)\b`)

// newborn is how the account begins of a connection that is accepted before the end of its handshake.
const newborn = "@server/exact; accept after an unknown time; "

// here is what this kernel tells of accounts.
func here(all []account) []account {
	var rest []account
	add := func(end, told string) {
		items := slices.DeleteFunc(strings.Split(told, "; "), func(item string) bool { return !toldHere(end, item) })
		for i, item := range items {
			if !kerneltest.Since(6, 10) && !strings.HasPrefix(item, "drop ") {
				items[i] = resetReason.ReplaceAllString(item, "")
			}
		}
		if !slices.ContainsFunc(items, func(item string) bool { return item[0] != '@' }) {
			items = nil // an owner of nothing
		}
		rest = append(rest, account{end, strings.Join(items, "; ")})
	}
	all = slices.Clone(all)
	for n := range all {
		a := all[n]
		after, is := strings.CutPrefix(a.told, newborn)
		if !is || kerneltest.Since(6, 15) || !strings.HasPrefix(after, "reset") && !strings.HasPrefix(after, "fail") {
			add(a.end, a.told)
			continue
		}
		// A connection that was cloned from its listener has no cookie until a program or a process asks for it, and what is told before is told of its ends.
		add(a.end, "@server/exact; "+after)
		begin := strings.TrimSuffix(newborn, "; ")
		switch i := slices.IndexFunc(all, func(b account) bool { return b.end == "as "+a.end }); {
		case i > n:
			all[i].told = begin + "; " + all[i].told
		default:
			add("as "+a.end, begin)
		}
	}
	return rest
}

func noCountOfDrops(*testing.T) string {
	if !kerneltest.Since(6, 11) {
		return "Linux 6.11: before it nobody knows how many SYNs a listener dropped"
	}
	return ""
}

// toldHere reports whether this kernel tells such an event. Drops are judged by judgeDrops.
func toldHere(end, item string) bool {
	switch {
	case strings.HasPrefix(item, "overflow "):
		return kerneltest.Since(6, 3)
	case strings.HasPrefix(item, "drop "):
		return kerneltest.Since(6, 11)
	case strings.HasPrefix(item, "reset sent ") && strings.Contains(end, " "): // without a socket
		return kerneltest.Since(6, 10)
	}
	return true
}

// judgeDrops takes drops out of what was told where the kernel knows of some alone for which socket they were (6.11), and says which of them were none.
func judgeDrops(end string, told []string, all []account) (rest, wrong []string) {
	if kerneltest.Since(6, 11) {
		return told, nil
	}
	i := slices.IndexFunc(all, func(a account) bool { return a.end == end })
	for _, item := range told {
		switch {
		case !strings.HasPrefix(item, "drop "):
			rest = append(rest, item)
		case i < 0 || all[i].told != "*" && !slices.Contains(strings.Split(all[i].told, "; "), item):
			wrong = append(wrong, fmt.Sprintf("%s: told %q, which nobody dropped", end, item))
		}
	}
	if !slices.ContainsFunc(rest, func(item string) bool { return item[0] != '@' }) {
		rest = nil
	}
	return rest, wrong
}

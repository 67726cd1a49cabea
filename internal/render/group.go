// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"

	"netlive/internal/iface"
)

// Groups is net-tools 2.10's netstat -g, byte for byte.
type Groups struct {
	IPv4, IPv6 bool // the families shown
	// Unnamed says that inet or inet6 was asked for and no protocol: then a kernel without multicast is no matter.
	Unnamed bool
	Names   Names
	Texts   Texts
	// Escape makes what strangers named safe for a terminal, where netstat would let it through.
	Escape bool
	// Strict makes a second Append, and all that follow, err as netstat -gc does: it takes the groups of IPv4 for ones of IPv6.
	// Only a source that remembers what it read can err so.
	Strict bool

	// Warnings are about lines that Append or AppendJSON could not use. Append has told of them in netstat's words.
	Warnings []error

	memory iface.GroupMemory
	cell   []byte // one name at a time
}

// GroupSource is where groups come from. A file that cannot be opened is an *fs.PathError with Op "open" in the error of
// its list; the error beside them is ctx's.
type GroupSource interface {
	Groups(ctx context.Context, v4, v6 bool) (iface.Groups, error)
}

// strictGroupSource is a GroupSource that can err as netstat does.
type strictGroupSource interface {
	GroupsLikeNetstat(ctx context.Context, v4, v6 bool, m *iface.GroupMemory) (iface.Groups, error)
}

const (
	titleGroups = "IPv4 Group Memberships\n"
	headGroups  = "Interface       RefCnt Group\n"
	lineGroups  = "--------------- ------ ---------------------\n"

	bogusGroup  = "warning, got bogus igmp line %d.\n"
	bogusGroup6 = "warning, got bogus igmp6 line %d.\n"
)

// Append appends to out what netstat prints on stdout and to errs what it prints on stderr. The error is ctx's; all others
// netstat has words for.
func (g *Groups) Append(ctx context.Context, out, errs []byte, src GroupSource) (_, _ []byte, exitCode int, err error) {
	found, err := g.read(ctx, src, g.Strict)
	if err != nil {
		return out, errs, 0, err
	}
	out = append(append(out, "IPv6/"...), g.Texts.Text(titleGroups)...)
	out = append(append(out, g.Texts.Text(headGroups)...), lineGroups...)
	errs, exitCode = g.lists(errs, &found, func(m *iface.Group) { out = g.Row(out, m) })
	return out, errs, exitCode, nil
}

// AppendJSON appends to out the groups that Append would print, each as one JSON object and parted by commas, from an
// object that out ends with too. To errs it appends what ails them. It never errs as Strict does.
func (g *Groups) AppendJSON(ctx context.Context, out, errs []byte, src GroupSource) (_, _ []byte, exitCode int, err error) {
	found, err := g.read(ctx, src, false)
	if err != nil {
		return out, errs, 0, err
	}
	errs, exitCode = g.lists(errs, &found, func(m *iface.Group) { out = AppendGroupJSON(AppendComma(out), m) })
	return out, errs, exitCode, nil
}

func (g *Groups) read(ctx context.Context, src GroupSource, strict bool) (found iface.Groups, err error) {
	if s, ok := src.(strictGroupSource); ok && strict {
		found, err = s.GroupsLikeNetstat(ctx, g.IPv4, g.IPv6, &g.memory)
	} else {
		found, err = src.Groups(ctx, g.IPv4, g.IPv6)
	}
	g.Warnings = append(append([]error(nil), found.IPv4.Warnings...), found.IPv6.Warnings...)
	return found, err
}

// lists has each group of both families printed, and appends to errs what ails them. Without the first file the second is
// printed all the same, unless the first is there and does not open; why the second does not open is no matter.
func (g *Groups) lists(errs []byte, found *iface.Groups, row func(*iface.Group)) (_ []byte, exitCode int) {
	first, second := &found.IPv4, &found.IPv6
	switch err := first.Err; {
	case err == nil:
	case !notOpened(err) || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
		return g.Texts.AppendPerror(errs, "/proc/net/igmp", err), exitBroken
	case !g.Unnamed:
		errs = g.Texts.AppendUnsupported(errs, "AF INET (igmp)")
		exitCode = exitFailed
	}
	errs = g.list(errs, first, first.Misread, row)
	if err := second.Err; err != nil && !notOpened(err) {
		// What opens and cannot be read, as a directory, netstat would read for ever.
		return g.Texts.AppendPerror(errs, "/proc/net/igmp6", err), exitBroken
	}
	return g.list(errs, second, true, row), exitCode
}

func (g *Groups) list(errs []byte, list *iface.GroupList, ipv6 bool, row func(*iface.Group)) []byte {
	for i := range list.Groups {
		row(&list.Groups[i])
	}
	return g.appendBad(errs, list.BadLines, ipv6)
}

// appendBad tells of the lines that could not be used. netstat counts them from 0.
func (g *Groups) appendBad(errs []byte, lines []int, ipv6 bool) []byte {
	text := bogusGroup
	if ipv6 {
		text = bogusGroup6
	}
	before, after, _ := strings.Cut(g.Texts.Text(text), "%d")
	for _, number := range lines {
		errs = strconv.AppendInt(append(errs, before...), int64(number-1), 10)
		errs = append(errs, after...)
	}
	return errs
}

// Row appends a group.
func (g *Groups) Row(b []byte, m *iface.Group) []byte {
	const nameWidth = 15
	at := len(b)
	g.cell = append(g.cell[:0], m.Iface...)
	b = append(padTo(appendName(b, g.cell, g.Escape), at, nameWidth), ' ')
	b = appendLeft(b, m.Users, 6)
	g.cell = appendHostMax(g.cell[:0], g.Names, m.Addr)
	return append(appendName(b, g.cell, g.Escape), '\n')
}

// AppendGroupJSON appends a group as one JSON object:
//
//	family  "inet" or "inet6"
//	iface
//	users   how many joined
//	group   the address
func AppendGroupJSON(b []byte, m *iface.Group) []byte {
	family := "inet"
	if m.Addr.Is6() {
		family = "inet6"
	}
	b = append(append(append(b, `{"family":"`...), family...), '"')
	b = appendTextJSON(b, `,"iface":`, m.Iface)
	b = appendUint(b, `,"users":`, uint64(m.Users))
	return append(appendAddrJSON(b, `,"group":`, m.Addr), '}')
}

// hostNameMax is what netstat has room for.
const hostNameMax = 127

// appendHostMax appends the name of a host. A longer one than there is room for is cut if the address is of IPv4; if it is of IPv6
// it is the address instead.
func appendHostMax(b []byte, names Names, a netip.Addr) []byte {
	at := len(b)
	switch b = names.AppendHost(b, a); {
	case len(b)-at <= hostNameMax:
		return b
	case a.Is6():
		return appendAddr(b[:at], a)
	}
	return b[:at+hostNameMax]
}

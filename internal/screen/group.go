// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"strings"
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/view"
)

// grouping says what rows are put together by.
type grouping uint8

const (
	groupNone grouping = iota
	groupProcess
	groupContainer
	groupRemote
	groupListener

	groupings
)

var groupNames = [groupings]string{"none", "process", "container", "remote", "listener"}

// GroupNames are the names of the ways to group connections.
func GroupNames() []string { return groupNames[:] }

func groupOf(name string) grouping {
	for i, n := range groupNames {
		if n == name {
			return grouping(i)
		}
	}
	return groupNone
}

// Sums of a group.
const (
	sumTX = iota
	sumRX
	sumRetrans
	sumMeasured // how many rates are known
)

// key is the group of a row.
func (g grouping) key(c *Config) func(*table.Row) view.Key {
	switch g {
	case groupProcess:
		return func(r *table.Row) view.Key {
			o := oldest(&r.Socket)
			return view.Key{N: uint64(o.PID), M: o.Start}
		}
	case groupContainer:
		return func(r *table.Row) view.Key { return view.Key{Text: c.Container(&r.Socket)} }
	case groupRemote:
		return func(r *table.Row) view.Key {
			if r.State == sock.Listen || r.Unix != nil || r.Remote.Port() == 0 {
				return view.Key{N: 1} // they have no other side
			}
			return view.Key{Addr: addrAlone(r.Remote)}
		}
	case groupListener:
		return func(r *table.Row) view.Key {
			return view.Key{N: uint64(r.Local.Port()), M: uint64(r.NetNS)<<8 | uint64(r.Proto)}
		}
	}
	return nil
}

// oldest is the owner that has run the longest of those that hold a socket. What it forks has the socket too, until it runs another program, and may have a lower PID.
func oldest(s *sock.Socket) *sock.Owner {
	o := &s.Owner
	for i := range s.Others {
		if other := &s.Others[i]; other.Start != 0 && (o.Start == 0 || other.Start < o.Start) {
			o = other
		}
	}
	return o
}

// label is what a group is called.
func (g grouping) label(w *Words, v *view.Group) string {
	r := v.First
	switch g {
	case groupProcess:
		o := oldest(&r.Socket)
		if !o.Known() {
			return "no process known"
		}
		return fmt.Sprintf("%s[%d]", w.name(o), o.PID)
	case groupContainer:
		if v.Key.Text == "" {
			return "no container or unit"
		}
		return safe(v.Key.Text)
	case groupRemote:
		if v.Key.N == 1 {
			return "without another side"
		}
		return safe(string(w.Names.AppendHost(nil, v.Key.Addr.Addr())))
	case groupListener:
		name := r.Proto.String()
		if v.Key.N == 0 {
			return name + " without a port"
		}
		port := safe(string(w.Names.AppendPort(nil, r.Proto, uint16(v.Key.N))))
		return name + " port " + port
	}
	return ""
}

// groupLine is the line of a group.
func groupLine(w *Words, l *look, g grouping, v *view.Group, open bool, now sock.Stamp) string {
	var b strings.Builder
	mark := l.glyphs.shut
	if open {
		mark = l.glyphs.open
	}
	fmt.Fprintf(&b, "%s %s (%d", mark, g.label(w, v), v.Rows)
	if v.Ghosts > 0 {
		fmt.Fprintf(&b, ", %d closed", v.Ghosts)
	}
	b.WriteByte(')')
	if g != groupProcess && v.First.Owner.Known() && g == groupListener {
		fmt.Fprintf(&b, "  %s", w.program(&v.First.Owner))
	}
	if v.Sum[sumMeasured] > 0 {
		fmt.Fprintf(&b, "  TX/s %s  RX/s %s", rate(v.Sum[sumTX]), rate(v.Sum[sumRX]))
		if n := v.Sum[sumRetrans]; n > 0 {
			fmt.Fprintf(&b, "  retrans %.0f", n)
		}
	}
	if v.Oldest != 0 {
		fmt.Fprintf(&b, "  oldest %s", span(time.Duration(now-v.Oldest)))
	}
	return b.String()
}

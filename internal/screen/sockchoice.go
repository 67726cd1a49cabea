// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"slices"
	"strings"
)

// columns are the names of those that are shown, were there room.
func (p *sockPage) columns() []string {
	names := p.chosen
	if len(names) == 0 {
		names = p.usual()
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.hidden[name] })
}

// usual are the columns when none are chosen: netstat's, which its options choose, and others as there is room.
func (p *sockPage) usual() []string {
	c := p.m.config
	names := strings.Fields("proto recv_q send_q local remote state")
	if p.page == Listeners && p.m.width < 110 {
		names = strings.Fields("proto recv_q local state") // they have nothing else to send, and no other side
	}
	if c.Extend {
		names = append(names, "user", "inode")
	}
	if c.Programs {
		names = append(names, "program")
	}
	if c.Netns {
		names = append(names, "netns")
	}
	if c.Unit {
		names = append(names, "unit")
	}
	if p.page == Listeners {
		if p.m.of.Meter != nil {
			names = append(names, "backlog")
		}
		if p.m.of.Kinds != 0 {
			names = append(names, "accepts", "accepted", "overflows")
		}
		return append(names, "age")
	}
	if p.m.of.Meter != nil {
		names = append(names, "tx", "rx", "rtt", "retrans")
	}
	if p.m.of.Kinds != 0 {
		names = append(names, "age", "peer", "why")
	} else {
		names = append(names, "peer")
	}
	if p.m.of.Meter != nil {
		names = append(names, "graph")
	}
	return names
}

func (p *sockPage) sortPicker() *picker {
	pk := &picker{title: "sort by", done: func(name string) { p.setSort(name) }}
	pk.items = append(pk.items, item{"", "default", "listeners first, then by protocol and port"})
	for i := range socketColumns {
		if c := &socketColumns[i]; c.compare != nil {
			pk.items = append(pk.items, item{c.name, c.text, c.doc})
		}
	}
	pk.at = max(slices.IndexFunc(pk.items, func(i item) bool { return i.name == p.sort }), 0)
	return pk
}

func (p *sockPage) columnPicker() *picker {
	pk := &picker{title: "columns", many: true, chosen: map[string]bool{}}
	for i := range socketColumns {
		c := &socketColumns[i]
		pk.items = append(pk.items, item{c.name, c.text, c.doc})
	}
	for _, name := range p.columns() {
		pk.chosen[name] = true
	}
	pk.doneMany = func(names []string) {
		// In the order of the table; those that are shown already stay where they are.
		p.chosen, p.hidden = names, map[string]bool{}
		p.m.renew()
	}
	return pk
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import "netlive/internal/iface"

// GroupColumns are those of multicast groups on a screen, with netstat's heads.
func GroupColumns() []Column {
	return []Column{{Head: "Interface"}, {Head: "RefCnt", Right: true}, {Head: "Group"}}
}

// Cells are the texts of a group, safe to print. Its name is whole where netstat has no room for it.
func (g *Groups) Cells(m *iface.Group) []string {
	g.cell = g.Names.AppendHost(g.cell[:0], m.Addr)
	return []string{cell([]byte(m.Iface)), signed(m.Users), cell(g.cell)}
}

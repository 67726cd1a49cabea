// SPDX-License-Identifier: GPL-2.0-or-later

package render

import "netlive/internal/sock"

// Places are the columns that say where a socket belongs: netstat has none of them. A nil function is no column, and a nil
// *Places none at all.
type Places struct {
	// Space gives the name of a network namespace by its inode number, "" when it is not known.
	Space func(inode uint32) string
	// Unit gives the path of the socket's cgroup and what container or systemd unit that is, "" when it is not known.
	Unit func(s *sock.Socket) (cgroup, unit string)
}

// The columns' widths in bytes.
const (
	widthSpace = 15
	widthUnit  = 20
)

// appendHeads appends the heads of the columns, each behind a blank.
func (p *Places) appendHeads(b []byte, space, unit string) []byte {
	if p == nil {
		return b
	}
	if p.Space != nil {
		b = append(b, ' ')
		at := len(b)
		b = padTo(append(b, space...), at, widthSpace)
	}
	if p.Unit != nil {
		b = append(b, ' ')
		at := len(b)
		b = padTo(append(b, unit...), at, widthUnit)
	}
	return b
}

// appendColumns appends the columns, each behind a blank. Namespaces and cgroups are named by strangers.
func (p *Places) appendColumns(b []byte, s *sock.Socket, escape bool) []byte {
	if p == nil {
		return b
	}
	column := func(text string, width int) {
		b = append(b, ' ')
		at := len(b)
		if text == "" {
			text = "-"
		}
		b = padTo(appendName(b, []byte(text), escape), at, width)
	}
	if p.Space != nil {
		column(p.Space(s.NetNS), widthSpace)
	}
	if p.Unit != nil {
		_, unit := p.Unit(s)
		column(unit, widthUnit)
	}
	return b
}

// AppendJSON adds the names of the columns to the JSON object of s that b ends with.
func (p *Places) AppendJSON(b []byte, s *sock.Socket) []byte {
	if p == nil {
		return b
	}
	b = b[:len(b)-len("}")]
	if p.Space != nil {
		b = appendTextJSON(b, `,"netns_name":`, p.Space(s.NetNS))
	}
	if p.Unit != nil {
		cgroup, unit := p.Unit(s)
		b = appendTextJSON(b, `,"cgroup":`, cgroup)
		b = appendTextJSON(b, `,"unit":`, unit)
	}
	return append(b, '}')
}

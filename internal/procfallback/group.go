// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"

	"netlive/internal/iface"
)

// Groups reads the multicast groups of the calling thread's network namespace, of the families that are wanted. What
// ails a file is in its list. A file that cannot be opened is an *fs.PathError with Op "open" there.
func (s *Source) Groups(ctx context.Context, v4, v6 bool) (g iface.Groups, err error) {
	return s.groups(ctx, v4, v6, nil)
}

// GroupsLikeNetstat reads the groups as netstat -gc does, which takes both files for those of IPv6 once it has met one.
// m is what it remembers from one pass to the next.
func (s *Source) GroupsLikeNetstat(ctx context.Context, v4, v6 bool, m *iface.GroupMemory) (g iface.Groups, err error) {
	return s.groups(ctx, v4, v6, m)
}

func (s *Source) groups(ctx context.Context, v4, v6 bool, m *iface.GroupMemory) (g iface.Groups, err error) {
	for _, f := range [...]struct {
		wanted, ipv6 bool
		name         string
		list         *iface.GroupList
	}{{v4, false, "net/igmp", &g.IPv4}, {v6, true, "net/igmp6", &g.IPv6}} {
		if !f.wanted {
			continue
		}
		data, err := s.read(ctx, s.self()+f.name)
		if ctx.Err() != nil {
			return iface.Groups{}, fmt.Errorf("procfallback: read %s: %w", f.name, ctx.Err())
		}
		if err != nil {
			f.list.Err = fmt.Errorf("procfallback: read %s: %w", f.name, err)
			continue
		}
		p := groupParser{GroupMemory: m, strict: m != nil, GroupList: f.list, warn: warnings{file: f.name}}
		if !p.strict {
			p.GroupMemory = &iface.GroupMemory{IPv6: f.ipv6, Index: true}
		}
		p.parse(data)
		f.list.Misread = p.IPv6 && !f.ipv6
	}
	return g, nil
}

// groupParser reads one file.
type groupParser struct {
	*iface.GroupMemory
	*iface.GroupList
	// strict: whose groups these are depends on what was read before, and not on the file.
	strict bool
	warn   warnings
}

// parse reads net/igmp (net/ipv4/igmp.c, igmp_mc_seq_show), which has a header, a line for each interface, and
// for each of its groups a line that begins with tabs, with the address as a 32-bit number whose bytes in memory are in network
// order:
//
//	INDEX	NAME      : COUNT QUERIER
//				ADDRESS USERS TIMER ...
//
// or net/igmp6 (net/ipv6/mcast.c, igmp6_mc_seq_show), which has no header, and the address in network order:
//
//	INDEX NAME ADDRESS USERS ...
func (p *groupParser) parse(data []byte) {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if end := bytes.IndexByte(line, 0); end >= 0 {
			line = line[:end] // where it ends for netstat
		}
		if number == 1 && p.header(line) {
			continue
		}
		bad, f := "", fields{rest: line}
		switch {
		case p.IPv6:
			bad = p.group6(&f)
		case len(line) > 0 && line[0] == '\t':
			bad = p.group4(&f)
		default:
			bad = p.iface(&f)
		}
		if bad != "" {
			p.BadLines = append(p.BadLines, number)
			p.warn.bad(number, bad, f.text)
		}
	}
	p.Warnings = p.warn.list()
}

// header reports whether the first line is a header.
func (p *groupParser) header(line []byte) bool {
	if p.IPv6 && !p.strict {
		return false // interfaces may have the word in their names
	}
	found := bytes.Contains(line, []byte("Device"))
	switch {
	case found:
		p.Index = bytes.HasPrefix(line, []byte("Idx"))
	case p.strict:
		p.IPv6 = true
	}
	return found
}

// iface reads the line of an interface. netstat takes the next 15 bytes, be they blanks or colons, and leaves what follows a
// shorter line as it was. When it cannot, it returns the name of the bad field, as those below do.
func (p *groupParser) iface(f *fields) (bad string) {
	if p.Index {
		if index := uint32(0); !f.dec(&index) {
			return "index"
		}
		f.skipSpace()
	}
	if f.text = nil; len(f.rest) == 0 {
		return "interface"
	}
	copy(p.Iface[:], f.rest)
	if colon := bytes.LastIndexByte(cString(p.Iface[:]), ':'); colon >= 0 {
		p.Iface[colon] = 0
	}
	return ""
}

func (p *groupParser) group4(f *fields) (bad string) {
	g := iface.Group{}
	digits := f.hexWord(8)
	if len(digits) == 0 {
		return "address"
	}
	if !f.dec(&g.Users) {
		return "users"
	}
	n, _ := parseHex32(digits)
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], n)
	g.Addr = netip.AddrFrom4(b)
	p.add(g, bytes.TrimRight(cString(p.Iface[:]), " "))
	return ""
}

func (p *groupParser) group6(f *fields) (bad string) {
	g := iface.Group{}
	if index := uint32(0); !f.dec(&index) {
		return "index"
	}
	name := f.word(ifaceMax)
	if len(name) == 0 {
		return "interface"
	}
	const words, wordDigits = 4, 8
	digits := f.hexWord(2 * words * wordDigits)
	if len(digits) == 0 || len(digits) < words*wordDigits && !p.strict {
		return "address"
	}
	if !f.dec(&g.Users) {
		return "users"
	}
	for i := range words {
		word := p.Addr[4*i : 4*i+4]
		n := binary.NativeEndian.Uint32(word)
		if d := digits[min(i*wordDigits, len(digits)):min((i+1)*wordDigits, len(digits))]; len(d) > 0 {
			n, _ = parseHex32(d)
		}
		binary.BigEndian.PutUint32(word, n)
	}
	g.Addr = netip.AddrFrom16(p.Addr)
	p.add(g, name)
	return ""
}

// add adds a group. The name of an interface that has more than one is not allocated anew.
func (p *groupParser) add(g iface.Group, name []byte) {
	if n := len(p.Groups); n > 0 && p.Groups[n-1].Iface == string(name) {
		g.Iface = p.Groups[n-1].Iface
	} else {
		g.Iface = string(name)
	}
	p.Groups = append(p.Groups, g)
}

// hexWord cuts hex digits, at most width, without sign or prefix.
func (f *fields) hexWord(width int) []byte {
	f.skipSpace()
	n := 0
	for n < min(len(f.rest), width) && hexDigits[f.rest[n]] != 0xff {
		n++
	}
	f.text, f.rest = f.rest[:n], f.rest[n:]
	return f.text
}

// cString is b up to the NUL.
func cString(b []byte) []byte {
	b, _, _ = bytes.Cut(b, []byte{0})
	return b
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

// sctpGenerator makes up lines, most of them good, as far as netstat does not print its own memory for them or crash.
type sctpGenerator struct{ *rand.Rand }

func (g sctpGenerator) in(n int) bool { return g.IntN(n) == 0 }

func (g sctpGenerator) pick(words ...string) string { return words[g.IntN(len(words))] }

// number is a column; wild ones are not for inodes, which we hold in 32 bits and netstat reads in octal too.
func (g sctpGenerator) number(wild bool) string {
	if g.in(30) {
		return g.pick("x", "12z", "x12")
	}
	if wild && g.in(15) {
		return g.pick("-1", "-70000", "4294967295", "4294967296", "99999999999999999999", "-99999999999999999999", "+5", "007", "0x10")
	}
	return fmt.Sprint(g.Uint32() >> g.IntN(32))
}

func (g sctpGenerator) address(marks bool) string {
	if g.in(40) {
		return g.pick("foo", "1.2.3", "0x7f.1", "1.2.3.400", "1.2.3.4x", "**1.2.3.4", "1.2.3.4-5.6.7.8", "255.255.255.255", "*", "07.8.9.10")
	}
	mark := ""
	if marks && g.in(2) {
		mark = "*"
	}
	switch g.IntN(4) {
	case 0:
		return mark + g.pick("127.0.0.1", "10.0.0.1", "0.0.0.0", "0.1.2.3", "0.1.2.4")
	case 1:
		return mark + g.pick(six, wide6Groups, "0000:0000:0000:0000:0000:0000:0000:0000", "0000:0000:0000:0000:0000:ffff:7f00:0001",
			"0000:0000:0000:0000:0000:0000:0102:0304", "fe80:0000:0000:0000:0000:0000:0000:0001")
	case 2:
		groups := make([]string, 8)
		for i := range groups {
			groups[i] = fmt.Sprintf("%04x", g.Uint32()>>g.IntN(32)&0xffff)
		}
		return mark + strings.Join(groups, ":")
	}
	n := g.Uint32()
	return fmt.Sprintf("%s%d.%d.%d.%d", mark, n>>24, n>>16&0xff, n>>8&0xff, n&0xff)
}

func (g sctpGenerator) addresses(marks bool) string {
	var b strings.Builder
	for range g.IntN(5) * g.IntN(3) {
		b.WriteString(g.address(marks) + g.pick(" ", " ", " ", "  "))
	}
	return b.String()
}

// columns are n columns; of the first bad ones and of inode, the ith, less wild ones.
func (g sctpGenerator) columns(n, state, inode int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = g.number(i != inode)
		if i == state && !g.in(5) {
			words[i] = fmt.Sprint(g.IntN(12))
		}
		if i == inode && g.in(2) {
			words[i] = "31337"
		}
	}
	return words
}

func (g sctpGenerator) file(header string, line func(b *bytes.Buffer)) string {
	var b bytes.Buffer
	b.WriteString(header)
	for range g.IntN(12) {
		line(&b)
		b.WriteByte('\n')
	}
	if g.in(10) {
		b.Truncate(b.Len() - 1)
	}
	return b.String()
}

func (g sctpGenerator) join(words []string) string {
	var b strings.Builder
	for _, word := range words {
		b.WriteString(word + g.pick(" ", " ", " ", "   ", "\t", " \t"))
	}
	return b.String()
}

func (g sctpGenerator) endpoints() string {
	return g.file(sctpEpsHeader, func(b *bytes.Buffer) {
		columns := g.columns(8, 3, 7)
		if g.in(12) {
			b.WriteString(g.join(columns[:g.IntN(8)]))
			return
		}
		b.WriteString(g.join(columns) + g.addresses(false))
		if g.in(12) {
			b.WriteString("\t" + g.addresses(false))
		}
	})
}

func (g sctpGenerator) assocs() string {
	return g.file(sctpAssocsHeader, func(b *bytes.Buffer) {
		columns := g.columns(13, 3, 10)
		if g.in(12) {
			b.WriteString(g.join(columns[:g.IntN(13)]))
			return
		}
		b.WriteString(g.join(columns) + " " + g.addresses(true))
		arrow := "<-> "
		if g.in(12) {
			arrow = g.pick("<->", "- ", "<-> <-> ", "\t", " ")
		}
		b.WriteString(arrow + g.addresses(true))
		if arrow != "<-> " || !g.in(6) { // without any text for the remote end netstat may crash
			b.WriteString(strings.TrimSuffix(sctpAssocTail, "\n"))
		}
	})
}

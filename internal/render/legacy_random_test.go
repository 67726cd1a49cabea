// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// legacyGenerator makes up the files of sockets. What it damages it damages so that netstat does not go on in what its
// memory happens to hold, and it has no state that is none.
type legacyGenerator struct{ *rand.Rand }

// in reports true once in n times.
func (g legacyGenerator) in(n int) bool { return g.IntN(n) == 0 }

func (g legacyGenerator) pick(words ...string) string { return words[g.IntN(len(words))] }

// file has a header, unless that is "", and some lines; at times the last has no end.
func (g legacyGenerator) file(header string, line func() string) string {
	var b strings.Builder
	b.WriteString(header)
	for range g.IntN(8) {
		b.WriteString(line() + "\n")
	}
	if g.in(10) {
		return strings.TrimSuffix(b.String(), "\n")
	}
	return b.String()
}

// damage replaces a word after the first keep bytes, or cuts the line there.
func (g legacyGenerator) damage(line string, keep int) string {
	if !g.in(6) || len(line) <= keep {
		return line
	}
	at := keep + g.IntN(len(line)-keep)
	switch before, after := line[:at], line[at:]; g.IntN(4) {
	case 0:
		return before
	case 1:
		return before + g.pick(" ", "x", "-", "/", "+3", "0x1", "\t", "  ", "*", "4.5") + after
	case 2:
		return before + after[1:]
	default:
		if end := strings.IndexByte(after, ' '); end >= 0 {
			after = after[end:]
		}
		return before + g.pick("z", "99999999999999999999", "-1", "1/2", "") + after
	}
}

func (g legacyGenerator) call() string {
	if g.in(6) {
		return "*"
	}
	return g.pick("N0CALL", "VK2KTJ", "F6BVP", "A", "") + fmt.Sprintf("-%d", g.IntN(16))
}

func (g legacyGenerator) number() int {
	switch g.IntN(5) {
	case 0, 1:
		return 0
	case 2:
		return g.IntN(10)
	case 3:
		return g.IntN(100_000)
	}
	return int(g.Int32())
}

func (g legacyGenerator) iface() string {
	return g.pick("???", "ax0", "nr12", "rose0", "lapb0", "abcdefghijklmno", "x")
}

// numbers is n of them, each after blanks.
func (g legacyGenerator) numbers(n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "%*s%d", 1+g.IntN(3), "", g.number())
	}
	return b.String()
}

// pairs is n pairs with a slash, each after a blank.
func (g legacyGenerator) pairs(n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, " %3d/%03d", g.IntN(1000), g.IntN(1000))
	}
	return b.String()
}

func (g legacyGenerator) ipx() string {
	return g.file(ipxHeader, func() string {
		remote := "Not_Connected"
		if g.in(2) {
			remote = g.ipxEnd()
		}
		if g.in(40) {
			return g.pick("x", "1", "1:1:1 x", "Not_Connected", "x Not_Connected") + " 0 0 1 0"
		}
		return fmt.Sprintf("%s  %-26s  %08X  %08X  %s     %s", g.ipxEnd(), remote, uint32(g.number()), uint32(g.number())*2,
			g.pick("01", "07", "02", "08", "1", "7"), g.pick("000", "033", "1000", "1001", "2147483647"))
	})
}

func (g legacyGenerator) ipxEnd() string {
	network := g.pick("00000000", "FFFFFFFF", "00000001", "0000abcd", "FFFFFFFE", "1", "")
	port := g.pick("0000", "4003", "FFFF", "1", "00451", "12345")
	if g.in(3) {
		return network + ":" + port
	}
	return network + ":" + g.pick("000000000000", "0000C0123456", "FFFFFFFFFFFF", "12", "0", "123456789abcde", "1g2", "") + ":" + port
}

func (g legacyGenerator) ax25() string {
	if g.in(3) {
		return g.file(ax25OldHead, func() string {
			tail := g.pick("", fmt.Sprintf("%6d %6d %d", g.number(), g.number(), g.number()))
			head := fmt.Sprintf("%-9s %-9s  %s  %d ", g.call(), g.call(), g.iface(), g.IntN(5))
			return g.damage(head+g.numbers(3)+g.pairs(5)+g.numbers(3)+" "+tail, len(head))
		})
	}
	return g.file("", func() string {
		dest := g.call()
		for g.in(3) {
			dest += "," + g.call() + g.pick("", "*")
		}
		head := fmt.Sprintf("%016x %s %s%s %s %d ", g.Uint64(), g.iface(), g.call(), g.pick("", "*"), dest, g.IntN(5))
		return g.damage(head+g.numbers(16)+g.pick(" * * *", g.numbers(3)), len(head))
	})
}

func (g legacyGenerator) x25() string {
	return g.file(x25Header, func() string {
		return fmt.Sprintf("%-10s %-10s %-5s %03d  %d%s", g.pick("*", "1234567890", "123", ""), g.pick("*", "0987654321", "765"),
			g.iface(), g.pickInt(0, 0, 1, 10, 999, 4095), g.IntN(5), g.numbers(2+6+2+1))
	})
}

func (g legacyGenerator) pickInt(numbers ...int) int { return numbers[g.IntN(len(numbers))] }

func (g legacyGenerator) netrom() string {
	return g.file(netromHeader, func() string {
		head := fmt.Sprintf("%-9s %-9s %-9s %-3s  %02X/%02X %02X/%02X %2d ", g.call(), g.call(), g.call(), g.iface(),
			g.IntN(256), g.IntN(256), g.IntN(256), g.IntN(256), g.IntN(4))
		if g.in(8) {
			return head[:30+g.IntN(len(head)-30-2)] // anywhere before the state
		}
		return g.damage(head+g.numbers(3)+g.pairs(5)+g.numbers(4), len(head))
	})
}

func (g legacyGenerator) rose() string {
	return g.file(roseHeader, func() string {
		addr := func() string { return g.pick("*", "2080175520", "2080175521", "123", "0000000000") }
		iface := g.pick("rose0", "rose1", "???", "rose10", "rose1234567", "abcdefghijklmno")
		head := fmt.Sprintf("%-10s %-9s %-10s %-9s %-5s %3.3X %05d", addr(), g.call(), addr(), g.pick(g.call(), "??????-?"), iface,
			g.pickInt(0, 1, 0x10, 0x99, 0xa, 0x1b, 0xc1, 0xfff), g.IntN(100_000))
		line := fmt.Sprintf("%s  %d%s%s%s", head, g.IntN(4), g.numbers(8), g.pairs(1), g.numbers(3))
		if g.in(10) {
			return line[:g.IntN(len(line))]
		}
		return line
	})
}

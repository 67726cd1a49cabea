// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"netlive/internal/mib"
)

// mibGenerator makes up the files of counters: any keys in any order with any numbers, and at times
// files that are damaged, as far as netstat does not print its own memory for them.
type mibGenerator struct {
	*rand.Rand
	keys map[string][]string // by title
}

// In netstat's tables, but never found there.
var lostKeys = map[string][]string{
	"Ip": {"Forwarding"},
	"TcpExt": {
		"TCPDirectCopyFromPrequeue", "TCPDSACKOfoRecv", "TCPDSACKOfoSent", "TCPDSACKOldSent", "TCPDSACKRecv", "TCPDSackUndo",
		"TCPDSACKUndo", "TCPLoss", "TCPPrequeueDropped", "TCPRenoRecoveryFailed", "TCPRenoRecoveryFail", "TCPSackFailures",
		"TCPSackRecoveryFail", "TCPSackRecovery", "TCPSACKReneging", "TCPTimeouts", "TWKilled",
	},
	"Icmp6": {"Icmp6OutRouterAdvertisements"},
}

// Keys that netstat does not know, in tables that it knows and in others.
var unknownKeys = map[string][]string{
	"Ip": {"OutTransmits"}, "Icmp": {"InCsumErrors", "OutRateLimitGlobal"}, "IcmpMsg": {"InType3", "OutType8"},
	"Tcp": {"InCsumErrors"}, "Udp": {"IgnoredMulti", "MemErrors"}, "UdpLite": {"InDatagrams", "NoPorts"},
	"TcpExt": {"ArpFilter", "TCPLossProbes", "TCPLostRetransmit", "TcpTimeoutRehash"}, "IpExt": {"InOctets", "InNoECTPkts"},
	"MPTcpExt": {"MPCapableSYNRX"}, "Sctp": {"SctpT1InitExpireds"}, "Tcp6": {"InSegs"}, "TcpNew": {"InSegs", "TW"},
	"Ip6": {"Ip6InOctets", "Ip6OutTransmits"}, "Icmp6": {"Icmp6InType135", "Icmp6OutMLDv2Reports", "Icmp6OutErrors"},
	"Udp6": {"Udp6RcvbufErrors"}, "UdpLite6": {"UdpLite6NoPorts", "UdpLite6MemErrors"}, "New": {"A", "B"},
}

func newMIBGenerator(seed uint64) *mibGenerator {
	g := &mibGenerator{rand.New(rand.NewPCG(seed, seed)), map[string][]string{}}
	for _, t := range slices.Concat(mibTablesIPv4, mibTablesIPv6) {
		for _, s := range t.sentences {
			g.keys[t.title] = append(g.keys[t.title], s.key)
		}
	}
	for _, more := range []map[string][]string{lostKeys, unknownKeys} {
		for title, keys := range more {
			g.keys[title] = append(g.keys[title], keys...)
		}
	}
	return g
}

// in reports true once in n times.
func (g *mibGenerator) in(n int) bool { return g.IntN(n) == 0 }

// write replaces the files below dir.
func (g *mibGenerator) write(t *testing.T, dir string) {
	t.Helper()
	g.file(t, dir, mib.SNMP, 40, func() []byte {
		return g.pairs("Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite", "Sctp", "Tcp6", "TcpNew", "New", "Ip6")
	})
	g.file(t, dir, mib.Netstat, 20, func() []byte { return g.pairs("TcpExt", "IpExt", "MPTcpExt", "Icmp", "New") })
	g.file(t, dir, mib.SCTP, 2, g.sctp)
	g.file(t, dir, mib.SNMP6, 40, g.snmp6)
}

// file writes a file, or removes it once in n times.
func (g *mibGenerator) file(t *testing.T, dir string, f mib.File, n int, text func() []byte) {
	t.Helper()
	path := filepath.Join(dir, f.String())
	if g.in(n) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, text(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// some returns some of list, most times nearly all, shuffled most times.
func (g *mibGenerator) some(list []string) []string {
	part := []int{1, 2, 20, 20, 1000}[g.IntN(5)]
	kept := slices.DeleteFunc(slices.Clone(list), func(string) bool { return g.in(part) })
	if !g.in(4) {
		g.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	}
	return kept
}

// value is a number as text, often 0.
func (g *mibGenerator) value() string {
	switch g.IntN(12) {
	case 0, 1, 2, 3:
		return "0"
	case 4, 5, 6, 7:
		return strconv.Itoa(g.IntN(5))
	case 8:
		return strconv.FormatUint(g.Uint64(), 10)
	case 9:
		return strconv.FormatInt(-g.Int64N(1<<62), 10)
	case 10:
		return fmt.Sprintf("%d%d", g.Uint64()|1<<63, g.Uint32())
	}
	return strconv.FormatUint(uint64(g.Uint32()), 10)
}

// pairs is a file of pairs of lines.
func (g *mibGenerator) pairs(titles ...string) []byte {
	var b bytes.Buffer
	for _, title := range g.some(titles) {
		keys := g.some(g.keys[title])
		values := len(keys)
		if g.in(20) {
			values += g.IntN(5) - 2
		}
		colons := [2]string{":", ":"}
		if g.in(100) {
			colons[g.IntN(2)] = ""
		}
		if g.in(20) {
			b.WriteString("\n")
		}
		blank := []string{" ", " ", " ", "  ", "\t"}[g.IntN(5)]
		b.WriteString(title + colons[0])
		for _, k := range keys {
			b.WriteString(blank + k)
		}
		b.WriteString("\n" + title + colons[1])
		for range values {
			v := g.value()
			if g.in(2000) {
				v = []string{"x", "1x", "-", "0x10", "+7", "1,5"}[g.IntN(6)]
			}
			b.WriteString(blank + v)
		}
		b.WriteString("\n")
	}
	if g.in(20) {
		b.WriteString("Tcp: InSegs\n")
	}
	if g.in(20) {
		b.Truncate(max(b.Len()-1, 0))
	}
	return b.Bytes()
}

func (g *mibGenerator) sctp() []byte {
	var b bytes.Buffer
	for _, k := range g.some(g.keys["Sctp"]) {
		fmt.Fprintf(&b, "%-32s\t%s\n", k, g.value())
		if g.in(20) {
			b.WriteString([]string{"\n", "SctpShutdowns\n", "SctpShutdowns x\n", "\t5\n", "SctpShutdowns 1 2\n"}[g.IntN(5)])
		}
	}
	return b.Bytes()
}

// snmp6 has the tables one after the other as the kernel has them, or all mixed.
func (g *mibGenerator) snmp6() []byte {
	var keys []string
	for _, title := range g.some([]string{"Ip6", "Icmp6", "Udp6", "UdpLite6", "Tcp6", "New", "Ip"}) {
		for _, k := range g.some(g.keys[title]) {
			if title == "Tcp6" {
				k = "Tcp6" + k
			}
			keys = append(keys, k)
		}
	}
	if g.in(10) {
		keys = g.some(keys)
	}
	var b bytes.Buffer
	for _, k := range keys {
		fmt.Fprintf(&b, "%-32s\t%s\n", k, g.value())
	}
	return b.Bytes()
}

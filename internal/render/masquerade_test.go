// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"netlive/internal/masq"
	"netlive/internal/procfallback"
	"netlive/internal/sock"
)

const (
	masqHeader    = "Prc FromIP   FPrt ToIP     TPrt Masq Init-seq  Delta PDelta Expires (free=40960,40960,40960)                                    \n"
	masqHeaderOld = "Prc FromIP   FPrt ToIP     TPrt Masq Init-seq  Delta Expires (free=40960,40960)\n"
)

// someNames has names for what is not to be a number.
type someNames struct{ hosts, ports bool }

var (
	someHosts = map[string]string{
		"224.0.0.1": "all-systems.example.org", "224.0.0.2": "r", "10.0.0.1": strings.Repeat("a.", 63) + "a",
		"10.0.0.2": strings.Repeat("b.", 63) + "bb", "10.0.0.3": strings.Repeat("c", 20), "10.0.0.4": strings.Repeat("d", 21),
		"ff02::1": "ip6-allnodes", "ff02::2": strings.Repeat("e.", 63) + "e", "ff02::3": strings.Repeat("f.", 63) + "ff",
		"ff02::1:ff00:2": "solicited.example.org",
	}
	someServices = map[string]string{
		"80/tcp": "http", "53/udp": "domain", "53/tcp": "domain-s", "2048/icmp": "ping", "47/gre": "gre", "7/raw": "raw7",
		"443/tcp": strings.Repeat("s", 63), "444/tcp": strings.Repeat("t", 70),
	}
)

func (n someNames) AppendHost(b []byte, a netip.Addr) []byte {
	name, ok := someHosts[a.String()]
	switch {
	case ok && n.hosts:
		return append(b, name...)
	case n.hosts && a == netip.IPv6Unspecified():
		return append(b, "[::]"...)
	}
	return appendAddr(b, a)
}

func (n someNames) AppendPort(b []byte, p sock.Proto, port uint16) []byte {
	name, ok := someServices[fmt.Sprintf("%d/%v", port, p)]
	if ok && n.ports {
		return append(b, name[:min(len(name), 63)]...)
	}
	return strconv.AppendUint(b, uint64(port), 10)
}

func (n someNames) AppendUser(b []byte, uid uint32) []byte { panic("no users here") }

// masqueradeFiles are made-up files of entries.
var masqueradeFiles = map[string]string{
	"both": masqHeader + "TCP 0A000001:0050 C0A80001:01BB F000 00001234     0     0   90000                         \n" +
		"UDP 0A000003:0035 0A000004:01BC F001 00000000     5    -6     123\nICMP 0A000002:0800 C0A80002:0000 F002 FFFFFFFF     0     0   600099\n" +
		"GRE 00000000:002F FFFFFFFF:FFFF 01BC FFFFFFFFFFFFFFFFF 32767 -32768 18446744073709551616\nIP 7F000001:0007 0:0 0 0 0 0 -1\nESP 1:1 2:2 3 4 5 6 7\n",
	"old":             masqHeaderOld + "TCP 0A000001:0050 C0A80001:01BB F000 00001234     -1   90000\nUDP 0A000003:0035 0A000004:0035 F001 0 5 6000\n",
	"header":          masqHeader,
	"empty":           "",
	"blank":           "\n  \n",
	"no header":       "TCP 0A000001:0050 C0A80001:01BB F000 00001234 0 90000\nUDP 1:1 2:2 3 4 5 6\n",
	"word in header":  "x PDeltaPDelta\nTCP 1:1 2:2 3 4 5 6 7\n",
	"one line":        masqHeader + "TCP 1:1\n2:2 3 4 5\n\n\n6 7 UDP\v1:1 2:2 3 4 5 6 7",
	"run together":    masqHeader + "TCP 1:1+2:-2-3+4-5+6-7UDP 1: 1 2: 2 0x3 0X4 5 6 7",
	"too small":       masqHeader + "TCP 1:-11112222333344445 -2:2 3 -11112222333344445 -99999999999999999999 99999999999999999999 -99999999999999999999\n",
	"unknown":         masqHeader + "TCP 1:1 2:2 3 4 5 6 7\nSCTP 1:1 2:2 3 4 5 6 7\n",
	"small letters":   masqHeader + "tcp 1:1 2:2 3 4 5 6 7\n",
	"with NUL":        masqHeader + "TCP\x00x 1:1 2:2 3 4 5 6 7\n",
	"no colon":        masqHeader + "TCP 1:1 2 2 3 4 5 6 7\n",
	"blank and colon": masqHeader + "TCP 1 :1 2:2 3 4 5 6 7\n",
	"no source":       masqHeader + "TCP\n",
	"no delta":        masqHeader + "TCP 1:1 2:2 3 4 x 6 7\n",
	"short":           masqHeader + "TCP 1:1 2:2 3 4 5 6 7\nTCP 1:1 2:2 3 4 5 6\n",
	"one too many":    masqHeaderOld + "TCP 1:1 2:2 3 4 5 6 7\nTCP 1:1 2:2 3 4 5 6 7\n",
	"a long header":   strings.Repeat("x", 255) + " TCP 1:1 2:2 3 4 5 6\nTCP 1:1 2:2 3 4 5 7\n",
	"late in header":  strings.Repeat("x", 249) + "PDelta\nTCP 1:1 2:2 3 4 5 6 7\n",
	"too late":        strings.Repeat("x", 250) + "PDelta\nTCP 1:1 2:2 3 4 5 6 7\n",
	"NUL in header":   "x\x00PDelta\nTCP 1:1 2:2 3 4 5 6\n",
	"sixteen":         masqHeader + strings.Repeat("UDP 0A000001:0035 0A000002:0035 35 4 5 6 7\n", 16),
	"seventeen":       masqHeader + strings.Repeat("UDP 0A000001:0035 0A000002:0035 35 4 5 6 7\n", 17),
	"late and bad":    masqHeader + strings.Repeat("UDP 0A000001:0035 0A000002:0035 35 4 5 6 7\n", 40) + "x",
}

func masqueradeOf(text string) *procfallback.Source {
	return procfallback.New(fstest.MapFS{"net/ip_masquerade": &fstest.MapFile{Data: []byte(text)}})
}

func TestMasquerade(t *testing.T) {
	const head = "IP masquerading entries\nprot   expire source               destination          ports\n"
	const headExtend = "IP masquerading entries\nprot   expire    initseq delta prevd source               destination          ports\n"
	for _, c := range []struct {
		file string
		m    Masquerade
		want string
	}{
		{"both", Masquerade{}, head +
			"tcp  15:00.00 10.0.0.1             192.168.0.1          80 -> 443 (61440)\n" +
			"udp   0:01.23 10.0.0.3             10.0.0.4             53 -> 444 (61441)\n" +
			"icmp100:00.99 10.0.0.2             192.168.0.2          2048 -> * (61442)\n" +
			"gre 3074457345618258:36.15 0.0.0.0              255.255.255.255      47 -> 65535 (444)\n" +
			"ip  3074457345618258:36.15 127.0.0.1            0.0.0.0              7 -> * (*)\n" +
			"esp   0:00.07 0.0.0.1              0.0.0.2              1 -> 2 (3)\n"},
		{"both", Masquerade{Extend: 1}, headExtend +
			"tcp  15:00.00       4660     0     0 10.0.0.1             192.168.0.1          80 -> 443 (61440)\n" +
			"udp   0:01.23          0     5    -6 10.0.0.3             10.0.0.4             53 -> 444 (61441)\n" +
			"icmp100:00.99 4294967295     0     0 10.0.0.2             192.168.0.2          2048 -> * (61442)\n" +
			"gre 3074457345618258:36.15 18446744073709551615 32767 -32768 0.0.0.0              255.255.255.255      47 -> 65535 (444)\n" +
			"ip  3074457345618258:36.15          0     0     0 127.0.0.1            0.0.0.0              7 -> * (*)\n" +
			"esp   0:00.07          4     5     6 0.0.0.1              0.0.0.2              1 -> 2 (3)\n"},
		{"old", Masquerade{Extend: 2, Names: someNames{hosts: true, ports: true}}, headExtend +
			"tcp  15:00.00       4660    -1     - " + someHosts["10.0.0.1"] + " 192.168.0.1          http -> " + strings.Repeat("s", 63) + " (61440)\n" +
			"udp   1:00.00          0     5     - " + someHosts["10.0.0.3"] + " " + someHosts["10.0.0.4"] + " domain -> domain (61441)\n"},
		{"header", Masquerade{}, ""},
	} {
		if c.m.Names == nil {
			c.m.Names = Numeric{}
		}
		out, errs, code, err := c.m.Append(t.Context(), nil, nil, masqueradeOf(masqueradeFiles[c.file]))
		if string(out) != c.want || len(errs) > 0 || code != 0 || err != nil {
			t.Errorf("%s: exit code %d, %v, stderr %q\n%s\nwant\n%s", c.file, code, err, errs, out, c.want)
		}
	}
}

// brokenMasquerade is a source that fails.
type brokenMasquerade struct{ err error }

func (b brokenMasquerade) Masquerade(ctx context.Context) (masq.Table, error) {
	return masq.Table{}, errors.Join(b.err, ctx.Err())
}

func TestMasqueradeFails(t *testing.T) {
	open := func(err error) MasqueradeSource {
		return brokenMasquerade{fmt.Errorf("source: %w", &fs.PathError{Op: "open", Path: "x", Err: err})}
	}
	const format = "masq_info.c: Internal Error `ip_masquerade format error'.\n"
	for _, c := range []struct {
		src      MasqueradeSource
		errs     string
		code     int
		warnings string
	}{
		{open(syscall.ENOENT), "netstat: no support for `ip_masquerade' on this system.\n", 1, "[]"},
		{open(syscall.EACCES), "/proc/net/ip_masquerade: Permission denied\n", 255, "[]"},
		{open(syscall.ELOOP), "/proc/net/ip_masquerade: Too many levels of symbolic links\n", 255, "[]"},
		{brokenMasquerade{syscall.EISDIR}, "masq_info: Internal Error `fgets() failed'.\n", 255, "[]"},
		{masqueradeOf(""), "masq_info: Internal Error `fgets() failed'.\n", 255, "[net/ip_masquerade:1: header missing]"},
		{masqueradeOf(masqueradeFiles["unknown"]), "masq_info.c: Internal Error `ip_masquerade unknown type'.\n", 255, `[net/ip_masquerade:3: protocol "SCTP"]`},
		{masqueradeOf(masqueradeFiles["late and bad"]), format, 255, "[net/ip_masquerade:42: source missing]"},
	} {
		m := Masquerade{Names: Numeric{}}
		out, errs, code, err := m.Append(t.Context(), nil, nil, c.src)
		if len(out) > 0 || string(errs) != c.errs || code != c.code || err != nil || fmt.Sprint(m.Warnings) != c.warnings {
			t.Errorf("exit code %d, %v, stderr %q, warnings %v\n%s\nwant %+v", code, err, errs, m.Warnings, out, c)
		}
		out, errs, code, err = m.AppendJSON(t.Context(), nil, nil, c.src)
		if string(out) != "[]\n" || string(errs) != c.errs || code != c.code || err != nil {
			t.Errorf("exit code %d, %v, stderr %q\n%s\nwant %+v", code, err, errs, out, c)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var m Masquerade
	_, _, _, err := m.Append(ctx, nil, nil, brokenMasquerade{})
	_, _, _, err2 := m.AppendJSON(ctx, nil, nil, brokenMasquerade{})
	if !errors.Is(err, context.Canceled) || !errors.Is(err2, context.Canceled) {
		t.Errorf("%v, %v", err, err2)
	}
}

// evilNames has hosts that clear the screen.
type evilNames struct{ Numeric }

func (evilNames) AppendHost(b []byte, _ netip.Addr) []byte { return append(b, "\x1b[2J"...) }

func TestMasqueradeTextsEscapeAndJSON(t *testing.T) {
	src := masqueradeOf(masqHeader + "TCP 0A000001:0050 0A000003:0000 F000 1234 -1 -2 90000\nICMP 1:1 2:2 3 4 5 6 7\n")
	german := map[string]string{titleMasquerade: "IP-Maskierungseinträge\n", headMasquerade: "Prot\n", headMasqueradeExtend: "Prot mehr\n"}
	m := Masquerade{Names: evilNames{}, Texts: func(s string) string { return german[s] }, Escape: true}
	out, _, _, _ := m.Append(t.Context(), nil, nil, src)
	if want := "IP-Maskierungseinträge\nProt\n" + `tcp  15:00.00 \x1b[2J              \x1b[2J              80 -> * (61440)` + "\n"; !strings.HasPrefix(string(out), want) {
		t.Errorf("%q\nwant %q", out, want)
	}
	m.Escape, m.Extend = false, 1
	if out, _, _, _ := m.Append(t.Context(), nil, nil, src); !strings.Contains(string(out), "e\nProt mehr\ntcp  15:00.00       4660    -1    -2 \x1b[2J") {
		t.Errorf("%q", out)
	}
	out, _, _, _ = m.AppendJSON(t.Context(), nil, nil, src)
	const want = `[{"proto":"tcp","source_addr":"10.0.0.1","source_port":80,"destination_addr":"10.0.0.3","destination_port":0,"masq_port":61440,` +
		`"init_seq":4660,"delta":-1,"previous_delta":-2,"expires_cs":90000},` + "\n" +
		`{"proto":"icmp","source_addr":"0.0.0.1","source_port":1,"destination_addr":"0.0.0.2","destination_port":2,"masq_port":3,` +
		`"init_seq":4,"delta":5,"previous_delta":6,"expires_cs":7}]` + "\n"
	if string(out) != want || !json.Valid(out) {
		t.Errorf("%s\nwant\n%s", out, want)
	}
	out, _, _, _ = m.AppendJSON(t.Context(), nil, nil, masqueradeOf(masqueradeFiles["old"]))
	if !strings.Contains(string(out), `"delta":-1,"previous_delta":null,"expires_cs":90000}`) || !json.Valid(out) {
		t.Errorf("%s", out)
	}
}

// masquerade is net/ip_masquerade.
func (g *groupGenerator) masquerade() string {
	header, prev := masqHeader, true
	if g.in(3) {
		header, prev = masqHeaderOld, false
	}
	var b strings.Builder
	b.WriteString(header)
	hex := func() string {
		return pick(g, "0", "50", "0035", "01BB", "01BC", "F000", "0800", "FFFF", "10035", "-1", "0x50", fmt.Sprintf("%X", g.Uint32()), "11112222333344445555")
	}
	for range g.IntN(pick(g, 2, 10, 40, 120)) {
		word := pick(g, "TCP", "TCP", "UDP", "UDP", "ICMP", "GRE", "ESP", "IP")
		addr := func() string {
			return pick(g, "0A000001", "0A000002", "0A000003", "0A000004", "a000004", "7F000001", "00000000", "00010203", fmt.Sprintf("%08X", g.Uint32()), hex())
		}
		fmt.Fprintf(&b, "%s %s:%s %s:%s %s %s %6s", word, addr(), hex(), addr(), hex(), hex(), hex(), g.number())
		if prev {
			fmt.Fprintf(&b, " %6s", g.number())
		}
		fmt.Fprintf(&b, " %7s%s", pick(g, g.number(), fmt.Sprint(g.Uint32()), fmt.Sprint(g.Uint64())), pick(g, "\n", "\n", "     \n", " ", "\t\n\n"))
	}
	text := b.String()
	switch {
	case g.in(15):
		text = text[:len(header)+g.IntN(len(text)-len(header)+1)]
	case g.in(20):
		at := g.IntN(len(text) - len(header) + 1)
		text = text[:len(header)+at] + pick(g, "x", ":", " ", "-", "1", "P") + text[len(header)+at:]
	}
	return text
}

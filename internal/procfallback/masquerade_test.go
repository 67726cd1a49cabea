// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"netlive/internal/masq"
)

const (
	masqHeader    = "Prc FromIP   FPrt ToIP     TPrt Masq Init-seq  Delta PDelta Expires (free=40960,40960,40960)                                    \n"
	masqHeaderOld = "Prc FromIP   FPrt ToIP     TPrt Masq Init-seq  Delta Expires (free=40960,40960)\n"
)

func masqText(t *masq.Table) string {
	var b strings.Builder
	for _, e := range t.Entries {
		fmt.Fprintf(&b, "%v %v %v %d %d %d %d %d; ", e.Proto, e.Src, e.Dst, e.MasqPort, e.InitSeq, e.Delta, e.PrevDelta, e.Expires)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestParseMasquerade(t *testing.T) {
	const one, oneText = "TCP 1:1 2:2 3 4 5 6 7\n", "tcp 0.0.0.1:1 0.0.0.2:2 3 4 5 6 7"
	for _, c := range []struct {
		name, data, want string
		fault            masq.Fault
		warnings         string
	}{
		{"kernel", masqHeader + fmt.Sprintf("%-127s\n%-127s\n", "TCP 0A000001:0050 C0A80001:01BB F000 00001234      0     -5   90000",
			"ICMP 0A000002:0800 C0A80002:0000 F002 FFFFFFFF     -1      0   18446744073709551615"),
			"tcp 10.0.0.1:80 192.168.0.1:443 61440 4660 0 -5 90000; icmp 10.0.0.2:2048 192.168.0.2:0 61442 4294967295 -1 0 18446744073709551615", 0, ""},
		{"without the previous delta", masqHeaderOld + "UDP 0A000002:0035 C0A80002:0035 F001 0 5 123\n", "udp 10.0.0.2:53 192.168.0.2:53 61441 0 5 0 123", 0, ""},
		{"all protocols", masqHeader + "IP 0:0 0:0 0 0 0 0 0 GRE 0:0 0:0 0 0 0 0 0\nESP 0:0 0:0 0 0 0 0 0",
			"ip 0.0.0.0:0 0.0.0.0:0 0 0 0 0 0; gre 0.0.0.0:0 0.0.0.0:0 0 0 0 0 0; esp 0.0.0.0:0 0.0.0.0:0 0 0 0 0 0", 0, ""},
		{"numbers that wrap", masqHeader + "TCP 10A000001:-1 FFFFFFFFFFFFFFFFF:10002 0x30003 11112222333344445 65535 -65537 -1\n",
			"tcp 10.0.0.1:65535 255.255.255.255:2 3 18446744073709551615 -1 -1 18446744073709551615", 0, ""},
		{"a negative sequence number", masqHeader + "TCP 1:1 2:2 3 -1 5 6 7", "tcp 0.0.0.1:1 0.0.0.2:2 3 18446744073709551615 5 6 7", 0, ""},
		{"one too small", masqHeader + "TCP 1:1 2:2 3 -11112222333344445 5 6 -99999999999999999999", "tcp 0.0.0.1:1 0.0.0.2:2 3 18446744073709551615 5 6 18446744073709551615", 0, ""},
		{"no blanks where none are needed", masqHeader + "TCP 1:1+2:-2-3+4-5+6-7UDP 1: 1 2: 2 3 4 5 6 7",
			"tcp 0.0.0.1:1 0.0.0.2:65534 65533 4 -5 6 18446744073709551609; udp 0.0.0.1:1 0.0.0.2:2 3 4 5 6 7", 0, ""},
		{"lines are no matter", masqHeader + "TCP\n1:1\n2:2\n\n3 4 5 6 7 " + one, oneText + "; " + oneText, 0, ""},
		{"header", masqHeader, "", 0, ""},
		{"nothing", "", "", masq.NoHeader, "f:1: header missing"},
		{"a long header", strings.Repeat("x", 249) + "PDelta" + one + one, oneText + "; " + oneText, 0, ""},
		{"too long a header", strings.Repeat("x", 250) + "PDelta\n" + one, "", masq.BadFormat, `f:1: source "TCP"`},
		{"NUL", "x\x00PDelta\nUDP\x00x 1:1 2:2 3 4 5 6", "udp 0.0.0.1:1 0.0.0.2:2 3 4 5 0 6", 0, ""},
		{"unknown", masqHeader + one + "SCTP 1:1 2:2 3 4 5 6 7\n" + one, oneText, masq.UnknownProto, `f:3: protocol "SCTP"`},
		{"small letters", masqHeader + "tcp 1:1 2:2 3 4 5 6 7\n", "", masq.UnknownProto, `f:2: protocol "tcp"`},
		{"source", masqHeader + one + "\n\nTCP x", oneText, masq.BadFormat, `f:5: source "x"`},
		{"source port", masqHeader + "TCP 1:x", "", masq.BadFormat, `f:2: source "x"`},
		{"source colon", masqHeader + "TCP 1 :1", "", masq.BadFormat, `f:2: source "1"`},
		{"destination", masqHeader + "TCP 1:1 2", "", masq.BadFormat, `f:2: destination "2"`},
		{"port", masqHeader + "TCP 1:1 2:2 x", "", masq.BadFormat, `f:2: port "x"`},
		{"sequence number", masqHeader + "TCP 1:1 2:2 3 x", "", masq.BadFormat, `f:2: initial sequence number "x"`},
		{"delta", masqHeader + "TCP 1:1 2:2 3 4 x", "", masq.BadFormat, `f:2: delta "x"`},
		{"previous delta", masqHeader + "TCP 1:1 2:2 3 4 5 x", "", masq.BadFormat, `f:2: previous delta "x"`},
		{"expiry", masqHeader + "TCP 1:1 2:2 3 4 5 6 x", "", masq.BadFormat, `f:2: expiry "x"`},
		{"one too few", masqHeader + "TCP 1:1 2:2 3 4 5 6\n" + one, "", masq.BadFormat, `f:2: expiry "TCP"`},
	} {
		warn := warnings{file: "f"}
		table := parseMasquerade([]byte(c.data), &warn)
		if got := masqText(&table); got != c.want || table.Fault != c.fault {
			t.Errorf("%s: fault %d\n%s\nwant\n%s", c.name, table.Fault, got, c.want)
		}
		checkWarnings(t, c.name, &warn, c.warnings)
	}
}

func TestMasquerade(t *testing.T) {
	root := fstest.MapFS{}
	s := New(root)
	path := (*fs.PathError)(nil)
	if _, err := s.Masquerade(t.Context()); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &path) || path.Op != "open" {
		t.Error(err)
	}
	root["net/ip_masquerade"] = file(masqHeader + "TCP 1:1 2:2 3 4 5 6 7\nx")
	table, err := s.Masquerade(t.Context())
	if err != nil || len(table.Entries) != 1 || !table.PrevDelta || table.Fault != masq.BadFormat || len(table.Warnings) != 1 {
		t.Errorf("%+v, %v", table, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Masquerade(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzParseMasquerade(f *testing.F) {
	f.Add([]byte(masqHeader + "TCP 0A000001:0050 C0A80001:01BB F000 00001234     0     0   90000\n"))
	f.Add([]byte(masqHeaderOld + "UDP 1:-1 2:+2 0x3 4 5 6 7\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		warn := warnings{file: "f"}
		table := parseMasquerade(data, &warn)
		if (table.Fault == masq.NoFault) != (len(warn.list()) == 0) {
			t.Errorf("fault %d, warnings %v", table.Fault, warn.list())
		}
		for _, e := range table.Entries {
			if e.Proto.String() == "" || !e.Src.Addr().Is4() || !e.Dst.Addr().Is4() {
				t.Errorf("%+v", e)
			}
		}
	})
}

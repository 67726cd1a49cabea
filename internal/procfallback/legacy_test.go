// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"netlive/internal/legacy"
)

const (
	ipxHeader    = "Local_Address               Remote_Address              Tx_Queue  Rx_Queue  State  Uid\n"
	x25Header    = "dest_addr  src_addr   dev   lci st vs vr va   t  t2 t21 t22 t23 Snd-Q Rcv-Q inode\n"
	netromHeader = "user_addr dest_node src_node  dev    my  your  st  vs  vr  va    t1     t2     t4      idle   n2  wnd Snd-Q Rcv-Q inode\n"
	roseHeader   = "dest_addr  dest_call src_addr   src_call  dev   lci neigh st vs vr va   t  t1  t2  t3  hb    idle Snd-Q Rcv-Q inode\n"
	ax25OldHead  = "dest_addr src_addr   dev  st  vs  vr  va    t1     t2     t3      idle   n2  rtt wnd paclen   Snd-Q Rcv-Q inode\n"

	ax25Timers = " 3 0 3000 0 3000 0 3000 0 100 0 10 0 2 256"
)

// The lines of a file, and what is read from each. A line that is not read gives a warning, and a row if netstat says so.
var legacyFiles = []struct {
	name, file, header string
	lines              [][2]string
}{
	{"ipx", "net/ipx/socket", ipxHeader, [][2]string{
		{"00000001:0000C0123456:4003  Not_Connected               00000010  00000020  07     000", "{{1 [0 0 192 18 52 86] 16387} {0 [0 0 0 0 0 0] 0} false 16 32 7 0}"},
		{"00000001:4004  0000ABCD:0000C0AAAAAA:0451  FFFFFFFF  00000000  01     1033", "{{1 [0 0 0 0 0 0] 16388} {43981 [0 0 192 170 170 170] 1105} true 4294967295 0 1 1033}"},
		// A short node is the beginning of one; so much of the state as netstat cannot read.
		{"1:1g:zz 1:123456789abcde:-1 1 2 0A 5 x", "{{1 [16 0 0 0 0 0] 0} {1 [18 52 86 120 154 188] 65535} true 1 2 10 5}"},
		{"nothing 1:1:1 1 2 7 5", "source port"},
		{"1:1:1 nothing 1 2 7 5", "destination port"},
		{"1:1:1", "destination port"},
		{"1:1:1 Not_Connected 1", "!queues"},
		{"1:1:1 Not_Connected 1 2", "!state"},
		{"1:1:1 Not_Connected 1 2 7 x", "!uid"},
		{"", "!local address"},
	}},
	{"ax25", "net/ax25", "", [][2]string{
		{"(____ptrval____) ax0 N0CALL-5* VK2KTJ-1,DIGI-2*,DIGI-3 3 1 2" + ax25Timers + " 7 9 12345", "{N0CALL-5 true VK2KTJ-1 [DIGI-2* DIGI-3] ax0 3 1 2 true 7 9 12345}"},
		{"00000000d3adbeef ??? * * 0 0 0" + ax25Timers + " * * *", "{* false * [] ??? 0 0 0 false 0 0 0}"},
		{"0 ax0 N0CALL VK2KTJ-1 4 1 2", "{N0CALL false VK2KTJ-1 [] ax0 4 1 2 false 0 0 0}"},
		{"0 ax0 N0CALL VK2KTJ-1 4 1", "state"},
		{"0 ax0 N0CALL VK2KTJ-1 4 1 2" + ax25Timers + " 7", "receive queue"},
		{"0 ax0 N0CALL", "source"},
		{"", "magic"},
	}},
	{"ax25 old", "net/ax25", ax25OldHead, [][2]string{
		{"VK2KTJ-1  N0CALL-5   ax0   3   1   2   3 000/010 00/03 000/300 000/900 00/10  10   2   256      7     9 999", "{N0CALL-5 false VK2KTJ-1 [] ax0 3 1 2 true 7 9 999}"},
		{"*         N0CALL-15  ax0   0   0   0   0 000/010 00/03 000/300 000/900 00/10  10   2   256", "{N0CALL-15 false * [] ax0 0 0 0 false 0 0 0}"},
		{"VK2KTJ-1  N0CALL-5   ax0   3   1   2   3 000/010 00/03 000/300 000/900 00 /10  10   2   256      7     9 999", "{N0CALL-5 false VK2KTJ-1 [] ax0 3 1 2 false 0 0 0}"},
		{"VK2KTJ-1  N0CALL-5   ax0   3   1", "state"},
		{"VK2KTJ-1  N0CALL-5     ", "device"},
		{"VK2KTJ-1  N0CALL-5", "source"},
	}},
	{"x25", "net/x25", x25Header, [][2]string{
		{"1234567890 0987654321 x25a0 00A  3  1  2  3   4   5   6   7   8    90    91 999", "{1234567890 0987654321 x25a0 10 3 1 2 90 91 999}"},
		{"*          *          ???   000  0  0  0  0   0 200 180 180 180     0     0", "{* * ??? 0 0 0 0 0 0 0}"},
		{"*          *          ???   000  0  0  0  0   0 200 180 180 180     0", "!queues"},
		{"*          *          ???   000  0  0", "!state"},
		{"*          *          ???   x", "!channel"},
		{"*          *           ", "!device"},
		{"*          *", "!source"},
	}},
	{"netrom", "net/nr", netromHeader, [][2]string{
		{"N0CALL-1  N0CALL-12 N0CALL-3  nr0    0A/01 02/0F  3   4   5   6   0/120  0/05   0/180   0/900  0/03   4    10    20 999", "{N0CALL-1 N0CALL-12 N0CALL-3 nr0 3 4 5 10 20 999}"},
		{"*         *         N0CALL-3  nr0    00/00 00/00  0   0   0   0   0/120  0/05   0/180   0/900  0/03   4     0     0", "{* * N0CALL-3 nr0 0 0 0 0 0 0}"},
		{"*         *         N0CALL-3  nr0    00/00 00/00  0   0   0   0   0/120  0/05   0/180   0/900  0/03   4     0", "queues"},
		{"*         *         N0CALL-3  nr0    00/00 00/00  0   0   0   0   0/120  0/05   0", "timers"},
		{"*         *         N0CALL-3  nr0    00/00 00/00  0   0", "state"},
		{"bad       *         N0CALL-3  nr0    zz", "circuit"},
		{"*         *         N0CALL-3  nr0    00/00", "circuit"},
		{"*         *         N0CALL-3  ", "device"},
		{"*         *", "source"},
	}},
	{"rose", "net/rose", roseHeader, [][2]string{
		{"2080175520 F6BVP-9   2080175521 F6BVP-10  rose0 00A 00003  3  1  2  0   0 200 180 180   5   0/000    10    20 123", "{2080175520 2080175521 F6BVP-9 F6BVP-10 rose0 10 3 3 true 1 2 10 20 123}"},
		{"*          *         2080175521 ??????-?  ???   000 00000  0  0  0", "{* 2080175521 * ??????-? ??? 0 0 0 false 0 0 0 0 0}"},
		{"* * * * * 1 2", "state"}, {"* * * * * 1", "neighbour"}, {"* * * * * x", "channel"}, {"* * * *", "device"},
		{"* * *", "source"}, {"* *", "source address"}, {"*", "destination"}, {" ", "destination address"},
	}},
}

// legacyRows is what New reads of a file, and the warnings.
func legacyRows(t *testing.T, name string, s *Source) (rows []string, warnings []error) {
	t.Helper()
	switch name {
	case "ipx":
		return rowTexts(s.IPXSockets(t.Context()))
	case "x25":
		return rowTexts(s.X25Sockets(t.Context()))
	case "netrom":
		return rowTexts(s.NetROMSockets(t.Context()))
	case "rose":
		return rowTexts(s.ROSESockets(t.Context()))
	}
	l, err := s.AX25Sockets(t.Context())
	if l.Old != (name == "ax25 old") {
		t.Errorf("%s: old is %t", name, l.Old)
	}
	return rowTexts(l.List, err)
}

func rowTexts[T any](l legacy.List[T], err error) (rows []string, warnings []error) {
	for _, r := range l.Rows {
		if r.Bad != "" {
			rows = append(rows, r.Bad)
		} else {
			rows = append(rows, fmt.Sprint(r.Socket))
		}
	}
	if err != nil {
		return rows, append(l.Warnings, err)
	}
	return rows, l.Warnings
}

func TestLegacySockets(t *testing.T) {
	for _, f := range legacyFiles {
		text := f.header
		var want, bad []string
		for i, l := range f.lines {
			text += l[0] + "\n"
			field, silent := strings.CutPrefix(l[1], "!")
			if !silent {
				want = append(want, field)
			}
			if field[0] != '{' {
				number := i + 1 + strings.Count(f.header, "\n")
				bad = append(bad, (&LineError{f.file, number, field, l[0][:min(len(l[0]), maxQuoted)]}).Error())
			}
		}
		rows, warnings := legacyRows(t, f.name, New(fstest.MapFS{f.file: file(text)}))
		if got, want := strings.Join(rows, "\n"), strings.Join(want, "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", f.name, got, want)
		}
		if got, want := fmt.Sprint(warnings), fmt.Sprint(bad); got != want {
			t.Errorf("%s: warnings\n%s\nwant\n%s", f.name, got, want)
		}
	}
}

// The header goes by itself; a file may have nothing else, or nothing.
func TestLegacySocketsEmpty(t *testing.T) {
	for _, f := range legacyFiles {
		for _, text := range []string{f.header, ""} {
			name := f.name
			if text == "" {
				name = strings.TrimSuffix(name, " old")
			}
			if rows, warnings := legacyRows(t, name, New(fstest.MapFS{f.file: file(text)})); len(rows)+len(warnings) > 0 {
				t.Errorf("%s: %v, %v", f.name, rows, warnings)
			}
		}
	}
}

func TestLegacySocketsMissing(t *testing.T) {
	check := func(name string, err error, opened bool) {
		t.Helper()
		var path *fs.PathError
		switch {
		case !errors.As(err, &path):
			t.Errorf("%s: %v", name, err)
		case opened != (path.Op != "open") || !opened && !errors.Is(err, fs.ErrNotExist):
			t.Errorf("%s: %v", name, err)
		}
	}
	// X.25 has been a directory since Linux 2.4.
	for opened, s := range map[bool]*Source{false: New(fstest.MapFS{}), true: New(fstest.MapFS{
		"net/ipx/socket/x": file(""), "net/ax25/x": file(""), "net/x25/socket": file(""), "net/nr/x": file(""), "net/rose/x": file(""),
	})} {
		_, err := s.IPXSockets(t.Context())
		check("ipx", err, opened)
		_, err = s.AX25Sockets(t.Context())
		check("ax25", err, opened)
		_, err = s.X25Sockets(t.Context())
		check("x25", err, opened)
		_, err = s.NetROMSockets(t.Context())
		check("netrom", err, opened)
		_, err = s.ROSESockets(t.Context())
		check("rose", err, opened)
	}
}

func FuzzParseLegacy(f *testing.F) {
	for _, file := range legacyFiles {
		text := file.header
		for _, l := range file.lines {
			text += l[0] + "\n"
		}
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := strings.Count(strings.TrimSuffix(string(data), "\n"), "\n")
		warn := warnings{file: "f"}
		check := func(name string, rows, bad, lines int) {
			t.Helper()
			noted := len(warn.kept) + warn.more
			if rows-bad+noted != lines || bad > noted {
				t.Errorf("%s: of %d lines %d rows, %d of them bad, and %d warnings", name, lines, rows, bad, noted)
			}
			warn = warnings{file: "f"}
		}
		ipx := parseSockets(data, &warn, parseIPX)
		check("ipx", len(ipx.Rows), countBad(ipx), lines)
		x25 := parseSockets(data, &warn, parseX25)
		check("x25", len(x25.Rows), countBad(x25), lines)
		netrom := parseSockets(data, &warn, parseNetROM)
		check("netrom", len(netrom.Rows), countBad(netrom), lines)
		rose := parseSockets(data, &warn, parseROSE)
		check("rose", len(rose.Rows), countBad(rose), lines)
		ax25 := parseAX25(data, &warn)
		if len(data) > 0 && !ax25.Old {
			lines++
		}
		check("ax25", len(ax25.Rows), countBad(ax25.List), lines)
	})
}

func countBad[T any](l legacy.List[T]) (n int) {
	for _, r := range l.Rows {
		if r.Bad != "" {
			n++
		}
	}
	return n
}

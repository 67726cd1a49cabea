// SPDX-License-Identifier: GPL-2.0-or-later

package render_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
	"unicode/utf8"

	"netlive/internal/iface"
	"netlive/internal/legacy"
	"netlive/internal/mib"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/sock"
)

// checkLines checks that a text is lines that can do nothing to a terminal.
func checkLines(t *testing.T, what string, text []byte) {
	t.Helper()
	if !utf8.Valid(text) || len(text) > 0 && text[len(text)-1] != '\n' {
		t.Errorf("%s: %q", what, text)
	}
	if i := strings.IndexFunc(string(text), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }); i >= 0 {
		t.Errorf("%s: %q would reach a terminal", what, text[i:min(i+60, len(text))])
	}
}

// checkJSON checks that a text is JSON, with no more than ends of lines in it.
func checkJSON(t *testing.T, what string, text []byte) {
	t.Helper()
	if !json.Valid(text) {
		t.Errorf("%s: %q", what, text)
	}
	checkLines(t, what, append(bytes.TrimSuffix(text, []byte("\n")), '\n'))
}

// strangers name everything alike.
type strangers struct{ name string }

func (s strangers) AppendHost(b []byte, a netip.Addr) []byte { return append(b, s.name...) }
func (s strangers) AppendPort(b []byte, p sock.Proto, port uint16) []byte {
	return append(b, s.name...)
}
func (s strangers) AppendUser(b []byte, uid uint32) []byte          { return append(b, s.name...) }
func (s strangers) AppendNet(b []byte, network netip.Prefix) []byte { return append(b, s.name...) }

// files are those of /proc that tables are made of. What stands for each in testdata of a real kernel is with the parsers.
var files = []string{"tcp", "tcp6", "udp", "unix", "sctp/assocs", "route", "rt_cache", "ipv6_route", "dev", "igmp", "igmp6", "ip_masquerade",
	"ipx/socket", "ax25", "x25", "nr", "rose", "ax25_route", "rose_neigh", "x25/route", "ipx/route", "atalk_route", "snmp", "netstat", "snmp6"}

// firstOther is the first of files that is none of sockets.
const firstOther = 5

// Whatever is in a file of /proc, and whatever strangers have called hosts, services, users, programs and units: tables are lines, JSON is JSON, and nothing
// of it would do anything to a terminal.
func FuzzTables(f *testing.F) {
	for i, name := range files {
		paths, err := filepath.Glob("../procfallback/testdata/linux-*/net/" + name)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), data, "evil\x1b[2J\u202e\xff\n")
		}
	}
	const header = "h\n"
	f.Add(uint8(12), []byte(header+"00000000:4000 Not_Connected 00000000 00000000 07 000\n1:0123456789AB:5 2:1:6 1 2 1 4294967295\n"), "a")
	f.Add(uint8(13), []byte("0 ax0\x1b[2J DL1ABC-3* DL2XYZ-7,\u202eVIA* 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 2 3\n"), "\x9b")
	f.Add(uint8(14), []byte(header+"123456789\x1b 987654321\x1b x\x1b1 001 3 0 0 0 0 0 0 0 0 1 2 3\n"), "\r")
	f.Add(uint8(16), []byte(header+"2080175\x1b[ DL1ABC-3 2080175\x1b] DL2XYZ-7 ro\x1b 001 00001 3 0 0 0 0 0 0 0 0 0/000 1 2 3\n"), "\t")
	f.Add(uint8(11), []byte("Prc FromIP   FPrt ToIP     TPrt Mprt Init-seq  Delta PDelta Expires\nTCP 0A000001:0050 C0A80001:01BB F000 00001234 0 0 90000\n"), "\\")
	f.Add(uint8(4), []byte(header+"1 2 2 1 3 0 1 4 5 0 31337 9899 40000  *10.0.0.1 <-> *10.0.0.2 ::1 \t 1\n"), "")
	f.Fuzz(func(t *testing.T, which uint8, data []byte, name string) {
		ctx := context.Background()
		file := files[int(which)%len(files)]
		root := fstest.MapFS{"net/" + file: &fstest.MapFile{Data: data}}
		if file == "rose_neigh" {
			root["net/nr_neigh"], root["net/nr_nodes"], root["net/rose_nodes"] = root["net/"+file], root["net/"+file], root["net/"+file]
		}
		src := procfallback.New(root)
		names := strangers{name}
		places := &render.Places{Space: func(uint32) string { return name }, Unit: func(*sock.Socket) (string, string) { return name, name }}

		snap, err := src.Snapshot(ctx, sock.Want{Protos: sock.ProtosTCP | sock.ProtosSCTP | sock.ProtosUDP | sock.ProtosUnix})
		if err != nil {
			t.Fatal(err)
		}
		events := render.EventCSV{Names: names, Places: places}
		if err := events.Select(sock.Events(sock.EventClose), nil); err != nil {
			t.Fatal(err)
		}
		lines := render.EventLines{Names: names, Places: places}
		if err := lines.Select(sock.Events(sock.EventClose), render.AllEventColumns().Names()); err != nil {
			t.Fatal(err)
		}
		asJSON := render.EventJSON{Places: places}
		for i := range snap.Sockets {
			s := &snap.Sockets[i]
			s.Owner = sock.Owner{PID: 7, FD: 3, How: sock.HowExact, Comm: sock.MakeComm(strings.ReplaceAll(name, "\x00", "")), Program: name}
			s.Others = []sock.Owner{s.Owner}
			for _, wide := range []bool{false, true} {
				table := render.Table{All: true, Extend: 1, Programs: true, Timers: true, Wide: wide, Names: names, Escape: true, Places: places,
					Context: func(uint32) string { return name }}
				switch {
				case s.Unix != nil:
					checkLines(t, "row", table.UnixRow(nil, s))
				case s.SCTP != nil:
					checkLines(t, "row", table.SCTPRow(nil, s))
				default:
					if row := table.InetRow(nil, s); bytes.Count(row, []byte("\n")) != 1 {
						t.Errorf("row %q", row)
					} else {
						checkLines(t, "row", row)
					}
				}
				checkJSON(t, "socket", table.SocketJSON(nil, s))
			}
			if s.Unix != nil || s.SCTP != nil {
				continue
			}
			e := sock.Event{Kind: sock.EventClose, Socket: *s, Time: time.Unix(0, 0), Old: s.State, Detail: &sock.Detail{Reason: name, Life: sock.Life{Peer: s.Owner}},
				Stack: []string{name}}
			checkJSON(t, "event", asJSON.Append(nil, &e))
			checkLines(t, "event", lines.Append(nil, &e))
			row := events.Append(nil, &e)
			checkLines(t, "CSV", row)
			if _, err := csv.NewReader(bytes.NewReader(row)).ReadAll(); err != nil {
				t.Errorf("CSV %q: %v", row, err)
			}
		}
		if int(which)%len(files) >= firstOther {
			checkOthers(t, src, names)
		}
		checkInterface(t, names.name, iface.HWType(which)<<2|iface.HWType(len(data)&3), data)
	})
}

// checkOthers checks the other tables.
func checkOthers(t *testing.T, src *procfallback.Source, names strangers) {
	ctx := context.Background()
	families := []string{"inet", "inet6", "ax25", "rose", "netrom", "x25", "ipx", "ddp"}
	for extend := range 2 {
		for _, family := range families {
			routes := render.Routes{Families: []string{family}, Extend: extend, FIB: true, Cache: true, Names: names, Escape: true}
			out, _, _, err := routes.Append(ctx, nil, nil, src)
			asJSON, _, _, err2 := routes.AppendJSON(ctx, nil, nil, src)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			if family == "netrom" { // the row of a node whose neighbour is not there goes on with the next, as netstat's does, and there may be none
				out = append(bytes.TrimSuffix(out, []byte("\n")), '\n')
			}
			checkLines(t, family+" routes", out)
			checkJSON(t, family+" routes", asJSON)
		}
		masquerade := render.Masquerade{Extend: extend, Names: names, Escape: true}
		out, _, _, err := masquerade.Append(ctx, nil, nil, src)
		asJSON, _, _, err2 := masquerade.AppendJSON(ctx, nil, nil, src)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		checkLines(t, "masquerade", out)
		checkJSON(t, "masquerade", asJSON)
		for family := legacy.IPX; family <= legacy.ROSE; family++ {
			old := render.Legacy{All: true, Extend: extend, Names: names, Escape: true}
			out, _, _, err := old.Append(ctx, nil, nil, family, src)
			asJSON, _, _, err2 := old.AppendJSON(ctx, []byte("["), nil, family, src)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			checkLines(t, family.String(), out)
			checkJSON(t, family.String(), append(asJSON, ']'))
		}
	}
	groups := render.Groups{IPv4: true, IPv6: true, Names: names, Escape: true}
	out, _, _, err := groups.Append(ctx, nil, nil, src)
	asJSON, _, _, err2 := groups.AppendJSON(ctx, []byte("["), nil, src)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	checkLines(t, "groups", out)
	checkJSON(t, "groups", append(asJSON, ']'))
	if counters, err := src.Counters(ctx, mib.FileSetOf(mib.SNMP, mib.Netstat, mib.SNMP6)); err != nil {
		t.Fatal(err)
	} else { // of counters the kernel chooses the names: in a table they stay as they are
		statistics := render.Statistics{}
		checkJSON(t, "statistics", render.AppendReportJSON(nil, statistics.Report(&counters)))
		statistics.Append(nil, nil, &counters)
	}
}

// checkInterface checks the table of an interface of that name and kind, with an address of its hardware that is the beginning of data.
func checkInterface(t *testing.T, name string, kind iface.HWType, data []byte) {
	detail := iface.Detail{HWType: kind, Inet: &iface.Inet{}, Inet6: []iface.Addr6{{Addr: netip.IPv6Loopback(), Scope: 0xff}}}
	copy(detail.HWAddr[:], data)
	table := iface.Table{Interfaces: []iface.Interface{{Name: name, MTU: -1, Flags: ^iface.Flags(0), Stats: &iface.Stats{RxBytes: ^uint64(0)}, Detail: &detail}}}
	for extend := range 2 {
		interfaces := render.Interfaces{All: true, Extend: extend, Escape: true}
		out, _, _ := interfaces.Append(nil, nil, &table)
		asJSON, _, _ := interfaces.AppendJSON(nil, nil, &table)
		checkLines(t, "interfaces", out)
		checkJSON(t, "interfaces", asJSON)
	}
}

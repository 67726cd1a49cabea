// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"netlive/internal/sock"
)

const (
	epsHeader    = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n"
	assocsHeader = " ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS HBINT INS OUTS MAXRT\n"
	assocTail    = "\t    7500    10    10   10    0    0        0        1        0   212992   212992"
	sixText      = "2001:0db8:0000:0000:0000:0000:0000:0001"
)

func sctpAddrs(texts ...string) (list []netip.Addr) {
	for _, text := range texts {
		a, _ := netip.ParseAddr(text) // "" stands for the invalid address
		list = append(list, a)
	}
	return list
}

// sctpRow is what info says with the ports, the state and the inode.
func sctpRow(info sock.SCTPInfo, local, remote uint16, inode uint32) sock.Socket {
	s := sock.Socket{Proto: sock.SCTP, UID: 1000, Inode: inode, State: sock.State(info.RawState), SCTP: &info}
	s.Local, s.Remote = netip.AddrPortFrom(netip.Addr{}, local), netip.AddrPortFrom(netip.Addr{}, remote)
	if len(info.Locals) > 0 {
		s.Local = netip.AddrPortFrom(info.Locals[0], local)
	}
	if len(info.Remotes) > 0 {
		s.Remote = netip.AddrPortFrom(info.Remotes[0], remote)
	}
	return s
}

func TestParseSCTPEndpoints(t *testing.T) {
	endpoint := func(state int32, port uint16, inode uint32, locals ...string) sock.Socket {
		s := sctpRow(sock.SCTPInfo{Endpoint: true, RawState: state, Locals: sctpAddrs(locals...)}, port, 0, inode)
		s.Remote = netip.AddrPort{}
		return s
	}
	unknown := endpoint(12, 1, 2, "10.0.0.1")
	unknown.State = unknownState
	minus := endpoint(-1, 4464, 0, "10.0.0.1", "8.1.0.1", "127.0.0.1", "", "", "", "", "::1", "1.2.3.4")
	minus.State, minus.UID = unknownState, math.MaxUint32
	tests := []struct {
		name, line string
		want       sock.Socket
	}{
		{"one home", "ffff8881 ffff8882 2   10  9    9899   1000 31337 127.0.0.1 ", endpoint(10, 9899, 31337, "127.0.0.1")},
		{"many homes", "1 2 1   7   9    65535   1000 4294967295 0.0.0.0 " + sixText + " 0000:0000:0000:0000:0000:ffff:0a00:0001 ",
			endpoint(7, 65535, 4294967295, "0.0.0.0", "2001:db8::1", "::ffff:10.0.0.1")},
		{"no address", "1 2 2   10  9    9899   1000 7", endpoint(10, 9899, 7)},
		{"tabs", "1\t2\t2\t10\t9\t9899\t1000\t7\t127.0.0.1\t10.0.0.1", endpoint(10, 9899, 7, "127.0.0.1")},
		{"unknown state", "1 2 2 12 9 1 1000 2 10.0.0.1", unknown},
		{"nonsense", "x y z -1 a 70000 -1 inode 10.0.0.1 010.0x1.1 0177.1 *10.0.0.1 name 1.2.3.256 1.2.3.4.5 ::1%eth0 16909060", minus},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testSCTPLine(t, parseSCTPEndpoints, epsHeader+tt.line, tt.want)
		})
	}
}

func TestParseSCTPAssocs(t *testing.T) {
	assoc := func(info sock.SCTPInfo, queue sock.Queue) sock.Socket {
		s := sctpRow(info, 9899, 40000, 31337)
		s.Queue = queue
		return s
	}
	const head = "1 2 2   1   4  0       7        4        5    1000 31337 9899  40000  "
	info := func(change func(*sock.SCTPInfo)) sock.Socket {
		i := sock.SCTPInfo{RawState: 1, AssocID: 7, AssocState: sock.SCTPShutdownPending}
		change(&i)
		return assoc(i, sock.Queue{Recv: 5, Send: 4})
	}
	both := func(i *sock.SCTPInfo) { i.Locals, i.Remotes = sctpAddrs("10.0.0.1"), sctpAddrs("10.0.0.2") }
	homes := func(i *sock.SCTPInfo) {
		i.Locals, i.PrimaryLocal = sctpAddrs("10.0.0.1", "2001:db8::1"), netip.MustParseAddr("2001:db8::1")
		i.Remotes, i.PrimaryRemote = sctpAddrs("10.0.0.2", "10.0.0.3", "::"), netip.MustParseAddr("10.0.0.3")
	}
	tests := []struct {
		name, line string
		want       sock.Socket
	}{
		{"one home", head + "10.0.0.1 <-> 10.0.0.2 " + assocTail, info(both)},
		{"Linux 2.6", head + "10.0.0.1 <-> 10.0.0.2 ", info(both)},
		{"many homes", head + "10.0.0.1 *" + sixText + " <-> 10.0.0.2 *10.0.0.3 0000:0000:0000:0000:0000:0000:0000:0000 " + assocTail, info(homes)},
		{"no address", head + " <-> " + assocTail, info(func(*sock.SCTPInfo) {})},
		{"no arrow", head + "10.0.0.1", info(func(i *sock.SCTPInfo) { i.Locals = sctpAddrs("10.0.0.1") })},
		{"nothing after the ports", strings.TrimSpace(head), info(func(*sock.SCTPInfo) {})},
		{"marked nonsense", head + "**10.0.0.1 * <-> *name " + assocTail, info(func(i *sock.SCTPInfo) {
			i.Locals, i.Remotes = sctpAddrs("", ""), sctpAddrs("")
		})},
		{"highest values", "1 2 2   11   7  0       2147483647  2147483647 2147483647    1000 31337 9899  40000  <-> " + assocTail,
			assoc(sock.SCTPInfo{RawState: 11, AssocID: math.MaxInt32, AssocState: sock.SCTPShutdownAckSent}, sock.Queue{Recv: math.MaxInt32, Send: math.MaxInt32})},
		{"negative values", "1 2 2   0   -1  0       -1  -4 99999999999    1000 31337 9899  40000   <-> " + assocTail,
			assoc(sock.SCTPInfo{AssocID: -1, AssocState: math.MaxUint8}, sock.Queue{Recv: 1215752191, Send: math.MaxUint32 - 3})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testSCTPLine(t, parseSCTPAssocs, assocsHeader+tt.line, tt.want)
		})
	}
}

func testSCTPLine(t *testing.T, parse func([]sock.Socket, []byte, sock.Socket, *warnings) []sock.Socket, file string, want sock.Socket) {
	t.Helper()
	var warn warnings
	rows := parse(nil, []byte(file), sock.Socket{Proto: sock.SCTP}, &warn)
	if len(rows) != 1 || len(warn.list()) != 0 {
		t.Fatalf("%d rows, warnings %v", len(rows), warn.list())
	}
	if !reflect.DeepEqual(rows[0], want) {
		t.Errorf("got  %+v %+v\nwant %+v %+v", rows[0], *rows[0].SCTP, want, *want.SCTP)
	}
}

func TestParseSCTPBadLines(t *testing.T) {
	var warn warnings
	words := "1 2 3 4 5 6 7 8 9 10 11 12 13"
	check := func(file string, parse func([]sock.Socket, []byte, sock.Socket, *warnings) []sock.Socket, columns []string) {
		for i, column := range columns {
			warn = warnings{file: file}
			line := strings.Join(strings.Split(words, " ")[:i], " ")
			if rows := parse(nil, []byte("header\n"+line+" \t\n"), sock.Socket{}, &warn); len(rows) != 0 {
				t.Errorf("%q is a row", line)
			}
			if got, want := fmt.Sprint(warn.list()), fmt.Sprintf("[%s:2: %s missing]", file, column); got != want {
				t.Errorf("%q: got %s, want %s", line, got, want)
			}
		}
	}
	check("net/sctp/eps", parseSCTPEndpoints, sctpEndpointColumns[:])
	check("net/sctp/assocs", parseSCTPAssocs, sctpAssocColumns[:])
}

func TestSnapshotSCTP(t *testing.T) {
	eps := func(inode int) *fstest.MapFile {
		return file(fmt.Sprintf("%s1 2 2 10 9 9 0 %d 10.0.0.1\nbad\n", epsHeader, inode))
	}
	assocs := func(inode int) *fstest.MapFile {
		return file(fmt.Sprintf("%s1 2 2 1 3 0 1 0 0 0 %d 9 8 10.0.0.1 <-> 10.0.0.2 \nbad\n", assocsHeader, inode))
	}
	whole := fstest.MapFS{
		"net/sctp/eps": eps(1), "net/sctp/assocs": assocs(2), "net/sctp6/eps": eps(3), "net/sctp6/assocs": assocs(4),
		"net/tcp6": file(inetHeader), "net/udp": file(inetHeader + inetLine("127.0.0.1:22", "0.0.0.0:0", "07 0:0 0:0 0 0 0 5 1")),
	}
	tests := []struct {
		name    string
		root    fs.FS
		rows    string
		missing sock.ProtoSet
		files   []string // not opened
		bad     []string
	}{
		{"whole", whole, "[sctp:1 sctp:2 sctp6:3 sctp6:4 udp:5]", 0, nil, []string{"net/sctp/eps:3", "net/sctp/assocs:3", "net/sctp6/eps:3", "net/sctp6/assocs:3"}},
		{"as kernels have it", fstest.MapFS{"net/sctp/eps": eps(1), "net/sctp/assocs": assocs(2), "net/tcp6": file(""), "net/udp": file("")},
			"[sctp:1 sctp:2]", sock.Protos(sock.SCTP6), []string{"net/sctp6/eps", "net/sctp6/assocs"}, []string{"net/sctp/eps:3", "net/sctp/assocs:3"}},
		{"no eps", faulty{FS: whole, name: "net/sctp/eps", open: syscall.ENOENT}, "[sctp:2 sctp6:3 sctp6:4 udp:5]", 0, []string{"net/sctp/eps"},
			[]string{"net/sctp/assocs:3", "net/sctp6/eps:3", "net/sctp6/assocs:3"}},
		{"no assocs", faulty{FS: whole, name: "net/sctp6/assocs", open: syscall.EACCES}, "[sctp:1 sctp:2 sctp6:3 udp:5]", 0, []string{"net/sctp6/assocs"},
			[]string{"net/sctp/eps:3", "net/sctp/assocs:3", "net/sctp6/eps:3"}},
		{"loop", faulty{FS: whole, name: "net/sctp/eps", open: syscall.ELOOP}, "[sctp:2 sctp6:3 sctp6:4 udp:5]", 0, []string{"net/sctp/eps"},
			[]string{"net/sctp/eps: too many levels of symbolic links", "net/sctp/assocs:3", "net/sctp6/eps:3", "net/sctp6/assocs:3"}},
		{"nothing", fstest.MapFS{"net/tcp6": file(""), "net/udp": file("")}, "[]", sock.ProtosSCTP,
			[]string{"net/sctp/eps", "net/sctp/assocs", "net/sctp6/eps", "net/sctp6/assocs"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := sock.ProtosSCTP | sock.Protos(sock.TCP6, sock.UDP)
			snap := snapshot(t, tt.root, sock.Want{Protos: want})
			var rows, files, bad []string
			for _, s := range snap.Sockets {
				rows = append(rows, fmt.Sprintf("%s:%d", s.Proto, s.Inode))
			}
			for _, u := range snap.Unopened {
				files = append(files, u.File)
			}
			for _, w := range snap.Warnings {
				bad = append(bad, strings.TrimSuffix(w.Error(), ": socket missing"))
			}
			if fmt.Sprint(rows) != tt.rows || snap.Missing != tt.missing || snap.Protos != want&^tt.missing {
				t.Errorf("rows %v, missing %b, walked %b", rows, snap.Missing, snap.Protos)
			}
			if !slices.Equal(files, tt.files) || !slices.Equal(bad, tt.bad) {
				t.Errorf("unopened %q, warnings %q", files, bad)
			}
		})
	}
	_, err := New(faulty{FS: whole, name: "net/sctp/assocs", read: syscall.EIO}).Snapshot(t.Context(), sock.Want{Protos: sock.ProtosSCTP})
	if !errors.Is(err, syscall.EIO) || !strings.HasPrefix(err.Error(), "procfallback: read net/sctp/assocs: ") {
		t.Errorf("error %v, want EIO from net/sctp/assocs", err)
	}
}

// An endpoint and its associations share their socket's inode, and with it its owner; they are rows apart.
func TestSCTPSharesInode(t *testing.T) {
	assoc := "1 2 2 7 3 0 %d 0 0 0 31337 9 8 10.0.0.1 <-> 10.0.0.2 \n"
	tree := fstest.MapFS{
		"net/sctp/eps":    file(epsHeader + "1 2 2 10 9 9 0 31337 10.0.0.1\n"),
		"net/sctp/assocs": file(assocsHeader + fmt.Sprintf(assoc, 1) + fmt.Sprintf(assoc, 2)),
		"100/fd/3":        link("socket:[31337]"), "100/cmdline": file("sctpd\x00"),
	}
	seen := make(map[sock.ID]bool)
	for _, s := range snapshot(t, tree, sock.Want{Protos: sock.ProtosSCTP, Owners: true}).Sockets {
		if s.Owner.PID != 100 {
			t.Errorf("%+v has no owner", s)
		}
		seen[s.ID] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d IDs of 3 rows", len(seen))
	}
}

func FuzzParseSCTP(f *testing.F) {
	f.Add(true, []byte(epsHeader+"1 2 2 10 9 9899 0 31337 10.0.0.1 "+sixText+" \n\n1 2 3"))
	f.Add(false, []byte(assocsHeader+"1 2 2 1 3 0 1 4 5 0 31337 9899 40000  *10.0.0.1 <-> *10.0.0.2 "+sixText+" "+assocTail+"\n"))
	f.Add(false, []byte("\n1 2 2 -1 300 0 -1 x 99999999999999999999 0x5 07 99 98 ** *1.2 <-> 0x7f.1 :: \n"))
	f.Fuzz(func(t *testing.T, endpoints bool, data []byte) {
		parse := parseSCTPAssocs
		if endpoints {
			parse = parseSCTPEndpoints
		}
		var warn warnings
		rows := parse(nil, data, sock.Socket{Proto: sock.SCTP, At: 1, NetNS: 2}, &warn)
		checkCount(t, data, rows, &warn)
		for i := range rows {
			s := &rows[i]
			if s.Proto != sock.SCTP || s.At != 1 || s.NetNS != 2 || s.Unix != nil || s.SCTP == nil || s.SCTP.Endpoint != endpoints {
				t.Fatalf("not a copy of the given row: %+v", *s)
			}
			if s.State > sock.Closing && s.State != unknownState || s.State != unknownState && int32(s.State) != s.SCTP.RawState {
				t.Errorf("state %d of %d", s.State, s.SCTP.RawState)
			}
			for _, end := range []struct {
				of    netip.AddrPort
				addrs []netip.Addr
				first netip.Addr
			}{{s.Local, s.SCTP.Locals, s.SCTP.PrimaryLocal}, {s.Remote, s.SCTP.Remotes, s.SCTP.PrimaryRemote}} {
				if len(end.addrs) > 0 && end.of.Addr() != end.addrs[0] || len(end.addrs) == 0 && end.of.Addr().IsValid() {
					t.Errorf("end %s of %v", end.of, end.addrs)
				}
				if end.first.IsValid() && !slices.Contains(end.addrs, end.first) {
					t.Errorf("primary %s of %v", end.first, end.addrs)
				}
				for _, a := range end.addrs {
					if a.Zone() != "" {
						t.Errorf("%s has a zone", a)
					}
				}
			}
			if endpoints && (len(s.SCTP.Remotes) > 0 || s.Remote.IsValid()) {
				t.Errorf("an endpoint's remote end %s", s.Remote)
			}
		}
	})
}

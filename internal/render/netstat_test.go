// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s\ngot:\n%s\nwant:\n%s", name, visible(got), visible(want))
	}
}

// visible shows where lines end, and control characters as cat -v does or nearly so.
func visible(b []byte) string {
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		fmt.Fprintf(&out, "%s$\n", AppendEscaped(nil, strings.TrimSuffix(line, "\n")))
	}
	return out.String()
}

// fakeNames is Names with three small databases; what they lack is numeric.
type fakeNames struct {
	hosts map[string]string
	ports map[uint16]string
	users map[uint32]string
}

func (n fakeNames) AppendHost(b []byte, a netip.Addr) []byte {
	if name, ok := n.hosts[a.String()]; ok {
		return append(b, name...)
	}
	return Numeric{}.AppendHost(b, a)
}

func (n fakeNames) AppendPort(b []byte, p sock.Proto, port uint16) []byte {
	if name, ok := n.ports[port]; ok {
		return append(b, name...)
	}
	return Numeric{}.AppendPort(b, p, port)
}

func (n fakeNames) AppendUser(b []byte, uid uint32) []byte {
	if name, ok := n.users[uid]; ok {
		return append(b, name...)
	}
	return Numeric{}.AppendUser(b, uid)
}

func inet(p sock.Proto, state sock.State, local, remote string) sock.Socket {
	return sock.Socket{Proto: p, State: state, Inode: 4711,
		Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}
}

func tcpStates() (rows []sock.Socket) {
	for s := sock.StateNone; s <= sock.Closing; s++ {
		rows = append(rows, inet(sock.TCP, s, "127.0.0.1:80", "203.0.113.250:50000"))
	}
	return rows
}

// with returns s as change leaves it.
func with(s sock.Socket, change func(*sock.Socket)) sock.Socket {
	change(&s)
	return s
}

func queues(recv, send uint32) sock.Socket {
	return with(inet(sock.TCP, sock.Established, "10.0.0.1:22", "10.0.0.2:50000"),
		func(s *sock.Socket) { s.Queue = sock.Queue{Recv: recv, Send: send} })
}

func extended(uid, inode uint32) sock.Socket {
	return with(inet(sock.UDP, sock.Close, "0.0.0.0:53", "0.0.0.0:0"),
		func(s *sock.Socket) { s.UID, s.Inode = uid, inode })
}

// ownedAs is a socket whose owner was found in /proc; the inode is unlike that of any other row.
func ownedAs(pid uint32, program string) sock.Socket {
	return with(inet(sock.TCP, sock.Listen, "0.0.0.0:80", "0.0.0.0:0"), func(s *sock.Socket) {
		s.Inode = pid + 100_000
		s.Owner = sock.Owner{PID: pid, How: sock.HowProcfs, Comm: sock.MakeComm("comm"), Program: program}
	})
}

func unixSocket(state sock.State, typ sock.UnixType, flags uint32, path string) sock.Socket {
	return sock.Socket{Proto: sock.Unix, State: state, Inode: 4711,
		Unix: &sock.UnixInfo{Path: path, RefCnt: 2, Flags: flags, Type: typ}}
}

const (
	wide6 = "2001:db8:1111:2222:3333:4444:5555:6666"
	far   = "203.0.113.250:50000"
)

// The names are in the files that netstat reads in TestTablesAreNetstats.
var names = fakeNames{
	hosts: map[string]string{
		"127.0.0.1":       "localhost",
		"203.0.113.250":   "a.host.with.a.name.that.does.not.fit.example.com",
		"10.0.0.1":        "ten.example.com",
		"2001:db8::1":     "six.example.com",
		"192.168.100.200": "x",
	},
	ports: map[uint16]string{
		80: "http", 1000: "thisisaveryveryverylongservicename", 5432: "postgresql", 1018: "eighteen-bytes-abc", 1019: "nineteen-bytes-abcd",
	},
	users: map[uint32]string{1000: "alice", 1001: "exactly-10", 1002: "a-user-with-a-very-long-name"},
}

// tables are the cases that netstat itself can be asked about, with its options for each.
var tables = []struct {
	name    string
	netstat string
	table   Table
	rows    []sock.Socket
}{
	{"none", "-tn", Table{Names: Numeric{}}, nil},
	{"none_listening", "-tln", Table{Listening: true, Names: Numeric{}}, nil},
	{"none_all", "-taln", Table{All: true, Listening: true, Names: Numeric{}}, nil},
	{"none_extended_programs", "-tanep", Table{All: true, Extend: 1, Programs: true, Names: Numeric{}}, nil},
	{"tcp_states", "-tan", Table{All: true, Names: Numeric{}}, tcpStates()},
	{"tcp6", "-tan", Table{All: true, Names: Numeric{}}, []sock.Socket{
		inet(sock.TCP6, sock.Listen, "[::]:80", "[::]:0"),
		inet(sock.TCP6, sock.Established, "[::1]:80", "[::1]:50000"),
		inet(sock.TCP6, sock.Established, "[::ffff:127.0.0.1]:80", "[::ffff:203.0.113.250]:50000"),
		inet(sock.TCP6, sock.Established, "[::192.0.2.1]:80", "[::0.0.1.2]:50000"),
		inet(sock.TCP6, sock.Established, "[::0.1.0.2]:80", "[::1.0.0.0]:50000"),
		inet(sock.TCP6, sock.Established, "[64:ff9b::192.0.2.1]:80", "[2001:db8:0:1:0:0:0:1]:50000"),
		inet(sock.TCP6, sock.TimeWait, "["+wide6+"]:80", "["+wide6+"]:50000"),
	}},
	{"udp_raw_states", "-uUwan", Table{All: true, Names: Numeric{}}, []sock.Socket{
		inet(sock.UDP, sock.Close, "0.0.0.0:53", "0.0.0.0:0"),
		inet(sock.UDP, sock.Established, "10.0.0.1:53", far),
		inet(sock.UDP, sock.SynRecv, "10.0.0.1:53", far),
		inet(sock.UDP, sock.StateNone, "10.0.0.1:53", far),
		inet(sock.UDP6, sock.Close, "[::]:53", "[::]:0"),
		inet(sock.UDPLite, sock.Close, "0.0.0.0:53", "0.0.0.0:0"),
		inet(sock.UDPLite6, sock.Established, "[::1]:53", "[::1]:9"),
		inet(sock.Raw, sock.Close, "0.0.0.0:1", "0.0.0.0:0"),
		inet(sock.Raw, sock.Established, "10.0.0.1:255", "10.0.0.2:0"),
		inet(sock.Raw, sock.Closing, "10.0.0.1:255", "10.0.0.2:0"),
		inet(sock.Raw6, sock.Close, "[::]:58", "[::]:0"),
	}},
	{"queues", "-tan", Table{All: true, Names: Numeric{}}, []sock.Socket{
		queues(0, 0), queues(123456, 654321), queues(1234567, 0), queues(0, 1234567), queues(4294967295, 4294967295),
	}},
	// 22 bytes are whole, 23 are not.
	{"cut", "-ta --numeric-hosts", Table{All: true, Names: fakeNames{ports: names.ports}}, []sock.Socket{
		inet(sock.TCP, sock.Established, "127.0.0.1:1000", "203.0.113.250:1000"),
		inet(sock.TCP, sock.Established, "127.0.0.1:1018", "127.0.0.1:1019"),
		inet(sock.TCP6, sock.Established, "["+wide6+"]:443", "["+wide6+"]:54321"),
		inet(sock.TCP6, sock.Established, "["+wide6+"]:5432", "["+wide6+"]:0"),
		inet(sock.TCP6, sock.Established, "[2001:db8:1111:2222::]:80", "[2001:db8:1111:22::]:80"),
		inet(sock.TCP6, sock.Established, "[::1]:1018", "[::1]:1019"),
	}},
	{"cut_hosts", "-ta", Table{All: true, Names: names}, namedRows},
	{"wide", "-tanW", Table{All: true, Wide: true, Names: Numeric{}}, []sock.Socket{
		inet(sock.TCP6, sock.Established, "["+wide6+"]:443", "["+wide6+"]:54321"),
		inet(sock.TCP6, sock.Established, "[::1]:443", "["+wide6+"]:0"),
	}},
	{"wide_hosts", "-taW", Table{All: true, Wide: true, Names: names}, namedRows},
	{"extended", "-uane", Table{All: true, Extend: 1, Names: Numeric{}}, []sock.Socket{
		extended(0, 0), extended(1000, 12345678), extended(65534, 1234567890), extended(4294967295, 4294967295),
	}},
	{"extended_users", "-uaee --numeric-hosts --numeric-ports", Table{All: true, Extend: 2, Names: fakeNames{users: names.users}}, []sock.Socket{
		extended(1000, 1), extended(1001, 12345678), extended(1002, 4294967295), extended(1003, 1),
	}},
	{"programs", "-tanp", Table{All: true, Programs: true, Names: Numeric{}}, []sock.Socket{
		inet(sock.TCP, sock.TimeWait, "127.0.0.1:80", far),
		ownedAs(14626, "python3"), ownedAs(2297, "sendmail: accepting connections"), ownedAs(100, "foo-bar-daemon-of-all-things"),
		ownedAs(300, ""), ownedAs(301, "./tcp_client"), ownedAs(302, "-bash"), ownedAs(303, "nginx: master process /usr/sbin/nginx"),
		ownedAs(4194304, "exactly-11b"), ownedAs(4194303, "one-byte-mor"), ownedAs(304, "fourteen bytes\u00e9"),
		ownedAs(305, "esc\x1b[31m\x07\\"),
	}},
	{"extended_programs", "-tanep", Table{All: true, Extend: 1, Programs: true, Names: Numeric{}}, []sock.Socket{
		ownedAs(14626, "python3"), inet(sock.TCP, sock.TimeWait, "127.0.0.1:80", far),
	}},
	{"unix_none", "-xl", Table{Listening: true, Names: Numeric{}}, nil},
	{"unix_none_programs", "-xp", Table{Programs: true, Names: Numeric{}}, nil},
	{"unix", "-xan", Table{All: true, Names: Numeric{}}, []sock.Socket{
		unixSocket(sock.UnixListening, sock.UnixStream, 0x10000, "/run/listens"),
		unixSocket(sock.UnixUnconnected, sock.UnixDgram, 0, "/run/bound"),
		unixSocket(sock.UnixFree, sock.UnixRaw, 0x20000, ""),
		unixSocket(sock.UnixConnecting, sock.UnixRDM, 0x40000, "@abstract"),
		unixSocket(sock.UnixConnected, sock.UnixSeqPacket, 0x70000, "@@with@nul"),
		unixSocket(sock.UnixDisconnecting, 9, 0x8, "/run/"+strings.Repeat("long", 25)),
		with(unixSocket(sock.UnixConnected, sock.UnixStream, 0, ""), func(s *sock.Socket) { s.Inode, s.Unix.RefCnt = 12345678, 1234567 }),
		with(unixSocket(sock.UnixConnected, sock.UnixStream, 0, "/a"), func(s *sock.Socket) { s.Inode = 4294967295 }),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "/tmp/a b c"),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "  before"),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "\t\v\f\rbefore\vafter"),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "@"),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "@ "),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "first\nsecond"),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "\nsecond"),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "/caf\u00e9\u00a0\xff\x1b[m\\"),
	}},
	{"unix_programs", "-xanp", Table{All: true, Programs: true, Names: Numeric{}}, []sock.Socket{
		with(unixSocket(sock.UnixConnected, sock.UnixStream, 0, ""), func(s *sock.Socket) { s.Owner, s.Inode = ownedAs(1, "init").Owner, 100_001 }),
		with(unixSocket(sock.UnixConnecting, sock.UnixStream, 0, "/run/a"), func(s *sock.Socket) { s.Inode = 0 }),
	}},
}

var namedRows = []sock.Socket{
	inet(sock.TCP, sock.Listen, "0.0.0.0:80", "0.0.0.0:0"),
	inet(sock.TCP, sock.Established, "127.0.0.1:80", "127.0.0.1:50000"),
	inet(sock.TCP, sock.Established, "10.0.0.1:80", "203.0.113.250:80"),
	inet(sock.TCP, sock.Established, "10.0.0.1:1000", "203.0.113.250:50000"),
	inet(sock.TCP, sock.Established, "192.168.100.200:1000", "192.168.100.200:1018"),
	inet(sock.TCP6, sock.Established, "[2001:db8::1]:80", "[2001:db8::1]:5432"),
}

// wholeTable is a table from its title to the last of rows.
func wholeTable(t *Table, rows []sock.Socket, unix bool) (b []byte) {
	if unix {
		b = t.UnixHeader(b)
	} else {
		b = t.InetHeader(b)
	}
	for i := range rows {
		if unix {
			b = t.UnixRow(b, &rows[i])
		} else {
			b = t.InetRow(b, &rows[i])
		}
	}
	return b
}

func TestTables(t *testing.T) {
	for _, c := range tables {
		t.Run(c.name, func(t *testing.T) {
			golden(t, c.name, wholeTable(&c.table, c.rows, strings.HasPrefix(c.netstat, "-x")))
		})
	}
}

// The golden tables are netstat's own: it prints the same of a /proc with the same sockets. With -update it has the
// last word, so that a mistake of ours is seen by the next run.
func TestTablesAreNetstats(t *testing.T) {
	kerneltest.RequireRoot(t)
	netstat, err := exec.LookPath("netstat")
	if err != nil {
		t.Fatal("needs netstat: make test-deps installs it")
	}
	etc := t.TempDir()
	writeDatabases(t, etc)
	for _, c := range tables {
		t.Run(c.name, func(t *testing.T) {
			proc := t.TempDir()
			writeProc(t, proc, c.rows)
			// In a mount namespace of its own. /proc is last: mount reads it.
			cmd := exec.Command("sh", "-c", `etc=$1; proc=$2; shift 2
				for f in "$etc"/*; do mount --bind "$f" /etc/"${f##*/}" || exit; done
				mount --bind "$proc" /proc && exec "$@"`, "sh", etc, proc, netstat)
			cmd.Args = append(cmd.Args, strings.Fields(c.netstat)...)
			cmd.Env = append(os.Environ(), "LC_ALL=C")
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			var complaints bytes.Buffer
			cmd.Stderr = &complaints
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("netstat %s: %v\n%s", c.netstat, err, &complaints)
			}
			golden(t, c.name, out)
		})
	}
}

// writeDatabases writes what resolves names as the variable of that name does.
func writeDatabases(t *testing.T, dir string) {
	t.Helper()
	var hosts, services, passwd strings.Builder
	for addr, name := range names.hosts {
		fmt.Fprintln(&hosts, addr, name)
	}
	for port, name := range names.ports {
		fmt.Fprintf(&services, "%s %d/tcp\n", name, port)
	}
	for uid, name := range names.users {
		fmt.Fprintf(&passwd, "%s:x:%d:0::/:/bin/sh\n", name, uid)
	}
	for name, text := range map[string]string{
		"hosts": hosts.String(), "services": services.String(), "passwd": passwd.String(),
		"nsswitch.conf": "hosts: files\nservices: files\npasswd: files\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeProc writes rows as the kernel would, to those files of /proc that netstat reads.
func writeProc(t *testing.T, dir string, rows []sock.Socket) {
	t.Helper()
	files := map[sock.Proto]*strings.Builder{}
	for p := sock.TCP; p <= sock.Unix; p++ {
		files[p] = new(strings.Builder)
		files[p].WriteString("sl or Num ... Inode Path\n") // of the head it is Inode that counts
	}
	for i := range rows {
		s, f := &rows[i], files[rows[i].Proto]
		if u := s.Unix; u != nil {
			state := s.State
			if state == sock.UnixListening {
				state = sock.UnixUnconnected
			}
			fmt.Fprintf(f, "0000000000000000: %08X 00000000 %08X %04X %02X %5d", u.RefCnt, u.Flags, uint16(u.Type), uint8(state-sock.UnixFree), s.Inode)
			if u.Path != "" {
				f.WriteString(" " + u.Path)
			}
			f.WriteByte('\n')
		} else {
			fmt.Fprintf(f, "%4d: %s %s %02X %08X:%08X 00:00000000 00000000 %5d 0 %d 1 0\n",
				i, procEnd(s.Local), procEnd(s.Remote), uint8(s.State), s.Queue.Send, s.Queue.Recv, s.UID, s.Inode)
		}
		if o := &s.Owner; o.Known() {
			process := filepath.Join(dir, fmt.Sprint(o.PID))
			write(t, filepath.Join(process, "cmdline"), o.Program+"\x00-x\x00")
			if err := os.Mkdir(filepath.Join(process, "fd"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(fmt.Sprintf("socket:[%d]", s.Inode), filepath.Join(process, "fd", "3")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for p, f := range files {
		write(t, filepath.Join(dir, "net", p.String()), f.String())
	}
}

// procEnd is one end as in /proc/net/tcp: words of the host's order, in hex.
func procEnd(end netip.AddrPort) string {
	var b []byte
	for raw := end.Addr().AsSlice(); len(raw) > 0; raw = raw[4:] {
		b = fmt.Appendf(b, "%08X", binary.NativeEndian.Uint32(raw))
	}
	return fmt.Sprintf("%s:%04X", b, end.Port())
}

// What netstat cannot be asked about: states that /proc does not have, and owners that are known from elsewhere.
func TestBeyondNetstat(t *testing.T) {
	owned := func(o sock.Owner) sock.Socket {
		return with(inet(sock.TCP, sock.Listen, "0.0.0.0:80", "0.0.0.0:0"), func(s *sock.Socket) { s.Owner = o })
	}
	rows := []sock.Socket{
		inet(sock.TCP, sock.NewSynRecv, "127.0.0.1:80", far),
		inet(sock.TCP, 255, "127.0.0.1:80", far),
		inet(sock.UDP, 255, "127.0.0.1:80", far),
		inet(sock.Raw, 255, "127.0.0.1:80", far),
		owned(sock.Owner{PID: 7, FD: 3, How: sock.HowSeeded, Comm: sock.MakeComm("from-the-kernel")}),
		owned(sock.Owner{PID: 7, FD: 3, How: sock.HowExact, Comm: sock.MakeComm("comm"), Program: "program"}),
		owned(sock.Owner{PID: 7, FD: 3, How: sock.HowListener}),
		{Proto: sock.TCP, State: sock.Listen},
	}
	golden(t, "beyond", wholeTable(&Table{All: true, Programs: true, Names: Numeric{}}, rows, false))
}

// No name may reach a terminal as it is, and the cut comes before the escape: it is of netstat's bytes.
func TestTableEscape(t *testing.T) {
	hostile := fakeNames{hosts: map[string]string{"203.0.113.250": "\x1b]0;owned\x07.evil", "127.0.0.1": "r\u00e9sum\u00e9", "10.0.0.1": "\u202egnp.exe\n"}}
	rows := []sock.Socket{
		inet(sock.TCP, sock.Established, "127.0.0.1:80", far),
		inet(sock.TCP, sock.Established, "10.0.0.1:80", far),
		ownedAs(305, "esc\x1b[31m\x07\\"),
		ownedAs(306, "cut in a rune \u00e9\u00e9"),
	}
	paths := []sock.Socket{
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "@\x1b[2J\u009b2J\xff\\x1b"),
		unixSocket(sock.UnixConnected, sock.UnixStream, 0, "first\nsecond"),
	}
	both := func(escape bool) []byte {
		table := Table{All: true, Programs: true, Names: hostile, Escape: escape}
		return append(wholeTable(&table, rows, false), wholeTable(&table, paths, true)...)
	}
	golden(t, "escape", both(true))
	raw := both(false)
	for _, name := range []string{"\x1b]0;owned\x07", "\u202egnp", "esc\x1b[31m\x07\\ ", "@\x1b[2J\u009b2J\xff\\x1b\n"} {
		if !bytes.Contains(raw, []byte(name)) {
			t.Errorf("without Escape %q is not in\n%s", name, visible(raw))
		}
	}
}

func TestAppendEndpoint(t *testing.T) {
	hostile := fakeNames{hosts: map[string]string{"203.0.113.250": "\x1b[31mevil", "10.0.0.1": "ten"}, ports: names.ports}
	for end, want := range map[string]string{
		"203.0.113.250:80":        `\x1b[31mevil:http`,
		"10.0.0.1:0":              "ten:*",
		"[" + wide6 + "]:1000":    wide6 + ":thisisaveryveryverylongservicename",
		"[::ffff:192.0.2.1]:1":    "192.0.2.1:1",
		"[::192.0.2.1]:1":         "::192.0.2.1:1",
		"255.255.255.255:65535":   "255.255.255.255:65535",
		"[fe80::1]:1":             "fe80::1:1",
		"[2001:db8::192.0.2.1]:1": "2001:db8::c000:201:1",
	} {
		if got := AppendEndpoint([]byte("\x1b"), hostile, sock.TCP, netip.MustParseAddrPort(end)); string(got) != "\x1b"+want {
			t.Errorf("%s: %q, want %q", end, got, want)
		}
	}
}

// A row is not to cost an allocation: a table may have 200,000.
func TestTableAllocates(t *testing.T) {
	table := Table{All: true, Extend: 1, Programs: true, Names: Numeric{}, Escape: true}
	tcp := inet(sock.TCP6, sock.Established, "["+wide6+"]:443", "[::ffff:203.0.113.250]:50000")
	tcp.Owner = sock.Owner{PID: 2297, How: sock.HowProcfs, Program: "sendmail: accepting connections"}
	unix := unixSocket(sock.UnixListening, sock.UnixStream, 0x10000, "/run/a b")
	b := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { b = table.InetRow(b[:0], &tcp) }); n != 0 {
		t.Errorf("InetRow allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { b = table.UnixRow(b[:0], &unix) }); n != 0 {
		t.Errorf("UnixRow allocates %v times", n)
	}
}

func BenchmarkInetRow(b *testing.B) {
	for _, c := range []struct {
		name string
		row  sock.Socket
	}{
		{"tcp", inet(sock.TCP, sock.Established, "192.168.100.20:52344", "203.0.113.250:443")},
		{"tcp6", inet(sock.TCP6, sock.Established, "["+wide6+"]:52344", "[2001:db8::1]:443")},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := c.row
			s.Owner = sock.Owner{PID: 2297, How: sock.HowProcfs, Program: "nginx: worker process"}
			t := Table{Extend: 1, Programs: true, Names: Numeric{}}
			var row []byte
			b.ReportAllocs()
			for b.Loop() {
				row = t.InetRow(row[:0], &s)
			}
		})
	}
}

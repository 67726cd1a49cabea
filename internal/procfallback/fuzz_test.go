// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"netlive/internal/iface"
	"netlive/internal/route"
	"netlive/internal/sock"
)

// kernelTable writes rows as the kernel does. A state that is none is written as one that is none.
func kernelTable(rows []sock.Socket) []byte {
	b := []byte("header\n")
	for i := range rows {
		s := &rows[i]
		state := s.State
		if s.Unix == nil {
			b = fmt.Appendf(b, "%4d: %s %s %02X %08X:%08X %02X:%08X %08X %5d %8d %d 2 0\n", i, endText(s.Local.String()), endText(s.Remote.String()),
				uint8(state), s.Queue.Send, s.Queue.Recv, s.Timer.Kind, s.Timer.Ticks, s.Timer.Retrans, s.UID, s.Timer.Timeout, s.Inode)
			continue
		}
		switch state {
		case sock.UnixListening:
			state = sock.UnixUnconnected
		case unknownState:
			state = sock.UnixFree + 99
		}
		b = fmt.Appendf(b, "%016x: %08X %08X %08X %04X %02X %5d", i, s.Unix.RefCnt, 0, s.Unix.Flags, uint16(s.Unix.Type), uint8(state-sock.UnixFree), s.Inode)
		if s.Unix.Path != "" {
			b = append(append(b, ' '), s.Unix.Path...)
		}
		b = append(b, '\n')
	}
	return b
}

// checkAgain checks that rows which the kernel would write are the rows that are read.
func checkAgain(t *testing.T, rows []sock.Socket, row sock.Socket, parse func([]sock.Socket, []byte, sock.Socket, *warnings) []sock.Socket) {
	t.Helper()
	var warn warnings
	text := kernelTable(rows)
	again := parse(nil, text, row, &warn)
	if len(again) != len(rows) || len(warn.list()) > 0 {
		t.Fatalf("%d rows, and %d of them as the kernel writes them: %v\n%s", len(rows), len(again), warn.list(), text)
	}
	for i := range rows {
		if rows[i].Timer != again[i].Timer || !same(&rows[i], &again[i]) {
			t.Errorf("row %d is %+v, and then %+v", i, rows[i], again[i])
		}
	}
}

// pieceFS is a file system whose files are read in pieces of some bytes.
type pieceFS struct {
	fs.FS
	size int
}

func (p pieceFS) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	return pieceFile{f, p.size}, err
}

type pieceFile struct {
	fs.File
	size int
}

func (f pieceFile) Read(b []byte) (int, error) { return f.File.Read(b[:min(len(b), f.size)]) }

// However a table is cut into reads, and however often it has the same lines, Each and a snapshot tell the same rows and the same warnings.
func FuzzEach(f *testing.F) {
	for _, name := range []string{"tcp", "tcp6", "udp", "raw", "unix"} {
		for _, data := range kernelFiles(f, name) {
			f.Add(name == "unix", strings.HasSuffix(name, "6"), data, uint16(4095), uint8(1))
			f.Add(name == "unix", strings.HasSuffix(name, "6"), data, uint16(5000), uint8(255))
		}
	}
	f.Add(false, false, []byte("x"), uint16(1000), uint8(255))
	f.Fuzz(func(t *testing.T, isUnix, ipv6 bool, data []byte, size uint16, times uint8) {
		if len(data) > 4<<10 {
			return
		}
		if times > 200 { // more than a buffer
			data = bytes.Repeat(data, eachBuffer/(1+len(data))+2)
		}
		p, parse := sock.TCP, parseInet
		switch {
		case isUnix:
			p, parse = sock.Unix, parseUnix
		case ipv6:
			p = sock.TCP6
		}
		warn := warnings{file: "net/" + p.String()}
		want := parse(nil, data, sock.Socket{Proto: p}, &warn)
		n := 0
		root := pieceFS{fstest.MapFS{"net/" + p.String(): &fstest.MapFile{Data: data}}, 1 + int(size)}
		warned, err := New(root).Each(t.Context(), p, func(s *sock.Socket) {
			if n < len(want) && !same(s, &want[n]) {
				t.Errorf("row %d is %+v, want %+v", n, *s, want[n])
			}
			n++
		})
		if err != nil || n != len(want) || !reflect.DeepEqual(warned, warn.list()) {
			t.Errorf("%d rows, want %d: %v, %.300v, want %.300v", n, len(want), err, warned, warn.list())
		}
	})
}

var (
	scanDec = regexp.MustCompile(`^[ \t-\r]*([-+]?)([0-9]+)`)
	scanHex = regexp.MustCompile(`^[ \t-\r]*([-+]?)(?:0[xX]([0-9a-fA-F]*)|([0-9a-fA-F]+))`)
)

// scanned is the number that C's strtol makes, by arithmetic without bounds; ok is that there is one.
func scanned(text string, base int, unsigned bool) (n uint64, rest string, ok bool) {
	re := scanDec
	if base == 16 {
		re = scanHex
	}
	m := re.FindStringSubmatch(text)
	if m == nil {
		return 0, text, false
	}
	digits := m[2]
	if base == 16 {
		digits += m[3]
	}
	if digits == "" {
		digits = "0" // a bare 0x, which glibc takes for 0
	}
	v, _ := new(big.Int).SetString(digits, base)
	low, high := big.NewInt(math.MinInt64), big.NewInt(math.MaxInt64)
	if unsigned {
		if high.SetUint64(math.MaxUint64); v.Cmp(high) > 0 {
			return math.MaxUint64, text[len(m[0]):], true // whatever its sign
		}
		low.Neg(high)
	}
	if m[1] == "-" {
		v.Neg(v)
	}
	if v.Cmp(low) < 0 {
		v = low
	}
	if v.Cmp(high) > 0 {
		v = high
	}
	return new(big.Int).And(v, new(big.Int).SetUint64(math.MaxUint64)).Uint64(), text[len(m[0]):], true
}

// Numbers are those that scanf(3) and strtoul(3) make, too large ones and all.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"0", "-1", "+7x", " \t2147483648", "-2147483649", "4294967296", "9223372036854775808", "-9223372036854775809",
		"18446744073709551615", "18446744073709551616", "-18446744073709551616", "0xffffffffffffffff1", "0x", "0X1g", "-", "\v12", "٣", "00000000000000000000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check := func(name string, got uint64, rest []byte, ok bool, want uint64, wantRest string, wantOK bool) {
			t.Helper()
			if ok != wantOK || ok && (got != want || string(rest) != wantRest) {
				t.Errorf("%q: %s is %d, %q, %v; want %d, %q, %v", text, name, got, rest, ok, want, wantRest, wantOK)
			}
		}
		n, rest, ok := cutUint([]byte(text))
		want, wantRest, wantOK := scanned(text, 10, true)
		check("strtoul", n, rest, ok, want, wantRest, wantOK)
		var n32 uint32
		in := fields{rest: []byte(text)}
		ok = in.dec(&n32)
		want, wantRest, wantOK = scanned(text, 10, false)
		check("%d", uint64(n32), in.rest, ok, uint64(uint32(want)), wantRest, wantOK)
		in = fields{rest: []byte(text)}
		ok = in.hex(&n32, wide)
		want, wantRest, wantOK = scanned(text, 16, true)
		check("%X", uint64(n32), in.rest, ok, uint64(uint32(want)), wantRest, wantOK)
		in = fields{rest: []byte(text)}
		ok = in.hex64(&n)
		check("%lX", n, in.rest, ok, want, wantRest, wantOK)
	})
}

// The targets of links in /proc are numbers in one form, and none other is taken for one.
func FuzzLinks(f *testing.F) {
	for _, s := range []string{"socket:[7]", "[0000]:7", "net:[4026531840]", "socket:[]", "socket:[7", "socket:[4294967296]", "anon_inode:[eventpoll]", "/tmp/socket:[7]", "12", "-1", "\x00"} {
		f.Add(s, uint32(len(s)))
	}
	f.Fuzz(func(t *testing.T, text string, n uint32) {
		for _, form := range []string{"socket:[%d]", "[0000]:%d"} {
			if got, ok := socketInode(fmt.Appendf(nil, form, n)); ok != (n != 0) || ok && got != n {
				t.Errorf(form+" is %d, %v", n, got, ok)
			}
		}
		canonical := func(number string) string { return strings.TrimLeft(number, "0") }
		if got, ok := socketInode([]byte(text)); ok {
			inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(text, "socket:["), "[0000]:"), "]")
			if canonical(inner) != fmt.Sprint(got) {
				t.Errorf("%q is %d", text, got)
			}
		}
		if fd, ok := parseFD(text); ok && (fd < 0 || canonical(text) != canonical(fmt.Sprint(fd))) {
			t.Errorf("%q is descriptor %d", text, fd)
		}
		root := fstest.MapFS{"ns/net": link(text)}
		if got := New(root).netns(""); got != 0 && canonical(strings.TrimSuffix(strings.TrimPrefix(text, "net:["), "]")) != fmt.Sprint(got) {
			t.Errorf("%q is namespace %d", text, got)
		}
		root["ns/net"] = link(fmt.Sprintf("net:[%d]", n))
		if got := New(root).netns(""); got != n {
			t.Errorf("net:[%d] is %d", n, got)
		}
	})
}

// What a process calls itself is taken as it is, and no more of it than there is room for.
func FuzzNames(f *testing.F) {
	f.Add([]byte("nginx\n"), []byte("nginx: worker process\x00\x00"))
	f.Add([]byte("a\nb\n"), []byte("/usr/sbin/\x1b[2J\x00-D"))
	f.Add([]byte{}, []byte("/"))
	f.Fuzz(func(t *testing.T, comm, cmdline []byte) {
		s := New(fstest.MapFS{"7/comm": file(string(comm)), "7/cmdline": file(string(cmdline)), "7/attr/current": file(string(comm))})
		name, program := s.names("7")
		if !bytes.HasPrefix(comm, []byte(name.String())) && !bytes.Contains(comm, []byte{0}) {
			t.Errorf("%q is called %q", comm, name)
		}
		if !bytes.Contains(cmdline, []byte(program)) || strings.Contains(program, "\x00") || len(program) > cmdlineMax ||
			bytes.HasPrefix(cmdline, []byte("/")) && strings.Contains(program, "/") {
			t.Errorf("%q is the program %q", cmdline, program)
		}
		if got, ok := s.Program(7); got != program || ok != (len(cmdline) > 0) {
			t.Errorf("%q is the program %q, and then %q, %v", cmdline, program, got, ok)
		}
		if context := s.Context(7); !bytes.HasPrefix(comm, []byte(context)) || len(context) > contextMax {
			t.Errorf("%q is the context %q", comm, context)
		}
	})
}

// checkOld checks that each line but the first is a route or a warning, that texts are of the file, and that it reads the same again.
func checkOld[T any](t *testing.T, data []byte, parse func([]byte) (T, string), texts func(T) []string) {
	t.Helper()
	read := func() (list []T, bad int) {
		for line := range lines(data) {
			if r, field := parse(line); field == "" {
				list = append(list, r)
				for _, text := range texts(r) {
					if !bytes.Contains(line, []byte(text)) {
						t.Errorf("%q: %q is not in it: %+v", line, text, r)
					}
				}
			} else {
				bad++
			}
		}
		return list, bad
	}
	one, bad := read()
	two, _ := read()
	if !reflect.DeepEqual(one, two) {
		t.Errorf("%+v, and then %+v", one, two)
	}
	n := 0
	for range lines(data) {
		n++
	}
	if len(one)+bad != n {
		t.Errorf("%T: %d routes and %d bad lines of %d", one, len(one), bad, n)
	}
}

func FuzzParseRoutesOld(f *testing.F) {
	for _, s := range []string{
		"callsign  dev  mode digipeaters\nDL1ABC-3  ax0  *\n", "addr  callsign  dev  qual lock count failed digipeaters\n00001 DL1ABC-3  ax0   64    0    1   0\n",
		"callsign  mnemonic w n qual obs neigh qual obs neigh\nDL2XYZ-7  #NODE    1 1  192   6 00001\nDL2XYZ-7  #NODE    2 2  192   6 00001  64   5 00002\n",
		"address    mask n neigh neigh neigh\n2080175520 0010 2 00001 00002\n2080175520 0010 1 loopback\n", "Address          Digits  Device\n123456789012345       5  lapb0\n",
		"Network    Router_Net   Router_Node\n00001234   Directly     Connected\n00001234   00005678     0123456789AB\n",
		"Target        Gateway         Flags Iface\n1000:1        2000:1          0003  eth0\n", "\n" + strings.Repeat("9", 40) + " 255 -1\n",
	} {
		f.Add([]byte(s))
	}
	neighbours := []route.Neighbour{{Number: 1, Callsign: "one"}, {Number: 2, Callsign: "two"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkOld(t, data, parseAX25Route, func(r route.AX25Route) []string { return []string{r.Callsign, r.Iface} })
		checkOld(t, data, parseNeighbour, func(r route.Neighbour) []string { return []string{r.Callsign, r.Iface} })
		checkOld(t, data, parseX25Route, func(r route.X25Route) []string { return []string{r.Address, r.Iface} })
		checkOld(t, data, parseIPXRoute, func(r route.IPXRoute) []string { return nil })
		checkOld(t, data, parseDDPRoute, func(r route.DDPRoute) []string { return []string{r.Dst, r.Gateway, r.Iface} })
		netrom := func(line []byte) (route.NetROMNode, string) { return parseNetROMNode(line, neighbours) }
		checkOld(t, data, netrom, func(r route.NetROMNode) []string { return []string{r.Callsign, r.Mnemonic} })
		rose := func(line []byte) (route.ROSENode, string) { return parseROSENode(line, neighbours) }
		checkOld(t, data, rose, func(r route.ROSENode) []string {
			if len(r.Neighbours) > len(data) {
				t.Errorf("%d neighbours of %d bytes", len(r.Neighbours), len(data))
			}
			return []string{r.Address}
		})
	})
}

// Whatever the kernel answers is taken for what it is, and what it did not answer for nothing.
func FuzzIoctl(f *testing.F) {
	for _, r := range fullAnswers() {
		f.Add("eth0", r[:], uint16(math.MaxUint16))
	}
	f.Add("", []byte{}, uint16(0))
	f.Add("\x1b[2J\n\x00x", bytes.Repeat([]byte{0xff}, ifmapSize), uint16(0x5555))
	requests := []uint{unix.SIOCGIFFLAGS, unix.SIOCGIFMTU, unix.SIOCGIFHWADDR, siocGOutfill, siocGKeepalive, unix.SIOCGIFMAP, unix.SIOCGIFTXQLEN,
		unix.SIOCGIFADDR, unix.SIOCGIFDSTADDR, unix.SIOCGIFBRDADDR, unix.SIOCGIFNETMASK}
	f.Fuzz(func(t *testing.T, name string, answer []byte, told uint16) {
		asked := &fakeAsker{names: []string{name, name}, known: map[string]bool{string(cString(newIfreq(name).name[:])): true}, answers: map[uint]ifru{}}
		for i, request := range requests {
			if told>>i&1 != 0 {
				var r ifru
				copy(r[:], answer)
				asked.answers[request] = r
			}
		}
		var twice [2]iface.Table
		for i := range twice {
			var err error
			if twice[i], err = New(fstest.MapFS{}).interfaces(t.Context(), asked, iface.Table{}, true); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(twice[0].Interfaces, twice[1].Interfaces) {
			t.Errorf("%+v, and then %+v", twice[0].Interfaces, twice[1].Interfaces)
		}
		if n := len(twice[0].Interfaces); n != 1 {
			t.Fatalf("%d interfaces", n)
		}
		var full ifru
		copy(full[:], answer)
		has := func(request uint) bool { _, ok := asked.answers[request]; return ok }
		i := &twice[0].Interfaces[0]
		switch d := i.Detail; {
		case i.Err != nil || d == nil:
			t.Errorf("%+v", i)
		case !has(unix.SIOCGIFADDR) && d.Inet != nil, has(unix.SIOCGIFADDR) && (d.Inet == nil || d.Inet.Addr != netip.AddrFrom4([4]byte(full[4:8]))):
			t.Errorf("address %+v", d.Inet)
		case !has(unix.SIOCGIFHWADDR) && d.HWType != iface.HWVoid, !has(unix.SIOCGIFTXQLEN) && d.TxQueueLen != -1:
			t.Errorf("%+v", d)
		case has(unix.SIOCGIFFLAGS) && uint16(i.Flags) != binary.NativeEndian.Uint16(full[:]):
			t.Errorf("flags %x", i.Flags)
		}
	})
}

// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"netlive/internal/iface"
	"netlive/internal/sock"
)

// rowsOf are the rows of a file as texts, by the parser of its kind.
func rowsOf(name string, data []byte) (rows []string) {
	var warn warnings
	row := sock.Socket{Proto: sock.TCP}
	sockets := func(list []sock.Socket) {
		for i := range list {
			path := ""
			if list[i].Unix != nil {
				path = fmt.Sprintf("%+v", *list[i].Unix)
			}
			list[i].Unix = nil
			rows = append(rows, fmt.Sprintf("%+v %s", list[i], path))
		}
	}
	switch name {
	case "tcp6", "udp6", "raw6":
		row.Proto = sock.TCP6
		fallthrough
	case "tcp", "udp", "raw":
		sockets(parseInet(nil, data, row, &warn))
	case "unix":
		sockets(parseUnix(nil, data, row, &warn))
	case "route":
		for _, r := range parseRoutes(data, &warn).Routes {
			rows = append(rows, routeText(&r))
		}
	case "ipv6_route":
		for _, r := range parseRoutes6(data, &warn) {
			rows = append(rows, routeText(&r))
		}
	case "dev":
		var t iface.Table
		parseDev(&t, data, &warn)
		for _, i := range t.Interfaces {
			rows = append(rows, fmt.Sprintf("%s %+v", i.Name, *i.Stats))
		}
	case "igmp", "igmp6":
		p := groupParser{GroupMemory: &iface.GroupMemory{IPv6: name == "igmp6", Index: true}, GroupList: &iface.GroupList{}}
		p.parse(data)
		for _, g := range p.Groups {
			rows = append(rows, fmt.Sprintf("%+v", g))
		}
	case "snmp", "netstat":
		report, _ := parseSNMP(data, &warn)
		for _, t := range report {
			rows = append(rows, fmt.Sprintf("%+v", t))
		}
	case "snmp6":
		for _, t := range parseSNMP6(data, &warn) {
			for _, c := range t.Counters {
				rows = append(rows, fmt.Sprintf("%s %+v", t.Title, c))
			}
		}
	}
	return rows
}

var rowFiles = []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "route", "ipv6_route", "dev", "igmp", "igmp6", "snmp", "netstat", "snmp6"}

// A file that ends anywhere has the rows of its whole lines, and at most one more, of what there is of the last: netstat shows that too when its last
// column is a number that was cut.
func TestFilesCutShort(t *testing.T) {
	for _, name := range rowFiles {
		for _, data := range kernelFiles(t, name) {
			all := rowsOf(name, data)
			if len(all) == 0 {
				t.Errorf("%s has no rows", name)
			}
			step := 1 + len(data)/1500 // reading it all again for each byte takes the square of its size
			for end := 0; end < len(data); end += step {
				whole := bytes.LastIndexByte(data[:end], '\n') + 1
				want, got := rowsOf(name, data[:whole]), rowsOf(name, data[:end])
				if name == "dev" { // these are in the order of names
					slices.Sort(want)
					slices.Sort(got)
				}
				kept := 0
				for _, row := range got {
					if kept < len(want) && row == want[kept] {
						kept++
					}
				}
				if kept < len(want) || len(got) > len(want)+1 {
					t.Fatalf("%s cut at %d of %d: rows\n%s\nthe whole lines have\n%s", name, end, len(data), strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				for _, row := range want {
					if name != "snmp" && name != "netstat" && !slices.Contains(all, row) {
						t.Fatalf("%s cut at %d of %d has %s, which it has not as a whole", name, end, len(data), row)
					}
				}
			}
		}
	}
}

// A table that moves between two reads has lines twice, not at all, and in another order. Each line is the row it always was, and no two rows have
// one ID.
func TestLinesInAnyOrder(t *testing.T) {
	for _, name := range []string{"tcp", "tcp6", "udp", "raw", "unix"} {
		for _, data := range kernelFiles(t, name) {
			lines := slices.Collect(bytes.Lines(data))
			var mixed []byte
			mixed = append(mixed, lines[0]...)
			for i := range lines[1:] {
				mixed = append(mixed, lines[len(lines)-1-i]...)
				mixed = append(mixed, lines[1+i]...)
			}
			all, got := rowsOf(name, data), rowsOf(name, mixed)
			if len(got) != 2*len(all) {
				t.Errorf("%s: %d rows, want %d", name, len(got), 2*len(all))
			}
			for _, row := range got {
				if !slices.Contains(all, row) {
					t.Errorf("%s: %s is no row of it", name, row)
				}
			}
			snap := snapshot(t, fstest.MapFS{"net/" + name: file(string(mixed))}, sock.Want{Protos: everything})
			ids := map[sock.ID]bool{}
			for i := range snap.Sockets {
				ids[snap.Sockets[i].ID] = true
			}
			if len(ids) != len(snap.Sockets) {
				t.Errorf("%s: %d IDs of %d rows", name, len(ids), len(snap.Sockets))
			}
		}
	}
}

// endless is a file of so many bytes, which are one text over and over.
type endless struct {
	text []byte
	left int
	at   int
}

func (e *endless) Open(string) (fs.File, error) { return e, nil }
func (e *endless) Stat() (fs.FileInfo, error)   { return nil, fs.ErrNotExist }
func (e *endless) Close() error                 { return nil }

func (e *endless) Read(b []byte) (n int, err error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	for n < min(len(b), e.left) {
		c := copy(b[n:min(len(b), e.left)], e.text[e.at:])
		n, e.at = n+c, (e.at+c)%len(e.text)
	}
	e.left -= n
	return n, nil
}

// mostHeap runs f and returns how much more memory was in use at a time than before.
func mostHeap(f func(look func())) uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, uint64(0)
	f(func() {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc-min(m.HeapAlloc, before))
	})
	return most
}

// Tables of any length, and lines of any length, are read row by row in the room of a few buffers.
func TestEnormousTable(t *testing.T) {
	const size, room = 64 << 20, 8 << 20
	for _, name := range []string{"a line without end", "a million lines", "a million bad lines"} {
		text := map[string]string{
			"a line without end":  "x",
			"a million lines":     inetLine("127.0.0.1:22", "0.0.0.0:0", "0A 0:0 0:0 0 0 0 7 1") + "\n",
			"a million bad lines": "bad\n",
		}[name]
		rows := 0
		var warned []error
		allocated := mostHeap(func(look func()) {
			var err error
			root := &endless{text: []byte(text), left: size}
			began := time.Now()
			warned, err = New(root).Each(t.Context(), sock.TCP, func(*sock.Socket) {
				if rows++; rows%100_000 == 0 {
					look()
				}
			})
			look()
			t.Logf("%s: %d rows, %d warnings, %v", name, rows, len(warned), time.Since(began))
			if err != nil {
				t.Error(err)
			}
		})
		if strings.HasSuffix(text, " 1\n") != (rows == size/len(text)-1) {
			t.Errorf("%s: %d rows", name, rows)
		}
		if allocated > room || len(warned) > maxWarnings+1 {
			t.Errorf("%s: %d bytes were in use, %d warnings", name, allocated, len(warned))
		}
	}
}

// A file that has no end is not read to it.
func TestFileWithoutEnd(t *testing.T) {
	const limit = 1 << 20
	s := New(&endless{text: []byte("Ip: x\n"), left: 1 << 40})
	s.fileMax = limit
	_, err := s.Routes(t.Context())
	if err == nil || !strings.Contains(err.Error(), "net/route") {
		t.Errorf("%v", err)
	}
	if cap(s.buf) > 3*limit {
		t.Errorf("%d bytes were kept", cap(s.buf))
	}
}

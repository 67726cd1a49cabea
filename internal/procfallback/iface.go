// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"netlive/internal/iface"
)

// Interfaces reads the interfaces of the calling thread's network namespace: names and counters from net/dev, and the rest from
// the kernel itself, by ioctl(2). The addresses and what else is in iface.Detail it asks for if detail is set.
//
// What is not there is in the table: NoDev is an *fs.PathError with Op "open" if the file could not be opened, NoSocket, NoInet,
// NoConf and Interface.Err are a syscall.Errno, all of them wrapped. The error beside it is ctx's.
func (s *Source) Interfaces(ctx context.Context, detail bool) (t iface.Table, err error) {
	// What is read and what is asked have to be of one namespace.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	asked, noInet, err := openIfSocket()
	if err != nil {
		t.NoSocket = fmt.Errorf("procfallback: socket: %w", err)
		return t, nil
	}
	defer asked.close()
	if noInet != nil {
		t.NoInet = fmt.Errorf("procfallback: socket: %w", noInet)
	}
	return s.interfaces(ctx, asked, t, detail)
}

func (s *Source) interfaces(ctx context.Context, asked ifAsker, t iface.Table, detail bool) (iface.Table, error) {
	const dev, inet6 = "net/dev", "net/if_inet6"
	self := s.self()
	warn := warnings{file: dev}
	if data, err := s.read(ctx, self+dev); err != nil {
		t.NoDev = fmt.Errorf("procfallback: read %s: %w", dev, err)
	} else {
		parseDev(&t, data, &warn)
	}
	names, err := asked.list()
	if err != nil {
		t.NoConf = fmt.Errorf("procfallback: SIOCGIFCONF: %w", err)
	}
	for _, name := range names {
		t.Add(name)
	}
	for i := range t.Interfaces {
		if ctx.Err() != nil {
			break
		}
		askAbout(asked, &t.Interfaces[i], detail, t.NoInet == nil)
	}
	if detail {
		switch data, err := s.read(ctx, self+inet6); {
		case err == nil:
			warn.begin(inet6)
			parseIfInet6(&t, data, &warn)
		case !errors.Is(err, fs.ErrNotExist): // a kernel without IPv6 lacks it
			warn.unopened(inet6, err)
		}
	}
	t.Warnings = warn.list()
	if ctx.Err() != nil {
		return iface.Table{}, fmt.Errorf("procfallback: read %s: %w", dev, ctx.Err())
	}
	return t, nil
}

// devColumn is a column of net/dev.
type devColumn struct {
	name  string
	value func(s *iface.Stats) *uint64
}

var (
	devBytesIn    = devColumn{"bytes received", func(s *iface.Stats) *uint64 { return &s.RxBytes }}
	devPacketsIn  = devColumn{"packets received", func(s *iface.Stats) *uint64 { return &s.RxPackets }}
	devCompressed = devColumn{"compressed received", func(s *iface.Stats) *uint64 { return &s.RxCompressed }}
	devMulticast  = devColumn{"multicast received", func(s *iface.Stats) *uint64 { return &s.RxMulticast }}
	devBytesOut   = devColumn{"bytes sent", func(s *iface.Stats) *uint64 { return &s.TxBytes }}
	devPacketsOut = devColumn{"packets sent", func(s *iface.Stats) *uint64 { return &s.TxPackets }}
	devSqueezed   = devColumn{"compressed sent", func(s *iface.Stats) *uint64 { return &s.TxCompressed }}

	devFaultsIn = []devColumn{
		{"errors received", func(s *iface.Stats) *uint64 { return &s.RxErrors }},
		{"dropped received", func(s *iface.Stats) *uint64 { return &s.RxDropped }},
		{"fifo received", func(s *iface.Stats) *uint64 { return &s.RxFIFO }},
		{"frame received", func(s *iface.Stats) *uint64 { return &s.RxFrame }},
	}
	devFaultsOut = []devColumn{
		{"errors sent", func(s *iface.Stats) *uint64 { return &s.TxErrors }},
		{"dropped sent", func(s *iface.Stats) *uint64 { return &s.TxDropped }},
		{"fifo sent", func(s *iface.Stats) *uint64 { return &s.TxFIFO }},
		{"collisions", func(s *iface.Stats) *uint64 { return &s.TxCollisions }},
		{"carrier", func(s *iface.Stats) *uint64 { return &s.TxCarrier }},
	}

	// Since Linux 2.2; 2.1; before that.
	devColumns22 = slices.Concat([]devColumn{devBytesIn, devPacketsIn}, devFaultsIn, []devColumn{devCompressed, devMulticast, devBytesOut, devPacketsOut},
		devFaultsOut, []devColumn{devSqueezed})
	devColumns21 = slices.Concat([]devColumn{devBytesIn, devPacketsIn}, devFaultsIn, []devColumn{devBytesOut, devPacketsOut}, devFaultsOut)
	devColumns20 = slices.Concat([]devColumn{devPacketsIn}, devFaultsIn, []devColumn{devPacketsOut}, devFaultsOut)
)

// parseDev reads net/dev (net/core/net-procfs.c, dev_seq_printf_stats), two lines of header and a line for each interface:
//
//	NAME: BYTES PACKETS ERRS DROP FIFO FRAME COMPRESSED MULTICAST BYTES PACKETS ERRS DROP FIFO COLLS CARRIER COMPRESSED
//
// It reads as netstat does, to which a line that is too long is more than one. Counters that a line lacks, and all that follow, are 0,
// or what an earlier line of the interface had.
func parseDev(t *iface.Table, data []byte, warn *warnings) {
	const headerLines = 2
	columns := devColumns20
	n, number := 0, 1
	for piece := range pieces(data, devPiece) {
		at := number
		if bytes.HasSuffix(piece, newline) {
			number++
		}
		piece = cString(piece)
		if n++; n <= headerLines {
			// The second line, or if there is just one, that.
			switch columns = devColumns20; {
			case bytes.Contains(piece, []byte("compressed")):
				columns = devColumns22
			case bytes.Contains(piece, []byte("bytes")):
				columns = devColumns21
			}
			continue
		}
		name, rest := cutIfName(piece)
		if len(name) == 0 {
			warn.bad(at, "interface", nil)
		}
		i := t.Add(string(name))
		if i.Stats == nil {
			i.Stats = &iface.Stats{}
		}
		for _, c := range columns {
			value, after, ok := cutUint(rest)
			if !ok {
				warn.bad(at, c.name, bytes.TrimSpace(rest))
				break
			}
			*c.value(i.Stats), rest = value, after
		}
	}
}

// devPiece is what netstat has room for of a line of net/dev.
const devPiece = 511

// pieces yields lines with their ends, or what netstat has room for of a longer one, and then what follows.
func pieces(data []byte, room int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			end := min(bytes.IndexByte(data, '\n')+1, room)
			if end == 0 {
				end = min(len(data), room)
			}
			if !yield(data[:end]) {
				return
			}
			data = data[end:]
		}
	}
}

// cutIfName cuts the name that a line begins with, up to a blank, or to a colon that may be the second: that of an alias (Linux
// 2.0 had those here) is part of the name. Of a name that is too long the rest stays.
//
// Of a name that is just not too long, 15 bytes, the colon does not stay: it does for netstat as Debian 12 patched it
// (CVE-2025-46836), which then finds no counter.
func cutIfName(line []byte) (name, rest []byte) {
	line = bytes.TrimLeft(line, space)
	end := 0
	for end < len(line) && !isSpace(rune(line[end])) {
		if line[end] == ':' {
			return cutIfAlias(line, end)
		}
		if end == ifaceMax {
			break
		}
		end++
	}
	return line[:end], line[end:]
}

// cutIfAlias cuts the name if it has a colon at colon.
func cutIfAlias(line []byte, colon int) (name, rest []byte) {
	digits := line[colon+1:]
	digits = digits[:len(digits)-len(bytes.TrimLeft(digits, "0123456789"))]
	end := colon + 1 + len(digits)
	if colon >= ifaceMax || end == len(line) || line[end] != ':' {
		return line[:colon], line[colon+1:]
	}
	if end > ifaceMax {
		return line[:ifaceMax], line[ifaceMax:]
	}
	return line[:end], line[end+1:]
}

// parseIfInet6 reads net/if_inet6 (net/ipv6/addrconf.c, if6_seq_show), which has no header:
//
//	ADDRESS INDEX LEN SCOPE FLAGS IFACE
//
// all in hex, and the address without colons. With a line that is not so netstat never ends.
func parseIfInet6(t *iface.Table, data []byte, warn *warnings) {
	details := make(map[string]*iface.Detail, len(t.Interfaces))
	for i := range t.Interfaces {
		details[t.Interfaces[i].Name] = t.Interfaces[i].Detail
	}
	for number := 1; len(data) > 0; number++ {
		var line []byte
		line, data = cutLine(data)
		var a iface.Addr6
		f := fields{rest: line}
		if bad := parseAddr6(&f, &a); bad != "" {
			warn.bad(number, bad, f.text)
		} else if d := details[string(f.text)]; d != nil {
			d.Inet6 = append(d.Inet6, a)
		}
	}
}

// parseAddr6 sets what a line says, and leaves the name of the interface in f.text. When it cannot, it returns the name of the first bad
// field.
func parseAddr6(f *fields, a *iface.Addr6) (bad string) {
	var index, length, scope, flags uint32
	switch {
	case !f.addr6(&a.Addr):
		return "address"
	case !f.hex(&index, 8):
		return "index"
	case !f.hex(&length, 2):
		return "prefix length"
	case !f.hex(&scope, 2):
		return "scope"
	case !f.hex(&flags, 2):
		return "flags"
	case len(f.word(20)) == 0:
		return "interface"
	}
	a.PrefixLen, a.Scope = uint8(length), iface.Scope(scope)
	return ""
}

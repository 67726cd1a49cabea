// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"

	"netlive/internal/legacy"
)

// A file below that cannot be opened is an *fs.PathError with Op "open" in the error; a kernel without the family lacks the
// file, which is an fs.ErrNotExist.

// IPXSockets reads the sockets of IPX. (Linux 2.2 had them in net/ipx, which netstat would read too, had it not given up by
// then: of a file in that place open(2) says that it is not a directory.)
func (s *Source) IPXSockets(ctx context.Context) (l legacy.List[legacy.IPXSocket], err error) {
	return readSockets(ctx, s, "net/ipx/socket", parseIPX)
}

// AX25Sockets reads the sockets of AX.25.
func (s *Source) AX25Sockets(ctx context.Context) (l legacy.AX25List, err error) {
	data, warn, err := s.readRoutes(ctx, "net/ax25")
	if err != nil {
		return l, err
	}
	l = parseAX25(data, &warn)
	l.Warnings = warn.list()
	return l, nil
}

// X25Sockets reads the sockets of X.25 from where Linux 2.2 had them. Later kernels have a directory there, with a file
// socket in it that netstat does not know: open succeeds, and the error is that of read.
func (s *Source) X25Sockets(ctx context.Context) (l legacy.List[legacy.X25Socket], err error) {
	return readSockets(ctx, s, "net/x25", parseX25)
}

// NetROMSockets reads the sockets of NET/ROM.
func (s *Source) NetROMSockets(ctx context.Context) (l legacy.List[legacy.NetROMSocket], err error) {
	return readSockets(ctx, s, "net/nr", parseNetROM)
}

// ROSESockets reads the sockets of ROSE.
func (s *Source) ROSESockets(ctx context.Context) (l legacy.List[legacy.ROSESocket], err error) {
	return readSockets(ctx, s, "net/rose", parseROSE)
}

// readSockets reads a file with a header.
func readSockets[T any](ctx context.Context, s *Source, file string, parse parseSocket[T]) (l legacy.List[T], err error) {
	data, warn, err := s.readRoutes(ctx, file)
	if err != nil {
		return l, err
	}
	l = parseSockets(data, &warn, parse)
	l.Warnings = warn.list()
	return l, nil
}

// parseSocket reads a line. If it cannot, bad is the name of the first bad field, and told whether netstat says so too:
// if not, it prints what is left of the row before.
type parseSocket[T any] func(line []byte) (socket T, bad string, told bool)

func parseSockets[T any](data []byte, warn *warnings, parse parseSocket[T]) (l legacy.List[T]) {
	for line, number := range lines(data) {
		addSocket(&l, warn, line, number, parse)
	}
	return l
}

func addSocket[T any](l *legacy.List[T], warn *warnings, line []byte, number int, parse parseSocket[T]) {
	socket, bad, told := parse(line)
	if bad != "" {
		warn.bad(number, bad, line)
		if !told {
			return
		}
		var none T
		socket = none
	}
	l.Rows = append(l.Rows, legacy.Row[T]{Socket: socket, Bad: bad})
}

// parseAX25 reads either format of net/ax25. That of Linux 2.0 has a header, the other has none.
func parseAX25(data []byte, warn *warnings) (l legacy.AX25List) {
	if len(data) == 0 {
		return l
	}
	parse := parseSocket[legacy.AX25Socket](parseAX25New)
	first, _ := cutLine(data)
	if l.Old = bytes.HasPrefix(first, []byte("dest_addr")); l.Old {
		parse = parseAX25Old
	} else {
		addSocket(&l.List, warn, first, 1, parse)
	}
	for line, number := range lines(data) {
		addSocket(&l.List, warn, line, number, parse)
	}
	return l
}

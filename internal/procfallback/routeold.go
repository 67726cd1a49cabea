// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"netlive/internal/route"
)

// The files below are of families that are hardly built any more. They have fixed places for
// what netstat takes from them, and a header each.

// AX25Routes reads the routes of AX.25.
func (s *Source) AX25Routes(ctx context.Context) (l route.List[route.AX25Route], err error) {
	return readList(ctx, s, parseAX25Route, "net/ax25_route")
}

// ROSERoutes reads the routes of ROSE. Without the file of neighbours they have numbers alone.
func (s *Source) ROSERoutes(ctx context.Context) (l route.List[route.ROSENode], err error) {
	neighbours, err := readList(ctx, s, parseNeighbour, "net/rose_neigh")
	if ctx.Err() != nil {
		return l, err
	}
	parse := func(line []byte) (route.ROSENode, string) { return parseROSENode(line, neighbours.Routes) }
	l, err = readList(ctx, s, parse, "net/rose_nodes")
	l.Warnings = append(neighbours.Warnings, l.Warnings...)
	return l, err
}

// NetROMRoutes reads the routes of NET/ROM, for which both of its files are needed.
func (s *Source) NetROMRoutes(ctx context.Context) (t route.NetROMTable, err error) {
	neighbours, err := readList(ctx, s, parseNeighbour, "net/nr_neigh")
	parse := func(line []byte) (route.NetROMNode, string) { return parseNetROMNode(line, neighbours.Routes) }
	t.NeighErr = err
	t.List, t.NodesErr = readList(ctx, s, parse, "net/nr_nodes")
	t.Warnings = append(neighbours.Warnings, t.Warnings...)
	if ctx.Err() != nil {
		return t, fmt.Errorf("procfallback: read NET/ROM's routes: %w", ctx.Err())
	}
	return t, nil
}

// X25Routes reads the routes of X.25. The second name of the file is that of Linux 2.2.
func (s *Source) X25Routes(ctx context.Context) (l route.List[route.X25Route], err error) {
	return readList(ctx, s, parseX25Route, "net/x25/route", "net/x25_routes")
}

// IPXRoutes reads the routes of IPX. The second name of the file is that of Linux 2.2.
func (s *Source) IPXRoutes(ctx context.Context) (l route.List[route.IPXRoute], err error) {
	return readList(ctx, s, parseIPXRoute, "net/ipx/route", "net/ipx_route")
}

// DDPRoutes reads the routes of AppleTalk.
func (s *Source) DDPRoutes(ctx context.Context) (l route.List[route.DDPRoute], err error) {
	return readList(ctx, s, parseDDPRoute, "net/atalk_route")
}

// readList reads the first of the files that can be opened. parse returns the name of the first bad field of a line, ""
// for a good one.
func readList[T any](ctx context.Context, s *Source, parse func(line []byte) (T, string), files ...string) (l route.List[T], err error) {
	for _, file := range files {
		var data []byte
		var warn warnings
		var unopened *fs.PathError
		if data, warn, err = s.readRoutes(ctx, file); errors.As(err, &unopened) && unopened.Op == "open" {
			continue
		}
		for line, number := range lines(data) {
			if r, bad := parse(line); bad == "" {
				l.Routes = append(l.Routes, r)
			} else {
				warn.bad(number, bad, line)
			}
		}
		l.Warnings = warn.list()
		break
	}
	return l, err
}

// parseAX25Route reads "CALLSIGN  DEV  MODE ..." (net/ax25/ax25_route.c, ax25_rt_seq_show).
func parseAX25Route(line []byte) (r route.AX25Route, bad string) {
	if len(line) < 14 {
		return r, "route"
	}
	r.Callsign, r.Iface = text(line, 0, 9), text(line, 10, 14)
	decAt(line, 15, &r.Use)
	return r, ""
}

// parseNeighbour reads "NUMBER CALLSIGN  DEV ..." (net/netrom/nr_route.c, nr_neigh_seq_show; net/rose/rose_route.c
// has the same).
func parseNeighbour(line []byte) (n route.Neighbour, bad string) {
	if len(line) < 20 || !decAt(line, 0, &n.Number) {
		return n, "neighbour"
	}
	n.Callsign, n.Iface = text(line, 6, 15), string(line[16:20])
	return n, ""
}

func findNeighbour(all []route.Neighbour, number uint32) *route.Neighbour {
	for i := range all {
		if all[i].Number == number {
			return &all[i]
		}
	}
	return nil
}

// parseNetROMNode reads "CALLSIGN  MNEMONIC W N  QUALITY OBS NEIGHBOUR ..." with N triples, of which the Wth is in use
// (net/netrom/nr_route.c, nr_node_seq_show).
func parseNetROMNode(line []byte, neighbours []route.Neighbour) (n route.NetROMNode, bad string) {
	const tripleAt, tripleLen = 24, 15
	var which, number uint32
	if !decAt(line, 19, &which) || which == 0 || which > math.MaxUint8 {
		return n, "node"
	}
	at := tripleAt + int(which-1)*tripleLen
	if !decAt(line, at, &n.Quality) || !decAt(line, at+8, &number) {
		return n, "node"
	}
	n.Callsign, n.Mnemonic = text(line, 0, 9), text(line, 10, 17)
	n.Neighbour = findNeighbour(neighbours, number)
	return n, ""
}

// parseROSENode reads "ADDRESS MASK N NEIGHBOUR ..." with N neighbours (net/rose/rose_route.c, rose_node_show). Of a
// node that is this host the neighbour is the word loopback: number 0.
func parseROSENode(line []byte, neighbours []route.Neighbour) (n route.ROSENode, bad string) {
	var count uint32
	if !decAt(line, 16, &count) {
		return n, "node"
	}
	n.Address = text(line, 0, 10)
	for at := 18; count > 0 && at < len(line); at, count = at+6, count-1 {
		var number uint32
		decAt(line, at, &number)
		if found := findNeighbour(neighbours, number); found != nil {
			n.Neighbours = append(n.Neighbours, *found)
		} else {
			n.Neighbours = append(n.Neighbours, route.Neighbour{Number: number})
		}
	}
	return n, ""
}

// parseX25Route reads "ADDRESS  DIGITS  DEV" (net/x25/x25_proc.c, x25_seq_route_show).
func parseX25Route(line []byte) (r route.X25Route, bad string) {
	const digitsMax = 15 // X25_ADDR_LEN less the NUL
	if len(line) < digitsMax+2 {
		return r, "route"
	}
	f := fields{rest: line[digitsMax+2:]}
	if !f.dec(&r.Digits) || r.Digits > digitsMax || !f.iface(&r.Iface) {
		return r, "route"
	}
	r.Address = string(line[:r.Digits])
	return r, ""
}

// parseIPXRoute reads "NETWORK ROUTER_NET ROUTER_NODE" in hex, or "NETWORK Directly Connected" (net/ipx/ipx_proc.c,
// ipx_seq_route_show).
func parseIPXRoute(line []byte) (r route.IPXRoute, bad string) {
	f := fields{rest: line}
	if !f.hex(&r.Network, wide) {
		return r, "network"
	}
	rest := f.rest
	if r.Direct = string(f.word(wide)) == "Directly" && string(f.word(wide)) == "Connected"; r.Direct {
		return r, ""
	}
	f.rest = rest
	if !f.hex(&r.RouterNet, wide) {
		return r, "router"
	}
	node := f.word(wide)
	for i := range min(len(node), 2*len(r.RouterNode)) {
		digit := hexDigits[node[i]]
		if digit == 0xff {
			return r, "router"
		}
		r.RouterNode[i/2] |= digit << (4 * (1 - i%2))
	}
	if len(node) == 0 {
		return r, "router"
	}
	return r, ""
}

// parseDDPRoute reads "TARGET ROUTER FLAGS DEV" (net/appletalk/atalk_proc.c, atalk_seq_route_show). The flags are in
// decimal.
func parseDDPRoute(line []byte) (r route.DDPRoute, bad string) {
	f := fields{rest: line}
	r.Dst, r.Gateway = string(f.word(wide)), string(f.word(wide))
	if !f.dec((*uint32)(&r.Flags)) || !f.iface(&r.Iface) {
		return r, "route"
	}
	return r, ""
}

// text is the bytes of a line from one to before another, without the blanks at their end.
func text(line []byte, from, to int) string {
	return strings.TrimRight(string(line[min(from, len(line)):min(to, len(line))]), " ")
}

// decAt reads the number at a place of a line.
func decAt(line []byte, at int, n *uint32) bool {
	f := fields{rest: line[min(at, len(line)):]}
	return f.dec(n)
}

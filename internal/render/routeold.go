// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"
	"syscall"

	"netlive/internal/route"
)

// The families below are hardly built any more. Their tables are the same whatever options are given.

const (
	titleAX25  = "Kernel AX.25 routing table\n"
	headAX25   = "Destination  Iface    Use\n"
	titleNodes = "Kernel NET/ROM routing table\n"
	headNodes  = "Destination  Mnemonic  Quality  Neighbour  Iface\n"
	titleROSE  = "Kernel ROSE routing table\n"
	headROSE   = "Destination  neigh1 callsign  device  neigh2 callsign  device  neigh3 callsign  device\n"
	titleX25   = "Kernel X.25 routing table\n"
	headX25    = "Destination          Iface\n"
	titleIPX   = "Kernel IPX routing table\n"
	headIPX    = "Destination               Router Net                Router Node\n"
	headDDP    = "Destination     Gateway         Device          Flags\n"
)

func (p *routePrinter) ax25() (exitCode int) {
	l, err := p.src.AX25Routes(p.ctx)
	if notOpened(err) {
		return p.unconfigured("/proc/net/ax25_route", err, "AX.25 not configured in this system.\n")
	}
	p.print(titleAX25)
	p.print(headAX25)
	p.Warnings = append(p.Warnings, l.Warnings...)
	for _, e := range l.Routes {
		if p.json {
			o := p.object(route.AX25, e.Callsign, "", e.Iface)
			p.out = append(appendUint(o, `,"use":`, uint64(e.Use)), '}')
			continue
		}
		p.rowf("%-9s    %-5s  %5d\n", e.Callsign, e.Iface, int32(e.Use))
	}
	return 0
}

func (p *routePrinter) netrom() (exitCode int) {
	const nodes, neighbours = "/proc/net/nr_nodes", "/proc/net/nr_neigh"
	t, _ := p.src.NetROMRoutes(p.ctx) // the error is the context's
	noNodes, noNeighbours := notOpened(t.NodesErr), notOpened(t.NeighErr)
	// netstat opens both before it complains, and then gives the reason of the last that failed for the first. What
	// fails last before its second complaint is perror(3)'s own fdopen(3) of a stderr that cannot be read.
	switch {
	case noNodes && noNeighbours:
		p.perror(nodes, t.NeighErr)
		p.perror(neighbours, syscall.EINVAL)
	case noNodes:
		p.perror(nodes, t.NodesErr)
	case noNeighbours:
		p.perror(neighbours, t.NeighErr)
	}
	if noNodes || noNeighbours {
		p.complain("NET/ROM not configured in this system.\n")
		return exitFailed
	}
	p.print(titleNodes)
	p.print(headNodes)
	p.Warnings = append(p.Warnings, t.Warnings...)
	for _, e := range t.Routes {
		gateway, iface := "", ""
		if e.Neighbour != nil {
			gateway, iface = e.Neighbour.Callsign, e.Neighbour.Iface
		}
		switch {
		case p.json:
			o := appendString(append(p.object(route.NetROM, e.Callsign, gateway, iface), `,"mnemonic":`...), []byte(e.Mnemonic))
			p.out = append(appendUint(o, `,"quality":`, uint64(e.Quality)), '}')
		case e.Neighbour == nil: // the line goes on with the next
			p.rowf("%-9s    %-7s   ", e.Callsign, e.Mnemonic)
		default:
			p.rowf("%-9s    %-7s   %3d      %-9s  %s\n", e.Callsign, e.Mnemonic, int32(e.Quality), gateway, iface)
		}
	}
	return 0
}

func (p *routePrinter) rose() (exitCode int) {
	l, err := p.src.ROSERoutes(p.ctx)
	if notOpened(err) {
		p.perror("/proc/net/rose_nodes", err)
		p.errs = append(p.errs, p.Texts.Text("ROSE not configured in this system.\n")...)
		return exitFailed
	}
	p.print(titleROSE)
	p.print(headROSE)
	p.Warnings = append(p.Warnings, l.Warnings...)
	for _, e := range l.Routes {
		if p.json {
			p.out = append(p.object(route.ROSE, e.Address, "", ""), `,"neighbours":[`...)
			for i, n := range e.Neighbours {
				if i > 0 {
					p.out = append(p.out, ',')
				}
				p.out = appendNeighbourJSON(p.out, &n)
			}
			p.out = append(p.out, "]}"...)
			continue
		}
		p.rowf("%-10s   ", e.Address)
		for _, n := range e.Neighbours {
			p.rowf("%05d  ", n.Number)
			if n.Callsign != "" {
				p.rowf("%-10s   %-4s ", n.Callsign, n.Iface)
			}
		}
		p.out = append(p.out, '\n')
	}
	return 0
}

func (p *routePrinter) x25() (exitCode int) {
	l, err := p.src.X25Routes(p.ctx)
	if notOpened(err) {
		p.complain("X.25 not configured in this system.\n")
		return exitFailed
	}
	p.print(titleX25)
	p.print(headX25)
	p.Warnings = append(p.Warnings, l.Warnings...)
	for _, e := range l.Routes {
		switch {
		case p.json:
			o := p.object(route.X25, e.Address, "", e.Iface)
			p.out = append(appendUint(o, `,"digits":`, uint64(e.Digits)), '}')
		case e.Digits == 0:
			p.rowf("*                    %-5s\n", e.Iface)
		default:
			p.rowf("%s/%-*d   %-5s\n", e.Address, 17-int(e.Digits), e.Digits, e.Iface)
		}
	}
	return 0
}

func (p *routePrinter) ipx() (exitCode int) {
	l, err := p.src.IPXRoutes(p.ctx)
	if notOpened(err) {
		p.errs = append(append(p.errs, p.Texts.strerror(err)...), '\n')
		p.complain("IPX routing not in file /proc/net/ipx/route or /proc/net/ipx_route found.\n")
		return exitFailed
	}
	p.print(titleIPX)
	p.print(headIPX)
	p.Warnings = append(p.Warnings, l.Warnings...)
	for _, e := range l.Routes {
		network, node := ipxNetwork(e.RouterNet), ipxNode(e.RouterNode)
		switch {
		case p.json && e.Direct:
			p.out = append(p.object(route.IPX, ipxNetwork(e.Network), "", ""), '}')
		case p.json:
			p.out = append(p.object(route.IPX, ipxNetwork(e.Network), network+":"+node, ""), '}')
		default:
			if e.Direct {
				// netstat takes the words "Directly Connected" for hex digits.
				network, node = "0000000D", "C00000000000"
			}
			p.rowf("%-25s %-25s %-25s\n", ipxNetwork(e.Network), network, node)
		}
	}
	return 0
}

// ipxNetwork is the number of a network, "" for those that no network has.
func ipxNetwork(n uint32) string {
	if n == 0 || n == 1<<32-1 {
		return ""
	}
	return fmt.Sprintf("%08X", n)
}

// ipxNode is the number of a node, "" for none.
func ipxNode(n [6]byte) string {
	if n == [6]byte{} {
		return ""
	}
	return fmt.Sprintf("%X", n[:])
}

func (p *routePrinter) ddp() (exitCode int) {
	l, err := p.src.DDPRoutes(p.ctx)
	if notOpened(err) {
		p.perror("Error opening /proc/net/atalk_route", err)
		p.errs = append(p.errs, p.Texts.Text("DDP (AppleTalk) not configured on this system.\n")...)
		return exitFailed
	}
	p.print(headDDP)
	p.Warnings = append(p.Warnings, l.Warnings...)
	for _, e := range l.Routes {
		if p.json {
			p.out = append(appendFlagsJSON(p.object(route.DDP, e.Dst, e.Gateway, e.Iface), e.Flags, lettersFIB), '}')
			continue
		}
		p.rowf("%-16s%-16s%-16s", e.Dst, e.Gateway, e.Iface)
		p.out = append(appendLetters(p.out, e.Flags, lettersFIB, false), '\n')
	}
	return 0
}

// rowf appends a row, or a part of one.
func (p *routePrinter) rowf(format string, values ...any) {
	for i, v := range values {
		if s, ok := v.(string); ok {
			values[i] = string(appendName(nil, []byte(s), p.Escape))
		}
	}
	p.out = fmt.Appendf(p.out, format, values...)
}

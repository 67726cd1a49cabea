// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"strings"

	"netlive/internal/legacy"
)

// The lines are read as netstat reads them, by scanf(3) or by place, but for those that end too soon: there netstat would go
// on in the line before, of which its buffer has the rest.

// parseIPX reads "LOCAL REMOTE TX_QUEUE RX_QUEUE STATE UID" (net/ipx/ipx_proc.c, ipx_seq_socket_show), in hex but
// for the uid. (netstat takes the state for decimal.)
func parseIPX(line []byte) (s legacy.IPXSocket, bad string, told bool) {
	f := fields{rest: line}
	local := f.word(wide)
	if len(local) == 0 {
		return s, "local address", false
	}
	if !parseIPXAddr(local, &s.Local) {
		return s, legacy.BadIPXLocal, true
	}
	remote := f.word(wide)
	if s.Connected = string(remote) != "Not_Connected"; s.Connected && !parseIPXAddr(remote, &s.Remote) {
		return s, legacy.BadIPXRemote, true
	}
	switch {
	case !f.hex(&s.TxQueue, wide), !f.hex(&s.RxQueue, wide):
		return s, "queues", false
	case !f.hex(&s.State, wide):
		return s, "state", false
	case !f.dec(&s.UID):
		return s, "uid", false
	}
	return s, "", false
}

// parseIPXAddr reads NETWORK:NODE:PORT or NETWORK:PORT. A node that is short is the beginning of one.
func parseIPXAddr(text []byte, a *legacy.IPXAddr) bool {
	colon := bytes.LastIndexByte(text, ':')
	if colon < 0 {
		return false
	}
	f := fields{rest: text[colon+1:]}
	f.hex16(&a.Port)
	network, node, _ := bytes.Cut(text[:colon], []byte{':'})
	f.rest = network
	f.hex(&a.Network, wide)
	for i := range min(len(node), 2*len(a.Node)) {
		digit := hexDigits[node[i]]
		if digit == 0xff {
			break
		}
		a.Node[i/2] |= digit << (4 * (1 - i%2))
	}
	return true
}

// parseAX25New reads "MAGIC DEV SRC[*] DST[,DIGI...] ST VS VR" and 14 more numbers, then either "SNDQ RCVQ INODE" or
// "* * *" (net/ax25/af_ax25.c, ax25_info_show). Just one blank parts the words.
func parseAX25New(line []byte) (s legacy.AX25Socket, bad string, told bool) {
	var words [4]string
	for i, name := range [...]string{"magic", "device", "source", "destination"} {
		word, rest, ok := bytes.Cut(line, []byte{' '})
		if !ok {
			return s, name, true
		}
		words[i], line = string(word), rest
	}
	s.Iface, s.Source = words[1], words[2]
	if source, digi := strings.CutSuffix(s.Source, "*"); digi && source != "" {
		s.Source, s.Digi = source, true
	}
	dest, via, _ := strings.Cut(words[3], ",")
	if s.Dest = dest; via != "" {
		s.Via = strings.Split(via, ",")
	}
	f := fields{rest: line}
	if !f.decs(&s.State, &s.VS, &s.VR) {
		return s, "state", true
	}
	return s, parseAX25Queues(&s, &f, f.skip(14)), true
}

// parseAX25Old reads "DST SRC DEV ST VS VR VA T1 T2 T3 IDLE N2 RTT WND", of which the timers and N2 are pairs with
// slashes, then either "PACLEN SNDQ RCVQ INODE" or nothing. The places of the first two are fixed.
func parseAX25Old(line []byte) (s legacy.AX25Socket, bad string, told bool) {
	const sourceAt, ifaceAt, callLen = 10, 20, 9
	if len(line) < ifaceAt {
		return s, "source", true
	}
	s.Dest, s.Source = text(line, 0, callLen), text(line, sourceAt, sourceAt+callLen)
	f := fields{rest: line[ifaceAt:]}
	if s.Iface = string(f.word(wide)); s.Iface == "" {
		return s, "device", true
	}
	if !f.decs(&s.State, &s.VS, &s.VR) {
		return s, "state", true
	}
	return s, parseAX25Queues(&s, &f, f.skip(1) && f.skipPairs(5) && f.skip(3)), true
}

// parseAX25Queues reads the end of a line of AX.25, if it got there: if not, there is none.
func parseAX25Queues(s *legacy.AX25Socket, f *fields, there bool) (bad string) {
	if !there || !f.dec(&s.SendQueue) {
		return ""
	}
	if s.Attached = f.dec(&s.RecvQueue); !s.Attached {
		return "receive queue"
	}
	f.dec(&s.Inode)
	return ""
}

// parseX25 reads "DST SRC DEV LCI ST VS VR VA T T2 T21 T22 T23 SNDQ RCVQ INODE" with the first two in fixed places and the
// channel in hex, which netstat takes for decimal (net/x25/af_x25.c of Linux 2.2, x25_get_info).
func parseX25(line []byte) (s legacy.X25Socket, bad string, told bool) {
	const sourceAt, ifaceAt, addrLen = 11, 22, 10
	if len(line) < ifaceAt {
		return s, "source", false
	}
	s.Dest, s.Source = text(line, 0, addrLen), text(line, sourceAt, sourceAt+addrLen)
	f := fields{rest: line[ifaceAt:]}
	if s.Iface = string(f.word(wide)); s.Iface == "" {
		return s, "device", false
	}
	switch {
	case !f.hex(&s.LCI, wide):
		return s, "channel", false
	case !f.decs(&s.State, &s.VS, &s.VR):
		return s, "state", false
	case !f.skip(6) || !f.decs(&s.SendQueue, &s.RecvQueue):
		return s, "queues", false
	}
	f.dec(&s.Inode)
	return s, "", false
}

// parseNetROM reads "USER DST SRC DEV MY YOUR ST VS VR VA T1 T2 T4 IDLE N2 WND SNDQ RCVQ INODE" with the first three in
// fixed places (net/netrom/af_netrom.c, nr_info_show). The circuits MY and YOUR are pairs of hex numbers with a slash, the
// timers and N2 of decimal ones.
func parseNetROM(line []byte) (s legacy.NetROMSocket, bad string, told bool) {
	const destAt, sourceAt, ifaceAt, callLen = 10, 20, 30, 9
	if len(line) < ifaceAt {
		return s, "source", true
	}
	s.User = text(line, 0, callLen)
	s.Dest, s.Source = text(line, destAt, destAt+callLen), text(line, sourceAt, sourceAt+callLen)
	f := fields{rest: line[ifaceAt:]}
	if s.Iface = string(f.word(wide)); s.Iface == "" {
		return s, "device", true
	}
	var circuit uint32
	for range 2 {
		if !f.hex(&circuit, wide) || !f.slash() || !f.hex(&circuit, wide) {
			return s, "circuit", true
		}
	}
	switch {
	case !f.decs(&s.State, &s.VS, &s.VR):
		return s, "state", true
	case !f.skip(1) || !f.skipPairs(5) || !f.skip(1):
		return s, "timers", true
	case !f.decs(&s.SendQueue, &s.RecvQueue):
		return s, "queues", true
	}
	f.dec(&s.Inode)
	return s, "", false
}

// parseROSE reads "DST_ADDR DST_CALL SRC_ADDR SRC_CALL DEV LCI NEIGH ST VS VR VA T T1 T2 T3 HB IDLE SNDQ RCVQ INODE"
// (net/rose/af_rose.c, rose_info_show). The channel is in hex, which netstat takes for decimal; IDLE is a pair.
func parseROSE(line []byte) (s legacy.ROSESocket, bad string, told bool) {
	f := fields{rest: line}
	for _, word := range [...]struct {
		to   *string
		name string
	}{
		{&s.DestAddr, "destination address"}, {&s.DestCall, "destination"},
		{&s.SourceAddr, "source address"}, {&s.SourceCall, "source"}, {&s.Iface, "device"},
	} {
		if *word.to = string(f.word(wide)); *word.to == "" {
			return s, word.name, true
		}
	}
	switch {
	case !f.hex(&s.LCI, wide):
		return s, "channel", true
	case !f.dec(&s.Neighbour):
		return s, "neighbour", true
	case !f.dec(&s.State):
		return s, "state", true
	}
	s.Whole = f.decs(&s.VS, &s.VR) && f.skip(6) && f.skipPairs(1) && f.decs(&s.SendQueue, &s.RecvQueue, &s.Inode)
	return s, "", false
}

// decs cuts decimal numbers.
func (f *fields) decs(numbers ...*uint32) bool {
	for _, n := range numbers {
		if !f.dec(n) {
			return false
		}
	}
	return true
}

// skip cuts n decimal numbers.
func (f *fields) skip(n int) bool {
	var number uint32
	for range n {
		if !f.dec(&number) {
			return false
		}
	}
	return true
}

// skipPairs cuts n times NUMBER/NUMBER.
func (f *fields) skipPairs(n int) bool {
	for range n {
		if !f.skip(1) || !f.slash() || !f.skip(1) {
			return false
		}
	}
	return true
}

// slash cuts a slash, which must be next.
func (f *fields) slash() bool {
	if len(f.rest) == 0 || f.rest[0] != '/' {
		return false
	}
	f.rest = f.rest[1:]
	return true
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"net/netip"
	"strconv"

	"netlive/internal/iface"
)

// AppendJSON appends to out what AppendInterfacesJSON does, and to errs what ails the table. It never errs as Strict does.
func (p *Interfaces) AppendJSON(out, errs []byte, t *iface.Table) (_, _ []byte, exitCode int) {
	lenient := *p
	lenient.Strict, lenient.Extend, lenient.titled = false, 0, true
	_, errs, exitCode = lenient.Append(nil, errs, t)
	return AppendInterfacesJSON(out, t, p.All), errs, exitCode
}

// AppendInterfacesJSON appends one JSON array of the interfaces that are up, or of all. They have, whatever is not known
// being null:
//
//	name
//	flags        names of IFF_ flags; flags_raw has the bits
//	mtu          bytes
//	type         netstat's word: ether, loop, ...; type_raw is the number of ARPHRD_
//	hwaddr       in hex with colons; null where it is not known how long it is
//	txqueuelen   packets
//	inet         the first IPv4 address under that name: address, netmask, broadcast, destination; null for none
//	inet6        the IPv6 addresses: address, prefix_len, scope, scope_raw
//	irq, base_addr, mem_start, mem_end, dma, port   of the device; 0 is none
//	rx_bytes, rx_packets, ..., tx_compressed        the counters; null of an alias, which has none
func AppendInterfacesJSON(b []byte, t *iface.Table, all bool) []byte {
	b = append(b, '[')
	for i := range t.Interfaces {
		if f := &t.Interfaces[i]; f.Err == nil && (all || f.Flags.Has(iface.FlagUp)) {
			b = appendInterfaceJSON(AppendComma(b), f)
		}
	}
	return append(b, "]\n"...)
}

func appendInterfaceJSON(b []byte, f *iface.Interface) []byte {
	b = appendTextJSON(b, `{"name":`, f.Name)
	b = append(b, `,"flags":[`...)
	first := true
	for name := range f.Flags.Names {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), name...), '"')
	}
	b = appendUint(b, `],"flags_raw":`, uint64(f.Flags))
	b = appendUint(b, `,"mtu":`, uint64(uint32(f.MTU)))
	b = appendDetailJSON(b, f.Detail)
	return append(appendStatsJSON(b, f.Stats), '}')
}

func appendDetailJSON(b []byte, d *iface.Detail) []byte {
	if d == nil {
		return append(b, `,"type":null,"type_raw":null,"hwaddr":null,"txqueuelen":null,"inet":null,"inet6":null,`+
			`"irq":null,"base_addr":null,"mem_start":null,"mem_end":null,"dma":null,"port":null`...)
	}
	b = appendHardwareJSON(b, d)
	b = append(b, `,"txqueuelen":`...)
	if d.TxQueueLen < 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendUint(b, uint64(d.TxQueueLen), 10)
	}
	b = appendInetJSON(b, d.Inet)
	b = append(b, `,"inet6":[`...)
	for i := range d.Inet6 {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendAddr6JSON(b, &d.Inet6[i])
	}
	b = appendUint(b, `],"irq":`, uint64(d.Map.IRQ))
	b = appendUint(b, `,"base_addr":`, uint64(d.Map.BaseAddr))
	b = appendUint(b, `,"mem_start":`, d.Map.MemStart)
	b = appendUint(b, `,"mem_end":`, d.Map.MemEnd)
	b = appendUint(b, `,"dma":`, uint64(d.Map.DMA))
	return appendUint(b, `,"port":`, uint64(d.Map.Port))
}

func appendHardwareJSON(b []byte, d *iface.Detail) []byte {
	if d.HWType == iface.HWVoid {
		return append(b, `,"type":null,"type_raw":null,"hwaddr":null`...)
	}
	hw, ok := hardwares[d.HWType]
	if !ok {
		hw = hardwareUnknown
	}
	b = appendTextJSON(b, `,"type":`, hw.name)
	b = appendUint(b, `,"type_raw":`, uint64(d.HWType))
	text := ""
	if hw.length > 0 {
		text = hexBytes("%02x", ":", d.HWAddr[:hw.length])
	}
	return appendTextJSON(b, `,"hwaddr":`, text)
}

func appendInetJSON(b []byte, a *iface.Inet) []byte {
	b = append(b, `,"inet":`...)
	if a == nil {
		return append(b, "null"...)
	}
	for _, n := range [...]struct {
		name string
		addr netip.Addr
	}{{`{"address":`, a.Addr}, {`,"netmask":`, a.Netmask}, {`,"broadcast":`, a.Broadcast}, {`,"destination":`, a.Destination}} {
		b = appendAddrOrNull(append(b, n.name...), n.addr)
	}
	return append(b, '}')
}

func appendAddr6JSON(b []byte, a *iface.Addr6) []byte {
	b = appendAddrOrNull(append(b, `{"address":`...), a.Addr)
	b = appendUint(b, `,"prefix_len":`, uint64(a.PrefixLen))
	scope := ""
	switch a.Scope &^ iface.ScopeCompatV4 {
	case iface.ScopeGlobal:
		scope = "global"
	case iface.ScopeHost:
		scope = "host"
	case iface.ScopeLink:
		scope = "link"
	case iface.ScopeSite:
		scope = "site"
	}
	b = appendTextJSON(b, `,"scope":`, scope)
	return append(appendUint(b, `,"scope_raw":`, uint64(a.Scope)), '}')
}

// ifaceCounters are the names of counters.
var ifaceCounters = [...]struct {
	name  string
	value func(s *iface.Stats) uint64
}{
	{"rx_bytes", func(s *iface.Stats) uint64 { return s.RxBytes }},
	{"rx_packets", func(s *iface.Stats) uint64 { return s.RxPackets }},
	{"rx_errors", func(s *iface.Stats) uint64 { return s.RxErrors }},
	{"rx_dropped", func(s *iface.Stats) uint64 { return s.RxDropped }},
	{"rx_fifo", func(s *iface.Stats) uint64 { return s.RxFIFO }},
	{"rx_frame", func(s *iface.Stats) uint64 { return s.RxFrame }},
	{"rx_compressed", func(s *iface.Stats) uint64 { return s.RxCompressed }},
	{"rx_multicast", func(s *iface.Stats) uint64 { return s.RxMulticast }},
	{"tx_bytes", func(s *iface.Stats) uint64 { return s.TxBytes }},
	{"tx_packets", func(s *iface.Stats) uint64 { return s.TxPackets }},
	{"tx_errors", func(s *iface.Stats) uint64 { return s.TxErrors }},
	{"tx_dropped", func(s *iface.Stats) uint64 { return s.TxDropped }},
	{"tx_fifo", func(s *iface.Stats) uint64 { return s.TxFIFO }},
	{"tx_collisions", func(s *iface.Stats) uint64 { return s.TxCollisions }},
	{"tx_carrier", func(s *iface.Stats) uint64 { return s.TxCarrier }},
	{"tx_compressed", func(s *iface.Stats) uint64 { return s.TxCompressed }},
}

func appendStatsJSON(b []byte, s *iface.Stats) []byte {
	for _, c := range ifaceCounters {
		b = append(append(append(b, `,"`...), c.name...), `":`...)
		if s == nil {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendUint(b, c.value(s), 10)
		}
	}
	return b
}

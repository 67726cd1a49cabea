// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"net/netip"
	"strconv"

	"netlive/internal/iface"
)

const (
	textName   = "%s: %s  mtu %d"
	textSerial = "  outfill %d  keepalive %d"

	textAddress     = "        %s %s"
	textNetmask     = "  netmask %s"
	textBroadcast   = "  broadcast %s"
	textDestination = "  destination %s"
	textNone        = "[NONE SET]"
	textAddress6    = "        %s %s  prefixlen %d"
	textScope       = "  scopeid 0x%x"

	textHardware = "        %s"
	textQueue    = "  txqueuelen %d"
	textMedia    = "        media %s"
	textAuto     = "autoselect"

	textReceived     = "RX packets %llu  bytes %llu (%lu.%lu %s)\n"
	textReceivedLess = "RX compressed:%lu\n"
	textReceivedBad  = "RX errors %lu  dropped %lu  overruns %lu  frame %lu\n"
	textSent         = "TX packets %llu  bytes %llu (%lu.%lu %s)\n"
	textSentLess     = "TX compressed %lu\n"
	textSentBad      = "TX errors %lu  dropped %lu overruns %lu  carrier %lu  collisions %lu\n"

	textInterrupt = "interrupt %d  "
	textBase      = "base 0x%x  "
	textMemory    = "memory 0x%lx-%lx  "
	textDMA       = "  dma 0x%x"

	indent = "        "
)

// unasked stands for details that are not there.
var unasked = iface.Detail{HWType: iface.HWVoid, TxQueueLen: -1}

// long appends an interface in the long form, with an empty line.
func (p *Interfaces) long(b []byte, f *iface.Interface) []byte {
	d := f.Detail
	if d == nil {
		d = &unasked
	}
	b = p.appendf(b, textName, p.name(f), p.flags(f.Flags), f.MTU)
	if d.Outfill != 0 || d.Keepalive != 0 {
		b = p.appendf(b, textSerial, d.Outfill, d.Keepalive)
	}
	b = append(b, '\n')
	if d.Inet != nil {
		b = p.appendInet(b, f.Flags, d.Inet)
	}
	for _, a := range d.Inet6 {
		b = p.appendf(b, textAddress6, "inet6", appendAddr(nil, a.Addr), a.PrefixLen)
		b = p.appendf(b, textScope, uint8(a.Scope))
		b = append(append(b, p.scope(a.Scope)...), '\n')
	}
	b = p.appendHardware(b, f.Flags, d)
	if s := p.stats(f); s != nil {
		b = p.appendStats(b, d.HWType, s)
	}
	return append(p.appendMap(b, &d.Map), '\n')
}

// ifaceFlags are the names of flags, in netstat's order.
var ifaceFlags = [...]struct {
	flag iface.Flags
	text string
}{
	{iface.FlagUp, "UP,"}, {iface.FlagBroadcast, "BROADCAST,"}, {iface.FlagDebug, "DEBUG,"}, {iface.FlagLoopback, "LOOPBACK,"},
	{iface.FlagPointToPoint, "POINTOPOINT,"}, {iface.FlagNoTrailers, "NOTRAILERS,"}, {iface.FlagRunning, "RUNNING,"},
	{iface.FlagNoARP, "NOARP,"}, {iface.FlagPromisc, "PROMISC,"}, {iface.FlagAllMulti, "ALLMULTI,"}, {iface.FlagSlave, "SLAVE,"},
	{iface.FlagMaster, "MASTER,"}, {iface.FlagMulticast, "MULTICAST,"}, {iface.FlagDynamic, "DYNAMIC,"},
}

// flags is the flags as a signed number and as names.
func (p *Interfaces) flags(f iface.Flags) string {
	text := "flags=" + strconv.Itoa(int(int16(f))) + "<"
	if f == 0 {
		text += ">"
	}
	for _, n := range ifaceFlags {
		if f.Has(n.flag) {
			text += p.Texts.Text(n.text)
		}
	}
	return closeList(text)
}

// closeList turns the comma at the end of a list into its bracket. Where there is no comma, because there is no name in the
// list, the last byte goes, whatever it is.
func closeList(text string) string {
	last := len(text) - 1
	if text[last] == ',' {
		return text[:last] + ">"
	}
	return text[:last]
}

// scope names a scope.
func (p *Interfaces) scope(s iface.Scope) string {
	text := "<"
	if s&iface.ScopeCompatV4 != 0 {
		text += p.Texts.Text("compat,")
		s &^= iface.ScopeCompatV4
	}
	if s == iface.ScopeGlobal {
		text += p.Texts.Text("global,")
	}
	for _, n := range [...]struct {
		scope iface.Scope
		text  string
	}{{iface.ScopeLink, "link,"}, {iface.ScopeSite, "site,"}, {iface.ScopeHost, "host,"}} {
		if s&n.scope != 0 {
			text += p.Texts.Text(n.text)
		}
	}
	return closeList(text)
}

func (p *Interfaces) appendInet(b []byte, f iface.Flags, a *iface.Inet) []byte {
	b = p.appendf(b, textAddress, "inet", p.addr(a.Addr))
	b = p.appendf(b, textNetmask, p.addr(a.Netmask))
	if f.Has(iface.FlagBroadcast) {
		b = p.appendf(b, textBroadcast, p.addr(a.Broadcast))
	}
	if f.Has(iface.FlagPointToPoint) {
		b = p.appendf(b, textDestination, p.addr(a.Destination))
	}
	return append(b, '\n')
}

func (p *Interfaces) addr(a netip.Addr) string {
	if !a.IsValid() {
		return p.Texts.Text(textNone)
	}
	return a.String()
}

// appendHardware appends the line about the hardware and its address, and that about its medium.
func (p *Interfaces) appendHardware(b []byte, f iface.Flags, d *iface.Detail) []byte {
	hw, ok := hardwares[d.HWType]
	if !ok {
		hw = hardwareUnknown
	}
	addr := d.HWAddr[:hwAddrMax]
	if hw.print == nil || hw.hideZero && bytes.Count(addr, []byte{0}) == len(addr) {
		b = p.appendf(b, textHardware, hw.name)
	} else {
		b = p.appendf(b, textAddress, hw.name, appendName(nil, []byte(hw.print(addr)), p.Escape))
	}
	if d.TxQueueLen != -1 {
		b = p.appendf(b, textQueue, d.TxQueueLen)
	}
	b = append(append(append(b, "  ("...), p.Texts.Text(hw.title)...), ")\n"...)
	if !f.Has(iface.FlagPortSel) {
		return b
	}
	medium := "(null)"
	if int(d.Map.Port) < len(media) {
		medium = media[d.Map.Port]
	}
	b = p.appendf(b, textMedia, medium)
	if f.Has(iface.FlagAutoMedia) {
		b = append(b, p.Texts.Text(textAuto)...)
	}
	return append(b, '\n')
}

// media are the names of IF_PORT_UNKNOWN and so on.
var media = [...]string{"unknown", "10base2", "10baseT", "AUI", "100baseT", "100baseTX", "100baseFX"}

func (p *Interfaces) appendStats(b []byte, t iface.HWType, s *iface.Stats) []byte {
	squeezes := t == iface.HWCSLIP || t == iface.HWCSLIP6
	whole, tenth, unit := humanBytes(s.RxBytes)
	b = p.appendf(append(b, indent...), textReceived, s.RxPackets, s.RxBytes, whole, tenth, unit)
	if squeezes {
		b = p.appendf(append(b, indent...), textReceivedLess, s.RxCompressed)
	}
	b = p.appendf(append(b, indent...), textReceivedBad, s.RxErrors, s.RxDropped, s.RxFIFO, s.RxFrame)
	whole, tenth, unit = humanBytes(s.TxBytes)
	b = p.appendf(append(b, indent...), textSent, s.TxPackets, s.TxBytes, whole, tenth, unit)
	if squeezes {
		b = p.appendf(append(b, indent...), textSentLess, s.TxCompressed)
	}
	return p.appendf(append(b, indent...), textSentBad, s.TxErrors, s.TxDropped, s.TxFIFO, s.TxCarrier, s.TxCollisions)
}

// humanBytes is n in the largest unit of which it has more than one, cut after a tenth.
func humanBytes(n uint64) (whole, tenth uint64, unit string) {
	const tenthOfEiB = 115292150460684697
	tenths := n * 10 // too large for 64 bits only where it is not used
	unit = "B"
	if n > 1<<60 {
		tenths, unit = n/tenthOfEiB, "EiB"
	} else {
		for i, larger := range [...]string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
			if shift := 10 * (i + 1); n > 1<<shift {
				tenths, unit = n*10>>shift, larger
			}
		}
	}
	return tenths / 10, tenths % 10, unit
}

// appendMap appends the line about a device's resources, if it has any.
func (p *Interfaces) appendMap(b []byte, m *iface.Map) []byte {
	const basePorts = 0x100 // below that it is no address of ports
	if m.IRQ == 0 && m.MemStart == 0 && m.DMA == 0 && m.BaseAddr < basePorts {
		return b
	}
	b = append(b, "        device "...)
	if m.IRQ != 0 {
		b = p.appendf(b, textInterrupt, m.IRQ)
	}
	if m.BaseAddr >= basePorts {
		b = p.appendf(b, textBase, m.BaseAddr)
	}
	if m.MemStart != 0 {
		b = p.appendf(b, textMemory, m.MemStart, m.MemEnd)
	}
	if m.DMA != 0 {
		b = p.appendf(b, textDMA, m.DMA)
	}
	return append(b, '\n')
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"netlive/internal/iface"
)

// Interfaces is net-tools 2.10's netstat -i, byte for byte.
type Interfaces struct {
	All    bool // those that are down too
	Extend int  // how many -e; more than 0 is the long form, for which details are needed
	Texts  Texts
	// Escape makes names of interfaces safe for a terminal, where netstat would let them through.
	Escape bool
	// Strict errs as netstat does: one interface that is gone by the time it is asked about ends the list, and those whose names
	// have 15 bytes have counted nothing (so it is since Debian 12's net-tools 2.10-0.1+deb12u2).
	Strict bool

	titled bool // the title comes before the first table alone
}

const (
	titleInterfaces = "Kernel Interface table\n"
	headInterfaces  = "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n"

	noFamilies   = "No usable address families found.\n"
	noDev        = "Warning: cannot open %s (%s). Limited output.\n"
	noInet       = "warning: no inet socket available: %s\n"
	noInterface  = "%s: error fetching interface information: %s\n"
	noInterfaces = "missing interface information"
	noDevice     = "Device not found"
	noStatistics = "     - no statistics available -"
	noFlags      = "[NO FLAGS]"
)

// Append appends to out what netstat prints on stdout and to errs what it prints on stderr.
func (p *Interfaces) Append(out, errs []byte, t *iface.Table) (_, _ []byte, exitCode int) {
	if t.NoSocket != nil {
		return out, p.Texts.AppendPerror(append(errs, p.Texts.Text(noFamilies)...), "socket", p.whyNoSocket(t.NoSocket)), exitFailed
	}
	if !p.titled {
		out = append(out, p.Texts.Text(titleInterfaces)...)
		p.titled = true
	}
	if p.Extend == 0 {
		out = append(out, p.Texts.Text(headInterfaces)...)
	}
	if errs = p.appendLacking(errs, t); t.NoDev != nil && t.NoConf != nil {
		return out, p.appendMissing(errs, t.NoConf), exitFailed
	}
	for i := range t.Interfaces {
		switch f := &t.Interfaces[i]; {
		case f.Err != nil:
			if !p.Strict && errors.Is(f.Err, syscall.ENODEV) {
				continue
			}
			errs, exitCode = p.appendGone(errs, f), exitFailed
			if p.Strict {
				return out, p.appendMissing(errs, f.Err), exitFailed
			}
		case !p.All && !f.Flags.Has(iface.FlagUp):
		case p.Extend > 0:
			out = p.long(out, f)
		default:
			out = p.Row(out, f)
		}
	}
	return out, errs, exitCode
}

// appendLacking tells what could not be read or asked.
func (p *Interfaces) appendLacking(errs []byte, t *iface.Table) []byte {
	const dev = "/proc/net/dev"
	switch {
	case notOpened(t.NoDev):
		errs = p.appendf(errs, noDev, dev, p.Texts.strerror(t.NoDev))
	case t.NoDev != nil:
		errs = p.Texts.AppendPerror(errs, dev, t.NoDev)
	}
	if t.NoInet != nil {
		errs = p.appendf(errs, noInet, p.Texts.strerror(p.whyNoSocket(t.NoInet)))
	}
	if t.NoConf != nil {
		errs = p.Texts.AppendPerror(errs, "SIOCGIFCONF", t.NoConf)
	}
	return errs
}

// whyNoSocket is the reason netstat gives: that of the last family it tried, whose file in /proc is hardly ever there.
func (p *Interfaces) whyNoSocket(err error) error {
	if p.Strict {
		return syscall.ENOENT
	}
	return err
}

func (p *Interfaces) appendMissing(errs []byte, err error) []byte {
	return p.Texts.AppendPerror(errs, p.Texts.Text(noInterfaces), err)
}

func (p *Interfaces) appendGone(errs []byte, f *iface.Interface) []byte {
	why := p.Texts.Text(noDevice)
	if !errors.Is(f.Err, syscall.ENODEV) {
		why = p.Texts.strerror(f.Err)
	}
	return p.appendf(errs, noInterface, p.name(f), why)
}

// sizes are those of printf's numbers, which fmt knows by themselves.
var sizes = strings.NewReplacer("%llu", "%d", "%lu", "%d", "%lx", "%x")

// appendf appends a text with the arguments that printf(3) would have.
func (p *Interfaces) appendf(b []byte, text string, args ...any) []byte {
	return fmt.Appendf(b, sizes.Replace(p.Texts.Text(text)), args...)
}

// name is the name of an interface, which whoever made it chose.
func (p *Interfaces) name(f *iface.Interface) string {
	return string(appendName(nil, []byte(f.Name), p.Escape))
}

// stats are the statistics that are shown.
func (p *Interfaces) stats(f *iface.Interface) *iface.Stats {
	if f.Stats != nil && p.Strict && len(f.Name) == nameMax && !f.IsAlias() {
		return &iface.Stats{}
	}
	return f.Stats
}

// nameMax is how long a name is at most (IFNAMSIZ less the NUL).
const nameMax = 15

// Row appends an interface in the short form.
func (p *Interfaces) Row(b []byte, f *iface.Interface) []byte {
	at := len(b)
	b = append(padTo(append(b, p.name(f)...), at, nameMax), ' ')
	b = append(appendSigned(b, uint32(f.MTU), 5), ' ')
	if s := p.stats(f); s != nil {
		b = append(appendRight(b, s.RxPackets, 8), ' ')
		b = append(appendRight(b, s.RxErrors, 6), ' ')
		b = append(appendRight(b, s.RxDropped, 6), ' ')
		at = len(b)
		b = append(padTo(appendRight(b, s.RxFIFO, 0), at, 6), ' ')
		b = append(appendRight(b, s.TxPackets, 8), ' ')
		b = append(appendRight(b, s.TxErrors, 6), ' ')
		b = append(appendRight(b, s.TxDropped, 6), ' ')
		b = append(appendRight(b, s.TxFIFO, 6), ' ')
	} else {
		at = len(b)
		b = padTo(append(b, p.Texts.Text(noStatistics)...), at, 56)
	}
	if f.Flags == 0 {
		b = append(b, p.Texts.Text(noFlags)...)
	}
	for _, l := range ifaceLetters {
		if f.Flags.Has(l.flag) {
			b = append(b, l.letter)
		}
	}
	return append(b, '\n')
}

// ifaceLetters are netstat's, in its order. Two flags have the same.
var ifaceLetters = [...]struct {
	flag   iface.Flags
	letter byte
}{
	{iface.FlagAllMulti, 'A'}, {iface.FlagBroadcast, 'B'}, {iface.FlagDebug, 'D'}, {iface.FlagLoopback, 'L'}, {iface.FlagMulticast, 'M'},
	{iface.FlagDynamic, 'd'}, {iface.FlagPromisc, 'P'}, {iface.FlagNoTrailers, 'N'}, {iface.FlagNoARP, 'O'}, {iface.FlagPointToPoint, 'P'},
	{iface.FlagSlave, 's'}, {iface.FlagMaster, 'm'}, {iface.FlagRunning, 'R'}, {iface.FlagUp, 'U'},
}

// hwAddrMax is how many bytes of a hardware address netstat keeps.
const hwAddrMax = 8

// hardware is how netstat shows a type of hardware and its addresses.
type hardware struct {
	name, title string
	length      int                      // of an address in bytes, 0 if there is none to show
	print       func(addr []byte) string // nil: no address, as at most one byte of none would be
	hideZero    bool
}

var hardwareUnknown = hardware{name: "unspec", title: "UNSPEC", print: func(addr []byte) string {
	return hexBytes("%02X", "-", append(addr[:hwAddrMax:hwAddrMax], make([]byte, 8)...))
}}

// hardwares are those that netstat knows.
var hardwares = map[iface.HWType]hardware{
	0:   {name: "netrom", title: "AMPR NET/ROM", length: 7, print: callsign},
	1:   {name: "ether", title: "Ethernet", length: 6, print: hexAddr("%02x", ":", 6)},
	3:   {name: "ax25", title: "AMPR AX.25", length: 7, print: callsign},
	7:   {name: "arcnet", title: "ARCnet", length: 1, print: hexAddr("%02X", "", 1)},
	15:  {name: "dlci", title: "Frame Relay DLCI", print: dlci},
	27:  {name: "eui64", title: "Generic EUI-64", length: 8, print: hexAddr("%02X", ":", 8)},
	256: {name: "slip", title: "Serial Line IP"},
	257: {name: "cslip", title: "VJ Serial Line IP"},
	258: {name: "slip6", title: "6-bit Serial Line IP"},
	259: {name: "cslip6", title: "VJ 6-bit Serial Line IP"},
	264: {name: "adaptive", title: "Adaptive Serial Line IP"},
	270: {name: "rose", title: "AMPR ROSE", length: 5, print: hexAddr("%02x", "", 5)},
	271: {name: "x25", title: "generic X.25", print: x25Addr},
	512: {name: "ppp", title: "Point-to-Point Protocol"},
	513: {name: "hdlc", title: "(Cisco)-HDLC"},
	516: {name: "lapb", title: "LAPB"},
	768: {name: "tunnel", title: "IPIP Tunnel", print: func([]byte) string { return "" }},
	770: {name: "frad", title: "Frame Relay Access Device"},
	772: {name: "loop", title: "Local Loopback"},
	774: {name: "fddi", title: "Fiber Distributed Data Interface", length: 6, print: hexAddr("%02X", "-", 6)},
	776: {name: "sit", title: "IPv6-in-IPv4"},
	780: {name: "hippi", title: "HIPPI", length: 6, print: hexAddr("%02X", ":", 6)},
	781: {name: "ash", title: "Ash", print: ashAddr, hideZero: true},
	782: {name: "ec", title: "Econet"},
	783: {name: "irda", title: "IrLAP", length: 4, print: irdaAddr},
}

func hexAddr(format, between string, length int) func([]byte) string {
	return func(addr []byte) string { return hexBytes(format, between, addr[:length]) }
}

func hexBytes(format, between string, addr []byte) string {
	words := make([]string, len(addr))
	for i, c := range addr {
		words[i] = fmt.Sprintf(format, c)
	}
	return strings.Join(words, between)
}

// callsign is an address of AX.25, which has its characters a bit to the left, and a number.
func callsign(addr []byte) string {
	const length = 6
	call := make([]byte, length, len("ABCDEF-15"))
	for i := range call {
		call[i] = addr[i] >> 1
	}
	if end := bytes.IndexAny(call, " \x00"); end >= 0 {
		call = call[:end]
	}
	if number := addr[length] >> 1 & 15; number != 0 {
		call = strconv.AppendUint(append(call, '-'), uint64(number), 10)
	}
	return string(call)
}

func dlci(addr []byte) string {
	return strconv.Itoa(int(int16(binary.NativeEndian.Uint16(addr))))
}

// x25Addr is text already.
func x25Addr(addr []byte) string {
	text, _, _ := bytes.Cut(addr, []byte{0})
	return string(text)
}

// ashAddr has a byte for each of its 64 digits. Of more than a digit it shows the first.
func ashAddr(addr []byte) string {
	const digits = 64
	b := []byte("[")
	for i := range digits {
		digit := byte(0)
		if i < len(addr) {
			digit = addr[i]
		}
		// The bytes are signed.
		b = append(b, strconv.FormatUint(uint64(uint32(int8(digit))), 16)[0])
	}
	return string(append(b, ']'))
}

// irdaAddr has its bytes the other way round. They are signed, and eleven characters are all there is room for.
func irdaAddr(addr []byte) string {
	text := ""
	for i := 3; i >= 0; i-- {
		text += fmt.Sprintf(":%02x", uint32(int8(addr[i])))
	}
	return text[1:min(len(text), 12)]
}

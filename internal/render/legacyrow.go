// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"fmt"
	"strings"

	"netlive/internal/legacy"
)

// The words for the states. Of X.25 they are never translated.
var (
	statesAX25   = []string{"LISTENING", "SABM SENT", "DISC SENT", "ESTABLISHED", "RECOVERY"}
	statesX25    = []string{"LISTENING", "SABM_SENT", "DISC_SENT", "ESTABLISHED", "RECOVERY"}
	statesNetROM = []string{"LISTENING", "CONN SENT", "DISC SENT", "ESTABLISHED"} // and ROSE
)

// legacyState is the word for a state, "" of one that netstat does not know: of those it prints whatever its memory has behind
// the words. The kernel has such in ROSE: 4 is a reset that is not confirmed yet, 5 a call not accepted yet.
func legacyState(states []string, state uint32) string {
	if state < uint32(len(states)) {
		return states[state]
	}
	return ""
}

// stateColumn is what is printed for a state.
func stateColumn(states []string, state uint32) string {
	if word := legacyState(states, state); word != "" {
		return word
	}
	return "UNKNOWN"
}

func (p *legacyPrinter) state(states []string, state uint32) string {
	return p.Texts.Text(stateColumn(states, state))
}

func (p *legacyPrinter) ax25(s *legacy.AX25Socket) {
	p.out = fmt.Appendf(p.out, "%s  %s  %s  %s  %03d/%03d  %-6d  %-6d\n",
		p.name(s.Dest, 9), p.name(ax25Source(s), 9), p.name(s.Iface, 6), padded(p.state(statesAX25, s.State), 11),
		int32(s.VR), int32(s.VS), int32(s.SendQueue), int32(s.RecvQueue))
}

// ax25Source is the callsign of this end as the kernel writes it.
func ax25Source(s *legacy.AX25Socket) string {
	if s.Digi {
		return s.Source + "*"
	}
	return s.Source
}

func (p *legacyPrinter) x25Hidden(s *legacy.X25Socket) bool { return !p.All && s.LCI == 0 }

func (p *legacyPrinter) x25(s *legacy.X25Socket) {
	source := s.Source
	if p.Strict {
		source = source[:min(len(source), 9)]
	}
	p.out = fmt.Appendf(p.out, "%s %s %s %-3X  %-11s  %02d/%02d  %-6d  %-6d\n",
		p.name(s.Dest, 15), p.name(source, 15), p.name(s.Iface, 7), s.LCI, stateColumn(statesX25, s.State),
		int32(s.VR), int32(s.VS), int32(s.SendQueue), int32(s.RecvQueue))
}

func (p *legacyPrinter) netrom(s *legacy.NetROMSocket) {
	p.out = fmt.Appendf(p.out, "%s  %s  %s  %s  %s  %03d/%03d  %-6d  %-6d\n",
		p.name(s.User, 9), p.name(s.Dest, 9), p.name(s.Source, 9), p.name(s.Iface, 6),
		padded(p.state(statesNetROM, s.State), 11),
		int32(s.VR), int32(s.VS), int32(s.SendQueue), int32(s.RecvQueue))
}

// roseRefused tells a socket of which netstat cannot read the channel, which it takes for decimal.
func (p *legacyPrinter) roseRefused(s *legacy.ROSESocket) bool {
	return p.Strict && !p.json && strings.ContainsAny(fmt.Sprintf("%X", s.LCI), "ABCDEF")
}

// rose appends a row, with the channel in hex as in the file.
func (p *legacyPrinter) rose(s *legacy.ROSESocket) {
	words := roseWords{s.DestAddr, s.DestCall, s.SourceAddr, s.SourceCall, s.Iface}
	if p.Strict {
		words = words.overwritten()
	}
	p.out = fmt.Appendf(p.out, "%s  %s  %s  %s %s %3X %5d   %s\n",
		p.name(words[0], 10), p.name(words[1], 9), p.name(words[2], 10), p.name(words[3], 9), p.name(words[4], 5),
		s.LCI, int32(s.Neighbour), p.state(statesNetROM, s.State))
}

// roseWords is DestAddr, DestCall, SourceAddr, SourceCall and Iface.
type roseWords [5]string

// overwritten is what netstat has of the words when it has read them all. It keeps them in arrays that lie one behind the
// other in another order, each a byte short for the longest word there may be, and so the NUL of one ends up at the
// beginning of the next.
func (w roseWords) overwritten() (left roseWords) {
	const (
		iface      = 0
		sourceCall = iface + 6
		destCall   = sourceCall + 9
		sourceAddr = destCall + 9
		destAddr   = sourceAddr + 10
	)
	places := [...]int{destAddr, destCall, sourceAddr, sourceCall, iface}
	longest := 0
	for _, word := range w {
		longest = max(longest, len(word))
	}
	memory := make([]byte, destAddr+longest+1)
	for i, word := range w {
		memory[places[i]+copy(memory[places[i]:], word)] = 0
	}
	for i, at := range places {
		end := bytes.IndexByte(memory[at:], 0)
		left[i] = string(memory[at : at+end])
	}
	return left
}

// name is what a stranger named, padded.
func (p *legacyPrinter) name(s string, width int) []byte {
	return padTo(appendName(nil, []byte(s), p.Escape), 0, width)
}

// padded pads text by bytes, as C does.
func padded(text string, width int) []byte { return padTo([]byte(text), 0, width) }

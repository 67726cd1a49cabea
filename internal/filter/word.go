// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"strings"

	"netlive/internal/near"
	"netlive/internal/sock"
)

// Families, by which sockets are told apart besides their protocols: bits of a mask.
const (
	familyInet = iota
	familyInet6
	familyUnix
)

// word is a word and the values that it stands for, as bits.
type word struct {
	text string
	mask uint32
}

// vocabulary is the words of a field. The atoms do not overlap and together are all; every other word is a union of atoms,
// so that a mask can always be said in atoms.
type vocabulary struct {
	atoms  []word
	groups []word            // told in errors after the atoms
	others map[string]uint32 // other spellings, without - and _
}

// wordAll stands for every value of any vocabulary.
const wordAll = "all"

// all is the mask of every value.
func (v *vocabulary) all() (mask uint32) {
	for _, w := range v.atoms {
		mask |= w.mask
	}
	return mask
}

// find returns what text stands for. Upper and lower case, - and _ are alike: netstat writes FIN_WAIT1, ss fin-wait-1.
func (v *vocabulary) find(text string) (uint32, bool) {
	plain := plainWord(text)
	if plain == wordAll {
		return v.all(), true
	}
	for _, list := range [][]word{v.atoms, v.groups} {
		for _, w := range list {
			if plainWord(w.text) == plain {
				return w.mask, true
			}
		}
	}
	mask, ok := v.others[plain]
	return mask, ok
}

// words says mask in atoms.
func (v *vocabulary) words(mask uint32) (words []string) {
	for _, w := range v.atoms {
		if mask&w.mask != 0 {
			words = append(words, w.text)
		}
	}
	return words
}

func (v *vocabulary) expected() (words []string) {
	for _, list := range [][]word{v.atoms, v.groups} {
		for _, w := range list {
			words = append(words, w.text)
		}
	}
	return append(words, wordAll)
}

// candidates are the words that text may be a slip of, or all.
func (v *vocabulary) candidates(text string) []string {
	all := v.expected()
	if found := near.Names(text, all); len(found) > 0 {
		return found
	}
	return all
}

func plainWord(s string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
}

func (f Field) vocabulary() *vocabulary {
	switch f {
	case FieldState, FieldOld:
		return &stateWords
	case FieldEvent:
		return &eventWords
	case FieldProto:
		return &protoWords
	case FieldFamily:
		return &familyWords
	}
	return nil
}

// State masks of ss(8). UNIX sockets are in TCP's states, as ss has them (misc/ss.c, unix_state_map): who is CONNECTED
// is established.
var (
	maskEstablished = states(sock.Established, sock.UnixConnected)
	maskSynSent     = states(sock.SynSent, sock.UnixConnecting)
	maskSynRecv     = states(sock.SynRecv, sock.NewSynRecv)
	maskTimeWait    = states(sock.TimeWait)
	maskClosed      = states(sock.Close, sock.UnixFree, sock.UnixUnconnected)
	maskListening   = states(sock.Listen, sock.UnixListening)
	maskClosing     = states(sock.Closing, sock.UnixDisconnecting)
	maskAnyState    = uint32(1<<sock.StateCount-1) &^ 1 &^ (1<<sock.UnixFree - 1<<(sock.NewSynRecv+1))
	maskConnected   = maskAnyState &^ maskListening &^ maskClosed
	maskBucket      = maskSynRecv | maskTimeWait
)

func states(list ...sock.State) (mask uint32) {
	for _, s := range list {
		mask |= 1 << s
	}
	return mask
}

var stateWords = vocabulary{
	atoms: []word{
		{"established", maskEstablished},
		{"syn-sent", maskSynSent},
		{"syn-recv", maskSynRecv},
		{"fin-wait-1", states(sock.FinWait1)},
		{"fin-wait-2", states(sock.FinWait2)},
		{"time-wait", maskTimeWait},
		{"closed", maskClosed},
		{"close-wait", states(sock.CloseWait)},
		{"last-ack", states(sock.LastAck)},
		{"listening", maskListening},
		{"closing", maskClosing},
	},
	groups: []word{
		{"connected", maskConnected},
		{"synchronized", maskConnected &^ maskSynSent},
		{"bucket", maskBucket},
		{"big", maskAnyState &^ maskBucket},
	},
	others: map[string]uint32{
		"estab": maskEstablished, "synrcv": maskSynRecv, "newsynrecv": maskSynRecv, "listen": maskListening,
		"close": maskClosed, "unconn": maskClosed, "unconnected": maskClosed, "free": maskClosed,
		"connecting": maskSynSent, "disconnecting": maskClosing,
	},
}

var eventWords = func() (v vocabulary) {
	// EventOwner and EventStale are between sources and tables: no reader is told of them.
	for k := sock.EventState; k <= sock.EventResync; k++ {
		v.atoms = append(v.atoms, word{k.String(), uint32(sock.Events(k))})
	}
	v.others = map[string]uint32{"retrans": uint32(sock.Events(sock.EventRetransmit))}
	return v
}()

// ParseEvents returns the kinds of events that a word of the field event stands for. expected is the words that there are, of an
// unknown word those that it may be a slip of.
func ParseEvents(text string) (kinds sock.EventSet, expected []string, ok bool) {
	mask, ok := eventWords.find(text)
	if !ok {
		expected = eventWords.candidates(text)
	}
	return sock.EventSet(mask), expected, ok
}

// protoWords has a word for each of a pair of protocols, and the word without a number for both.
var protoWords = func() (v vocabulary) {
	for _, pair := range [][2]sock.Proto{
		{sock.TCP, sock.TCP6}, {sock.UDP, sock.UDP6}, {sock.UDPLite, sock.UDPLite6}, {sock.SCTP, sock.SCTP6}, {sock.Raw, sock.Raw6},
	} {
		v.atoms = append(v.atoms, word{pair[0].String() + "4", 1 << pair[0]}, word{pair[1].String(), 1 << pair[1]})
		v.groups = append(v.groups, word{pair[0].String(), 1<<pair[0] | 1<<pair[1]})
	}
	v.atoms = append(v.atoms, word{sock.Unix.String(), 1 << sock.Unix})
	return v
}()

var familyWords = vocabulary{
	atoms: []word{{"inet", 1 << familyInet}, {"inet6", 1 << familyInet6}, {"unix", 1 << familyUnix}},
	others: map[string]uint32{
		"ipv4": 1 << familyInet, "ip": 1 << familyInet, "4": 1 << familyInet, "ipv6": 1 << familyInet6, "6": 1 << familyInet6,
	},
}

// familyOf is the family of a socket. SCTP's table has sockets of both, which their addresses tell apart.
func familyOf(s *sock.Socket) (family int, known bool) {
	switch {
	case s.Proto == sock.ProtoNone:
		return 0, false
	case s.Proto == sock.Unix:
		return familyUnix, true
	case s.Proto == sock.SCTP:
		a := s.Local.Addr()
		if a.Is4() {
			return familyInet, true
		}
		return familyInet6, a.IsValid()
	case s.Proto.IPv6():
		return familyInet6, true
	}
	return familyInet, true
}

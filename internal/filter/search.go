// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"net/netip"
	"strconv"
	"strings"

	"netlive/internal/sock"
)

// mentions reports whether word, in lower case, is part of a process's name, of an address with its port as netstat prints them, or
// of the path of a UNIX socket. What is not known mentions nothing.
func (v *Values) mentions(word string) bool {
	s := v.socket()
	if s.Owner.Known() && v.ownerMentions(&s.Owner, word) {
		return true
	}
	for i := range s.Others {
		if v.ownerMentions(&s.Others[i], word) {
			return true
		}
	}
	if s.Unix != nil && containsFold(s.Unix.Path, word) {
		return true
	}
	if strings.Trim(word, "0123456789abcdef.:*") != "" {
		return false
	}
	return endMentions(s.Local, word) || endMentions(s.Remote, word)
}

func (v *Values) ownerMentions(o *sock.Owner, word string) bool {
	return containsFold(o.Comm.Bytes(), word) || containsFold(v.program(o), word)
}

func endMentions(end netip.AddrPort, word string) bool {
	if !end.IsValid() {
		return false
	}
	var buf [64]byte
	text := append(end.Addr().AppendTo(buf[:0]), ':')
	if port := end.Port(); port != 0 {
		text = strconv.AppendUint(text, uint64(port), 10)
	} else {
		text = append(text, '*')
	}
	return containsFold(text, word)
}

// containsFold reports whether text has word, which is in lower case, in any case of ASCII's letters.
func containsFold[T string | []byte](text T, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		j := 0
		for j < len(word) && lower(text[i+j]) == word[j] {
			j++
		}
		if j == len(word) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// A catalogue that msgfmt(1) made begins with numbers of 32 bits in the order of whoever made it (GNU gettext, The Format of GNU MO Files): a magic
// number, the revision, how many texts there are, and where the two tables begin that have the length and the place of each English text and of each
// translation. Both end with a NUL that does not count; of texts with plurals there are several, with NULs between them.
const (
	moMagic  = 0x950412de
	moHead   = 5 * 4
	moString = 8 // of a table: a length and a place
)

// readMo gives the texts of such a catalogue, by the English ones; that of the empty text is its head. Where a number says that something is where nothing
// is, the texts before it are all. (gotext's own reader takes the numbers for true: a catalogue that is not whole ends the program, or takes all memory.)
func readMo(data []byte) map[string]string {
	if len(data) < moHead {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint32(data) != moMagic {
		order = binary.BigEndian
	}
	if revision := order.Uint32(data[4:]); order.Uint32(data) != moMagic || revision>>16 > 1 {
		return nil
	}
	count, english, translated := order.Uint32(data[8:]), order.Uint32(data[12:]), order.Uint32(data[16:])
	at := func(table, i uint32) (text []byte, ok bool) {
		entry := uint64(table) + moString*uint64(i)
		if entry+moString > uint64(len(data)) {
			return nil, false
		}
		length, place := uint64(order.Uint32(data[entry:])), uint64(order.Uint32(data[entry+4:]))
		if place+length > uint64(len(data)) {
			return nil, false
		}
		text, _, _ = bytes.Cut(data[place:place+length], []byte{0})
		return text, true
	}
	texts := map[string]string{}
	for i, total := uint32(0), 0; i < count; i++ {
		from, ok1 := at(english, i)
		to, ok2 := at(translated, i)
		if total += len(from) + len(to); !ok1 || !ok2 || total > len(data) { // texts that lie within each other might be more than the file has bytes
			break
		}
		texts[string(from)] = string(to)
	}
	return texts
}

// moCharset is the charset that the head of a catalogue names.
func moCharset(head string) string {
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(name), "Content-Type") {
			_, charset, _ := strings.Cut(value, "charset=")
			return strings.TrimSpace(charset)
		}
	}
	return ""
}

// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// localeDir is where glibc has its locales.
const localeDir = "/usr/lib/locale"

// locales is what locales glibc has.
type locales struct {
	dir  string // as localeDir
	path string // $LOCPATH: directories to look into first, and instead of the archive
}

// has reports whether setlocale would find a locale for all categories.
func (h locales) has(name string) bool {
	if plain(name) {
		return true
	}
	if name == "" || strings.Contains(name, "/") { // valid_locale_name
		return false
	}
	if name, _, _ := strings.Cut(name, "@"); strings.HasSuffix(name, ".") {
		return false // no locale has the charset ""
	}
	l := parseLocale(name)
	dirs := []string{h.dir}
	if h.path != "" {
		dirs = append(strings.Split(h.path, ":"), h.dir)
	} else if h.archived(l.file(normalized(l.codeset), l.modifier)) {
		return true
	}
	for _, file := range l.directories() {
		for _, dir := range dirs {
			if name, ok := codeset(filepath.Join(dir, file, "LC_CTYPE")); ok {
				// The first that there is must have the charset that is asked for (_nl_find_locale).
				return l.codeset == "" || sameCharset(l.codeset, name)
			}
		}
	}
	return false
}

// directories are those that the C library looks for, in its order: without charset, territory and modifier if need be
// (_nl_make_l10nflist).
func (l locale) directories() (names []string) {
	for _, m := range [...]string{l.modifier, ""} {
		for _, t := range [...]string{l.territory, ""} {
			for _, c := range [...]string{l.codeset, normalized(l.codeset), ""} {
				names = append(names, locale{language: l.language, territory: t}.file(c, m))
			}
		}
	}
	return names
}

// codeset is the charset of a locale, by its file LC_CTYPE: a magic number, the number of its values, where they begin.
func codeset(path string) (string, bool) {
	const (
		index = 14 // _NL_CTYPE_CODESET_NAME
		most  = 64 // longer than any name
	)
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	var head [2 + index + 1]uint32
	if err := binary.Read(f, binary.NativeEndian, &head); err != nil || head[1] <= index {
		return "", false
	}
	text := make([]byte, most)
	n, _ := f.ReadAt(text, int64(head[2+index])) // at the end of the file there may be less
	name, _, ok := bytes.Cut(text[:n], []byte{0})
	return string(name), ok
}

// file is the name of a directory, or of an entry of the archive.
func (l locale) file(codeset, modifier string) string {
	name := l.place()
	if codeset != "" {
		name += "." + codeset
	}
	if modifier != "" {
		name += "@" + modifier
	}
	return name
}

// archived reports whether the archive has a locale.
func (h locales) archived(name string) bool {
	f, err := os.Open(filepath.Join(h.dir, "locale-archive"))
	if err != nil {
		return false
	}
	defer f.Close()
	names, err := archiveNames(f)
	return err == nil && names[name]
}

// The archive begins with struct locarhead (locale/locarchive.h), 32 bit numbers in the order of the machine. Its table of
// names is a hash, which is read from one end to the other here: the names of its locales are a few kB.
const (
	archiveMagic   = 0xde020109
	archiveEntry   = 12      // struct namehashent: hash, offset of name, offset of locale or 0 when that was removed
	archiveEntries = 1 << 16 // more than any has, should the file be broken
	archiveStrings = 1 << 20
	archiveName    = 255 // the longest that setlocale takes
)

// archiveHead is the first half of it.
type archiveHead struct {
	Magic, Serial                           uint32
	NamesOffset, NamesUsed, NamesSize       uint32
	StringsOffset, StringsUsed, StringsSize uint32
}

var errArchive = errors.New("no locale archive")

// archiveNames are the names of the locales of an archive.
func archiveNames(f io.ReaderAt) (map[string]bool, error) {
	var head archiveHead
	if err := binary.Read(io.NewSectionReader(f, 0, 1<<10), binary.NativeEndian, &head); err != nil {
		return nil, err
	}
	if head.Magic != archiveMagic || head.NamesSize > archiveEntries || head.StringsUsed > archiveStrings {
		return nil, errArchive
	}
	entries := make([]byte, head.NamesSize*archiveEntry)
	texts := make([]byte, head.StringsUsed)
	if _, err := f.ReadAt(entries, int64(head.NamesOffset)); err != nil {
		return nil, err
	}
	if _, err := f.ReadAt(texts, int64(head.StringsOffset)); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for ; len(entries) > 0; entries = entries[archiveEntry:] {
		name, rec := binary.NativeEndian.Uint32(entries[4:]), binary.NativeEndian.Uint32(entries[8:])
		at := int64(name) - int64(head.StringsOffset)
		if rec == 0 || at < 0 || at >= int64(len(texts)) {
			continue
		}
		// Names may lie within each other, and so might be more than the file has bytes.
		if text, _, ok := bytes.Cut(texts[at:min(at+archiveName+1, int64(len(texts)))], []byte{0}); ok {
			names[string(text)] = true
		}
	}
	return names, nil
}

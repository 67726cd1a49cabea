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
	l := parseLocale(name)
	dirs := []string{h.dir}
	if h.path != "" {
		dirs = append(strings.Split(h.path, ":"), h.dir)
	} else if h.archived(l.file(normalized(l.codeset), l.modifier)) {
		return true
	}
	for _, dir := range dirs {
		// A locale without the modifier does, one without the territory or the charset would be one more that is hardly
		// ever there.
		for _, file := range []string{
			l.file(l.codeset, l.modifier), l.file(normalized(l.codeset), l.modifier),
			l.file(l.codeset, ""), l.file(normalized(l.codeset), ""),
		} {
			if _, err := os.Stat(filepath.Join(dir, file, "LC_CTYPE")); err == nil {
				return true
			}
		}
	}
	return false
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
		if text, _, ok := bytes.Cut(texts[at:], []byte{0}); ok {
			names[string(text)] = true
		}
	}
	return names, nil
}

// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"errors"
	"fmt"
	"io/fs"
)

// LineError is a line of a file that could not be used: what else the file has is good.
type LineError struct {
	File  string // below /proc, as in net/tcp
	Line  int    // counts from 1, the header
	Field string // what is wrong or missing
	Text  string // what is there instead, cut short; "" is nothing. A stranger may have chosen it.
}

func (e *LineError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("%s:%d: %s missing", e.File, e.Line, e.Field)
	}
	return fmt.Sprintf("%s:%d: %s %q", e.File, e.Line, e.Field, e.Text)
}

// MoreLinesError is lines beyond those that were told one by one.
type MoreLinesError struct {
	File  string
	Count int
}

func (e *MoreLinesError) Error() string { return fmt.Sprintf("%s: %d more bad lines", e.File, e.Count) }

// maxWarnings bounds what a broken or hostile file can make us keep.
const maxWarnings = 200

// maxQuoted is how many bytes of a bad field a warning repeats.
const maxQuoted = 60

// warnings collects the lines that could not be used.
type warnings struct {
	file string // as in net/tcp
	kept []error
	told int // of file
	more int // of file
}

// begin goes on to another file.
func (w *warnings) begin(file string) {
	w.finish()
	w.file, w.told = file, 0
}

func (w *warnings) finish() {
	if w.more > 0 {
		w.kept = append(w.kept, &MoreLinesError{w.file, w.more})
		w.more = 0
	}
}

// bad notes that a field of a line is not what it should be. Lines count from 1, the header.
func (w *warnings) bad(line int, field string, text []byte) {
	if w.told >= maxWarnings {
		w.more++
		return
	}
	w.told++
	w.kept = append(w.kept, &LineError{w.file, line, field, string(text[:min(len(text), maxQuoted)])})
}

// unopened notes that a file could not be opened, unless it is not there or not for us to read: of many files some
// never are.
func (w *warnings) unopened(file string, err error) {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		w.kept = append(w.kept, fmt.Errorf("%s: %w", file, err))
	}
}

// list returns what was noted.
func (w *warnings) list() []error {
	w.finish()
	return w.kept
}

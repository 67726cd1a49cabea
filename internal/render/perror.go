// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// AppendPerror appends what perror(3) prints of a file: FILE: REASON.
func (t Texts) AppendPerror(b []byte, file string, err error) []byte {
	return append(append(append(append(b, file...), ": "...), t.strerror(err)...), '\n')
}

// AppendUnsupported appends what netstat says of a table that this kernel has not.
func (t Texts) AppendUnsupported(b []byte, name string) []byte {
	return fmt.Appendf(b, t.Text("%s: no support for `%s' on this system.\n"), "netstat", name)
}

// strerror is what strerror(3) says of err.
func (t Texts) strerror(err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
	case errors.Is(err, fs.ErrNotExist):
		errno = syscall.ENOENT
	case errors.Is(err, fs.ErrPermission):
		errno = syscall.EACCES
	default:
		return err.Error()
	}
	// Go's texts are the C library's but for the capital.
	text := errno.Error()
	if c := text[0]; 'a' <= c && c <= 'z' {
		text = string(c-'a'+'A') + text[1:]
	}
	return t.Text(text)
}

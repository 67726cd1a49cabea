// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// AppendPerror appends what perror(3) prints of a file: FILE: REASON, in English.
func AppendPerror(b []byte, file string, err error) []byte {
	return appendStrerror(append(append(b, file...), ": "...), err)
}

// AppendUnsupported appends what netstat says of a table that this kernel has not.
func AppendUnsupported(b []byte, t Texts, name string) []byte {
	return fmt.Appendf(b, t.Text("%s: no support for `%s' on this system.\n"), "netstat", name)
}

// appendStrerror appends what strerror(3) says of err, in English, and a newline.
func appendStrerror(b []byte, err error) []byte {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
	case errors.Is(err, fs.ErrNotExist):
		errno = syscall.ENOENT
	case errors.Is(err, fs.ErrPermission):
		errno = syscall.EACCES
	default:
		return append(append(b, err.Error()...), '\n')
	}
	// Go's texts are the C library's but for the capital.
	at := len(b)
	b = append(b, errno.Error()...)
	if c := b[at]; 'a' <= c && c <= 'z' {
		b[at] = c - 'a' + 'A'
	}
	return append(b, '\n')
}

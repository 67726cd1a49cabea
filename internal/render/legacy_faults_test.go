// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"netlive/internal/legacy"
)

// IPX ends at the first address that is none.
func TestLegacyBadIPX(t *testing.T) {
	const good = "00000001:4004               0000ABCD:0000C0AAAAAA:0451  00000000  00000000  01     033\n"
	for bad, want := range map[string]string{
		"nothing 1:1:1 1 1 1 1\n":     "netstat.c: Internal Error `ipx socket format error in source port'.\n",
		"1:1:1 nothing 1 1 1 1\n":     "netstat.c: Internal Error `ipx socket format error in destination port'.\n",
		"1:1:1\n":                     "netstat.c: Internal Error `ipx socket format error in destination port'.\n",
		"nothing Not_Connected 1 1\n": "netstat.c: Internal Error `ipx socket format error in source port'.\n",
	} {
		src := legacySource(map[string]string{"net/ipx/socket": ipxHeader + good + bad + good})
		l := Legacy{Names: Numeric{}}
		s := sayLegacy(t, &l, src, legacy.IPX, legacy.AX25)
		if s.errs != want || s.code != exitBroken || strings.Count(s.out, "\n") != 3 || len(l.Warnings) != 1 {
			t.Errorf("%q: %+v", bad, s)
		}
		out, errs, code, err := l.AppendJSON(t.Context(), nil, nil, legacy.IPX, src)
		if string(errs) != want || code != exitBroken || err != nil || strings.Count(string(out), `"proto"`) != 1 {
			t.Errorf("%q: %s, %s, %d, %v", bad, out, errs, code, err)
		}
	}
	// What netstat would print again from the row before is left out.
	src := legacySource(map[string]string{"net/ipx/socket": ipxHeader + "\n" + good + "1:1:1 Not_Connected 1 2 3\n"})
	l := Legacy{Names: Numeric{}}
	if s := sayLegacy(t, &l, src, legacy.IPX); s.code != 0 || strings.Count(s.out, "\n") != 3 || len(l.Warnings) != 2 {
		t.Errorf("%+v, %v", s, l.Warnings)
	}
}

// failingLegacy is a source of which no file can be opened, or read.
type failingLegacy struct{ err error }

func (f failingLegacy) IPXSockets(context.Context) (l legacy.List[legacy.IPXSocket], _ error) {
	return l, f.err
}
func (f failingLegacy) AX25Sockets(context.Context) (l legacy.AX25List, _ error) { return l, f.err }
func (f failingLegacy) X25Sockets(context.Context) (l legacy.List[legacy.X25Socket], _ error) {
	return l, f.err
}
func (f failingLegacy) NetROMSockets(context.Context) (l legacy.List[legacy.NetROMSocket], _ error) {
	return l, f.err
}
func (f failingLegacy) ROSESockets(context.Context) (l legacy.List[legacy.ROSESocket], _ error) {
	return l, f.err
}

func TestLegacyFilesFail(t *testing.T) {
	files := map[legacy.Family]string{legacy.IPX: "/proc/net/ipx/socket", legacy.AX25: "/proc/net/ax25", legacy.X25: "/proc/net/x25",
		legacy.NetROM: "/proc/net/nr", legacy.ROSE: "/proc/net/rose"}
	heads := map[legacy.Family]string{legacy.IPX: headIPXSockets + "\n", legacy.AX25: titleAX25Sockets + headAX25Sockets,
		legacy.X25: titleX25Sockets + headX25Sockets, legacy.NetROM: titleNetROM + headNetROMSockets, legacy.ROSE: titleROSESockets + headROSESockets}
	for f, file := range files {
		check := func(what string, err error, ctx context.Context, want said, wantErr error) {
			t.Helper()
			l := Legacy{Names: Numeric{}}
			src := failingLegacy{fmt.Errorf("read: %w", err)}
			out, errs, code, err := l.Append(ctx, nil, nil, f, src)
			if got := (said{string(out), string(errs), code}); got != want || !errors.Is(err, wantErr) || (err == nil) != (wantErr == nil) {
				t.Errorf("%v, %s: %+v, %v", f, what, got, err)
			}
			want.out = ""
			out, errs, code, err = l.AppendJSON(ctx, nil, nil, f, src)
			if got := (said{string(out), string(errs), code}); got != want || !errors.Is(err, wantErr) || (err == nil) != (wantErr == nil) {
				t.Errorf("%v, %s, JSON: %+v, %v", f, what, got, err)
			}
		}
		open := func(errno syscall.Errno) error { return &fs.PathError{Op: "open", Path: "x", Err: errno} }
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		check("missing", open(syscall.ENOENT), t.Context(), said{}, fs.ErrNotExist)
		check("forbidden", open(syscall.EACCES), t.Context(), said{errs: file + ": Permission denied\n", code: exitBroken}, nil)
		check("loop", open(syscall.ELOOP), t.Context(), said{errs: file + ": Too many levels of symbolic links\n", code: exitBroken}, nil)
		check("directory", &fs.PathError{Op: "read", Path: "x", Err: syscall.EISDIR}, t.Context(), said{out: heads[f]}, nil)
		check("cancelled", context.Canceled, cancelled, said{}, context.Canceled)
	}
}

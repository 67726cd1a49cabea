// SPDX-License-Identifier: GPL-2.0-or-later

// Package procfallback reads the sockets of a network namespace, and the
// processes that hold them, from a /proc tree. It is the source that every
// kernel has: no BPF, no privilege, and no events. Reading is apart from
// parsing: the parsers take bytes and never fail as a whole, a bad line becomes
// a warning.
//
// /proc shows less than the kernel knows: no cookies, no owner for a socket
// without a file (not yet accepted, orphaned, TIME_WAIT), and a table that
// moves between two reads of the same file, so that on a busy machine a row may
// be missing or doubled, as it may in netstat.
package procfallback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"netlive/internal/ktime"
	"netlive/internal/sock"
)

// Source takes snapshots from a /proc tree. It keeps its buffers from one
// snapshot to the next and must not be used by two goroutines at once.
type Source struct {
	root fs.FS
	now  func() sock.Stamp
	buf  []byte
	ids  idSet
	// fileMax is how much of a file is read as a whole.
	fileMax int
}

// fileMax is the room for a file: a table of seven million sockets. The kernel's own tables end; what is mounted over them need not.
const fileMax = 1 << 30

var errTooLarge = errors.New("the file has more than 1 GiB")

// New returns a source that reads root, which is os.DirFS("/proc") or a tree
// that looks like it. Owners and the network namespace are links: root must be
// an fs.ReadLinkFS for them to be found.
func New(root fs.FS) *Source {
	return &Source{root: root, now: ktime.Now, fileMax: fileMax}
}

// Name is "procfs".
func (s *Source) Name() string { return "procfs" }

// Close gives the buffers back. Nothing stays open between snapshots.
func (s *Source) Close() error {
	s.buf, s.ids = nil, idSet{}
	return nil
}

// Snapshot reads the tables of want.Protos in the network namespace of the
// calling thread. A table that cannot be opened is in Snapshot.Missing and in Snapshot.Unopened.
func (s *Source) Snapshot(ctx context.Context, want sock.Want) (sock.Snapshot, error) {
	snap := sock.Snapshot{Begin: s.now(), Owners: want.Owners}
	self := s.self()
	var warn warnings
	row := sock.Socket{NetNS: s.netns(self)}
	for p := sock.TCP; p <= sock.Unix; p++ {
		if !want.Protos.Has(p) {
			continue
		}
		file := "net/" + p.String()
		row.Proto, row.At = p, s.now()
		if sock.ProtosSCTP.Has(p) {
			if err := s.readSCTP(ctx, self, row, &snap, &warn); err != nil {
				return sock.Snapshot{}, err
			}
			continue
		}
		data, err := s.read(ctx, self+file)
		var unopened *fs.PathError
		switch {
		case errors.As(err, &unopened) && unopened.Op == "open":
			snap.Missing |= sock.Protos(p)
			snap.Unopened = append(snap.Unopened, sock.Unopened{Proto: p, File: file, Err: unopened.Err})
			warn.unopened(file, unopened.Err)
			continue
		case err != nil:
			return sock.Snapshot{}, fmt.Errorf("procfallback: read %s: %w", file, err)
		}
		snap.Protos |= sock.Protos(p)
		warn.begin(file)
		if p == sock.Unix {
			snap.Sockets = parseUnix(snap.Sockets, data, row, &warn)
		} else {
			snap.Sockets = parseInet(snap.Sockets, data, row, &warn)
		}
	}
	s.assignIDs(snap.Sockets)
	if want.Owners {
		if err := s.findOwners(ctx, &snap); err != nil {
			return sock.Snapshot{}, err
		}
	}
	snap.Warnings = warn.list()
	return snap, nil
}

// self is where the calling thread finds its own net and ns directories, with a
// closing slash.
//
// /proc/net is /proc/self/net: the namespace of the thread group's first thread.
// A thread that moved by setns(2) must look below /proc/thread-self (Linux
// 3.17). It is looked up for each snapshot, because a goroutine may run on
// another thread each time. Made-up trees often have just net.
func (s *Source) self() string {
	for _, dir := range []string{"thread-self/", "self/"} {
		if _, err := fs.Stat(s.root, dir+"net"); err == nil {
			return dir
		}
	}
	return ""
}

// netns is the inode number of the network namespace, 0 if unknown: the link
// reads net:[4026531840].
func (s *Source) netns(self string) uint32 {
	link, err := fs.ReadLink(s.root, self+"ns/net")
	if err != nil {
		return 0
	}
	number, found := strings.CutPrefix(link, "net:[")
	number, closed := strings.CutSuffix(number, "]")
	inode, ok := parseDec32([]byte(number))
	if !found || !closed || !ok {
		return 0
	}
	return inode
}

// read returns the whole of a file, in a buffer that the next read overwrites.
// All of it is read before any of it is parsed: the kernel gives a page at a time
// and finds its place in a moving table again for each, so the faster the reads
// follow each other the less is missed or doubled. Files in /proc have no size
// to go by.
func (s *Source) read(ctx context.Context, name string) ([]byte, error) {
	f, err := s.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := s.buf[:0]
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(data) > s.fileMax {
			return nil, errTooLarge
		}
		if len(data) == cap(data) {
			data = slices.Grow(data, max(64<<10, len(data)))
		}
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			s.buf = data
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

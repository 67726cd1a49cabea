// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// findOwners sets the owners of snap's sockets. It comes after
// the tables were read, so that a socket in them that was just made has its owner.
func (s *Source) findOwners(ctx context.Context, snap *sock.Snapshot) (err error) {
	rows, doubled := rowsByInode(snap.Sockets)
	var owner sock.Owner
	snap.OwnersFound, snap.OwnersDenied, err = s.scan(ctx, func(pid uint32, fd int32, inode uint32) {
		row, ok := rows[inode]
		if !ok {
			return
		}
		if owner.PID != pid {
			owner = sock.Owner{PID: pid, How: sock.HowProcfs}
			owner.Comm, owner.Program = s.names(strconv.FormatUint(uint64(pid), 10))
		}
		owner.FD = fd
		addOwner(&snap.Sockets[row], &owner)
	})
	for _, d := range doubled {
		from, to := &snap.Sockets[d.first], &snap.Sockets[d.again]
		to.Owner, to.Others = from.Owner, from.Others
	}
	return err
}

// Holders tells h of the sockets among the descriptors of all processes, in the order of their PIDs. found and denied are as
// Snapshot's OwnersFound and OwnersDenied.
func (s *Source) Holders(ctx context.Context, h *sock.Holders) (found, denied bool, err error) {
	return s.scan(ctx, func(pid uint32, _ int32, inode uint32) { h.Add(pid, inode) })
}

// scan calls visit with the sockets among the descriptors of all
// processes, in the order of their PIDs: /proc/PID/fd/N is a link that reads socket:[INODE].
// Threads are not looked at: /proc/PID/fd is the table of the whole group but for
// threads that unshared theirs (CLONE_FILES), which netstat misses too.
func (s *Source) scan(ctx context.Context, visit func(pid uint32, fd int32, inode uint32)) (found, denied bool, err error) {
	pids, err := s.processes()
	if errors.Is(err, fs.ErrPermission) {
		return false, true, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("procfallback: find owners: %w", err)
	}
	c := fdScan{root: s.root, buf: make([]byte, 32<<10)}
	for _, pid := range pids {
		if err := ctx.Err(); err != nil {
			return found, denied, err
		}
		err := c.sockets(strconv.FormatUint(uint64(pid), 10)+"/fd", func(fd int32, inode uint32) {
			found = true
			visit(pid, fd, inode)
		})
		if exhausted(err) {
			return found, denied, fmt.Errorf("procfallback: find owners: %w", err)
		}
		// Any other error is that of a process which has gone. As in netstat, whose
		// message this becomes, it is the directory that counts: its links may be
		// denied too (ptrace_may_access), even to root by a process that has a
		// capability which root has not.
		if errors.Is(err, fs.ErrPermission) {
			denied = true
		}
	}
	return found, denied, nil
}

// exhausted reports whether it is us who cannot open any more, rather than a process that has gone: nobody may be left out for that.
func exhausted(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

// addOwner adds a process to a socket's owners. Processes come in the order of
// their PIDs, the descriptors of one in any order: the lowest is kept.
func addOwner(s *sock.Socket, o *sock.Owner) {
	last := &s.Owner
	if n := len(s.Others); n > 0 {
		last = &s.Others[n-1]
	}
	switch {
	case last.PID == o.PID:
		last.FD = min(last.FD, o.FD)
	case last.Known():
		s.Others = append(s.Others, *o)
	default:
		*last = *o
	}
}

// double is a socket that the tables had twice.
type double struct{ first, again int }

// rowsByInode finds a socket by its inode. Inode 0 is no file, thus no owner.
func rowsByInode(sockets []sock.Socket) (rows map[uint32]int, doubled []double) {
	rows = make(map[uint32]int, len(sockets))
	for i := range sockets {
		inode := sockets[i].Inode
		if inode == 0 {
			continue
		}
		if first, ok := rows[inode]; ok {
			doubled = append(doubled, double{first, i})
			continue
		}
		rows[inode] = i
	}
	return rows, doubled
}

// processes lists the numeric directories in the order of their numbers.
func (s *Source) processes() ([]uint32, error) {
	entries, err := fs.ReadDir(s.root, ".")
	if err != nil && len(entries) == 0 {
		return nil, err
	}
	var pids []uint32
	for _, e := range entries {
		if pid, ok := parseDec32([]byte(e.Name())); ok && pid != 0 {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// cmdlineMax is as much of a command line as netstat reads (net-tools, netstat.c, prg_cache_load).
const cmdlineMax = 511

// names reads what a process is called: its comm and, as netstat has it, the
// last path element of its argv[0]. What cannot be read stays empty.
func (s *Source) names(dir string) (comm sock.Comm, program string) {
	var buf [cmdlineMax]byte
	head := bytes.TrimSuffix(s.readHead(dir+"/comm", buf[:]), newline)
	comm = sock.MakeComm(string(head))
	return comm, programName(s.readHead(dir+"/cmdline", buf[:]))
}

// Program is what netstat calls the process pid; false when there is no such process, it may not be
// looked at, or it is a kernel thread, which has no argv.
func (s *Source) Program(pid uint32) (string, bool) {
	var buf [cmdlineMax]byte
	cmdline := s.readHead(strconv.FormatUint(uint64(pid), 10)+"/cmdline", buf[:])
	return programName(cmdline), len(cmdline) > 0
}

// contextMax is how much of a context is read: the kernel's own are shorter.
const contextMax = 4096

// Context returns the security context of a process (SELinux's, mostly: /proc/PID/attr/current), "" when it has none or
// it may not be known.
func (s *Source) Context(pid uint32) string {
	var buf [contextMax]byte
	return string(bytes.TrimRight(s.readHead(strconv.FormatUint(uint64(pid), 10)+"/attr/current", buf[:]), "\x00\n"))
}

// programName is netstat's rule: argv[0] as a whole, for it may hold blanks,
// and if it is an absolute path what follows its last slash.
func programName(cmdline []byte) string {
	argv0, _, _ := bytes.Cut(cmdline, []byte{0})
	if len(argv0) > 0 && argv0[0] == '/' {
		argv0 = argv0[bytes.LastIndexByte(argv0, '/')+1:]
	}
	return string(argv0)
}

// readHead returns as much of a file as fits buf.
func (s *Source) readHead(name string, buf []byte) []byte {
	f, err := s.root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	n, _ := io.ReadFull(f, buf)
	return buf[:n]
}

// fdScan reads directories of descriptors with buffers that are used again.
type fdScan struct {
	root fs.FS
	buf  []byte
}

// sockets calls visit for each socket in dir, /proc/PID/fd.
func (c *fdScan) sockets(dir string, visit func(fd int32, inode uint32)) error {
	f, err := c.root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if file, ok := f.(*os.File); ok {
		return c.realSockets(int(file.Fd()), visit)
	}
	entries, err := fs.ReadDir(c.root, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		fd, ok := parseFD(e.Name())
		if !ok {
			continue
		}
		link, err := fs.ReadLink(c.root, dir+"/"+e.Name())
		if inode, ok := socketInode([]byte(link)); err == nil && ok {
			visit(fd, inode)
		}
	}
	return nil
}

// realSockets is sockets for a directory of the real /proc. One process may hold
// 100,000 sockets; relative to the open directory each costs the kernel one name
// instead of four, and neither a sort nor a DirEntry is made of it.
func (c *fdScan) realSockets(dirfd int, visit func(fd int32, inode uint32)) error {
	var (
		names []string
		link  [32]byte // "socket:[4294967295]" is 19
	)
	for {
		n, err := unix.ReadDirent(dirfd, c.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n <= 0 {
			return nil
		}
		_, _, names = unix.ParseDirent(c.buf[:n], -1, names[:0])
		for _, name := range names {
			fd, ok := parseFD(name)
			if !ok {
				continue
			}
			n, err := unix.Readlinkat(dirfd, name, link[:])
			if err != nil {
				continue
			}
			if inode, ok := socketInode(link[:n]); ok {
				visit(fd, inode)
			}
		}
	}
}

func parseFD(name string) (int32, bool) {
	n, ok := parseDec32([]byte(name))
	return int32(n), ok && int32(n) >= 0
}

// socketInode reads the target of a descriptor's link: socket:[N], or [0000]:N as
// kernels before 2.2 wrote it and netstat still reads it.
func socketInode(link []byte) (inode uint32, ok bool) {
	if number, found := bytes.CutPrefix(link, []byte("socket:[")); found {
		number, found = bytes.CutSuffix(number, []byte{']'})
		inode, ok = parseDec32(number)
		return inode, ok && found && inode != 0
	}
	number, found := bytes.CutPrefix(link, []byte("[0000]:"))
	inode, ok = parseDec32(number)
	return inode, ok && found && inode != 0
}

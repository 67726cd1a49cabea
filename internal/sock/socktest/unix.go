// SPDX-License-Identifier: GPL-2.0-or-later

package socktest

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// unix makes UNIX domain sockets.
func (s *scene) unix() {
	s.t.Helper()
	for _, k := range []struct {
		typ  int
		name string
	}{
		{unix.SOCK_STREAM, "stream"},
		{unix.SOCK_SEQPACKET, "seqpacket"},
	} {
		path := filepath.Join(s.dir, k.name+" with blanks")
		s.unixServer("unix "+k.name, k.typ, &unix.SockaddrUnix{Name: path}, path)
		s.unixPair("unix "+k.name+" pair", k.typ)
	}
	// The kernel shows each NUL as '@', the first too.
	s.unixServer("unix abstract", unix.SOCK_STREAM,
		&unix.SockaddrUnix{Name: "@netlive a\x00b"}, "@netlive a@b")

	dgram := filepath.Join(s.dir, "dgram")
	fd := s.socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	s.bindUnix(fd, &unix.SockaddrUnix{Name: dgram})
	s.addUnix("unix dgram bound", fd, unix.SOCK_DGRAM, sock.UnixUnconnected, dgram)
	s.unixPair("unix dgram pair", unix.SOCK_DGRAM)

	fresh := s.socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	s.addUnix("unix not bound", fresh, unix.SOCK_STREAM, sock.UnixUnconnected, "")
}

// unixServer makes a listener, a connection to it, and two that nobody accepted.
func (s *scene) unixServer(name string, typ int, at *unix.SockaddrUnix, path string) {
	s.t.Helper()
	l := s.socket(unix.AF_UNIX, typ, 0)
	s.bindUnix(l, at)
	if err := unix.Listen(l, 7); err != nil {
		s.t.Fatalf("listen: %v", err)
	}
	s.addUnix(name+" listener", l, typ, sock.UnixListening, path).want.Unix.Flags = sock.SOAcceptCon

	client := s.socket(unix.AF_UNIX, typ, 0)
	s.connectUnix(client, at)
	s.addUnix(name+" client", client, typ, sock.UnixConnected, "")
	// The server's end has the listener's name.
	s.addUnix(name+" server", s.accept(l), typ, sock.UnixConnected, path)

	// Two, which nothing but their identity tells apart.
	for range 2 {
		waiting := s.socket(unix.AF_UNIX, typ, 0)
		s.connectUnix(waiting, at)
		s.addUnix(name+" client that waits", waiting, typ, sock.UnixConnected, "")
		// Without a file it is CONNECTING to the kernel, until it is accepted (unix_seq_show).
		s.sockets = append(s.sockets, &socket{name: name + " connection not accepted", fd: -1, want: sock.Socket{
			Proto: sock.Unix, State: sock.UnixConnecting,
			Unix: &sock.UnixInfo{Path: path, Type: sock.UnixType(typ)},
		}})
	}
}

func (s *scene) unixPair(name string, typ int) {
	s.t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatalf("socketpair: %v", err)
	}
	state := sock.UnixConnected
	if typ == unix.SOCK_DGRAM && !kerneltest.Since(5, 15) {
		state = sock.UnixUnconnected // net/unix/af_unix.c, unix_socketpair: datagram sockets are CONNECTED since then
	}
	for _, fd := range fds {
		s.closeLater(fd)
		s.addUnix(name, fd, typ, state, "")
	}
}

func (s *scene) addUnix(name string, fd, typ int, state sock.State, path string) *socket {
	s.t.Helper()
	sk := s.addFile(name, sock.Unix, fd, state)
	sk.want.Unix = &sock.UnixInfo{Path: path, Type: sock.UnixType(typ)}
	return sk
}

func (s *scene) bindUnix(fd int, at *unix.SockaddrUnix) {
	s.t.Helper()
	if err := unix.Bind(fd, at); err != nil {
		s.t.Fatalf("bind to %q: %v", at.Name, err)
	}
}

func (s *scene) connectUnix(fd int, to *unix.SockaddrUnix) {
	s.t.Helper()
	if err := unix.Connect(fd, to); err != nil {
		s.t.Fatalf("connect to %q: %v", to.Name, err)
	}
}

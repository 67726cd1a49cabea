// SPDX-License-Identifier: GPL-2.0-or-later

// Package sockdiag asks the kernel about TCP sockets by sock_diag, as ss(8) does: all that it knows of one socket, a little of
// all, and to close one. Reading needs no privilege.
//
// It is asked for what is looked at, and no source of sockets: those are tracer and procfallback.
package sockdiag

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

var (
	// ErrGone says that the kernel has no such socket. Its ends may be another's by now.
	ErrGone = errors.New("sockdiag: no such socket")
	// ErrNoCookie says that a socket cannot be told from another that has had its ends since.
	ErrNoCookie = errors.New("socket without a cookie")
)

// Conn asks sock_diag of the network namespace in which it was opened, and keeps that alive. One goroutine at a time may use it.
type Conn struct {
	conn *netlink.Conn
	raw  syscall.RawConn

	write, read func(fd uintptr)
	err         error // of the last of these

	seq     uint32
	dumping bool   // the end of a dump was not read yet
	rest    []byte // of in, not looked at yet
	out     [requestLen]byte
	in      [bufferLen]byte
}

// Open opens a Conn in the network namespace of the calling thread. The error wraps errors.ErrUnsupported where the kernel has no
// sock_diag of TCP (CONFIG_INET_DIAG).
func Open() (*Conn, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		if errors.Is(err, unix.EPROTONOSUPPORT) {
			err = unsupported{err}
		}
		return nil, fmt.Errorf("sockdiag: open: %w", err)
	}
	c := &Conn{conn: conn}
	c.io()
	if c.raw, err = conn.SyscallConn(); err == nil {
		err = c.probe()
	}
	if err != nil {
		return nil, fmt.Errorf("sockdiag: open: %w", errors.Join(err, conn.Close()))
	}
	return c, nil
}

// probe asks for sockets in no state: for one that is not there the error would be the same as where the kernel cannot tell (ENOENT).
func (c *Conn) probe() error {
	err := c.ask(&request{kind: byFamily, flags: unix.NLM_F_DUMP, family: unix.AF_INET})
	for more := true; more && err == nil; {
		_, more, err = c.next()
	}
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return unsupported{err}
	}
	return err
}

// unsupported is an error of a kernel that lacks something and does not say it so.
type unsupported struct{ error }

func (u unsupported) Unwrap() []error { return []error{u.error, errors.ErrUnsupported} }

// Close ends the Conn.
func (c *Conn) Close() error {
	if err := c.conn.Close(); err != nil {
		return fmt.Errorf("sockdiag: close: %w", err)
	}
	return nil
}

// Get reads all that the kernel knows of a TCP socket into i, which is overwritten in any case. It is found by its ends, among sockets that are bound to an
// interface by s.Dev too, and must have the cookie that s has, or, if s has none, the inode, if both have one. The error is ErrGone when there is none
// such.
//
// Get does not find a connection that is bound to an interface if s.Dev does not say so, as those between link-local addresses are; Find does.
func (c *Conn) Get(s *sock.Socket, i *Info) error {
	err := c.get(s, i)
	if errors.Is(err, ErrGone) && s.State == sock.Listen {
		// Several may listen on the same ends (SO_REUSEPORT): the kernel chose another. There are few to look through.
		err = c.search(s, i, 1<<sock.Listen)
	}
	return wrap("get", err)
}

// Find is Get that looks through all sockets of the namespace if it must: milliseconds among 100,000.
func (c *Conn) Find(s *sock.Socket, i *Info) error { return wrap("find", c.find(s, i)) }

func (c *Conn) find(s *sock.Socket, i *Info) error {
	err := c.get(s, i)
	if errors.Is(err, ErrGone) {
		err = c.search(s, i, allStates)
	}
	return err
}

func wrap(what string, err error) error {
	if err == nil || err == ErrGone {
		return err
	}
	return fmt.Errorf("sockdiag: %s: %w", what, err)
}

// get asks for one socket.
func (c *Conn) get(s *sock.Socket, i *Info) error {
	r := request{kind: byFamily, ext: extAll, states: allStates}
	r.identify(s)
	*i = nothing
	if err := c.ask(&r); err != nil {
		return err
	}
	body, _, err := c.next()
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE): // ESTALE: another cookie
		return ErrGone
	case err != nil:
		return err
	}
	local, remote, ok := decode(body, i)
	if !ok {
		return errMalformed
	}
	if s.ID.Cookie() == 0 && !same(s, local, remote, i) { // else the kernel has compared cookies
		*i = nothing
		return ErrGone
	}
	return nil
}

// same reports whether i is of s.
func same(s *sock.Socket, local, remote netip.AddrPort, i *Info) bool {
	if local != s.Local || remote != s.Remote {
		return false
	}
	if cookie := s.ID.Cookie(); cookie != 0 {
		return sock.ID(cookie) == i.ID
	}
	return s.Inode == 0 || i.Inode == 0 || s.Inode == i.Inode
}

// Sets of states, a bit each.
const (
	allStates = 1<<(sock.NewSynRecv+1) - 2
	// dataStates are those of sockets that have something to tell.
	dataStates = allStates &^ (1<<sock.TimeWait | 1<<sock.SynRecv | 1<<sock.NewSynRecv | 1<<sock.Close)
)

// search looks for a socket among those with its ports.
func (c *Conn) search(s *sock.Socket, i *Info, states uint32) error {
	r := request{kind: byFamily, flags: unix.NLM_F_DUMP, family: familyOf(s.Proto), ext: extAll, states: states}
	r.local = netip.AddrPortFrom(netip.Addr{}, s.Local.Port())
	r.remote = netip.AddrPortFrom(netip.Addr{}, s.Remote.Port())
	var found Info
	ok := false
	err := c.dump(context.Background(), &r, func(local, remote netip.AddrPort) {
		if !ok && same(s, local, remote, i) {
			found, ok = *i, true
		}
	}, i)
	switch {
	case ok:
		*i = found
		return nil
	case err != nil:
		return err
	}
	*i = nothing
	return ErrGone
}

// Dump calls do for each TCP socket of the protocols but those in TIME_WAIT, SYN_RECV and CLOSE. i has no more than a socket's message and its
// struct tcp_info, and is used again. When ctx ends, Dump does.
func (c *Conn) Dump(ctx context.Context, protos sock.ProtoSet, do func(id sock.ID, local, remote netip.AddrPort, i *Info)) error {
	var i Info
	each := func(local, remote netip.AddrPort) { do(i.ID, local, remote, &i) }
	for _, p := range []sock.Proto{sock.TCP, sock.TCP6} {
		if !protos.Has(p) {
			continue
		}
		r := request{kind: byFamily, flags: unix.NLM_F_DUMP, family: familyOf(p), ext: extInfo, states: dataStates}
		if err := c.dump(ctx, &r, each, &i); err != nil {
			return wrap("dump", err)
		}
	}
	return nil
}

// dump decodes each socket of a dump into i and calls each.
func (c *Conn) dump(ctx context.Context, r *request, each func(local, remote netip.AddrPort), i *Info) error {
	if err := c.ask(r); err != nil {
		return err
	}
	for {
		if len(c.rest) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		body, more, err := c.next()
		if err != nil || !more {
			return err
		}
		local, remote, ok := decode(body, i)
		if !ok {
			return errMalformed
		}
		each(local, remote)
	}
}

// Destroy closes a TCP socket as ss -K does, whoever holds it: what its process does with it fails with ECONNABORTED, and the other side gets a
// reset. It refuses with ErrNoCookie to close one that it could not tell from another. Other errors are ErrGone, one that wraps os.ErrPermission (CAP_NET_ADMIN is
// needed in the user namespace of the network namespace), and one that wraps errors.ErrUnsupported (CONFIG_INET_DIAG_DESTROY, Linux 4.5).
func (c *Conn) Destroy(s *sock.Socket) error { return wrap("destroy", c.destroy(s)) }

func (c *Conn) destroy(s *sock.Socket) error {
	if s.ID.Cookie() == 0 {
		return ErrNoCookie
	}
	meant := *s
	err := c.kill(&meant)
	if !errors.Is(err, ErrGone) {
		return err
	}
	var i Info
	if err := c.find(s, &i); err != nil {
		return err
	}
	meant.Dev = i.Iface
	err = c.kill(&meant)
	// Of several that listen on the same ends the kernel chooses one by where a connection would come from (net/core/sock_reuseport.c); nothing
	// else is on the other end of a listener. The cookie says whether it is the one that is meant.
	for port := uint16(1); s.State == sock.Listen && errors.Is(err, ErrGone) && port < 1024; port++ {
		meant.Remote = netip.AddrPortFrom(s.Remote.Addr(), port)
		err = c.kill(&meant)
	}
	return err
}

func (c *Conn) kill(s *sock.Socket) error {
	r := request{kind: destroy, flags: unix.NLM_F_ACK, states: allStates}
	r.identify(s)
	err := c.ask(&r)
	if err == nil {
		_, _, err = c.next()
	}
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE):
		return ErrGone
	case errors.Is(err, unix.EINVAL): // a kernel that does not know the message
		return unsupported{err}
	}
	return err
}

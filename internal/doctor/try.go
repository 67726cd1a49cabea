// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"errors"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"netlive/internal/privilege"
	"netlive/internal/rtnl"
	"netlive/internal/sock"
	"netlive/internal/sockdiag"
	"netlive/internal/tracer"
)

// Trials are what came of trying out what files do not tell. An error is nil where it worked.
type Trials struct {
	Machine string // uname(2)
	Bits    int    // of this program: 32 or 64
	Root    bool   // the effective user is root: netlive's large tables come from iterators for root alone
	Syscall error  // bpf(2)
	BPF     tracer.Trial
	// Watch and Trace are what the verbs would have, asked for all events.
	Watch, Trace Opened
	Classic      error // the classic tracepoint
	Diag         error // sock_diag of TCP
	Destroy      error // closing a socket by it
	Rtnl         error
	Landlock     int // version, 0 none
}

// Opened is what came of opening the tracer.
type Opened struct {
	Err       error
	Hook      tracer.Hook
	Lacks     sock.EventSet // kinds that are not told, and why
	Why       error
	Announced sock.News // of what changes are told
}

// Try tries out what the verbs do. Hooks hang for an instant, as when watch begins and ends at once; nothing stays.
func Try() (t Trials, err error) {
	t.Machine, t.Bits, t.Root = machine(), strconv.IntSize, os.Geteuid() == 0
	t.Syscall = trySyscall()
	if t.BPF, err = tracer.Try(); err != nil {
		return t, err
	}
	t.Watch = open(tracer.Options{Table: true, Events: tracer.AllEvents})
	t.Trace = open(tracer.Options{Events: tracer.AllEvents})
	t.Classic = open(tracer.Options{Hook: tracer.HookClassic}).Err
	t.Diag, t.Destroy = tryDiag()
	s, err := rtnl.Subscribe(rtnl.Links|rtnl.Addrs4|rtnl.Addrs6|rtnl.Routes4|rtnl.Routes6, 0)
	if err == nil {
		err = s.Close()
	}
	t.Rtnl = err
	t.Landlock = privilege.Landlock()
	return t, nil
}

func open(o tracer.Options) (r Opened) {
	t, err := tracer.Open(o)
	if err != nil {
		return Opened{Err: err}
	}
	r = Opened{Hook: t.Hook(), Lacks: t.Lacks(), Why: t.Why(), Announced: t.Announced()}
	r.Err = t.Close()
	return r
}

// trySyscall asks bpf(2) for a command that there is none of: EINVAL is its answer, and EPERM that of who may ask nothing.
func trySyscall() error {
	const none = 1 << 20
	_, _, errno := unix.Syscall(unix.SYS_BPF, none, 0, 0)
	if errno == unix.EINVAL || errno == unix.E2BIG {
		return nil
	}
	return errno
}

// tryDiag opens sock_diag and asks it to close a connection that there is none of: its ends are TEST-NET's (RFC 5737), and no socket has
// that cookie.
func tryDiag() (diag, destroy error) {
	c, err := sockdiag.Open()
	if err != nil {
		return err, err
	}
	nobodys := sock.Socket{
		ID: 1<<62 | 1, Proto: sock.TCP, State: sock.Established,
		Local: netip.MustParseAddrPort("192.0.2.1:1"), Remote: netip.MustParseAddrPort("192.0.2.2:1"),
	}
	if destroy = c.Destroy(&nobodys); errors.Is(destroy, sockdiag.ErrGone) {
		destroy = nil
	}
	return c.Close(), destroy
}

func machine() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Machine[:])
}

// SPDX-License-Identifier: GPL-2.0-or-later

// Package resolve turns numbers into names as netstat does: hosts, services and
// users. What is not to be resolved, and what has no name, is printed as the number.
//
// Databases are the files in /etc, read once when first asked. Hosts go through
// the system's resolver; a name is asked for once in the life of the process,
// and either waited for, as a table that is printed once must, or asked for in the
// background, so that a live view is never held up. What a table will want can be asked for ahead, all at once: then a
// resolver that is dead costs one timeout, not one for each row.
package resolve

import (
	"context"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"netlive/internal/sock"
)

// lookupTimeout bounds one host lookup. It is how long glibc's resolver takes for three dead servers, the most there are: 5 s
// each, and in a second round a third of 10 s each (resolv.conf(5), __res_context_send). Go's own bound would be 30 s.
const lookupTimeout = 24 * time.Second

// Config says what is resolved; the rest is printed as numbers.
type Config struct {
	Hosts, Ports, Users bool

	// Arrived makes host lookups run in the background: an address is printed as a
	// number until its name is there, and then Arrived is called, on another
	// goroutine. Nil makes AppendHost wait for the name.
	Arrived func()

	// Context ends lookups early: then an address has no name. Nil is never.
	Context context.Context

	// Waiting is called before a name that takes its time is waited for, on the goroutine that waits: what has been
	// printed can be shown meanwhile. It may be nil.
	Waiting func()

	// Root is the root of the file system with etc/services and so on; nil is /.
	Root fs.FS
	// LookupAddr finds the names of an address; nil is net.Resolver's.
	LookupAddr func(ctx context.Context, addr string) ([]string, error)
}

// Resolver prints addresses, ports and users. It may be used by several goroutines at once.
type Resolver struct {
	config   Config
	services func() map[service]string
	networks func() map[[4]byte]string
	users    func() map[uint32]string
	hosts    hosts
}

// New returns a Resolver. It reads nothing before it is asked.
func New(c Config) *Resolver {
	if c.Root == nil {
		c.Root = os.DirFS("/")
	}
	if c.Context == nil {
		c.Context = context.Background()
	}
	if c.LookupAddr == nil {
		c.LookupAddr = net.DefaultResolver.LookupAddr
	}
	read := func(name string) []byte {
		b, err := fs.ReadFile(c.Root, name)
		if err != nil {
			return nil // a missing database resolves nothing, as in libc
		}
		return b
	}
	return &Resolver{
		config: c,
		services: sync.OnceValue(func() map[service]string {
			m := parseServices(read("etc/services"))
			addProtocols(m, read("etc/protocols"))
			return m
		}),
		networks: sync.OnceValue(func() map[[4]byte]string { return parseNetworks(read("etc/networks")) }),
		users:    sync.OnceValue(func() map[uint32]string { return parsePasswd(read("etc/passwd")) }),
		hosts:    hosts{ctx: c.Context, lookup: c.LookupAddr, arrived: c.Arrived, waiting: c.Waiting, names: make(map[netip.Addr]*host)},
	}
}

// AppendPort appends the name of a port of protocol p, its number if it has none, or * for 0.
func (r *Resolver) AppendPort(b []byte, p sock.Proto, port uint16) []byte {
	if port == 0 {
		return append(b, '*')
	}
	if r.config.Ports {
		if name, ok := r.services()[service{databaseOf(p), port}]; ok {
			return append(b, name...)
		}
	}
	return strconv.AppendUint(b, uint64(port), 10)
}

// AppendUser appends the name of a user, or the number if it has none. Like
// netstat it prints numbers as signed: nobody at all is -1.
func (r *Resolver) AppendUser(b []byte, uid uint32) []byte {
	if r.config.Users {
		if name, ok := r.users()[uid]; ok {
			return append(b, name...)
		}
	}
	return strconv.AppendInt(b, int64(int32(uid)), 10)
}

// Ahead has the name of an address looked up that AppendHost will be asked for.
func (r *Resolver) Ahead(a netip.Addr) {
	a = a.WithZone("")
	if r.config.Hosts && a.IsValid() && !a.IsUnspecified() && (!a.Is4() || a.As4()[0] != 0) {
		r.hosts.get(a, true)
	}
}

// AppendHost appends the name of an address, or the address if it has none.
func (r *Resolver) AppendHost(b []byte, a netip.Addr) []byte {
	a = a.WithZone("") // the kernel's tables have none
	if !r.config.Hosts || !a.IsValid() {
		return appendAddr(b, a)
	}
	if a.Is4() && a.As4()[0] == 0 {
		// 0.0.0.0 is any address; the rest of 0/8 are networks to netstat.
		if name, ok := r.networks()[a.As4()]; ok && !a.IsUnspecified() {
			return append(b, name...)
		}
		return appendAddr(b, a)
	}
	if a.IsUnspecified() {
		return append(b, "[::]"...)
	}
	if name := r.hosts.name(a); name != "" {
		return append(b, name...)
	}
	return appendAddr(b, a)
}

// AppendNet appends the name of an IPv4 network: default for 0.0.0.0/0, else what networks(5) calls the address, whatever the
// length, else the address.
func (r *Resolver) AppendNet(b []byte, network netip.Prefix) []byte {
	a := network.Addr()
	switch {
	case !r.config.Hosts || !a.Is4():
		return appendAddr(b, a)
	case a.IsUnspecified():
		if network.Bits() == 0 {
			return append(b, "default"...)
		}
		return appendAddr(b, a)
	}
	if name, ok := r.networks()[a.As4()]; ok {
		return append(b, name...)
	}
	return appendAddr(b, a)
}

// appendAddr appends a as netstat prints numbers: inet_ntop's text, and of an
// IPv4-mapped address the IPv4 part alone.
func appendAddr(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	a = a.Unmap()
	if a.Is6() {
		// inet_ntop writes ::/96 with a quad (::192.0.2.1), netip does not. Where the
		// quad's first half is zero too, inet_ntop sees a longer run of zeros and does as netip.
		h := a.As16()
		if [12]byte(h[:12]) == [12]byte{} && (h[12] != 0 || h[13] != 0) {
			return netip.AddrFrom4([4]byte(h[12:])).AppendTo(append(b, "::"...))
		}
	}
	return a.AppendTo(b)
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/cgroup"
	"netlive/internal/netns"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/sock"
	"netlive/internal/tracer"
)

// places are the network namespaces that are shown, and the names of theirs and of cgroups.
type places struct {
	// one is the namespace that was named; nil is ours, or all. cookie tells it from one that has got its number since; 0 is not known.
	one    *netns.Space
	cookie uint64
	all    bool

	spaces netns.Names
	units  cgroup.Names

	mu sync.Mutex // of what follows: a screen asks on one goroutine, its filter on another
	// byHolder has the cgroups of processes whose sockets' own are not known.
	byHolder map[holder]string
	// forgot is when those were forgotten of which nobody knows since when they run: /proc's.
	forgot time.Time
}

// holder is a process for as long as it runs: a PID is used again, the two together are not.
type holder struct {
	pid   uint32
	start uint64
}

// newPlaces reads --netns.
func newPlaces(o *options.Options) (*places, error) {
	p := &places{all: o.NetNS == "all", byHolder: map[holder]string{}}
	if o.NetNS == "" || p.all {
		return p, nil
	}
	space, err := netns.Find(o.NetNS)
	if err != nil {
		return nil, err
	}
	p.one, p.cookie = &space, cookieOf(space)
	p.spaces.Set([]netns.Space{space})
	return p, nil
}

// enterable is why the namespace that was named may not be entered, or with all no other: an empty table would be a lie.
func (p *places) enterable() error {
	space := p.one
	if p.all {
		own, err := netns.Find(strconv.Itoa(os.Getpid()))
		if err != nil {
			return err
		}
		space = &own
	}
	if space == nil {
		return nil
	}
	return space.Do(func() error { return nil })
}

// list are the namespaces that are shown, as they are now.
func (p *places) list() ([]netns.Space, error) {
	if p.one != nil && p.one.There() && p.is(*p.one) {
		return []netns.Space{*p.one}, nil
	}
	list, err := netns.All()
	if p.one != nil && err == nil {
		// Its name has gone, or the process by which it was named: others may be in it.
		i := slices.IndexFunc(list, func(s netns.Space) bool { return s.Inode() == p.one.Inode() && p.is(s) })
		if i < 0 {
			return nil, fmt.Errorf("network namespace %s is not there any more", p.one.Name())
		}
		return list[i : i+1], nil
	}
	if err == nil {
		p.spaces.Set(list)
	}
	return list, err
}

// is reports whether the namespace is the one that was named, and not one that has got its number.
func (p *places) is(s netns.Space) bool {
	cookie := cookieOf(s)
	return cookie == p.cookie || cookie == 0 || p.cookie == 0
}

// cookieOf is 0 for one that may not be entered.
func cookieOf(s netns.Space) (cookie uint64) {
	_ = s.Do(func() error {
		cookie = tracer.NetNSCookie()
		return nil
	})
	return cookie
}

// filter adds to the options of a tracer what is shown.
func (p *places) filter(o *tracer.Options) error {
	switch {
	case p.one != nil:
		o.NetNS = p.one.Inode()
	case !p.all:
		inode, err := tracer.NetNS()
		if err != nil {
			return err
		}
		o.NetNS = inode
		return nil // snapshots are ours without entering anything
	}
	o.Spaces = func() ([]tracer.Space, error) {
		list, err := p.list()
		spaces := make([]tracer.Space, len(list))
		for i := range list {
			spaces[i] = list[i]
		}
		return spaces, err
	}
	return nil
}

// columns are those that o asks for; nil is none.
func (p *places) columns(o *options.Options) *render.Places { return p.named(o.NetNS != "", o.Unit) }

// named are the names of namespaces and of units, as far as they are wanted; nil is neither.
func (p *places) named(space, unit bool) *render.Places {
	if !space && !unit {
		return nil
	}
	c := &render.Places{}
	if space {
		c.Space = p.spaces.Name
	}
	if unit {
		c.Unit = func(s *sock.Socket) (path, unit string) {
			path = p.cgroup(s)
			return path, cgroup.Owner(path)
		}
	}
	return c
}

// cgroup is the path of a socket's cgroup v2, "" when it is not known.
func (p *places) cgroup(s *sock.Socket) string {
	path := p.units.Path(s.Cgroup)
	if path == "" && s.Owner.Known() {
		path = p.ofProcess(&s.Owner)
	}
	return path
}

// ofProcess is the cgroup v2 of a process: /proc does not tell that of a socket.
func (p *places) ofProcess(o *sock.Owner) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); o.Start == 0 && now.Sub(p.forgot) > time.Second {
		p.forgot = now
		maps.DeleteFunc(p.byHolder, func(h holder, _ string) bool { return h.start == 0 })
	}
	key := holder{o.PID, o.Start}
	path, ok := p.byHolder[key]
	if ok {
		return path
	}
	text, err := os.ReadFile("/proc/" + strconv.FormatUint(uint64(o.PID), 10) + "/cgroup")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "0::"); ok { // cgroups(7)
				path = strings.TrimSuffix(rest, "\n")
			}
		}
	}
	if len(p.byHolder) >= programsMax {
		clear(p.byHolder)
	}
	p.byHolder[key] = path
	return path
}

// entered is set in the environment of a netlive that enter has started.
const entered = "NETLIVE_ENTERED"

// enter goes to the namespace that o names, for what cannot be had from another: all but sockets. A namespace is a thread's,
// so netlive begins anew in it and enter returns only then, or with an error.
func enter(o *options.Options, std streams, name string) error {
	if o.NetNS == "" || o.Mode == options.ModeSockets && !o.Groups {
		return nil
	}
	if o.NetNS == "all" {
		return options.Usage("netlive: --netns all: it is for sockets; for the rest name one (host, a PID, or a name of ip netns list)")
	}
	if std.getenv(entered) == o.NetNS {
		return nil
	}
	space, err := netns.Find(o.NetNS)
	if err != nil {
		return err
	}
	return space.Do(func() error {
		err := unix.Exec("/proc/self/exe", append([]string{name}, os.Args[1:]...), append(slices.Clone(std.env), entered+"="+o.NetNS))
		return fmt.Errorf("begin anew in %s: %w", space.Name(), err)
	})
}

// snapshot reads what is shown from /proc. A table is missing where no namespace has it.
func (p *places) snapshot(ctx context.Context, proc *procfallback.Source, want sock.Want) (sock.Snapshot, error) {
	if p.one == nil && !p.all {
		return proc.Snapshot(ctx, want)
	}
	list, err := p.list()
	if err != nil {
		return sock.Snapshot{}, err
	}
	var all sock.Snapshot
	for i, space := range list {
		var snap sock.Snapshot
		err := space.Do(func() (err error) {
			snap, err = proc.Snapshot(ctx, want)
			return err
		})
		switch {
		case err == nil:
		case p.one == nil && ctx.Err() == nil && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)):
			continue // it ended meanwhile, or may not be entered
		default:
			return sock.Snapshot{}, err
		}
		if i == 0 || all.Begin == 0 {
			all = snap
			continue
		}
		all.Protos |= snap.Protos
		all.Sockets = append(all.Sockets, snap.Sockets...)
		all.Warnings = append(all.Warnings, snap.Warnings...)
		all.OwnersDenied = all.OwnersDenied || snap.OwnersDenied
		all.OwnersFound = all.OwnersFound || snap.OwnersFound
	}
	all.Missing &^= all.Protos
	all.Unopened = slices.DeleteFunc(all.Unopened, func(u sock.Unopened) bool { return all.Protos.Has(u.Proto) })
	slices.SortStableFunc(all.Sockets, func(a, b sock.Socket) int { return int(a.Proto) - int(b.Proto) })
	return all, nil
}

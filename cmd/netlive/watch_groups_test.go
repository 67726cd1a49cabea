// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/iface"
	"netlive/internal/kerneltest"
	"netlive/internal/live"
)

func TestGroupList(t *testing.T) {
	l := newGroupList(optionsFor(t, "-g", "-n"), streams{}, nil)
	group := func(name, addr string, users uint32) iface.Group {
		return iface.Group{Iface: name, Addr: netip.MustParseAddr(addr), Users: users}
	}
	all := group("lo", "224.0.0.1", 1)
	all6 := group("lo", "ff02::1", 1)
	const heads = "Interface|RefCnt|Group"
	for i, c := range []struct {
		v4, v6 []iface.Group
		change live.Change
		want   []string
	}{
		{[]iface.Group{all}, []iface.Group{all6}, live.Changed, []string{"IPv4 1: " + heads, " lo|1|224.0.0.1", "IPv6 1: " + heads, " lo|1|ff02::1"}},
		{[]iface.Group{all}, []iface.Group{all6}, live.Unchanged, []string{"IPv4 1: " + heads, " lo|1|224.0.0.1", "IPv6 1: " + heads, " lo|1|ff02::1"}},
		{[]iface.Group{group("lo", "239.1.2.3", 1), all}, []iface.Group{group("lo", "ff02::1", 2)}, live.Changed,
			[]string{"IPv4 2: " + heads, "+lo|1|239.1.2.3", " lo|1|224.0.0.1", "IPv6 1: " + heads, "*lo|2|ff02::1"}},
		{nil, nil, live.Changed, []string{"IPv4 0: " + heads, "-lo|1|239.1.2.3", "-lo|1|224.0.0.1", "IPv6 0: " + heads, "-lo|2|ff02::1"}},
	} {
		now := clock.Add(time.Duration(i) * time.Millisecond)
		if got := l.Replace(iface.Groups{IPv4: iface.GroupList{Groups: c.v4}, IPv6: iface.GroupList{Groups: c.v6}}, now); got != c.change {
			t.Errorf("look %d: change %v", i, got)
		}
		shows(t, l, now, c.want...)
	}
	one := newGroupList(optionsFor(t, "-g", "-n", "-6"), streams{}, nil)
	one.Replace(iface.Groups{IPv6: iface.GroupList{Groups: []iface.Group{all6}}}, clock)
	shows(t, one, clock, "groups 1: "+heads, " lo|1|ff02::1")
}

func TestUnreadableGroups(t *testing.T) {
	missing, refused := fmt.Errorf("no file: %w", fs.ErrNotExist), fmt.Errorf("no: %w", fs.ErrPermission)
	for _, c := range []struct {
		err4, err6 error
		v4, v6     bool
		want       error
	}{
		{nil, nil, true, true, nil}, {nil, missing, true, true, nil}, {missing, nil, true, true, nil}, {missing, missing, true, true, missing},
		{nil, missing, false, true, missing}, {missing, nil, true, false, missing}, {nil, refused, true, true, refused}, {refused, nil, true, true, refused},
	} {
		g := iface.Groups{IPv4: iface.GroupList{Err: c.err4}, IPv6: iface.GroupList{Err: c.err6}}
		if err := unreadableGroups(&g, c.v4, c.v6); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A group that is joined and left is in a frame of the next interval, and the frame is what netlive -g prints then.
func TestWatchGroups(t *testing.T) {
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)
	pid := namedByPID(t, ns)
	var fd int
	ns.Do(func() {
		var err error
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
	})
	file := os.NewFile(uintptr(fd), "a socket")
	defer file.Close()
	mreq := &unix.IPMreqn{Multiaddr: [4]byte{239, 1, 2, 3}, Ifindex: 1}
	const frames, join, leave = 14, 0, 6
	text := framesOf(t, watchGroups, frames, func(frame int) {
		var err error
		switch frame {
		case join:
			err = unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, mreq)
		case leave:
			err = unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_DROP_MEMBERSHIP, mreq)
		}
		if err != nil {
			t.Error(err)
		}
	}, "-g", "-n", "--json", "--netns", pid)
	d := json.NewDecoder(strings.NewReader(text))
	for i := range frames {
		var f struct {
			Source string
			Groups []row
		}
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		// A look may have begun before the frame was written.
		joined := has(f.Groups, row{"family": "inet", "iface": "lo", "users": 1., "group": "239.1.2.3"})
		if i == join && joined || i == leave && !joined || i == frames-1 && joined || f.Source != "procfs" || !has(f.Groups, row{"group": "ff02::1"}) {
			t.Errorf("frame %d: %+v", i, f)
		}
	}
	text = framesOf(t, watchGroups, 1, nil, "-g", "-n", "--netns", pid)
	_, table, _ := strings.Cut(text, "\n")
	if want := string(runIn(t, ns, "netlive", "-g", "-n")) + "\n"; table != want {
		t.Errorf("%s\nwant\n%s", table, want)
	}
}

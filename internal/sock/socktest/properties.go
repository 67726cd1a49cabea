// SPDX-License-Identifier: GPL-2.0-or-later

package socktest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"netlive/internal/sock"
)

func (r *run) testSeen(t *testing.T) {
	for _, s := range r.lost {
		t.Errorf("%s: not seen: %s", s.name, describe(&s.want))
	}
}

func (r *run) testNothingElse(t *testing.T) {
	for i := range r.excess {
		t.Errorf("nobody made %s", describe(&r.excess[i]))
	}
}

func (r *run) testProto(t *testing.T) {
	for _, p := range r.found {
		if p.seen.Proto != p.made.want.Proto {
			t.Errorf("%s: proto %s, want %s", p.made.name, p.seen.Proto, p.made.want.Proto)
		}
	}
}

// testState compares names, because a source may tell a request socket by the
// kernel's own NewSynRecv; all people see is SYN_RECV.
func (r *run) testState(t *testing.T) {
	for _, p := range r.found {
		got, want := p.seen.State, p.made.want.State
		if got != want && (got != sock.NewSynRecv || want != sock.SynRecv) {
			t.Errorf("%s: state %d %s, want %d %s", p.made.name, got, got, want, want)
		}
	}
}

func (r *run) testAddresses(t *testing.T) {
	for _, p := range r.found {
		if p.seen.Local != p.made.want.Local {
			t.Errorf("%s: local %s, want %s", p.made.name, p.seen.Local, p.made.want.Local)
		}
		if p.seen.Remote != p.made.want.Remote {
			t.Errorf("%s: remote %s, want %s", p.made.name, p.seen.Remote, p.made.want.Remote)
		}
	}
}

func (r *run) testQueues(t *testing.T) {
	for _, p := range r.found {
		if p.seen.Queue != p.made.want.Queue {
			t.Errorf("%s: queues %+v, want %+v", p.made.name, p.seen.Queue, p.made.want.Queue)
		}
	}
}

// testUID leaves out UNIX sockets, whose uid /proc does not show, and sockets
// that no file refers to: the kernel shows root's for them.
func (r *run) testUID(t *testing.T) {
	for _, p := range r.found {
		if p.made.want.Proto == sock.Unix || p.made.want.Inode == 0 {
			continue
		}
		if p.seen.UID != p.made.want.UID {
			t.Errorf("%s: uid %d, want %d", p.made.name, p.seen.UID, p.made.want.UID)
		}
	}
}

func (r *run) testInode(t *testing.T) {
	for _, p := range r.found {
		if p.seen.Inode != p.made.want.Inode {
			t.Errorf("%s: inode %d, want %d", p.made.name, p.seen.Inode, p.made.want.Inode)
		}
	}
}

func (r *run) testNetNS(t *testing.T) {
	for _, p := range r.found {
		if p.seen.NetNS != r.netns {
			t.Errorf("%s: netns %d, want %d", p.made.name, p.seen.NetNS, r.netns)
		}
	}
}

func (r *run) testUnix(t *testing.T) {
	for _, p := range r.found {
		got, want := p.seen.Unix, p.made.want.Unix
		if (got != nil) != (want != nil) {
			t.Errorf("%s: has UNIX facts: %t, want %t", p.made.name, got != nil, want != nil)
		}
		if got == nil || want == nil {
			continue
		}
		if got.Path != want.Path {
			t.Errorf("%s: path %q, want %q", p.made.name, got.Path, want.Path)
		}
		if got.Type != want.Type {
			t.Errorf("%s: type %s, want %s", p.made.name, got.Type, want.Type)
		}
		if got.Flags != want.Flags {
			t.Errorf("%s: flags %#x, want %#x", p.made.name, got.Flags, want.Flags)
		}
		// The kernel's walk may hold references of its own.
		if got.RefCnt < 1 {
			t.Errorf("%s: reference count %d, want at least 1", p.made.name, got.RefCnt)
		}
	}
}

// testOwner asks of sockets with a file. Of the others the source may know an owner by
// other means, or none.
func (r *run) testOwner(t *testing.T) {
	for _, p := range r.found {
		if len(p.made.owners) == 0 {
			continue
		}
		checkOwner(t, p.made.name, &p.seen.Owner, &p.made.owners[0])
	}
}

func (r *run) testSeveralOwners(t *testing.T) {
	for _, p := range r.found {
		if len(p.made.owners) == 0 {
			continue
		}
		others := p.made.owners[1:]
		if len(p.seen.Others) != len(others) {
			t.Errorf("%s: %d other owners, want %d", p.made.name, len(p.seen.Others), len(others))
			continue
		}
		for i := range others {
			checkOwner(t, p.made.name+", other", &p.seen.Others[i], &others[i])
		}
	}
}

func checkOwner(t *testing.T, name string, got, want *sock.Owner) {
	t.Helper()
	if got.PID != want.PID || got.FD != want.FD || got.Comm != want.Comm {
		t.Errorf("%s: owner %d %q fd %d, want %d %q fd %d",
			name, got.PID, got.Comm, got.FD, want.PID, want.Comm, want.FD)
	}
	if got.Known() && got.How == sock.HowUnknown {
		t.Errorf("%s: nothing says how owner %d is known", name, got.PID)
	}
	if self := filepath.Base(os.Args[0]); got.PID == uint32(os.Getpid()) && got.Program != "" && got.Program != self {
		t.Errorf("%s: program %q, want %q or nothing", name, got.Program, self)
	}
}

// testOwnersToldOf leaves out OwnersDenied, which tells of the machine's other processes.
func (r *run) testOwnersToldOf(t *testing.T) {
	if !r.all.OwnersFound {
		t.Error("OwnersFound is not set")
	}
}

func (r *run) testIDs(t *testing.T) {
	ids := make(map[sock.ID]*sock.Socket)
	for i := range r.all.Sockets {
		s := &r.all.Sockets[i]
		if s.ID == 0 {
			t.Errorf("no ID: %s", describe(s))
		} else if twin := ids[s.ID]; twin != nil {
			t.Errorf("one ID %#x for two:\n\t%s\n\t%s", s.ID, describe(twin), describe(s))
		}
		ids[s.ID] = s
	}
	for _, p := range r.found {
		cookie := p.seen.ID.Cookie()
		switch {
		case !r.cfg.Cookies && cookie != 0:
			t.Errorf("%s: cookie %#x from a source without", p.made.name, cookie)
		case r.cfg.Cookies && cookie == 0 && p.made.want.State != sock.SynRecv: // a request has none until it is asked for
			t.Errorf("%s: no cookie in ID %#x", p.made.name, p.seen.ID)
		case r.cfg.Cookies && p.made.cookie != 0 && cookie != p.made.cookie:
			t.Errorf("%s: cookie %#x, want %#x", p.made.name, cookie, p.made.cookie)
		}
	}
	// Nothing changed in between.
	for i := range r.again.Sockets {
		if s := &r.again.Sockets[i]; ids[s.ID] == nil {
			t.Errorf("ID %#x is not in the snapshot before: %s", s.ID, describe(s))
		}
	}
}

func (r *run) testStamps(t *testing.T) {
	if r.all.Begin < r.before || r.all.Begin > r.again.Begin || r.again.Begin > r.after {
		t.Errorf("began at %d and %d, was asked between %d and %d", r.all.Begin, r.again.Begin, r.before, r.after)
	}
	for i := range r.all.Sockets {
		if s := &r.all.Sockets[i]; s.At < r.all.Begin || s.At > r.again.Begin {
			t.Errorf("true at %d, seen between %d and %d: %s", s.At, r.all.Begin, r.again.Begin, describe(s))
		}
	}
}

func (r *run) testOrder(t *testing.T) {
	byProto := func(a, b sock.Socket) int { return int(a.Proto) - int(b.Proto) }
	if !slices.IsSortedFunc(r.all.Sockets, byProto) {
		t.Error("the protocols are not in the order of their constants")
	}
}

func (r *run) testMissing(t *testing.T) {
	if want := r.cfg.Protos & r.scene.unsupported; r.all.Missing != want {
		t.Errorf("missing %s, want %s", protoNames(r.all.Missing), protoNames(want))
	}
	if want := r.cfg.Protos &^ r.scene.unsupported; r.all.Protos != want {
		t.Errorf("walked %s, want %s", protoNames(r.all.Protos), protoNames(want))
	}
}

func (r *run) testNoWarnings(t *testing.T) {
	for _, w := range r.all.Warnings {
		t.Errorf("warning: %v", w)
	}
}

func (r *run) testOnlyWanted(t *testing.T) {
	if r.tcpOnly.Protos != sock.Protos(sock.TCP) {
		t.Errorf("walked %s, want tcp", protoNames(r.tcpOnly.Protos))
	}
	want := 0
	for i := range r.all.Sockets {
		if r.all.Sockets[i].Proto == sock.TCP {
			want++
		}
	}
	got := 0
	for i := range r.tcpOnly.Sockets {
		if s := &r.tcpOnly.Sockets[i]; s.Proto != sock.TCP {
			t.Errorf("not wanted: %s", describe(s))
			continue
		}
		got++
	}
	if got != want {
		t.Errorf("%d sockets when tcp alone is wanted, %d of them when all are", got, want)
	}
}

func describe(s *sock.Socket) string {
	if s.Unix != nil {
		return fmt.Sprintf("unix %s %s inode %d path %q", s.Unix.Type, s.State, s.Inode, s.Unix.Path)
	}
	return fmt.Sprintf("%s %s %s %s inode %d", s.Proto, s.Local, s.Remote, s.State, s.Inode)
}

func protoNames(set sock.ProtoSet) []string {
	names := []string{}
	for p := sock.TCP; p <= sock.Unix; p++ {
		if set.Has(p) {
			names = append(names, p.String())
		}
	}
	return names
}

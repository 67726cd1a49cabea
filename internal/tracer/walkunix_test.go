// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// All UNIX sockets are told, each once, be there many in each bucket of the kernel's table: its iterator would leave some out.
func TestManyUnixSockets(t *testing.T) {
	kerneltest.RequireRoot(t)
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode()})
	made := map[uint32]bool{}
	for _, pairs := range []int{100, 1000, 8000} {
		for range pairs - len(made)/2 {
			ns.Do(func() {
				fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, fd := range fds {
					var st unix.Stat_t
					must(t, unix.Fstat(fd, &st))
					made[uint32(st.Ino)] = true
					t.Cleanup(func() { _ = unix.Close(fd) })
				}
			})
		}
		var snap sock.Snapshot
		var err error
		ns.Do(func() { snap, err = tr.Snapshot(t.Context(), sock.Want{Protos: sock.ProtosUnix}) })
		must(t, err)
		seen := map[sock.ID]bool{}
		for _, s := range snap.Sockets {
			if !made[s.Inode] || seen[s.ID] {
				t.Fatalf("%d pairs: %+v, seen %t", pairs, s, seen[s.ID])
			}
			seen[s.ID] = true
		}
		if len(seen) != 2*pairs {
			t.Errorf("%d pairs: %d sockets", pairs, len(seen))
		}
	}
}

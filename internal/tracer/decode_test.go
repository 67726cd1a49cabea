// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// bytes is the record as the ring holds it.
func bytesOf[T record](r *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(r)), unsafe.Sizeof(*r))
}

// The sizes that records.h asserts on its side.
func TestRecordSizes(t *testing.T) {
	for name, sizes := range map[string][2]uintptr{
		"event_record":  {unsafe.Sizeof(bpfEventRecord{}), 120},
		"sock_record":   {unsafe.Sizeof(bpfSockRecord{}), 88},
		"unix_record":   {unsafe.Sizeof(bpfUnixRecord{}), 160},
		"owner_record":  {unsafe.Sizeof(bpfOwnerRecord{}), 48},
		"holder_record": {unsafe.Sizeof(bpfHolderRecord{}), 8},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("%s: %d bytes in Go, %d in C", name, sizes[0], sizes[1])
		}
	}
}

func stateRecord() bpfEventRecord {
	return bpfEventRecord{
		Cookie: 42, AtNs: 1_000, InOldNs: 39_000, Netns: 4026531840, Pid: 8841, Uid: 1000, Inode: 77,
		Local: [16]uint8{10, 0, 0, 5}, Remote: [16]uint8{192, 0, 2, 9}, Lport: 40112, Rport: 443,
		Comm: sock.MakeComm("curl"), Kind: uint8(sock.EventState), Family: unix.AF_INET, How: uint8(sock.HowExact),
		OldState: 2, NewState: 1,
	}
}

func TestDecodeEvent(t *testing.T) {
	base := stateRecord()
	want := sock.Event{
		Kind: sock.EventState,
		Time: time.Unix(5, 1_000),
		Socket: sock.Socket{
			ID: 42, At: 1_000, Proto: sock.TCP, State: sock.Established,
			Local: netip.MustParseAddrPort("10.0.0.5:40112"), Remote: netip.MustParseAddrPort("192.0.2.9:443"),
			NetNS: 4026531840, UID: 1000, Inode: 77,
			Owner: sock.Owner{PID: 8841, FD: -1, How: sock.HowExact, Comm: sock.MakeComm("curl")},
		},
		Old: sock.SynSent, InOld: 39 * time.Microsecond,
	}
	tests := []struct {
		name   string
		record func(*bpfEventRecord)
		event  func(*sock.Event)
	}{
		{"a change", func(*bpfEventRecord) {}, func(*sock.Event) {}},
		{"IPv6", func(r *bpfEventRecord) {
			r.Family = unix.AF_INET6
			r.Local = netip.MustParseAddr("::ffff:10.0.0.5").As16()
			r.Remote = netip.MustParseAddr("2001:db8::9").As16()
		}, func(e *sock.Event) {
			e.Socket.Proto = sock.TCP6
			e.Socket.Local = netip.MustParseAddrPort("[::ffff:10.0.0.5]:40112")
			e.Socket.Remote = netip.MustParseAddrPort("[2001:db8::9]:443")
		}},
		{"nothing known of the old state", func(r *bpfEventRecord) { r.InOldNs = ^uint64(0) },
			func(e *sock.Event) { e.InOld = -1 }},
		{"nobody's", func(r *bpfEventRecord) { r.Pid, r.How, r.Comm = 0, 0, sock.Comm{} },
			func(e *sock.Event) { e.Socket.Owner = sock.Owner{} }},
		{"kept as a minisocket", func(r *bpfEventRecord) { r.NewState, r.MiniState = 7, 6 },
			func(e *sock.Event) { e.Socket.State, e.Mini = sock.Close, sock.TimeWait }},
		{"owner", func(r *bpfEventRecord) { r.Kind = uint8(sock.EventOwner) },
			func(e *sock.Event) { e.Kind, e.Old, e.InOld = sock.EventOwner, sock.Established, -1 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, e := base, want
			test.record(&r)
			test.event(&e)
			var got sock.Event
			if err := decodeEvent(bytesOf(&r), 5_000_000_000, &got); err != nil {
				t.Fatal(err)
			}
			if got.Kind != e.Kind || !got.Time.Equal(e.Time) || got.Old != e.Old || got.InOld != e.InOld || got.Mini != e.Mini {
				t.Errorf("event: %+v\nwant:  %+v", got, e)
			}
			if g, w := got.Socket, e.Socket; g.ID != w.ID || g.At != w.At || g.Proto != w.Proto || g.State != w.State ||
				g.Local != w.Local || g.Remote != w.Remote || g.NetNS != w.NetNS || g.UID != w.UID || g.Inode != w.Inode || g.Owner != w.Owner {
				t.Errorf("socket: %+v\nwant:   %+v", g, w)
			}
		})
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	r := stateRecord()
	if err := decodeEvent(bytesOf(&r)[:100], 0, new(sock.Event)); err == nil {
		t.Error("a short record was taken")
	}
	r.Kind = 99
	if err := decodeEvent(bytesOf(&r), 0, new(sock.Event)); err == nil {
		t.Error("a record of an unknown kind was taken")
	}
}

func TestUnixSocket(t *testing.T) {
	r := bpfUnixRecord{Cookie: 7, Flags: sock.SOAcceptCon, Type: 1, State: 1, Refcnt: 2, PathLen: 4, Path: [108]uint8{0, 'a', 0, 'b'}}
	s := r.socket()
	if s.State != sock.UnixListening || s.Unix.Path != "@a@b" || s.Unix.Type != sock.UnixStream || s.Unix.RefCnt != 2 {
		t.Errorf("%+v %+v", s, s.Unix)
	}
	r.PathLen = 4096 // more than there is
	if got := len(r.socket().Unix.Path); got != len(r.Path) {
		t.Errorf("path of %d bytes", got)
	}
}

func TestParseFormat(t *testing.T) {
	got := parseFormat([]byte("name: x\nformat:\n\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n" +
		"\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;\n\tfield:broken;\toffset:z;\n"))
	if len(got) != 2 || got["skaddr"] != 8 || got["saddr"] != 32 {
		t.Errorf("%v", got)
	}
}

// No allocation for an event: a storm brings a million a second.
func TestDecodeEventAllocatesNothing(t *testing.T) {
	r := stateRecord()
	b := bytesOf(&r)
	var e sock.Event
	if n := testing.AllocsPerRun(100, func() {
		if decodeEvent(b, 0, &e) != nil {
			t.Fatal("not decoded")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecodeEvent(b *testing.B) {
	r := stateRecord()
	raw := bytesOf(&r)
	var e sock.Event
	b.ReportAllocs()
	for b.Loop() {
		if decodeEvent(raw, 0, &e) != nil {
			b.Fatal("not decoded")
		}
	}
}

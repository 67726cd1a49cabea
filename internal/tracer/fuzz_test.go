// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/render"
	"netlive/internal/sock"
)

// detailSeeds are records with all that may follow an event.
func detailSeeds() [][]byte {
	r := bpfStackRecord{Detail: bpfDetailRecord{
		DurationNs: 5e9, AcceptWaitNs: ^uint64(0), InNs: [12]uint64{1: 4e9, 2: 39e6, 8: ^uint64(0)}, BytesSent: 5000, BytesRetrans: 1448, BytesReceived: 1,
		PeerPid: 7, PeerComm: sock.MakeComm("nginx"), PeerHow: uint8(sock.HowExact), SegsOut: 4, SegsIn: 3, Retrans: 1, RttUs: 150, MinRttUs: ^uint32(0),
		Seq: ^uint32(0), EndSeq: 1447, Backlog: 4, MaxBacklog: 3, Dropped: 7, Error: uint16(unix.ECONNRESET), By: 2, Flags: pastFinReceived | pastExited,
		TcpFlags: tcpACK | tcpFIN, Nth: 2, Signal: 9, Reason: ^uint32(0),
	}, Stack: [32]uint64{0xffffffff81000000, 1}}
	var seeds [][]byte
	for kind := sock.EventState; kind <= sock.EventBind; kind++ {
		r.Detail.Event = stateRecord()
		r.Detail.Event.Kind = uint8(kind)
		b := bytesOf(&r)
		for _, size := range []uintptr{unsafe.Sizeof(r.Detail.Event), unsafe.Sizeof(r.Detail), unsafe.Sizeof(r)} {
			seeds = append(seeds, slices.Clone(b[:size]))
		}
	}
	return seeds
}

// harmless reports whether a text can do nothing to a terminal, and is one line.
func harmless(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(bytes.TrimSuffix(b, []byte("\n")), func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// kindsDecoded are those that come as records of events.
var kindsDecoded = sock.Events(sock.EventOwner, sock.EventStale) | sock.Events(sock.EventBind)<<1 - sock.Events(sock.EventState)

// A record of the ring is an event, or it is refused; what follows an event in it changes nothing of the event, and whatever its numbers are, each form of
// output has one line of it that is safe to print.
func FuzzDecodeEvent(f *testing.F) {
	for _, b := range detailSeeds() {
		f.Add(b)
	}
	f.Add([]byte{})
	every := sock.Events(sock.EventLost) - 1
	var lines render.EventLines
	var table render.EventCSV
	if err := lines.Select(every, nil); err != nil {
		f.Fatal(err)
	}
	if err := table.Select(every, render.AllEventColumns().Names()); err != nil {
		f.Fatal(err)
	}
	jsonLines := render.EventJSON{}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e, again sock.Event
		const size = int(unsafe.Sizeof(bpfEventRecord{}))
		if err := decodeEvent(b, 0, &e); err != nil {
			if len(b) >= size && e.Kind != sock.EventNone && kindsDecoded.Has(e.Kind) {
				t.Errorf("kind %v: %v", e.Kind, err)
			}
			return
		}
		if len(b) < size || !kindsDecoded.Has(e.Kind) {
			t.Fatalf("kind %v of %d bytes", e.Kind, len(b))
		}
		if e.Kind == sock.EventStale {
			if e.Socket.ID != 0 || e.Socket.Local.IsValid() {
				t.Errorf("%+v", e)
			}
			return
		}
		if !e.Socket.Local.IsValid() || !e.Socket.Remote.IsValid() || !sock.ProtosTCP.Has(e.Socket.Proto) && e.Socket.Proto < sock.UDP {
			t.Errorf("ends: %+v", e.Socket)
		}
		if e.Socket.Proto.IPv6() != e.Socket.Local.Addr().Is6() || e.Socket.Proto.IPv6() != e.Socket.Remote.Addr().Is6() {
			t.Errorf("%v of %v and %v", e.Socket.Proto, e.Socket.Local, e.Socket.Remote)
		}
		if e.Socket.Owner.Known() != (e.Socket.Owner != sock.Owner{}) {
			t.Errorf("owner %+v", e.Socket.Owner)
		}
		if err := decodeEvent(b[:size], 0, &again); err != nil || !reflect.DeepEqual(e, again) {
			t.Errorf("%+v, and without what follows %+v, %v", e, again, err)
		}
		s := Stream{t: &Tracer{}}
		s.t.symbols.once.Do(func() {})
		s.t.names.once.Do(func() { s.t.names.drops, s.t.names.resets = map[uint32]string{}, map[uint32]string{} })
		var d sock.Detail
		if err := s.decodeDetail(b, &e, &d); err != nil {
			if n := uintptr(len(b)); n == unsafe.Sizeof(bpfDetailRecord{}) || n == unsafe.Sizeof(bpfStackRecord{}) || n == uintptr(size) {
				t.Errorf("%d bytes: %v", n, err)
			}
			return
		}
		if len(e.Stack) > 32 {
			t.Errorf("a stack of %d", len(e.Stack))
		}
		if text := jsonLines.Append(nil, &e); !json.Valid(text) || !harmless(text) {
			t.Errorf("JSON %q of %+v", text, e)
		}
		if every.Has(e.Kind) {
			for i, text := range [][]byte{lines.Append(nil, &e), table.Append(nil, &e)} {
				if e.Stack != nil && i == 0 {
					for line := range bytes.Lines(text) {
						if !harmless(line) {
							t.Errorf("line %q of %+v", line, e)
						}
					}
				} else if !harmless(text) {
					t.Errorf("line %q of %+v", text, e)
				}
			}
		}
	})
}

// A record of a walk is a socket, whatever is in it.
func FuzzSockRecord(f *testing.F) {
	f.Add(make([]byte, 88))
	f.Add(bytesOf(&bpfSockRecord{Cookie: 1, Local: [16]uint8{127, 0, 0, 1}, Family: unix.AF_INET, State: 12, Lport: 80, Rport: 40000}))
	f.Add(bytesOf(&bpfSockRecord{Cookie: 1, Local: [16]uint8{15: 1}, Family: unix.AF_INET6, State: 10, RecvQ: ^uint32(0)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r bpfSockRecord
		if copyRecord(b, &r) != (len(b) >= int(unsafe.Sizeof(r))) {
			t.Fatalf("%d bytes", len(b))
		}
		for _, p := range []sock.Proto{sock.TCP, sock.UDP, sock.UDPLite, sock.Raw} {
			s := r.socket(p)
			if !s.State.Valid() && s.State != stateUnknown || s.State.Valid() && s.State > sock.NewSynRecv {
				t.Errorf("state %d of %d", s.State, r.State)
			}
			if !s.Local.IsValid() || !s.Remote.IsValid() || s.Proto.IPv6() != s.Local.Addr().Is6() || s.Proto != p && s.Proto != p+1 {
				t.Errorf("%+v", s)
			}
			if !harmless(render.AppendSocketJSON(nil, &s)) || !json.Valid(render.AppendSocketJSON(nil, &s)) {
				t.Errorf("%q", render.AppendSocketJSON(nil, &s))
			}
		}
	})
}

// A UNIX socket's path is what the kernel has, no more than it has, and without NULs.
func FuzzUnixRecord(f *testing.F) {
	f.Add(make([]byte, unsafe.Sizeof(bpfUnixRecord{})))
	r := bpfUnixRecord{Cookie: 7, Flags: sock.SOAcceptCon, Type: 1, State: 1, Refcnt: 2, PathLen: 4, Path: [108]uint8{0, 'a', 0, 0x1b}}
	f.Add(bytesOf(&r))
	r.PathLen = ^uint32(0)
	f.Add(bytesOf(&r))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r bpfUnixRecord
		if !copyRecord(b, &r) {
			return
		}
		s := r.socket()
		if len(s.Unix.Path) > len(r.Path) || strings.Contains(s.Unix.Path, "\x00") || strings.ReplaceAll(string(r.Path[:len(s.Unix.Path)]), "\x00", "@") != s.Unix.Path {
			t.Errorf("path %q", s.Unix.Path)
		}
		if text := render.AppendSocketJSON(nil, &s); !harmless(text) || !json.Valid(text) {
			t.Errorf("%q", text)
		}
	})
}

// Who holds what is the same as a list of all that was told gives: each process once, in the order in which they came, with its first descriptor.
func FuzzOwners(f *testing.F) {
	f.Add([]byte{1, 3, 1, 1, 4, 1, 2, 3, 1, 1, 3, 2})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		o := owners{index: map[uint32]int32{}, holds: make([]hold, 1), byCookie: map[sock.ID]int32{}}
		told := map[sock.ID][]sock.Owner{}
		for ; len(b) >= 3; b = b[3:] {
			r := bpfOwnerRecord{Pid: uint32(b[0]) + 1, Fd: int32(b[1]), Cookie: uint64(b[2]) + 1, StartNs: uint64(b[0])}
			addHold(&o, o.byCookie, sock.ID(r.Cookie), hold{process: o.process(&r), fd: r.Fd})
			list := told[sock.ID(r.Cookie)]
			if !slices.ContainsFunc(list, func(w sock.Owner) bool { return w.PID == r.Pid }) {
				told[sock.ID(r.Cookie)] = append(list, r.owner())
			}
		}
		for id, want := range told {
			s := sock.Socket{ID: id, Proto: sock.TCP}
			o.name(&s)
			if got := append([]sock.Owner{s.Owner}, s.Others...); !slices.Equal(got, want) {
				t.Errorf("socket %d is held by %+v, want %+v", id, got, want)
			}
		}
		s := sock.Socket{ID: 1 << 40, Proto: sock.TCP}
		if o.name(&s); s.Owner.Known() {
			t.Errorf("a socket of nobody is held by %+v", s.Owner)
		}
	})
}

// Addresses are named by the last function that begins at or before them, and a stack is as long as what was told of it.
func FuzzReadSymbols(f *testing.F) {
	f.Add("ffffffff81000000 T _text\nffffffff81000100 t tcp_v4_rcv\nffffffffc0000000 t nf_hook\t[nf_tables]\nffffffff82000000 D data\n", uint64(0xffffffff81000123))
	f.Add("0000000000000000 T hidden\n", uint64(1))
	f.Add("1 T a\n1 T b\nx T c\n2\n3 T\n"+strings.Repeat("4 T x\n", 20), uint64(2))
	f.Fuzz(func(t *testing.T, text string, addr uint64) {
		list := readSymbols(strings.NewReader(text))
		if len(list) > strings.Count(text, "\n")+1 || !slices.IsSortedFunc(list, func(a, b symbol) int { return cmp.Compare(a.addr, b.addr) }) {
			t.Fatalf("%v", list)
		}
		s := symbols{list: list}
		s.once.Do(func() {})
		name, at, found := strings.Cut(s.name(addr), "+0x")
		var want *symbol
		for i := range list {
			if list[i].addr <= addr && (want == nil || list[i].addr > want.addr) {
				want = &list[i]
			}
		}
		offset, err := strconv.ParseUint(at, 16, 64)
		switch {
		case want == nil && found || want == nil && name != "0x"+strconv.FormatUint(addr, 16):
			t.Errorf("%x is %s", addr, name)
		case want != nil && !strings.Contains(s.name(addr), "+0x"):
			t.Errorf("%x is %s, want %+v", addr, name, *want)
		case want != nil && !strings.Contains(want.name, "+0x") && (err != nil || want.addr+offset != addr):
			t.Errorf("%x is %s, want %+v", addr, s.name(addr), *want)
		}
		if frames := s.stack([]uint64{addr, 1, 0, 5}); len(frames) > 2 {
			t.Errorf("%q", frames)
		}
	})
}

// The offsets of a tracepoint's fields are numbers of its format, and none is made up.
func FuzzParseFormat(f *testing.F) {
	f.Add([]byte("name: inet_sock_set_state\nID: 1\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n"))
	f.Add([]byte("\tfield:__u8 saddr[4];\toffset:99999999999999999999;\tsize:4;\n\tfield:;\toffset:-1;\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fields := parseFormat(text)
		if n := bytes.Count(text, []byte("field:")); len(fields) > n {
			t.Errorf("%d fields of %d", len(fields), n)
		}
		for name, offset := range fields {
			if name == "" || offset < 0 || !bytes.Contains(text, []byte(name)) {
				t.Errorf("%q at %d", name, offset)
			}
		}
	})
}

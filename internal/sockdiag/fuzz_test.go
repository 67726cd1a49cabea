// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// checkKnown checks that no number below -1, and no other negative one than that of what is not known, is in v.
func checkKnown(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			checkKnown(t, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Int8, reflect.Int16, reflect.Int64:
		if v.Int() < -1 {
			t.Errorf("%s is %d", name, v.Int())
		}
	case reflect.Float64:
		if !(v.Float() >= -1) {
			t.Errorf("%s is %v", name, v.Float())
		}
	}
}

// Whatever comes, decode takes it or leaves it; what is no limit or too much is not known; and it looks at nothing but what it was given.
func FuzzDecode(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
		f.Add(b[:len(b)-len(b)%16-5])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var i, again Info
		local, remote, ok := decode(b, &i)
		if ok && (!local.IsValid() || !remote.IsValid() || i.State == sock.StateNone || i.State > sock.NewSynRecv) {
			t.Errorf("%v %v %v", local, remote, i.State)
		}
		checkKnown(t, "Info", reflect.ValueOf(i))
		if i.Sent() < -1 || i.Received() < -1 {
			t.Errorf("sent %d of %d and %d, received %d", i.Sent(), i.BytesSent, i.BytesRetrans, i.Received())
		}
		for _, name := range []string{i.CongestionControl.String(), i.ULP.String()} {
			if strings.Contains(name, "\x00") || len(name) > len(Name{}) {
				t.Errorf("a name is %q", name)
			}
		}
		if i.Timer > TimerPersist != (i.Timer.String() == "unknown") || (i.CAState < 0 || i.CAState > CALoss) != (i.CAState.String() == "") {
			t.Errorf("timer %d is %q, state %d %q", i.Timer, i.Timer, i.CAState, i.CAState)
		}
		// The same bytes with others behind them in the same buffer, of which an attribute that is cut off may claim to have some.
		behind := append(bytes.Clone(b), bytes.Repeat([]byte{0xa5}, 64)...)[:len(b)]
		local2, remote2, ok2 := decode(behind, &again)
		if local2 != local || remote2 != remote || ok2 != ok || !reflect.DeepEqual(again, i) {
			t.Errorf("%+v, and with more behind it %+v", i, again)
		}
		total := 0
		for _, value := range attributes(b) {
			total += attrLen + len(value)
		}
		if total > len(b) {
			t.Errorf("attributes of %d bytes in %d", total, len(b))
		}
	})
}

// still is a connection from which nothing more can be read.
type still struct{ reads int }

func (s *still) Control(f func(uintptr)) error  { s.reads++; return io.EOF }
func (s *still) Read(func(uintptr) bool) error  { return io.EOF }
func (s *still) Write(func(uintptr) bool) error { return io.EOF }

// Answers end, whatever the lengths and kinds of their messages say, and have no more than was read.
func FuzzAnswer(f *testing.F) {
	text, err := os.ReadFile("testdata/dump-v6-6.18.answer")
	if err != nil {
		f.Fatal(err)
	}
	dump, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(dump)
	f.Add(dump[:100])
	refused := make([]byte, 20)
	native.PutUint32(refused, 20)
	native.PutUint16(refused[4:], unix.NLMSG_ERROR)
	native.PutUint32(refused[8:], 7)
	native.PutUint32(refused[16:], 1<<31)
	f.Add(refused)
	f.Fuzz(func(t *testing.T, b []byte) {
		raw := &still{}
		conn := Conn{seq: 7, rest: b, dumping: true, raw: raw}
		total := 0
		for begin := time.Now(); ; {
			body, more, err := conn.next()
			if total += len(body); total > len(b) {
				t.Fatalf("%d bytes of %d", total, len(b))
			}
			if more && err != nil || body != nil && !more {
				t.Fatalf("%d bytes, %v, %v", len(body), more, err)
			}
			if more {
				var i Info
				decode(body, &i)
				continue
			}
			var errno unix.Errno
			if err != nil && !errors.Is(err, errMalformed) && !errors.Is(err, io.EOF) && !errors.As(err, &errno) || time.Since(begin) > time.Minute {
				t.Fatalf("%v", err)
			}
			if errno != 0 && errno.Error() == "" {
				t.Errorf("%d has no text", errno)
			}
			return
		}
	})
}

// What is asked for is what the kernel reads.
func FuzzRequest(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1}, []byte{10, 0, 0, 1}, uint16(80), uint16(65535), uint32(1), uint64(noCookie), uint32(7))
	f.Add(make([]byte, 16), []byte{0x20, 1, 15: 1}, uint16(0), uint16(1), uint32(0), uint64(1)<<63|5, ^uint32(0))
	f.Fuzz(func(t *testing.T, from, to []byte, lport, rport uint16, iface uint32, cookie uint64, seq uint32) {
		local, ok1 := netip.AddrFromSlice(from)
		remote, ok2 := netip.AddrFromSlice(to)
		if !ok1 || !ok2 || local.Is4() != remote.Is4() {
			return
		}
		s := sock.Socket{ID: sock.ID(cookie), Dev: iface, Proto: sock.TCP, Local: netip.AddrPortFrom(local, lport), Remote: netip.AddrPortFrom(remote, rport)}
		if local.Is6() {
			s.Proto = sock.TCP6
		}
		r := request{kind: byFamily, ext: extAll, states: 1 << sock.Listen}
		r.identify(&s)
		b := bytes.Repeat([]byte{0xff}, requestLen)
		r.encode(b, seq)
		conn := Conn{rest: b}
		header, body, ok := conn.cut()
		if !ok || len(conn.rest) > 0 || header.Seq != seq || header.Type != byFamily || len(body) != 8+sockidLen {
			t.Fatalf("%+v, %d bytes, %d left", header, len(body), len(conn.rest))
		}
		gotLocal, gotRemote, ok := decodeEnds(body[0], body[8:])
		if !ok || gotLocal != s.Local || gotRemote != s.Remote || native.Uint32(body[8+36:]) != iface {
			t.Errorf("%v %v, want %v %v", gotLocal, gotRemote, s.Local, s.Remote)
		}
		want := s.ID.Cookie()
		if want == 0 {
			want = noCookie
		}
		if got := uint64(native.Uint32(body[8+40:])) | uint64(native.Uint32(body[8+44:]))<<32; got != want {
			t.Errorf("cookie %x, want %x", got, want)
		}
	})
}

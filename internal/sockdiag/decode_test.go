// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// What the kernel writes for none is not known.
func TestNotMeasured(t *testing.T) {
	b := make([]byte, 280)
	native.PutUint32(b[80:], 10) // cwnd
	native.PutUint32(b[72:], 250_000)
	native.PutUint32(b[76:], infiniteSsthresh)
	native.PutUint32(b[148:], noMinRTT)
	native.PutUint64(b[104:], math.MaxUint64)
	native.PutUint64(b[112:], math.MaxUint64)
	native.PutUint64(b[168:], math.MaxInt64) // does not fit when it is nanoseconds
	b[6] = 0x77                              // window scales, without the option
	i := nothing
	i.State = sock.SynSent
	i.tcpInfo(b)
	for name, n := range map[string]int64{
		"rtt": int64(i.RTT), "rttvar": int64(i.RTTVar), "min_rtt": int64(i.MinRTT), "rcv_rtt": int64(i.RcvRTT), "ssthresh": i.Ssthresh,
		"pacing": i.PacingRate, "max_pacing": i.MaxPacingRate, "busy": int64(i.BusyTime), "snd_wscale": int64(i.SndWscale), "rcv_wscale": int64(i.RcvWscale),
	} {
		if n != -1 {
			t.Errorf("%s is %d", name, n)
		}
	}
	if i.Cwnd != 10 || i.TotalRetrans != 0 || i.Options != 0 || i.ATO != 0 {
		t.Errorf("%+v", i)
	}
	i = nothing
	i.State = sock.Listen
	if i.tcpInfo(b); i.Cwnd != -1 || i.TotalRetrans != -1 {
		t.Errorf("a listener: %+v", i)
	}
}

// nothing has no field forgotten.
func TestNothing(t *testing.T) {
	var check func(name string, v reflect.Value)
	check = func(name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for n := range v.NumField() {
				check(name+"."+v.Type().Field(n).Name, v.Field(n))
			}
		case reflect.Int8, reflect.Int16, reflect.Int64:
			if v.Int() != -1 {
				t.Errorf("%s is %d", name, v.Int())
			}
		case reflect.Float64:
			if v.Float() != -1 {
				t.Errorf("%s is %g", name, v.Float())
			}
		default:
			if !v.IsZero() {
				t.Errorf("%s is %v", name, v)
			}
		}
	}
	check("Info", reflect.ValueOf(nothing))
}

func TestBitfields(t *testing.T) {
	defer func(was bool) { bigEndian = was }(bigEndian)
	for _, c := range []struct {
		big           bool
		b             int64
		first, second int
		want          [2]int8
	}{
		{false, 0x9a, 4, 4, [2]int8{0xa, 9}}, {true, 0x9a, 4, 4, [2]int8{9, 0xa}},
		{false, 0b101, 1, 2, [2]int8{1, 2}}, {true, 0b1100_0000, 1, 2, [2]int8{1, 2}},
		{false, -1, 4, 4, [2]int8{-1, -1}},
	} {
		bigEndian = c.big
		if got := bitfields(c.b, c.first, c.second); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// message builds a message with attributes, as the kernel does.
func message(family, state uint8, attributes ...[]byte) []byte {
	b := make([]byte, msgLen)
	b[0], b[1] = family, state
	for _, a := range attributes {
		b = append(b, a...)
	}
	return b
}

func attribute(kind uint16, value string) []byte {
	b := make([]byte, attrLen, attrLen+(len(value)+3)&^3)
	native.PutUint16(b, uint16(attrLen+len(value)))
	native.PutUint16(b[2:], kind)
	b = append(b, value...)
	return b[:cap(b)]
}

func TestDecode(t *testing.T) {
	bbr := make([]byte, 20)
	for n, v := range []uint32{5, 1, 40, 739, 512} {
		native.PutUint32(bbr[4*n:], v)
	}
	b := message(unix.AF_INET, 1,
		attribute(attrCong, "bbr\x00"), attribute(attrShutdown, "\x03"), attribute(attrTOS, "\x10"), attribute(attrTClass, "\xe0"),
		attribute(attrBBRInfo, string(bbr)),
		attribute(attrULPInfo|0x8000, string(attribute(ulpName, "tls\x00"))+string(attribute(2, "xxxx"))),
		attribute(99, "later"), attribute(attrCgroupID, "\x01\x00\x00\x00\x00\x00\x00\x01"))
	copy(b[4:], []byte{0x1f, 0x90, 0x00, 0x50, 192, 0, 2, 1})
	copy(b[24:], []byte{198, 51, 100, 7})
	var i Info
	local, remote, ok := decode(b, &i)
	if !ok || local.String() != "192.0.2.1:8080" || remote.String() != "198.51.100.7:80" {
		t.Errorf("%v %v %v", local, remote, ok)
	}
	cgroup := int64(1<<56 | 1)
	want := nothing
	want.State, want.RecvQ, want.SendQ = sock.Established, 0, 0
	want.CongestionControl, want.ULP, want.Shutdown, want.TOS, want.TClass = Name{'b', 'b', 'r'}, Name{'t', 'l', 's'}, 3, 0x10, 0xe0
	want.BBR, want.Cgroup = BBR{1<<32 | 5, 40 * time.Microsecond, 739.0 / 256, 2}, cgroup
	if i != want {
		t.Errorf("got %+v\nwant %+v", i, want)
	}
	for n := range b { // cut anywhere: no more than is there
		if _, _, ok := decode(b[:n], &i); ok != (n >= msgLen) {
			t.Errorf("%d bytes: %v", n, ok)
		}
	}
	for _, b := range [][]byte{message(unix.AF_INET, 0), message(unix.AF_INET, 13), message(unix.AF_UNIX, 1), message(0, 1), nil} {
		if _, _, ok := decode(b, &i); ok || i != nothing && len(b) == 0 {
			t.Errorf("% x is decoded: %+v", b, i)
		}
	}
}

// The words of the enumerations, those for numbers of a later kernel too.
func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{TimerNone.String(), ""}, {TimerRetrans.String(), "on"}, {TimerPersist.String(), "persist"}, {Timer(9).String(), "unknown"},
		{CAOpen.String(), "open"}, {CALoss.String(), "loss"}, {CAState(-1).String(), ""}, {CAState(5).String(), ""},
		{Name{}.String(), ""}, {Name{'c', 'u', 'b', 'i', 'c'}.String(), "cubic"}, {Name([]byte("sixteen letters!")).String(), "sixteen letters!"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if Options(-1).Has(OptSACK) || !(OptSACK | OptECN).Has(OptSACK) || OptSACK.Has(OptSACK|OptECN) {
		t.Error("Has")
	}
}

// Answers are cut into messages, whatever their lengths say.
func TestNext(t *testing.T) {
	frame := func(kind uint16, seq uint32, body string) string {
		b := make([]byte, 16, 16+(len(body)+3)&^3)
		native.PutUint32(b, uint32(16+len(body)))
		native.PutUint16(b[4:], kind)
		native.PutUint32(b[8:], seq)
		b = append(b, body...)
		return string(b[:cap(b)])
	}
	enoent := native.AppendUint32(nil, ^uint32(unix.ENOENT)+1)
	long := []byte(frame(byFamily, 7, "x"))
	native.PutUint32(long, 1<<31)
	for _, c := range []struct {
		name, in, body string
		more           bool
		err            error
	}{
		{"message", frame(byFamily, 7, "hello"), "hello", true, nil},
		{"of another request", frame(byFamily, 6, "old") + frame(unix.NLMSG_DONE, 6, "") + frame(byFamily, 7, "new"), "new", true, nil},
		{"nothing", frame(unix.NLMSG_NOOP, 7, "") + frame(byFamily, 7, ""), "", true, nil},
		{"end", frame(unix.NLMSG_DONE, 7, "\x00\x00\x00\x00"), "", false, nil},
		{"end of an old kernel", frame(unix.NLMSG_DONE, 7, ""), "", false, nil},
		{"acknowledged", frame(unix.NLMSG_ERROR, 7, "\x00\x00\x00\x00"), "", false, nil},
		{"error", frame(unix.NLMSG_ERROR, 7, string(enoent)), "", false, unix.ENOENT},
		{"other kind", frame(77, 7, "?"), "", false, errMalformed},
		{"short", "abc", "", false, errMalformed},
		{"shorter than its header", strings.Repeat("\x00", 16), "", false, errMalformed},
		{"longer than the rest", string(long), "", false, errMalformed},
	} {
		conn := Conn{seq: 7, rest: []byte(c.in), dumping: true}
		body, more, err := conn.next()
		if string(body) != c.body || more != c.more || !errors.Is(err, c.err) {
			t.Errorf("%s: %q %v %v", c.name, body, more, err)
		}
		if ended := !more && err != errMalformed; conn.dumping == ended {
			t.Errorf("%s: dumping %v", c.name, conn.dumping)
		}
	}
}

// seeds are real messages of Linux 6.18, little-endian, without their netlink header.
func seeds(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("no seeds: %v", err)
	}
	m := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m[strings.TrimSuffix(filepath.Base(file), ".hex")], err = hex.DecodeString(strings.TrimSpace(string(text))); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

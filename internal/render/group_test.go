// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"netlive/internal/iface"
	"netlive/internal/procfallback"
)

const igmpHeader = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"

// groupTrees are made-up trees of /proc. IPv4 addresses stand in them as people write them.
var groupTrees = map[string]map[string]string{
	"kernel": {
		"net/igmp": igmpHeader + "1\tlo        :     1      V3\n\t\t\t\t224.0.0.1     1 0:00000000\t\t0\n" +
			"2\tabcdefghijklmno:     3      V3\n\t\t\t\t239.1.2.3     2 0:00000000\t\t0\n\t\t\t\t239.1.2.30     7 1:00000000\t\t0\n" +
			"\t\t\t\t224.0.0.251     1 0:00000000\t\t0\n3\tabcdefghij:     1      V2\n\t\t\t\t224.0.0.2     1 0:00000000\t\t0\n",
		"net/igmp6": "1    lo              ff020000000000000000000000000001     1 0000000C 0\n" +
			"2    abcdefghijklmno ff0200000000000000000001ff000002     3 00000004 0\n2    abcdefghijklmno ff020000000000000000000000000003     1 00000004 0\n" +
			"3    abcdefghij      ff020000000000000000000000000002     1 00000004 0\n",
	},
	"headers":  {"net/igmp": igmpHeader, "net/igmp6": ""},
	"no files": {},
	"no header, other address": {
		"net/igmp": "Device : Count\nlo : 1\n\t10.0.0.1 1\n\t10.0.0.2 2\n\t0.0.0.0 3\n\t0.1.2.3 -4\n\t255.255.255.255 4294967295\n",
		"net/igmp6": "1 lo 00000000000000000000000000000000 1\n1 lo 00000000000000000000ffff0a000001 0\n1 lo 00000000000000000000000001020304 9999999999\n" +
			"1 lo ffffffffffffffffffffffffffffffffabcdef -1 x\n1 lo 00000000000000000000000000000001 12345678\n",
	},
	"broken": {
		"net/igmp": igmpHeader + "\n1\n1\t\n1\tlo:\n\t\n\t224.0.0.1\n\tx 1\n\t224.0.0.1 x\n\t224.0.0.12\n\t0x12 1\nlo\n\t\t1\n\tE 2\n1\tx\n\t224.0.0.1 1\n" +
			"1 two words\n\t224.0.0.1 1 2 3\n1x:y:z\n\t224.0.0.1\x001\n\t224.0.0.1 1",
		"net/igmp6": "1 lo ff020000000000000000000000000001 1\n\n1\n1 lo\n1 lo x\n1 lo ff020000000000000000000000000001\n1 lo ff020000000000000000000000000001 x\n" +
			"x lo ff020000000000000000000000000001 1\n1 abcdefghijklmnop ff020000000000000000000000000001 1\n1\tlo\x00\n1 abcdefghijklmnoff020000000000000000000000000001 1",
	},
}

// groupFile is a file of groupTrees as the kernel has it, whatever the order of bytes in this host's numbers.
func groupFile(text string) string {
	return quad.ReplaceAllStringFunc(text, func(q string) string {
		a := netip.MustParseAddr(q).As4()
		return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(a[:]))
	})
}

// groupsOf are the groups of a tree, as a source has them.
func groupsOf(tree map[string]string) *procfallback.Source {
	files := map[string]string{}
	for name, text := range tree {
		files[name] = groupFile(text)
	}
	return procfallback.New(routeFS(files))
}

const groupHead = "IPv6/IPv4 Group Memberships\nInterface       RefCnt Group\n--------------- ------ ---------------------\n"

func TestGroups(t *testing.T) {
	src := groupsOf(groupTrees["kernel"])
	const four = "lo              1      224.0.0.1\nabcdefghijklmno 2      239.1.2.3\nabcdefghijklmno 7      239.1.2.30\n" +
		"abcdefghijklmno 1      224.0.0.251\nabcdefghij      1      224.0.0.2\n"
	const six = "lo              1      ff02::1\nabcdefghijklmno 3      ff02::1:ff00:2\nabcdefghijklmno 1      ff02::3\nabcdefghij      1      ff02::2\n"
	for _, c := range []struct {
		g    Groups
		want string
	}{
		{Groups{IPv4: true, IPv6: true}, four + six},
		{Groups{IPv4: true}, four},
		{Groups{IPv6: true}, six},
		{Groups{}, ""},
	} {
		c.g.Names = Numeric{}
		// Again and again the same, unless it is to err.
		for range 2 {
			out, errs, code, err := c.g.Append(t.Context(), []byte("> "), nil, src)
			if string(out) != "> "+groupHead+c.want || len(errs) > 0 || code != 0 || err != nil {
				t.Errorf("%+v: exit code %d, %v, stderr %q\n%s", c.g, code, err, errs, out)
			}
		}
	}
	g := Groups{IPv4: true, IPv6: true, Names: someNames{hosts: true}}
	out, _, _, _ := g.Append(t.Context(), nil, nil, src)
	want := strings.NewReplacer("224.0.0.1\n", "all-systems.example.org\n", "224.0.0.2\n", "r\n", "ff02::1\n", "ip6-allnodes\n",
		"ff02::1:ff00:2", "solicited.example.org", "ff02::2", someHosts["ff02::2"]).Replace(four + six)
	if string(out) != groupHead+want {
		t.Errorf("with names\n%s\nwant\n%s", out, want)
	}
}

// The second pass takes the first file for the other's, and the numbers of users for addresses.
func TestGroupsStrict(t *testing.T) {
	g := Groups{IPv4: true, IPv6: true, Names: Numeric{}, Strict: true}
	src := groupsOf(map[string]string{
		"net/igmp": igmpHeader + "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\t\t\t\tFB0000E0     1 0:00000000\t\t0\n" +
			"\t\t\t\t1E0201EF     7 1:00000000\t\t0\n",
		"net/igmp6": "1    lo              ff020000000000001234000000000001     1 0000000C 0\n",
	})
	const first, six = "lo              1      224.0.0.1\nlo              1      224.0.0.251\nlo              7      239.1.2.30\n",
		"lo              1      ff02::1234:0:0:1\n"
	const second = "E0              0      0:1::3412:100:0\nE0201EF         1      0:7::1234:0:0:1\n"
	const bogus = "warning, got bogus igmp6 line 1.\nwarning, got bogus igmp6 line 3.\n"
	for pass, want := range []said{{first + six, "", 0}, {second + six, bogus, 0}, {second + six, bogus, 0}} {
		if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
			t.Skip("the addresses are those of little-endian hosts")
		}
		out, errs, code, err := g.Append(t.Context(), nil, nil, src)
		if got := (said{strings.TrimPrefix(string(out), groupHead), string(errs), code}); got != want || err != nil {
			t.Errorf("pass %d: %v\n%+v\nwant\n%+v", pass, err, got, want)
		}
	}
	if out, errs, _, _ := g.AppendJSON(t.Context(), nil, nil, src); strings.Count(string(out), "\n") != 3 || len(errs) > 0 || !strings.Contains(string(out), `"224.0.0.1"`) {
		t.Errorf("JSON errs:\n%s%s", out, errs)
	}
}

// failingGroups is a source whose files do not open, or do not read.
type failingGroups struct{ first, second error }

func (f failingGroups) Groups(ctx context.Context, v4, v6 bool) (g iface.Groups, err error) {
	group := iface.Group{Iface: "e0", Users: 1, Addr: netip.MustParseAddr("ff02::1")}
	if g.IPv4.Err, g.IPv6.Err = f.first, f.second; f.second == nil {
		g.IPv6 = iface.GroupList{Groups: []iface.Group{group}, BadLines: []int{1, 7}, Warnings: []error{fs.ErrInvalid}}
	}
	return g, ctx.Err()
}

func TestGroupsOfFilesThatFail(t *testing.T) {
	open := func(err error) error { return fmt.Errorf("source: %w", &fs.PathError{Op: "open", Path: "x", Err: err}) }
	read := &fs.PathError{Op: "read", Path: "x", Err: syscall.EISDIR}
	const no = "netstat: no support for `AF INET (igmp)' on this system.\n"
	const bogus = "warning, got bogus igmp6 line 0.\nwarning, got bogus igmp6 line 6.\n"
	const loop, directory = "Too many levels of symbolic links\n", "Is a directory\n"
	for _, c := range []struct {
		src     failingGroups
		unnamed bool
		rows    int
		errs    string
		code    int
	}{
		{failingGroups{}, false, 1, bogus, 0},
		{failingGroups{first: open(syscall.ENOENT)}, false, 1, no + bogus, 1},
		{failingGroups{first: open(syscall.EACCES)}, false, 1, no + bogus, 1},
		{failingGroups{first: open(syscall.ENOENT)}, true, 1, bogus, 0},
		{failingGroups{first: open(syscall.ELOOP)}, true, 0, "/proc/net/igmp: " + loop, 255},
		{failingGroups{first: read}, true, 0, "/proc/net/igmp: " + directory, 255},
		{failingGroups{second: open(syscall.ENOENT)}, false, 0, "", 0},
		{failingGroups{second: open(syscall.ELOOP)}, false, 0, "", 0},
		{failingGroups{second: read}, false, 0, "/proc/net/igmp6: " + directory, 255},
		{failingGroups{first: open(syscall.ENOENT), second: open(syscall.ENOENT)}, false, 0, no, 1},
	} {
		g := Groups{IPv4: true, IPv6: true, Unnamed: c.unnamed, Names: Numeric{}, Strict: true}
		out, errs, code, err := g.Append(t.Context(), nil, nil, c.src)
		rows := strings.Repeat("e0              1      ff02::1\n", c.rows)
		if string(out) != groupHead+rows || string(errs) != c.errs || code != c.code || err != nil {
			t.Errorf("%+v, unnamed %t: exit code %d, %v, stderr %q\n%s", c.src, c.unnamed, code, err, errs, out)
		}
		json, errs, code, err := g.AppendJSON(t.Context(), nil, nil, c.src)
		rows = strings.Repeat(`{"family":"inet6","iface":"e0","users":1,"group":"ff02::1"}`, c.rows)
		if string(json) != rows || string(errs) != c.errs || code != c.code || err != nil {
			t.Errorf("%+v, unnamed %t: exit code %d, %v, stderr %q\n%s", c.src, c.unnamed, code, err, errs, json)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var g Groups
	_, _, _, err := g.Append(ctx, nil, nil, failingGroups{})
	_, _, _, err2 := g.AppendJSON(ctx, nil, nil, failingGroups{})
	if !errors.Is(err, context.Canceled) || !errors.Is(err2, context.Canceled) {
		t.Errorf("%v, %v", err, err2)
	}
}

func TestGroupsTextsEscapeAndJSON(t *testing.T) {
	src := groupsOf(map[string]string{"net/igmp": igmpHeader + "1\te\x1b[31m\\:\n\t224.0.0.1 -1\n\tx\n", "net/igmp6": "1 a\"\\b ff020000000000000000000000000001 2\nx\n"})
	german := map[string]string{titleGroups: "IPv4-Gruppenmitgliedschaften\n", headGroups: "Schnittstelle   RefZäh Grupp\n",
		bogusGroup: "Warnung, fehlerhafte igmp-Zeile %d.\n", bogusGroup6: "Warnung, fehlerhafte igmp6 line %d.\n"}
	g := Groups{IPv4: true, IPv6: true, Names: Numeric{}, Escape: true, Texts: func(s string) string { return german[s] }}
	out, errs, _, _ := g.Append(t.Context(), nil, nil, src)
	const want = "IPv6/IPv4-Gruppenmitgliedschaften\nSchnittstelle   RefZäh Grupp\n" + lineGroups +
		`e\x1b[31m\\     -1     224.0.0.1` + "\n" + `a"\b            2      ff02::1` + "\n"
	const wantErrs = "Warnung, fehlerhafte igmp-Zeile 3.\nWarnung, fehlerhafte igmp6 line 1.\n"
	if string(out) != want || string(errs) != wantErrs || len(g.Warnings) != 2 {
		t.Errorf("%q\nstderr %q, warnings %v", out, errs, g.Warnings)
	}
	g.Escape = false
	if out, _, _, _ := g.Append(t.Context(), nil, nil, src); !strings.Contains(string(out), "\ne\x1b[31m\\         -1     224.0.0.1\n") {
		t.Errorf("%q", out)
	}
	out, errs, _, _ = g.AppendJSON(t.Context(), nil, nil, src)
	const wantJSON = `{"family":"inet","iface":"e\u001b[31m\\","users":4294967295,"group":"224.0.0.1"},` + "\n" +
		`{"family":"inet6","iface":"a\"\\b","users":2,"group":"ff02::1"}`
	if string(out) != wantJSON || string(errs) != wantErrs || !json.Valid(append(append([]byte{'['}, out...), ']')) {
		t.Errorf("%s\nstderr %q", out, errs)
	}
}

// groupGenerator makes up files of groups and of masqueraded connections.
type groupGenerator struct {
	*rand.Rand
	// whole: of each file the first line is good, as netstat prints its own memory for what it has not yet read.
	whole bool
}

func newGroupGenerator(seed uint64) *groupGenerator {
	return &groupGenerator{Rand: rand.New(rand.NewPCG(seed, seed))}
}

func (g *groupGenerator) in(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *groupGenerator, of ...T) T { return of[g.IntN(len(of))] }

func (g *groupGenerator) number() string {
	return pick(g, "0", "1", "1", "2", "7", "123456", "1234567", "-1", "+5", "007", "2147483648", "4294967295", "9223372036854775808", "-99999999999999999999")
}

func (g *groupGenerator) name() string {
	return pick(g, "lo", "eth0", "eth0", "abcdefghij", "abcdefghijk", "abcdefghijklmno", "abcdefghijklmnopq", "a:b", "br-1.2@x", "Device0", "ff", "\xff\x1b")
}

// tree is net/igmp and net/igmp6.
func (g *groupGenerator) tree() map[string]string {
	var four, six strings.Builder
	four.WriteString(pick(g, igmpHeader, igmpHeader, igmpHeader, "Device    : Count Querier\tGroup    Users Timer\tReporter\n"))
	count := pick(g, 0, 3, 10, 10, 300)
	for range g.IntN(count + 1) {
		switch {
		case g.in(12):
			four.WriteString(pick(g, "\n", "1\n", "1\t\n", "x\n", "\t\n", "\t224.0.0.1\n", "\tx 1\n", "\t224.0.0.1 x\n", "1 \t lo :x\n", "1lo\n", "\t\v E0 5\n", "\x00\n", "a\x00b:\n"))
		case g.in(3):
			fmt.Fprintf(&four, "%d\t%-10s: %5s %7s\n", g.IntN(99), g.name(), g.number(), "V3")
		default:
			fmt.Fprintf(&four, "\t\t\t\t%08X %5s %d:%08X\t\t%d\n", g.address(), g.number(), g.IntN(2), g.IntN(5), g.IntN(2))
		}
	}
	const six1 = "1    lo              ff020000000000000000000000000001     1 0000000C 0\n"
	six.WriteString(six1)
	for range g.IntN(count + 1) {
		if g.in(12) {
			six.WriteString(pick(g, "\n", "1\n", "1 lo\n", "1 lo x 1\n", "x lo 1 1\n", "1 lo ff020000000000000000000000000001 x\n", "1lo ff020000000000000000000000000001 1\n", "\x00\n"))
			continue
		}
		digits := 32
		if g.whole && g.in(8) {
			digits = 1 + g.IntN(64)
		}
		address := (fmt.Sprintf("%016x%016x", g.Uint64()>>g.IntN(64), g.Uint64()>>g.IntN(64)) + strings.Repeat("0", 32))[:digits]
		fmt.Fprintf(&six, "%-4d %-15s %s %5s %08X %d\n", g.IntN(99), g.name(), pick(g, address, address, "ff02000000000000000000000000000"+pick(g, "1", "2", "3")),
			g.number(), g.IntN(99), 0)
	}
	tree := map[string]string{"net/igmp": four.String(), "net/igmp6": six.String()}
	if g.in(10) {
		tree["net/igmp"] = strings.TrimRight(tree["net/igmp"], "\n")
	}
	if g.in(20) {
		delete(tree, pick(g, "net/igmp6", "net/igmp6", "net/igmp"))
	}
	return tree
}

// address is often one that has a name.
func (g *groupGenerator) address() uint32 {
	a := pick(g, "224.0.0.1", "224.0.0.2", "10.0.0.1", "10.0.0.2", "239.255.255.250", "239.1.2.3", "0.0.0.0", "0.1.2.3", "127.0.0.1", "")
	if a == "" {
		return g.Uint32()
	}
	b := netip.MustParseAddr(a).As4()
	return binary.NativeEndian.Uint32(b[:])
}

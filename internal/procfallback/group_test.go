// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"netlive/internal/iface"
)

const igmpHeader = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"

func groupText(l *iface.GroupList) string {
	var b strings.Builder
	for _, g := range l.Groups {
		fmt.Fprintf(&b, "%q %d %v; ", g.Iface, g.Users, g.Addr)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestParseGroups(t *testing.T) {
	all := kernelAddr("224.0.0.1")
	for _, c := range []struct{ name, data, want, warnings string }{
		{"kernel", igmpHeader + "1\tlo        :     1      V3\n\t\t\t\t" + all + "     1 0:00000000\t\t0\n" +
			"12\tabcdefghijklmno:     2      V2\n\t\t\t\t" + kernelAddr("239.1.2.3") + "     2 0:00000000\t\t0\n\t\t\t\t" + all + " 4294967295 1:0000000A\t\t1\n",
			`"lo" 1 224.0.0.1; "abcdefghijklmno" 2 239.1.2.3; "abcdefghijklmno" 4294967295 224.0.0.1`, ""},
		{"Linux 2.0", "Device    : Count Querier\tGroup    Users Timer\tReporter\nlo        :     1\n\t\t\t\t" + all + " 1\n", `"lo" 1 224.0.0.1`, ""},
		{"no header", "1\tlo        :     1      V3\n\t\t\t\t" + all + " 1", `"lo" 1 224.0.0.1`, ""},
		{"nothing", "", "", ""},
		{"no interface", igmpHeader + "\t" + all + " 1\n", `"" 1 224.0.0.1`, ""},
		{"an alias", igmpHeader + "1\teth0:1    :     1      V3\n\t" + all + " 1\n", `"eth0:1" 1 224.0.0.1`, ""},
		{"a short line keeps what was there", igmpHeader + "1\tabcdefghijklmno: 1\n1\tx\n\t" + all + " 1\n2\ty:z\n\t" + all + " 1\n",
			`"x\ncdefghijklmno" 1 224.0.0.1; "y" 1 224.0.0.1`, ""},
		{"addresses", igmpHeader + "1\tlo        :\n\t" + all + "9 1\n\t0 -1\n\t0x1 1\n", `"lo" 9 224.0.0.1; "lo" 4294967295 0.0.0.0`, `f:5: users "x1"`},
		{"bad lines", igmpHeader + "\nx\tlo :\n1\t\n1\tlo        :\n\t\n\tg 1\n\t" + all + "\n\t" + all + "\x001\n\t" + all + " x\n\x001\tlo\n\t" + all + " 1\n",
			`"lo" 1 224.0.0.1`,
			`f:2: index missing; f:3: index "x"; f:4: interface missing; f:6: address missing; f:7: address missing; f:8: users missing; ` +
				`f:9: users missing; f:10: users "x"; f:11: index missing`},
	} {
		warn := warnings{file: "f"}
		p := groupParser{GroupMemory: &iface.GroupMemory{Index: true}, GroupList: &iface.GroupList{}, warn: warn}
		checkGroups(t, c.name, &p, c.data, c.want, c.warnings)
	}
}

func TestParseGroups6(t *testing.T) {
	const all, six = "ff020000000000000000000000000001", `"lo" 1 ff02::1`
	for _, c := range []struct{ name, data, want, warnings string }{
		{"kernel", "1    lo              " + all + "     1 0000000C 0\n2    abcdefghijklmno ff0200000000000000000001ff00000a     3 00000004 0\n",
			six + `; "abcdefghijklmno" 3 ff02::1:ff00:a`, ""},
		{"nothing", "", "", ""},
		{"the first line is none of a header", "1 Device " + all + " 1", `"Device" 1 ff02::1`, ""},
		{"mapped", "1 lo 00000000000000000000ffff0a000001 1\n", `"lo" 1 ::ffff:10.0.0.1`, ""},
		{"too long", "1 lo " + all + "abc 1\n1 abcdefghijklmno" + all + " 1\n", six + `; "abcdefghijklmno" 1 ff02::1`, ""},
		{"bad lines", "\nx lo " + all + " 1\n1\n1 lo\n1 lo ff02 1\n1 lo x 1\n1 lo " + all + "\n1 lo " + all + " x\n1 lo " + all + " 1\n", six,
			`f:1: index missing; f:2: index "x"; f:3: interface missing; f:4: address missing; f:5: address "ff02"; f:6: address missing; ` +
				`f:7: users missing; f:8: users "x"`},
	} {
		p := groupParser{GroupMemory: &iface.GroupMemory{IPv6: true}, GroupList: &iface.GroupList{}, warn: warnings{file: "f"}}
		checkGroups(t, c.name, &p, c.data, c.want, c.warnings)
	}
}

func checkGroups(t *testing.T, name string, p *groupParser, data, want, wantWarnings string) {
	t.Helper()
	p.parse([]byte(data))
	if got := groupText(p.GroupList); got != want {
		t.Errorf("%s: %s\nwant %s", name, got, want)
	}
	var warnings []string
	for i, w := range p.Warnings {
		warnings = append(warnings, w.Error())
		if line := (*LineError)(nil); !errors.As(w, &line) || line.Line != p.BadLines[i] {
			t.Errorf("%s: bad lines %v", name, p.BadLines)
		}
	}
	if got := strings.Join(warnings, "; "); got != wantWarnings || len(p.BadLines) != len(warnings) {
		t.Errorf("%s: %s\nwant %s", name, got, wantWarnings)
	}
}

// Reading again, netstat takes one file for the other and keeps what it had in memory.
func TestGroupsLikeNetstat(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the addresses are those of little-endian hosts")
	}
	s := New(fstest.MapFS{
		"net/igmp":  file(igmpHeader + "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\t\t\t\t1E0201EF     7 1:00000000\t\t0\n"),
		"net/igmp6": file("1    lo              ff020000000000001234000000000001     1 0000000C 0\n1 lo 123456789 1\n"),
	})
	var m iface.GroupMemory
	const six = `"lo" 1 ff02::1234:0:0:1; "lo" 1 1234:5678:0:9:0:3412:100:0`
	const again = `"E0" 0 0:1:900:0:1234::1; "E0201EF" 1 0:7:0:9:0:3412:100:0`
	for pass, want := range []string{`"lo" 1 224.0.0.1; "lo" 7 239.1.2.30`, again, again} {
		g, err := s.GroupsLikeNetstat(t.Context(), true, true, &m)
		if got, got6 := groupText(&g.IPv4), groupText(&g.IPv6); got != want || got6 != six || err != nil || g.IPv4.Misread != (pass > 0) || g.IPv6.Misread {
			t.Errorf("pass %d: %v\n%s\n%s", pass, err, got, got6)
		}
	}
	if g, err := s.Groups(t.Context(), true, true); err != nil || g.IPv4.Misread || len(g.IPv4.Groups) != 2 || len(g.IPv6.Groups) != 1 || len(g.IPv6.BadLines) != 1 {
		t.Errorf("%v %+v", err, g)
	}
}

func TestGroupsFiles(t *testing.T) {
	root := fstest.MapFS{
		"thread-self/net/igmp":  file(igmpHeader + "1\tlo        :\n\t" + kernelAddr("224.0.0.1") + " 1\n"),
		"thread-self/net/igmp6": file("1 lo ff020000000000000000000000000001 1\n"),
	}
	s := New(root)
	for _, c := range []struct{ v4, v6 bool }{{}, {true, false}, {false, true}, {true, true}} {
		g, err := s.Groups(t.Context(), c.v4, c.v6)
		if err != nil || len(g.IPv4.Groups) == 1 != c.v4 || len(g.IPv6.Groups) == 1 != c.v6 || g.IPv4.Err != nil || g.IPv6.Err != nil {
			t.Errorf("%+v: %+v, %v", c, g, err)
		}
	}
	delete(root, "thread-self/net/igmp")
	g, err := s.Groups(t.Context(), true, true)
	path := (*fs.PathError)(nil)
	if err != nil || !errors.Is(g.IPv4.Err, fs.ErrNotExist) || !errors.As(g.IPv4.Err, &path) || path.Op != "open" || len(g.IPv6.Groups) != 1 {
		t.Errorf("%+v, %v", g, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Groups(ctx, false, true); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// Where there is a network there is lo, and it listens to all hosts.
	g, err = New(os.DirFS("/proc")).Groups(t.Context(), true, true)
	if err != nil || len(g.IPv4.Warnings)+len(g.IPv6.Warnings) > 0 || g.IPv4.Err == nil && len(g.IPv4.Groups) == 0 {
		t.Errorf("%+v, %v", g, err)
	}
}

func FuzzParseGroups(f *testing.F) {
	f.Add([]byte(igmpHeader+"1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"), false, false)
	f.Add([]byte("1    lo              ff020000000000000000000000000001     1 0000000C 0\n1 lo 12 3"), true, true)
	for _, name := range []string{"igmp", "igmp6"} {
		for _, data := range kernelFiles(f, name) {
			f.Add(data, name == "igmp6", false)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, ipv6, strict bool) {
		for range 2 {
			p := groupParser{GroupMemory: &iface.GroupMemory{IPv6: ipv6, Index: true}, GroupList: &iface.GroupList{}, strict: strict}
			p.parse(data)
			if n := strings.Count(string(data), "\n") + 1; len(p.Groups)+len(p.BadLines) > n {
				t.Errorf("%d groups and %d bad lines of %d", len(p.Groups), len(p.BadLines), n)
			}
			for _, g := range p.Groups {
				if !g.Addr.IsValid() || g.Addr.Is6() != p.IPv6 || len(g.Iface) > ifaceMax {
					t.Errorf("%+v", g)
				}
			}
		}
	})
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"netlive/internal/sock"
)

// placing are the columns as --netns and --unit have them: namespace 7 and cgroup 8 have names, 9 has hostile ones.
func placing(space, unit bool) *Places {
	p := &Places{}
	if space {
		p.Space = func(inode uint32) string { return map[uint32]string{7: "web", 9: "a\x1b[2Jb"}[inode] }
	}
	if unit {
		p.Unit = func(s *sock.Socket) (string, string) {
			path := map[uint64]string{8: "/system.slice/nginx.service", 9: "/a\n\"b.service", 10: "/plain"}[s.Cgroup]
			return path, map[uint64]string{8: "nginx.service", 9: "a\n\"b.service"}[s.Cgroup]
		}
	}
	return p
}

func placed(netns uint32, cgroup uint64) sock.Socket {
	return sock.Socket{
		ID: 1, Proto: sock.TCP, State: sock.Listen, NetNS: netns, Cgroup: cgroup,
		Local: netip.MustParseAddrPort("127.0.0.1:80"), Remote: netip.MustParseAddrPort("0.0.0.0:0"),
	}
}

// The columns come after netstat's, in netstat's tables and in the lines of events; their heads stand above them.
func TestPlacesColumns(t *testing.T) {
	for _, c := range []struct {
		name        string
		space, unit bool
		netns       uint32
		cgroup      uint64
		want        string
	}{
		{"namespace", true, false, 7, 8, "web            "},
		{"unit", false, true, 7, 8, "nginx.service       "},
		{"both", true, true, 7, 8, "web             nginx.service       "},
		{"unknown", true, true, 1, 1, "-               -                   "},
		{"no unit", true, true, 7, 10, "web             -                   "},
	} {
		s := placed(c.netns, c.cgroup)
		table := Table{Names: Numeric{}, Places: placing(c.space, c.unit)}
		plain := Table{Names: Numeric{}}
		head, row := string(table.InetHeader(nil)), string(table.InetRow(nil, &s))
		if want := strings.TrimSuffix(string(plain.InetRow(nil, &s)), "\n") + " " + c.want + "\n"; row != want {
			t.Errorf("%s: %q, want %q", c.name, row, want)
		}
		columns := head[strings.LastIndex(strings.TrimSuffix(head, "\n"), "\n")+1:]
		for word, value := range map[string]string{"Netns": "web", "Unit": "nginx.service"} {
			if at := strings.Index(columns, word); at >= 0 && strings.Contains(row, value) && strings.Index(row, value) != at {
				t.Errorf("%s: %s stands at %d, %s at %d", c.name, word, at, value, strings.Index(row, value))
			}
		}
		if got := strings.Contains(columns, "Netns"); got != c.space {
			t.Errorf("%s: head %q", c.name, columns)
		}
		if got := strings.Contains(columns, "Unit"); got != c.unit {
			t.Errorf("%s: head %q", c.name, columns)
		}

		unix := s
		unix.Proto, unix.Unix = sock.Unix, &sock.UnixInfo{Path: "/run/x"}
		if row := string(table.UnixRow(nil, &unix)); !strings.HasSuffix(row, " "+c.want+" /run/x\n") {
			t.Errorf("%s: UNIX row %q", c.name, row)
		}

		e := closed()
		e.Socket.NetNS, e.Socket.Cgroup = c.netns, c.cgroup
		lines := EventLines{Places: placing(c.space, c.unit)}
		head, line := string(lines.Header(nil)), string(lines.Append(nil, &e))
		if !strings.HasSuffix(line, " "+c.want+"\n") {
			t.Errorf("%s: event %q", c.name, line)
		}
		first := "NETNS"
		if !c.space {
			first = "UNIT"
		}
		if at := strings.Index(head, first); !strings.HasSuffix(line[at:], c.want+"\n") || len(line[at:]) != len(c.want)+1 {
			t.Errorf("%s: %s is not above its column:\n%s%s", c.name, first, head, line)
		}
	}
}

// Strangers name namespaces and cgroups: nothing of theirs reaches a terminal as it is.
func TestPlacesEscape(t *testing.T) {
	s := placed(9, 9)
	table := Table{Names: Numeric{}, Places: placing(true, true), Escape: true}
	e := closed()
	e.Socket.NetNS, e.Socket.Cgroup = 9, 9
	lines := EventLines{Places: placing(true, true)}
	for _, row := range []string{string(table.InetRow(nil, &s)), string(lines.Append(nil, &e))} {
		if strings.ContainsAny(strings.TrimSuffix(row, "\n"), "\x1b\n") {
			t.Errorf("%q", row)
		}
	}
}

// JSON has the names that were asked for, null where they are not known, and is JSON whatever they are.
func TestPlacesJSON(t *testing.T) {
	for _, c := range []struct {
		name        string
		space, unit bool
		netns       uint32
		cgroup      uint64
		want        string
	}{
		{"both", true, true, 7, 8, `"netns_name":"web","cgroup":"/system.slice/nginx.service","unit":"nginx.service"`},
		{"namespace", true, false, 7, 8, `"netns_name":"web"`},
		{"unit", false, true, 7, 8, `"cgroup":"/system.slice/nginx.service","unit":"nginx.service"`},
		{"unknown", true, true, 1, 1, `"netns_name":null,"cgroup":null,"unit":null`},
		{"no unit", false, true, 1, 10, `"cgroup":"/plain","unit":null`},
	} {
		s := placed(c.netns, c.cgroup)
		table := Table{Places: placing(c.space, c.unit)}
		plain := string(AppendSocketJSON(nil, &s))
		want := strings.TrimSuffix(plain, "}") + "," + c.want + "}"
		if got := string(table.SocketJSON(nil, &s)); got != want {
			t.Errorf("%s: %s, want %s", c.name, got, want)
		}
		if got := string(placing(c.space, c.unit).AppendJSON([]byte(`{"a":1}`), &s)); got != `{"a":1,`+c.want+"}" {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	s := placed(9, 9)
	var got struct {
		NetNSName    string `json:"netns_name"`
		Cgroup, Unit string
	}
	text := placing(true, true).AppendJSON([]byte(`{"a":1}`), &s)
	if err := json.Unmarshal(text, &got); err != nil || got.NetNSName != "a\x1b[2Jb" || got.Cgroup != "/a\n\"b.service" || got.Unit != "a\n\"b.service" {
		t.Errorf("%s: %+v, %v", text, got, err)
	}
	if strings.ContainsAny(string(text), "\x1b\n") {
		t.Errorf("%q", text)
	}
}

// Without places nothing is added, nor is anything for columns that were not asked for.
func TestNoPlaces(t *testing.T) {
	s := placed(7, 8)
	var none *Places
	for name, got := range map[string][]byte{
		"heads": none.appendHeads([]byte("{}"), "Netns", "Unit"), "columns": none.appendColumns([]byte("{}"), &s, true),
		"JSON": none.AppendJSON([]byte("{}"), &s), "empty heads": placing(false, false).appendHeads([]byte("{}"), "Netns", "Unit"),
		"empty columns": placing(false, false).appendColumns([]byte("{}"), &s, true),
		"empty JSON":    placing(false, false).AppendJSON([]byte("{}"), &s),
	} {
		if string(got) != "{}" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

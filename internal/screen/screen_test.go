// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/live"
	"netlive/internal/render"
	"netlive/internal/sock"
	"netlive/internal/table"
)

var update = flag.Bool("update", false, "write the golden screens anew")

const second = sock.Stamp(time.Second)

// shown is a model of the given size that shows t at the instant now.
func shown(t *testing.T, c *Config, tb *table.Table, s live.Status, now sock.Stamp, width, height int) *model {
	t.Helper()
	w := &window{config: c, place: newPlace()}
	m := newModel(c, w, render.Numeric{})
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	w.send = func(f *frame) { m.Update(f) }
	if _, err := w.Draw(tb, s, now); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *model) text() string { return ansi.Strip(m.View().Content) }

func end(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func owner(pid uint32, comm string) sock.Owner {
	return sock.Owner{PID: pid, How: sock.HowExact, Comm: sock.MakeComm(comm)}
}

// scene is a table with a row of each look: old, new, changed and closed ones, wide and hostile ones.
func scene() *table.Table {
	tb := table.New()
	tb.Replace(&sock.Snapshot{Begin: second, Protos: sock.ProtosTCP | sock.ProtosUDP | sock.ProtosUnix, Sockets: []sock.Socket{
		{ID: 1, At: second, Proto: sock.TCP, State: sock.Listen, Local: end("0.0.0.0:80"), Remote: end("0.0.0.0:0"), Inode: 1234567, Owner: owner(812, "nginx"), Queue: sock.Queue{Recv: 3}},
		{ID: 2, At: second, Proto: sock.TCP6, State: sock.Listen, Local: end("[::]:443"), Remote: end("[::]:0"), Inode: 1234568, Owner: owner(812, "nginx")},
		{ID: 3, At: second, Proto: sock.TCP, State: sock.Established, Local: end("10.0.0.5:80"), Remote: end("198.51.100.7:51022"), UID: 33, Owner: owner(813, "nginx"), Queue: sock.Queue{Send: 1448}},
		{ID: 4, At: second, Proto: sock.TCP, State: sock.Established, Local: end("10.0.0.5:40112"), Remote: end("192.0.2.9:5432"), UID: 1000, Owner: owner(9001, "evil\x1b[2J\nname")},
		{ID: 5, At: second, Proto: sock.TCP, State: sock.TimeWait, Local: end("10.0.0.5:80"), Remote: end("198.51.100.8:40000")},
		{ID: 6, At: second, Proto: sock.UDP, State: sock.Close, Local: end("127.0.0.53:53"), Remote: end("0.0.0.0:0"), Owner: owner(400, "systemd-resolve")},
		{ID: 7, At: second, Proto: sock.Unix, State: sock.UnixListening, Unix: &sock.UnixInfo{Path: "/run/a b\r", Type: sock.UnixStream}, Owner: owner(1, "systemd")},
	}})
	event := func(id sock.ID, at sock.Stamp, old, state sock.State, local, remote string, o sock.Owner) {
		tb.Apply(&sock.Event{Kind: sock.EventState, Old: old, Socket: sock.Socket{
			ID: id, At: at, Proto: sock.TCP, State: state, Local: end(local), Remote: end(remote), Owner: o,
		}})
	}
	curl := owner(9100, "curl")
	event(8, 9*second, sock.Close, sock.SynSent, "10.0.0.5:0", "203.0.113.9:443", curl)
	event(8, 9*second+1, sock.SynSent, sock.Established, "10.0.0.5:40113", "203.0.113.9:443", curl)
	event(3, 9*second, sock.Established, sock.CloseWait, "10.0.0.5:80", "198.51.100.7:51022", owner(813, "nginx"))
	event(4, 9*second, sock.Established, sock.Close, "10.0.0.5:40112", "192.0.2.9:5432", owner(9001, "evil\x1b[2J\nname"))
	return tb
}

// Where sockets belong is in columns when it is asked for; what a walk had to tell, for its news was lost, is marked.
func TestPlacesAndResynced(t *testing.T) {
	tb := scene()
	lost := sock.Socket{ID: 9, At: 9*second + 1, Proto: sock.TCP, State: sock.Established, Local: end("10.0.0.5:99"), Remote: end("10.0.0.6:98"), NetNS: 7, Cgroup: 8}
	tb.Replace(&sock.Snapshot{Begin: 9 * second, Protos: sock.ProtosTCP, Sockets: []sock.Socket{lost}})
	c := &Config{Source: "ebpf", Places: &render.Places{
		Space: func(inode uint32) string { return map[uint32]string{7: "blue\x1b[2J"}[inode] },
		Unit: func(s *sock.Socket) (string, string) {
			return "", map[uint64]string{8: "ssh.service"}[s.Cgroup]
		},
	}}
	text := shown(t, c, tb, live.Status{Lost: 3, Resyncs: 1}, 10*second, 120, 20).text()
	for _, want := range []string{" Netns ", " Unit", "~tcp ", ` blue\x1b[2J ssh.service`, " -           - ", "~ resynced"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestScreens(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int
		extend        bool
		lost          uint64
		note          string
		filter        string
	}{
		{"80x24", 80, 24, false, 0, "", ""},
		{"80x24-extended", 80, 24, true, 0, "", ""},
		{"160x50", 160, 50, true, 12, "", ""},
		{"40x6-procfs", 40, 6, false, 0, "polling /proc each 1s: permission denied", ""},
		{"80x24-filter", 80, 24, false, 0, "", "sport = 80 or\tproc = 'a long\x1b[2J name' or pid 9001"},
		{"40x6-filter", 40, 6, false, 0, "", "sport = :80 or pid 9001"},
	} {
		t.Run(size.name, func(t *testing.T) {
			c := &Config{Source: "ebpf", Note: size.note, Programs: true, Extend: size.extend}
			if c.Filter = size.filter; c.Filter != "" {
				c.Match = func(s *sock.Socket) bool { return s.Local.Port() == 80 || s.Owner.PID == 9001 }
			}
			m := shown(t, c, scene(), live.Status{Lost: size.lost, Resyncs: min(size.lost, 1)}, 10*second, size.width, size.height)
			got := m.text()
			lines := strings.Split(got, "\n")
			if len(lines) != size.height {
				t.Errorf("%d lines, want %d", len(lines), size.height)
			}
			for i, l := range lines {
				if w := ansi.StringWidth(l); w > size.width {
					t.Errorf("line %d is %d wide", i, w)
				}
				if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r == 0x7f }) {
					t.Errorf("line %d has a control character: %q", i, l)
				}
			}
			golden(t, size.name, got)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	var trimmed []string
	for l := range strings.Lines(got) {
		trimmed = append(trimmed, strings.TrimRight(l, " \n"))
	}
	got = strings.Join(trimmed, "\n") + "\n"
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("screen:\n%s\nwant:\n%s", got, want)
	}
}

// Before the first frame there is a screen too, and it says that it waits.
func TestNoFrameYet(t *testing.T) {
	c := &Config{Source: "ebpf"}
	m := newModel(c, &window{config: c, place: newPlace()}, render.Numeric{})
	if got := m.View().Content; got != "" {
		t.Errorf("without a size: %q", got)
	}
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	if got := m.text(); !strings.Contains(got, "first look") || strings.Count(got, "\n") != 23 {
		t.Errorf("%q", got)
	}
}

// The window stays within the table, whatever is pressed and however small the terminal is.
func TestScrolling(t *testing.T) {
	tb := table.New()
	var rows []sock.Socket
	for i := range 100 {
		rows = append(rows, sock.Socket{ID: sock.ID(i + 1), At: 1, Proto: sock.TCP, State: sock.Established,
			Local: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(i+1)), Remote: end("10.0.0.2:1")})
	}
	tb.Replace(&sock.Snapshot{Begin: 1, Protos: sock.ProtosTCP, Sockets: rows})
	c := &Config{Source: "ebpf"}
	m := shown(t, c, tb, live.Status{}, 2, 80, 24) // 21 rows
	draw := func() {
		if _, err := m.window.Draw(tb, live.Status{}, 2); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		key    string
		offset int
	}{
		{"k", 0}, {"j", 1}, {"down", 2}, {"pgdown", 22}, {"ctrl+d", 32}, {"ctrl+u", 22}, {"pgup", 2}, {"G", 79}, {"j", 79}, {"g", 0}, {"end", 79}, {"home", 0},
	} {
		m.press(step.key)
		draw()
		if m.offset != step.offset || m.frame.Offset != step.offset || len(m.frame.Rows) != 21 {
			t.Errorf("after %s: at %d, frame at %d with %d rows, want %d", step.key, m.offset, m.frame.Offset, len(m.frame.Rows), step.offset)
		}
	}
	m.press("G")
	tb.Replace(&sock.Snapshot{Begin: 3, Protos: sock.ProtosTCP, Sockets: nil})
	tb.Prune(10)
	draw()
	draw()
	if m.offset != 0 || m.frame.Shown != 0 {
		t.Errorf("the table shrank: at %d of %d", m.offset, m.frame.Shown)
	}
	for _, size := range [][2]int{{1, 1}, {3, 2}, {0, 0}, {300, 3}} {
		m.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		draw()
		m.text()
	}
}

func TestKeysThatEnd(t *testing.T) {
	c := &Config{}
	m := newModel(c, &window{config: c, place: newPlace()}, render.Numeric{})
	for key, want := range map[string]tea.Msg{"q": tea.QuitMsg{}, "ctrl+c": tea.InterruptMsg{}, "ctrl+z": tea.SuspendMsg{}} {
		if cmd := m.press(key); cmd == nil || cmd() != want {
			t.Errorf("%s does not end", key)
		}
	}
	if m.press("x") != nil {
		t.Error("x does something")
	}
}

// A snapshot that fails is said in the last line, made harmless.
func TestErrorIsShown(t *testing.T) {
	c := &Config{Source: "ebpf"}
	m := shown(t, c, scene(), live.Status{Err: errors.New("walk\x1b[2J failed")}, 10*second, 160, 24)
	if got := m.text(); !strings.Contains(got, `walk\x1b[2J failed`) {
		t.Errorf("%s", got)
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"netlive/internal/sock"
)

// many fills the stage with n connections of as many local ports.
func (s *stage) many(n int) *stage {
	var rows []sock.Socket
	for i := range n {
		rows = append(rows, sock.Socket{ID: sock.ID(i + 1), At: second, Proto: sock.TCP, State: sock.Established, Owner: owner(uint32(100+i%3), fmt.Sprint("p", i%3)),
			Local: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(i+1)), Remote: end("10.0.0.2:1")})
	}
	s.table.Replace(&sock.Snapshot{Begin: second, Protos: sock.ProtosTCP, Sockets: rows})
	return s.draw()
}

// shownRows are the lines between the heads and the strip or the keys, without what is behind them.
func (s *stage) shownRows() (rows []string) {
	lines := strings.Split(s.text(), "\n")
	for _, l := range lines[min(3, len(lines)):] {
		if l = strings.TrimRight(l, " "); l == "" || strings.HasPrefix(l, "──") {
			break
		}
		rows = append(rows, l)
	}
	return rows
}

// barOn is the row that the bar is on.
func (s *stage) barOn() string {
	p := s.m.sockets[s.m.page]
	if l := p.selected(); l != nil && l.Group == nil {
		return l.Local.String()
	}
	return ""
}

// The bar stays within the table and the window with the bar, whatever is pressed and however small the terminal is.
func TestMoving(t *testing.T) {
	s := newStage(t, 80, 24, nil).many(100) // 18 rows
	for _, step := range []struct {
		key         string
		bar, offset int
	}{
		{"k", 0, 0}, {"j", 1, 0}, {"down", 2, 0}, {"pgdown", 19, 2}, {"ctrl+d", 28, 11}, {"ctrl+u", 19, 11}, {"pgup", 2, 2}, {"G", 99, 82}, {"j", 99, 82}, {"g", 0, 0},
		{"end", 99, 82}, {"up", 98, 82}, {"home", 0, 0}, {"space", 17, 0},
	} {
		s.press(step.key)
		p := s.m.sockets[0]
		if p.bar != step.bar || p.offset != step.offset || p.frame.Offset != step.offset || len(p.frame.Rows) != 18 {
			t.Errorf("after %s: bar %d at %d, frame at %d with %d rows, want %d at %d", step.key, p.bar, p.offset, p.frame.Offset, len(p.frame.Rows), step.bar, step.offset)
		}
		if want := fmt.Sprintf("10.0.0.1:%d", step.bar+1); s.barOn() != want {
			t.Errorf("after %s: the bar is on %s, want %s", step.key, s.barOn(), want)
		}
	}
	s.press("G")
	s.table.Replace(&sock.Snapshot{Begin: 3 * second, Protos: sock.ProtosTCP})
	s.table.Prune(100 * second)
	if s.draw().draw(); s.m.sockets[0].bar != 0 || s.m.sockets[0].offset != 0 {
		t.Errorf("the table shrank: bar %d", s.m.sockets[0].bar)
	}
	s.scene()
	for _, size := range [][2]int{{1, 1}, {3, 2}, {0, 0}, {300, 3}, {5, 30}, {20, 9}, {69, 12}, {80, 24}} {
		for _, page := range []string{"1", "2", "3", "4", "5", "6", "7", "1"} {
			s.do(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			s.press(page)
			if size[0] > 0 {
				s.check()
			}
			s.press("?", "down", "pgdown")
			if size[0] > 0 {
				s.check()
			}
			s.press("x")
			s.press("enter")
			if size[0] > 0 {
				s.check()
			}
			s.press("esc", "/", "p")
			if size[0] > 0 {
				s.check()
			}
			s.press("esc")
		}
	}
}

// Every way to end ends, from wherever one is.
func TestEnds(t *testing.T) {
	for _, before := range [][]string{nil, {"?"}, {"/"}, {"s"}, {"enter"}, {"3"}, {"4"}, {":"}} {
		s := newStage(t, 80, 24, nil).scene().draw().press(before...)
		for key, want := range map[string]tea.Msg{"ctrl+c": tea.QuitMsg{}, "ctrl+z": tea.SuspendMsg{}} {
			msg := tea.KeyPressMsg{Code: rune(key[5]), Mod: tea.ModCtrl}
			if cmd := s.m.press(msg); cmd == nil || cmd() != want {
				t.Errorf("%s after %v does not end", key, before)
			}
		}
		if !s.m.interrupted {
			t.Errorf("^C after %v is no interrupt", before)
		}
	}
	s := newStage(t, 80, 24, nil).scene().draw()
	if s.press("q"); !s.quit {
		t.Error("q does not quit")
	}
	if s := newStage(t, 80, 24, nil).press("/", "q"); s.quit {
		t.Error("q quits while a filter is typed")
	}
}

func TestSort(t *testing.T) {
	s := newStage(t, 160, 30, nil).scene().draw()
	first := func() string { return strings.Fields(strings.TrimLeft(s.shownRows()[0], "+*-~ "))[3] }
	s.press("s").has("sort by", "smoothed round-trip time")
	// Numbers are the largest first.
	s.press("esc", ":").typed("sort -tx").press("enter").has("sort tx▼")
	if first() != "10.0.0.5:80" {
		t.Errorf("by rate: %v", s.shownRows())
	}
	s.press("S").has("sort tx▲")
	s.press(":").typed("sort local").press("enter").has("sort local▲")
	if first() != "0.0.0.0:80" && !strings.Contains(s.shownRows()[0], "unix") {
		t.Errorf("by local address: %v", s.shownRows())
	}
	s.press("<", "<").has("sort recv_q▼")
	s.press(">").has("sort send_q▼")
	s.press(":").typed("sort nonsense").press("enter").has("no column to sort by is called nonsense").press("esc")
	s.press("s", "G", "enter").has("sort received▼")
	if len(s.meter.all) == 0 {
		t.Error("what rows are sorted by is not measured of all")
	}
	s.press("s", "g", "enter").hasNot("sort received")
	if len(s.meter.all) != 0 {
		t.Error("all are measured though nobody asks")
	}
}

func TestGroups(t *testing.T) {
	s := newStage(t, 120, 40, nil).scene().draw()
	s.press("t").has("8 by process", "▸ nginx[812] (2)", "▸ curl[9100] (2)", "evil\\x1b[2J\\nname[9001] (0, 1 closed)")
	if strings.Contains(s.text(), "├") {
		t.Errorf("groups are open:\n%s", s.text())
	}
	s.press("space").has("▾ nginx[812]", "├ tcp", "└ tcp6").press("enter").has("▸ nginx[812]")
	s.press("*").has("▾ curl[9100]", "▾ postgres[2204]").press("*").hasNot("▾")
	s.press("t").has("by container", "edge-7f (3)", "postgresql.service (1)", "no container or unit")
	s.press("t").has("by remote", "10.0.0.5 (2)", "without another side")
	s.press("t").has("by listener", "tcp port 80", "tcp6 port 443")
	s.press("t").hasNot(" by ")
	s.press(":").typed("group process").press("enter").has("by process")
	s.press(":").typed("group planet").press("enter").has("there are none, process").press("esc")
}

// A process that forks goes on having its group, though its child holds its sockets for a moment and has a lower PID.
func TestGroupOfForking(t *testing.T) {
	s := newStage(t, 120, 40, nil)
	parent, child := owner(28000, "server"), owner(300, "server")
	child.Start = 28001
	rows := func(at sock.Stamp, o sock.Owner, others ...sock.Owner) {
		s.table.Replace(&sock.Snapshot{Begin: at, Protos: sock.ProtosTCP, Sockets: []sock.Socket{
			{ID: 1, At: at, Proto: sock.TCP, State: sock.Listen, Local: end("0.0.0.0:80"), Remote: end("0.0.0.0:0"), Owner: o, Others: others}}})
	}
	rows(second, parent)
	s.draw().press("t", "space").has("▾ server[28000] (1)")
	rows(2*second, child, parent)
	s.draw().has("▾ server[28000] (1)", "0.0.0.0:80")
	s.press("g", "K").has("End 28000/server")
}

// Frozen, the order stays and the numbers go on; what comes waits.
func TestFreeze(t *testing.T) {
	s := newStage(t, 120, 30, nil).scene().draw().press("p").has("FROZEN")
	before := s.shownRows()
	s.change(30, 10*second, sock.Close, sock.SynSent, "10.0.0.5:1", "203.0.113.9:443", owner(1, "early"))
	s.change(20, 10*second, sock.Established, sock.Close, "10.0.0.5:41000", "10.0.0.5:5432", owner(9100, "curl"))
	s.read(3, 9.9e6, 1, time.Millisecond, 2)
	s.now = 11 * second
	s.draw().has("FROZEN +1 new", "9.9M")
	after := s.shownRows()
	if len(after) != len(before) {
		t.Errorf("%d rows, were %d", len(after), len(before))
	}
	// It is shown as closed for as long as the order is held, however long it is gone.
	s.now = 60 * second
	s.table.Prune(50 * second)
	s.draw().has("-tcp").hasNot("10.0.0.5:1 ")
	s.press("p").hasNot("FROZEN").has("10.0.0.5:1 ")
}

// Followed, the bar stays on its row wherever that goes; else on its line.
func TestFollow(t *testing.T) {
	for _, follow := range []bool{true, false} {
		s := newStage(t, 120, 30, nil).many(10).press("j", "j", "j")
		if follow {
			s.press("F").has("follow")
		}
		on := s.barOn()
		for i := range 3 {
			s.change(sock.ID(100+i), 10*second, sock.Close, sock.SynSent, fmt.Sprintf("9.0.0.1:%d", i), "10.0.0.2:1", owner(1, "x"))
		}
		if s.draw(); (s.barOn() == on) != follow {
			t.Errorf("follow %v: the bar was on %s, is on %s", follow, on, s.barOn())
		}
	}
}

func TestClosedRows(t *testing.T) {
	s := newStage(t, 120, 30, nil).scene().draw().has("9001/evil", "reset")
	s.press("H").hasNot("9001/evil").has("closed hidden").press("H").has("9001/evil")
}

func TestColumns(t *testing.T) {
	s := newStage(t, 80, 30, nil).scene().draw().hasNot("Inode")
	s.press("C").has("columns", "[x] Proto", "[ ] Inode").press("space") // without Proto
	for range slices.Index(SocketColumns(), "inode") {
		s.press("j")
	}
	s.press("space").has("[ ] Proto", "[x] Inode").press("enter").has("Inode").hasNot("Proto")
	// Chosen columns are all there, and scrolled to.
	s.hasNot("Last minute").press("l", "l", "l", "l", "l", "l", "l", "l", "l", "l", "l", "l", "l").has("Last minute")
	wide := newStage(t, 80, 30, nil).scene().draw().press("w").hasNot("Last minute")
	for range 20 {
		wide.press("right")
	}
	wide.has("Last minute").press("w").hasNot("Last minute")
	set := newStage(t, 200, 30, func(c *Config) {
		c.Settings.Columns = map[string][]string{"connections": {"remote", "local"}}
		c.Settings.Hide = map[string][]string{"listeners": {"age"}}
		c.Settings.Sort = map[string]string{"connections": "-remote"}
		c.Settings.Group = "remote"
	}).scene().draw()
	set.has("sort remote▼", "by remote").press("t", "t").hasNot("State")
	set.press("2").has("State").hasNot("Age")
	lists := newStage(t, 120, 30, func(c *Config) { c.Settings.Sort = map[string]string{"interfaces": "-MTU"} }).scene().draw()
	lists.press("5").has("sort MTU▼", " MTU▼").press("4").hasNot("MTU")
}

func TestFilterBox(t *testing.T) {
	s := newStage(t, 120, 30, nil).scene().draw()
	s.press("/").typed("port 80").has("3 of 9", "/ port 80").hasNot("41000")
	if lines := strings.Split(strings.TrimRight(s.text(), "\n"), "\n"); !strings.HasSuffix(lines[len(lines)-1], "  3 of 9 ") {
		t.Errorf("the box does not count: %q", lines[len(lines)-1])
	}
	s.press("enter").has("3 of 9: port 80").press("2", "1").has("3 of 9: port 80")
	// What is wrong is said as one types, and what was right goes on.
	s.press("/").typed("x").has("is no field", "3 of 9")
	s.press("enter").has("is no field") // it does not go away by Enter
	s.press("esc").has("3 of 9: port 80").hasNot("is no field")
	s.press("esc").hasNot("port 80").has("41000")
	s.press("/").typed("rtt > 1ms").has("rtt is not known here").press("esc")
	s.press("u").has("/ user =").press("esc")
	s.press(":").typed("filter pid = 812").press("enter").has("2 of 9: pid = 812")
	s.press("3").has("filter: pid = 812", "overflow").hasNot("retransmit")
	// Pasted line feeds are no keys.
	s.press("1", "esc", "/")
	s.do(tea.PasteMsg{Content: "port\n 443"})
	s.draw()
	if got := s.m.filter.Text; got != "port  443" && got != "port 443" {
		t.Errorf("pasted: %q", got)
	}
}

func TestFind(t *testing.T) {
	s := newStage(t, 120, 30, nil).scene().draw().press("f").typed("CURL").press("enter")
	first := s.barOn()
	if !strings.HasPrefix(first, "10.0.0.5:4") {
		t.Fatalf("found %s", first)
	}
	if s.press("."); s.barOn() == first || s.barOn() == "" {
		t.Errorf("next: %s", s.barOn())
	}
	if s.press(","); s.barOn() != first {
		t.Errorf("back: %s, want %s", s.barOn(), first)
	}
	s.press("f").typed("!").press("enter").has("nothing has")
	// In a closed group too, which is opened.
	s = newStage(t, 120, 30, nil).scene().draw().press("t", "f").typed("5432").press("enter").draw()
	if s.barOn() == "" {
		t.Errorf("not found in a group:\n%s", s.text())
	}
}

func TestNames(t *testing.T) {
	s := newStage(t, 120, 30, nil).scene().draw().has("198.51.100.7:51022", ":::443")
	s.press("n").has("client.example:51022", ":::https").press("N").has("client.example:51022", ":::443").press("n").has("198.51.100.7", ":::443")
}

func TestCopy(t *testing.T) {
	s := newStage(t, 120, 30, nil).scene().draw().press("j", "j", "c").has("copied: tcp  0  1448  10.0.0.5:80  198.51.100.7:51022")
	if !strings.Contains(s.copied, "198.51.100.7:51022") {
		t.Errorf("copied %q", s.copied)
	}
	s.press("enter", "c").has("copied: ")
	if !strings.Contains(s.copied, "cubic") {
		t.Errorf("copied %q", s.copied)
	}
	s.press("esc", "3", "c").has("copied: ")
	s.press("4", "c").has("copied: 0.0.0.0  10.0.0.1")
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	save := func(s *stage, name string) string {
		s.press("e").has("save to", "netlive-")
		for range 80 {
			s.press("backspace")
		}
		path := filepath.Join(dir, name)
		s.do(tea.PasteMsg{Content: path})
		s.press("enter").draw().has("saved ")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(string(text), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
			t.Errorf("%s has control characters: %q", name, text)
		}
		return string(text)
	}
	s := newStage(t, 80, 24, nil).scene().draw()
	text := save(s, "rows.txt")
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) != 11 || !strings.HasPrefix(lines[0], "Proto") || !strings.Contains(text, "reset by peer") {
		t.Errorf("text:\n%s", text)
	}
	records, err := csv.NewReader(strings.NewReader(save(s, "rows.csv"))).ReadAll()
	if err != nil || len(records) != 11 || records[0][0] != "proto" {
		t.Errorf("%v %v", records, err)
	}
	tx := slices.Index(records[0], "tx")
	if !slices.ContainsFunc(records, func(r []string) bool { return r[tx] == "4100000" }) {
		t.Errorf("no raw rate in %v", records)
	}
	var objects []map[string]any
	if err := json.Unmarshal([]byte(save(s, "rows.json")), &objects); err != nil || len(objects) != 10 {
		t.Fatalf("%v: %v", err, objects)
	}
	if !slices.ContainsFunc(objects, func(o map[string]any) bool { return o["closed"] == "reset by peer, 2 retransmits" }) {
		t.Errorf("no closed one in %v", objects)
	}
	s.press("3")
	if text := save(s, "events.csv"); strings.Count(text, "\n") != 5 || !strings.HasPrefix(text, "time,") {
		t.Errorf("events:\n%s", text)
	}
	if err := json.Unmarshal([]byte(save(s, "events.json")), &objects); err != nil || len(objects) != 4 {
		t.Errorf("%v: %v", err, objects)
	}
	if text := save(s, "events.txt"); strings.Count(text, "\n") != 5 {
		t.Errorf("events:\n%s", text)
	}
	s.press("6")
	if text := save(s, "stats.txt"); !strings.Contains(text, "segments_retransmitted") {
		t.Errorf("statistics:\n%s", text)
	}
	if err := json.Unmarshal([]byte(save(s, "stats.json")), &objects); err != nil || len(objects) != 3 {
		t.Errorf("%v: %v", err, objects)
	}
	// Nothing is overwritten, and what a name means is said.
	s.press("1", "e")
	for range 80 {
		s.press("backspace")
	}
	s.do(tea.PasteMsg{Content: filepath.Join(dir, "rows.txt")})
	s.press("enter").has("is there already")
	s.typed("x").press("enter").has("has to end in .txt, .json or .csv").press("esc").hasNot("save to")
}

func TestKillAndClose(t *testing.T) {
	s := newStage(t, 160, 30, nil).scene().draw().press("j", "j")
	s.press("K").has("End 813/nginx by SIGTERM? Type 813:").typed("y").press("enter").has("nothing was done")
	if s.killed != nil {
		t.Error("killed without its number")
	}
	s.press("K").typed("813").press("enter").has("SIGTERM was sent to 813")
	if s.killed == nil || s.killed.PID != 813 {
		t.Errorf("killed %+v", s.killed)
	}
	s.press("X").has("Close 10.0.0.5:80", "Type close:").press("esc").has("nothing was done")
	s.press("X").typed("close").press("enter").has("closed 10.0.0.5:80")
	if s.closed == nil || s.closed.ID != 3 {
		t.Errorf("closed %+v", s.closed)
	}
	none := newStage(t, 160, 30, func(c *Config) { c.Kill, c.Destroy, c.ReadOnly = nil, nil, "read-only" }).scene().draw()
	none.press("K").has("processes cannot be ended here: read-only").press("X").has("connections cannot be closed here")
}

func TestCommands(t *testing.T) {
	s := newStage(t, 120, 40, nil).scene().draw()
	s.press(":").typed("listeners").press("enter")
	if s.m.page != Listeners {
		t.Errorf("page %v", s.m.page)
	}
	if s.press(":").typed("conn").press("enter"); s.m.page != Connections {
		t.Errorf("page %v", s.m.page)
	}
	s.press(":").typed("sort_").press("enter").has("may be sort_left, sort_right").press("esc")
	s.press(":").typed("dance").press("enter").has("no action is called dance").press("esc")
	s.press(":", "enter").hasNot("no action")
	if s.press(":").typed("quit").press("enter"); !s.quit {
		t.Error("quit does not quit")
	}
}

// Keys of the configuration are other keys, and the hints say so.
func TestOtherKeys(t *testing.T) {
	s := newStage(t, 120, 30, func(c *Config) { c.Settings.Keys = map[string][]string{"quit": {"x"}, "freeze": {"q", "f5"}} }).scene().draw()
	s.has("x quit", "q freeze")
	if s.press("q").has("FROZEN"); s.quit {
		t.Error("q quits")
	}
	if s.press("x"); !s.quit {
		t.Error("x does not quit")
	}
	for _, b := range bindings[1:] {
		if b.name == "" || b.does == "" {
			t.Errorf("an action without a name: %+v", b)
		}
	}
}

func TestMouse(t *testing.T) {
	s := newStage(t, 120, 30, func(c *Config) { c.Settings.Mouse = true }).scene().draw()
	click := func(x, y int) {
		s.do(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
		s.draw()
	}
	click(2, 5)
	if s.barOn() != "10.0.0.5:80" {
		t.Errorf("the bar is on %s", s.barOn())
	}
	click(2, 5) // twice
	s.has("counters").press("esc")
	click(strings.Index(strings.Split(s.text(), "\n")[2], "State")+1, 2)
	s.has("sort state▲")
	click(strings.Index(strings.Split(s.text(), "\n")[1], "Routes")+1, 1)
	s.has("Destination").press("1")
	s.do(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if p := s.m.sockets[0]; p.bar != 5 {
		t.Errorf("bar at %d", p.bar)
	}
	if v := s.m.View(); v.MouseMode == tea.MouseModeNone {
		t.Error("the mouse is not asked for")
	}
}

// Without BPF there are no events, and it is said why.
func TestNoEvents(t *testing.T) {
	s := newStage(t, 120, 30, nil)
	s.w.of.Kinds, s.m.of.Kinds, s.m.of.NoEvents, s.m.of.Source = 0, 0, "no BPF here", "procfs"
	s.m.of.Note = "polling /proc each 1s: permission denied"
	s.scene().draw().has("procfs", "polling /proc each 1s: permission denied").press("3").has("no events: no BPF here")
}

func TestASCII(t *testing.T) {
	s := newStage(t, 160, 40, func(c *Config) { c.Settings.ASCII = true }).scene().draw()
	for _, keys := range [][]string{nil, {"t", "*"}, {"t", "t", "t", "t", "s"}, {"esc", "?"}, {"x", "enter"}, {"esc", "3"}, {"4"}} {
		s.press(keys...)
		if strings.ContainsFunc(s.text(), func(r rune) bool { return r > 0x7e }) && s.m.page < Interfaces {
			t.Errorf("after %v:\n%s", keys, s.text())
		}
	}
}

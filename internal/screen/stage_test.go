// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/live"
	"netlive/internal/meter"
	"netlive/internal/render"
	"netlive/internal/sock"
	"netlive/internal/sockdiag"
	"netlive/internal/table"
	"netlive/internal/view"
)

var update = flag.Bool("update", false, "write the golden screens anew")

const second = sock.Stamp(time.Second)

// clock is the wall clock at stamp 0.
var clock = time.Date(2026, 11, 21, 2, 11, 0, 0, time.UTC)

// stage is a screen without a terminal: its model, its window, and the table that a loop would keep.
type stage struct {
	t      *testing.T
	c      Config
	m      *model
	w      *window
	table  *table.Table
	now    sock.Stamp
	state  live.Status
	meter  fakeMeter
	lists  map[Page]*fakeList
	quit   bool
	copied string
	killed *sock.Owner
	closed *sock.Socket
}

// fakeMeter has readings that were told to it.
type fakeMeter struct {
	readings map[sock.ID]meter.Reading
	wanted   []sock.Socket
	all      []uint32
}

func (f *fakeMeter) Want(s []sock.Socket, all []uint32)        { f.wanted, f.all = s, all }
func (f *fakeMeter) Get(id sock.ID) (r meter.Reading, ok bool) { r, ok = f.readings[id]; return r, ok }
func (f *fakeMeter) Run(ctx context.Context) error             { <-ctx.Done(); return nil }

// fakeList has sections that do not change.
type fakeList struct{ sections []Section }

func (l *fakeList) Sections(time.Time) ([]Section, time.Time) { return l.sections, time.Time{} }

var allKinds = sock.Events(sock.EventState, sock.EventListen, sock.EventOpen, sock.EventAccept, sock.EventFail, sock.EventClose, sock.EventRetransmit,
	sock.EventReset, sock.EventDrop, sock.EventOverflow, sock.EventError)

// newStage makes a stage of a size. change may change the configuration.
func newStage(t *testing.T, width, height int, change func(*Config)) *stage {
	t.Helper()
	s := &stage{t: t, table: table.New(), now: 10 * second, lists: map[Page]*fakeList{}}
	s.meter.readings = map[sock.ID]meter.Reading{}
	s.c = Config{
		Programs: true, Host: "web-01", Numeric: Numeric{true, true, true},
		Words:     func(n Numeric, _ func()) Words { return Words{Names: fakeNames{n}} },
		Parse:     parseWord,
		Open:      func(func()) (Sockets, error) { return Sockets{}, errors.New("not in a test") },
		Zone:      time.UTC,
		Kill:      func(o *sock.Owner) error { s.killed = o; return nil },
		Destroy:   func(k *sock.Socket) error { s.closed = k; return nil },
		Container: func(k *sock.Socket) string { return map[uint64]string{8: "edge-7f", 9: "postgresql.service"}[k.Cgroup] },
		Lineage: func(o *sock.Owner) []string {
			return []string{fmt.Sprintf("%s[%d] worker process", o.Comm, o.PID), "nginx[812] nginx: master process", "systemd[1] /sbin/init"}
		},
		RowJSON: func() func(b []byte, s *sock.Socket) []byte { return render.AppendSocketJSON },
	}
	s.c.Now = func() time.Time { return clock.Add(time.Duration(s.now)) }
	for p := Routes; p < pageCount; p++ {
		s.lists[p] = &fakeList{}
		s.c.Lists[p] = func(context.Context, <-chan struct{}, func(), ListDrawer) error { return nil } // the stage draws
	}
	of := Sockets{Source: "ebpf", Meter: &s.meter, Kinds: allKinds}
	if change != nil {
		change(&s.c)
	}
	s.w = newWindow(&s.c)
	s.w.of = of
	s.w.costs.used = func() time.Duration { return time.Duration(s.now) / 250 } // 0.4 % of a core
	s.m = newModel(&s.c, s.w)
	s.w.send = func(f *frame) { s.do(f) }
	s.do(openedMsg(of))
	s.do(startMsg{func(Page) {}, func() {}})
	s.do(tea.WindowSizeMsg{Width: width, Height: height})
	return s
}

// do hands a message to the model, and does what comes of it.
func (s *stage) do(msg tea.Msg) {
	s.t.Helper()
	_, cmd := s.m.Update(msg)
	s.run(cmd)
}

func (s *stage) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			s.run(c)
		}
	case tea.QuitMsg:
		s.quit = true
	default:
		if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
			s.copied = fmt.Sprint(msg)
			return
		}
		s.do(msg)
	}
}

// draw draws as the loop would: for as long as something is wished for.
func (s *stage) draw() *stage {
	s.t.Helper()
	for range 10 {
		if s.m.page >= Routes && s.m.detail == nil {
			v := s.m.lists.pages[s.m.page]
			v.window.send = func(f *listFrame) { s.do(f) }
			if _, err := v.window.draw(s.lists[s.m.page], "rtnetlink", "", s.state, s.c.Now()); err != nil {
				s.t.Fatal(err)
			}
			return s
		}
		if _, err := s.w.Draw(s.table, s.state, s.now); err != nil {
			s.t.Fatal(err)
		}
		select {
		case <-s.w.redraw:
		default:
			return s
		}
	}
	return s
}

// keys are those that are not the character that they are written as.
var keys = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown},
	"left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight}, "pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown}, "home": {Code: tea.KeyHome},
	"end": {Code: tea.KeyEnd}, "space": {Code: tea.KeySpace, Text: " "}, "backspace": {Code: tea.KeyBackspace},
	"shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
}

// press presses keys one after the other, and draws after each.
func (s *stage) press(names ...string) *stage {
	s.t.Helper()
	for _, name := range names {
		msg, ok := keys[name]
		switch {
		case ok:
		case strings.HasPrefix(name, "ctrl+"):
			msg = tea.KeyPressMsg{Code: rune(name[5]), Mod: tea.ModCtrl}
		default:
			r := []rune(name)
			if len(r) != 1 {
				s.t.Fatalf("no key is called %q", name)
			}
			msg = tea.KeyPressMsg{Code: r[0], Text: name}
		}
		s.do(msg)
		s.draw()
	}
	return s
}

// typed types a text.
func (s *stage) typed(text string) *stage {
	s.t.Helper()
	for _, r := range text {
		if r == ' ' {
			s.press("space")
			continue
		}
		s.press(string(r))
	}
	return s
}

func (s *stage) text() string { return ansi.Strip(s.m.View().Content) }

// has fails unless the screen shows all of texts.
func (s *stage) has(texts ...string) *stage {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.text(), text) {
			s.t.Fatalf("no %q on the screen:\n%s", text, s.text())
		}
	}
	return s
}

func (s *stage) hasNot(texts ...string) *stage {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.text(), text) {
			s.t.Fatalf("%q is on the screen:\n%s", text, s.text())
		}
	}
	return s
}

// check holds a screen to its size and to what may be sent to a terminal.
func (s *stage) check() {
	s.t.Helper()
	lines := strings.Split(s.text(), "\n")
	if len(lines) != s.m.height {
		s.t.Errorf("%d lines, want %d", len(lines), s.m.height)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > s.m.width {
			s.t.Errorf("line %d is %d wide: %q", i, w, l)
		}
		if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			s.t.Errorf("line %d has a control character: %q", i, l)
		}
	}
}

// golden compares the screen with a file.
func (s *stage) golden(name string) {
	s.t.Helper()
	s.check()
	var trimmed []string
	for l := range strings.Lines(s.text()) {
		trimmed = append(trimmed, strings.TrimRight(l, " \n"))
	}
	got := strings.Join(trimmed, "\n") + "\n"
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if got != string(want) {
		s.t.Errorf("screen:\n%s\nwant:\n%s", got, want)
	}
}

// fakeNames name the port 443 and the user 33.
type fakeNames struct{ n Numeric }

func (f fakeNames) AppendHost(b []byte, a netip.Addr) []byte {
	if !f.n.Hosts && a.String() == "198.51.100.7" {
		return append(b, "client.example"...)
	}
	return render.Numeric{}.AppendHost(b, a)
}

func (f fakeNames) AppendPort(b []byte, p sock.Proto, port uint16) []byte {
	if !f.n.Ports && port == 443 {
		return append(b, "https"...)
	}
	return render.Numeric{}.AppendPort(b, p, port)
}

func (f fakeNames) AppendUser(b []byte, uid uint32) []byte {
	if !f.n.Users && uid == 33 {
		return append(b, "www-data"...)
	}
	return render.Numeric{}.AppendUser(b, uid)
}

// parseWord parses "port N", "pid = N", "dst = ADDR"; anything else is an error.
func parseWord(text string) (Filter, error) {
	f := Filter{Text: text}
	var n uint32
	var addr string
	switch {
	case scan(text, "port %d", &n):
		match := func(s *sock.Socket) bool { return uint32(s.Local.Port()) == n || uint32(s.Remote.Port()) == n }
		f.Socket, f.Event = match, func(e *sock.Event) bool { return match(&e.Socket) }
	case scan(text, "pid = %d", &n):
		match := func(s *sock.Socket) bool { return s.Owner.PID == n }
		f.Socket, f.Event = match, func(e *sock.Event) bool { return match(&e.Socket) }
	case scan(text, "dst = %s", &addr):
		match := func(s *sock.Socket) bool { return s.Remote.Addr().String() == addr }
		f.Socket, f.Event = match, func(e *sock.Event) bool { return match(&e.Socket) }
	case text == "rtt > 1ms":
		f.SocketErr = errors.New("filter, column 1: rtt is not known here")
		f.Event = func(*sock.Event) bool { return true }
	default:
		return Filter{}, fmt.Errorf("filter, column 1: %s is no field: expected port", text)
	}
	return f, nil
}

func scan(text, format string, to any) bool {
	var more string
	n, _ := fmt.Sscanf(text+" end", format+" %s", to, &more)
	return n == 2 && more == "end"
}

func end(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func owner(pid uint32, comm string) sock.Owner {
	return sock.Owner{PID: pid, How: sock.HowExact, Comm: sock.MakeComm(comm), Start: uint64(pid)}
}

// event tells the stage of one.
func (s *stage) event(e sock.Event) {
	e.Time = clock.Add(time.Duration(e.Socket.At))
	s.w.told(&e)
	s.table.Apply(&e)
}

// change is a change of state.
func (s *stage) change(id sock.ID, at sock.Stamp, old, state sock.State, local, remote string, o sock.Owner) {
	s.event(sock.Event{Kind: sock.EventState, Old: old, InOld: -1, Socket: sock.Socket{
		ID: id, At: at, Proto: sock.TCP, State: state, Local: end(local), Remote: end(remote), Owner: o,
	}})
}

// read has the meter read a connection.
func (s *stage) read(id sock.ID, tx, rx float64, rtt time.Duration, retrans int64) {
	info := &sockdiag.Info{
		RTT: rtt, RTTVar: rtt / 8, MinRTT: rtt * 9 / 10, RTO: 204 * time.Millisecond, Cwnd: 38, Ssthresh: 24, SndMSS: 1448, PMTU: 1500,
		BytesSent: 1_234_567, BytesAcked: 1_234_000, BytesReceived: 88_000, BytesRetrans: 1448 * retrans, SegsOut: 900, SegsIn: 512, TotalRetrans: retrans,
		DeliveryRate: 12_500_000, RcvWnd: 65536, SndWnd: 131072, Timer: sockdiag.TimerKeepalive, TimerExpires: 71 * time.Second,
		LastDataSent: 3 * time.Millisecond, LastDataRecv: 40 * time.Millisecond, LastAckRecv: 3 * time.Millisecond,
		Options: sockdiag.OptTimestamps | sockdiag.OptSACK | sockdiag.OptWscale, SndWscale: 7, RcvWscale: 9,
		SkMem: sockdiag.SkMem{RcvBuf: 131072, SndBuf: 87040},
	}
	copy(info.CongestionControl[:], "cubic")
	r := meter.Reading{At: s.now, State: sock.Established, TxRate: tx, RxRate: rx, Sent: 1_234_567, Received: 88_000, Retrans: retrans, RTT: rtt, Info: info}
	for i := range 60 {
		r.Tx = append(r.Tx, float32(tx)*float32(i%12)/12)
		r.Rx = append(r.Rx, float32(rx)*float32(i%5)/5)
	}
	s.meter.readings[id] = r
}

// scene fills the stage with a row of each look: old, new, changed and closed ones, wide and hostile ones.
func (s *stage) scene() *stage {
	nginx, worker, evil := owner(812, "nginx"), owner(813, "nginx"), owner(9001, "evil\x1b[2J\nname")
	s.table.Replace(&sock.Snapshot{Begin: second, Protos: sock.ProtosTCP | sock.ProtosUDP | sock.ProtosUnix, Sockets: []sock.Socket{
		{ID: 1, At: second, Proto: sock.TCP, State: sock.Listen, Local: end("0.0.0.0:80"), Remote: end("0.0.0.0:0"), Inode: 1234567, Owner: nginx, Queue: sock.Queue{Recv: 3}, Cgroup: 8},
		{ID: 2, At: second, Proto: sock.TCP6, State: sock.Listen, Local: end("[::]:443"), Remote: end("[::]:0"), Inode: 1234568, Owner: nginx, Cgroup: 8},
		{ID: 3, At: second, Proto: sock.TCP, State: sock.Established, Local: end("10.0.0.5:80"), Remote: end("198.51.100.7:51022"), UID: 33, Owner: worker, Queue: sock.Queue{Send: 1448}, Cgroup: 8},
		{ID: 4, At: second, Proto: sock.TCP, State: sock.Established, Local: end("10.0.0.5:40112"), Remote: end("192.0.2.9:5432"), UID: 1000, Owner: evil},
		{ID: 5, At: second, Proto: sock.TCP, State: sock.TimeWait, Local: end("10.0.0.5:80"), Remote: end("198.51.100.8:40000")},
		{ID: 6, At: second, Proto: sock.UDP, State: sock.Close, Local: end("127.0.0.53:53"), Remote: end("0.0.0.0:0"), Owner: owner(400, "systemd-resolve")},
		{ID: 7, At: second, Proto: sock.Unix, State: sock.UnixListening, Unix: &sock.UnixInfo{Path: "/run/a b\r", Type: sock.UnixStream}, Owner: owner(1, "systemd")},
		{ID: 20, At: second, Proto: sock.TCP, State: sock.Established, Local: end("10.0.0.5:41000"), Remote: end("10.0.0.5:5432"), Owner: owner(9100, "curl")},
		{ID: 21, At: second, Proto: sock.TCP, State: sock.Established, Local: end("10.0.0.5:5432"), Remote: end("10.0.0.5:41000"), Owner: owner(2204, "postgres"), Cgroup: 9},
	}})
	curl := owner(9100, "curl")
	s.change(8, 9*second, sock.Close, sock.SynSent, "10.0.0.5:0", "203.0.113.9:443", curl)
	s.change(8, 9*second+39e6, sock.SynSent, sock.Established, "10.0.0.5:40113", "203.0.113.9:443", curl)
	s.event(sock.Event{Kind: sock.EventOpen, InOld: 39 * time.Millisecond, Socket: sock.Socket{ID: 8, At: 9*second + 39e6, Proto: sock.TCP, State: sock.Established,
		Local: end("10.0.0.5:40113"), Remote: end("203.0.113.9:443"), Owner: curl}})
	s.change(3, 9*second, sock.Established, sock.CloseWait, "10.0.0.5:80", "198.51.100.7:51022", worker)
	s.change(4, 9*second, sock.Established, sock.Close, "10.0.0.5:40112", "192.0.2.9:5432", evil)
	d := &sock.Detail{By: sock.SideRemote, End: sock.EndResetReceived}
	d.Duration, d.BytesSent, d.BytesReceived, d.Retrans, d.RTT = -1, 4711, 123456, 2, 18*time.Millisecond
	d.In[sock.Established] = -1 // it is older than netlive
	s.event(sock.Event{Kind: sock.EventClose, Detail: d, Socket: sock.Socket{ID: 4, At: 9 * second, Proto: sock.TCP, State: sock.Close,
		Local: end("10.0.0.5:40112"), Remote: end("192.0.2.9:5432"), Owner: evil}})
	s.event(sock.Event{Kind: sock.EventRetransmit, Detail: &sock.Detail{Segment: sock.SegmentData, Seq: 4711, Len: 1448, Nth: 2}, Socket: sock.Socket{ID: 3, At: 9*second + 5e8,
		Proto: sock.TCP, State: sock.CloseWait, Local: end("10.0.0.5:80"), Remote: end("198.51.100.7:51022"), Owner: worker}})
	s.event(sock.Event{Kind: sock.EventOverflow, Detail: &sock.Detail{Backlog: 4, MaxBacklog: 3, Dropped: 7}, Socket: sock.Socket{ID: 1, At: 9*second + 6e8,
		Proto: sock.TCP, State: sock.Listen, Local: end("0.0.0.0:80"), Remote: end("0.0.0.0:0"), Owner: nginx}})
	s.read(3, 4.1e6, 9e4, 18*time.Millisecond, 2)
	s.read(8, 1000, 88e3, 39*time.Millisecond, 0)
	s.read(20, 310e3, 8e5, 55*time.Microsecond, 0)
	s.read(21, 8e5, 310e3, 60*time.Microsecond, 0)
	s.meter.readings[1] = meter.Reading{State: sock.Listen, TxRate: -1, RxRate: -1, RecvQ: 3, SendQ: 511, Info: &sockdiag.Info{}}
	s.meter.readings[2] = meter.Reading{State: sock.Listen, TxRate: -1, RxRate: -1, RecvQ: 0, SendQ: 511, Info: &sockdiag.Info{}}
	s.lists[Routes].sections = []Section{section("routes", []string{"Destination", "Gateway", "Genmask", "Flags", "Metric", "Iface"},
		"0.0.0.0 10.0.0.1 0.0.0.0 UG 100 eth0", "10.0.0.0 0.0.0.0 255.255.255.0 U 100 eth0", "172.17.0.0 0.0.0.0 255.255.0.0 U 0 docker0")}
	s.lists[Interfaces].sections = []Section{section("interfaces", []string{"Iface", "MTU", "RX/s", "TX/s", "Errors", "Flg", "Rates"},
		"eth0 1500 12.4M 3.1M 0 BMRU ▁▂▅▇▆▅▃▂", "lo 65536 88K 88K 0 LRU ▁▁▂▁▁▁▁▁", "docker0 1500 0 0 4 BMU ▁▁▁▁▁▁▁▁")}
	s.lists[Statistics].sections = []Section{section("ip", []string{"/s", "Change", "Total", "Counter"}, "120 4711 8154711 total_packets_received"),
		section("tcp", []string{"/s", "Change", "Total", "Counter"}, "3 12 9000 active_connection_openings", "0 1 42 segments_retransmitted")}
	return s
}

func section(word string, heads []string, lines ...string) Section {
	s := Section{Word: word, Rows: len(lines), Lines: len(lines)}
	for i, h := range heads {
		s.Columns = append(s.Columns, render.Column{Head: h, Right: i > 0 && i < 5})
	}
	s.Line = func(i int) ([]string, view.Mark, time.Time) {
		m := view.MarkNone
		if i == 1 {
			m = view.MarkChanged
		}
		return strings.Fields(lines[i]), m, time.Time{}
	}
	return s
}

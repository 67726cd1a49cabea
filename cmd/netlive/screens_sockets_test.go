// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/screen"
)

// tableRows are the lines of the table that the screen shows, below its heads.
func tableRows(text string) (rows []string) {
	lines := strings.Split(text, "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, " Proto") })
	for _, line := range lines[at+1:] {
		if line == "" || strings.HasPrefix(line, "─") {
			break
		}
		rows = append(rows, line)
	}
	return rows
}

// rowOf waits for a row that has all the texts.
func (term *terminal) rowOf(texts ...string) (row string) {
	term.t.Helper()
	term.awaitThat(fmt.Sprintf("a row with %q", texts), func(screen string) bool {
		for _, row = range tableRows(screen) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(row, text) }) {
				return true
			}
		}
		return false
	})
	return row
}

// toRow puts the bar on the row that has a text.
func (term *terminal) toRow(text string) {
	term.t.Helper()
	term.command("find " + text)
	term.onRow(text)
}

// onRow waits until the bar is on a row that has a text, which copying it tells.
func (term *terminal) onRow(text string) {
	term.t.Helper()
	term.awaitThat("the bar on "+text, func(string) bool {
		term.press("c")
		screen, ok := term.awaitFor(limit/4, "copied: ")
		_, copied, _ := strings.Cut(screen, "copied: ")
		return ok && strings.Contains(copied, text)
	})
}

// The life of connections: their birth, their other end, all that is known of them, and how they ended.
func TestScreenOfConnections(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	port, l := listen(t, ns)
	term := watchOn(t, ns, 160, 50, slowly, "-tanp --interval 200ms")
	term.await("LISTEN 1", "lost 0")
	me := fmt.Sprintf("%d/netlive.test", os.Getpid())
	var p twin
	term.awaitMark(func(int) []string {
		p = connect(t, ns, l)
		return []string{"+tcp", p.from()}
	})
	term.rowOf(" "+p.from()+" ", fmt.Sprintf("127.0.0.1:%d ", port), "ESTABLISHED", me, "⇄"+me)
	// Which end is found first is their ports' to say: both have the same to show.
	for _, end := range []net.Conn{p.client, p.server} {
		if _, err := end.Write(make([]byte, 12_000)); err != nil {
			t.Fatal(err)
		}
	}
	term.rowOf("12000") // that nobody has read

	term.toRow(p.from())
	term.press("Enter")
	term.await("detail", "─ states ", "ESTABLISHED", "─ counters ", "12000", "─ timers ", "─ options ", "─ peers ", "the other end is "+me,
		"─ why it is open ", os.Args[0], "─ events ", " open ", "user "+fmt.Sprint(os.Getuid()))
	// The detail of what closes stays, and says how it ended.
	if err := p.client.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := p.client.Close(); err != nil {
		t.Fatal(err)
	}
	term.await("closed: reset", "─ end ", "lived ", "12K")
	term.press("Escape")
	term.awaitNot("─ end ")
	for _, end := range [][2]string{{"reset", "reset by peer"}, {"aborted", "reset sent"}} {
		term.rowOf("-tcp", p.from(), end[0], end[1])
	}

	ns.Do(func() {
		if _, err := net.Dial("tcp4", "127.0.0.1:9"); err == nil {
			t.Error("somebody listens at 9")
		}
	})
	term.rowOf("-tcp", "127.0.0.1:9 ", "refused", "refused (ECONNREFUSED)")
	q := connect(t, ns, l)
	term.rowOf(q.from(), "ESTABLISHED")
	if err := q.client.Close(); err != nil {
		t.Fatal(err)
	}
	term.rowOf(" "+q.from()+" ", "FIN_WAIT2")
	if err := q.server.Close(); err != nil {
		t.Fatal(err)
	}
	term.rowOf(" "+q.from()+" ", "TIME_WAIT")
	term.press("H")
	term.await("closed hidden")
	term.awaitNot("-tcp")
	term.quit()
}

// The boxes for the filter and for what is searched.
func TestScreenFilterBox(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	port, l := listen(t, ns)
	term := watchOn(t, ns, 120, 30, slowly, "-tan")
	p, q := connect(t, ns, l), connect(t, ns, l)
	term.rowOf(" "+p.from()+" ", "ESTABLISHED")
	term.rowOf(" "+q.from()+" ", "ESTABLISHED")

	term.press("/")
	term.await("/ ")
	term.typed("state establshed")
	term.await("/ state establshed", "unknown state", "expected established") // the error names what is near
	term.press("Enter")
	term.await("/ state establshed") // it stays open
	for range "shed" {
		term.press("BSpace")
	}
	term.typed("ished")
	term.await("/ state established", "4 of 5")
	_, from, _ := strings.Cut(p.from(), ":")
	term.typed(" and sport = :" + from)
	term.await("1 of 5")
	term.press("Enter")
	term.await(fmt.Sprintf("1 of 5: state established and sport = :%s", from))
	term.awaitThat("the one connection", func(screen string) bool {
		rows := tableRows(screen)
		return len(rows) == 1 && strings.Contains(rows[0], p.from())
	})
	// Esc in the box leaves the filter as it was; on the screen it clears it.
	term.press("/")
	term.typed(" and state listen")
	term.await("0 of 5")
	term.press("Escape")
	term.await("1 of 5: ", "? help")
	term.press("Escape")
	term.rowOf(q.from())
	term.awaitNot("1 of 5")

	// What is searched is found in both ends, in turn.
	term.press("g")
	term.press("f")
	term.await("find:")
	term.typed(from)
	term.press("Enter")
	term.onRow(p.from())
	term.press(".")
	term.onRow(p.from())
	term.command("find " + q.from())
	term.onRow(q.from())
	term.command("find nowhere")
	term.await("nothing has nowhere")
	term.command("fine")
	term.await("no action is called fine")
	term.press("Escape")
	term.await("? help")
	term.command(fmt.Sprintf("filter dport = :%d", port))
	term.await("2 of 5: ")
	term.quit()
}

// Rows are sorted by what the connections do.
func TestScreenSort(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	pairs := []twin{connect(t, ns, l), connect(t, ns, l), connect(t, ns, l), connect(t, ns, l)}
	busy := pairs[2]
	go func() { // ends with the connection
		buf := make([]byte, 1<<16)
		for {
			if _, err := busy.server.Read(buf); err != nil {
				return
			}
		}
	}()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				if _, err := busy.client.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}
	}()
	defer func() { close(stop); <-done }()

	term := watchOn(t, ns, 140, 30, slowly, "-tan --interval 200ms")
	first := func(what, text string) {
		t.Helper()
		term.awaitThat("sorted by "+what+" with first "+text, func(screen string) bool {
			rows := tableRows(screen)
			return strings.Contains(screen, "sort "+what) && len(rows) == 9 && strings.Contains(rows[0], text)
		})
	}
	sender, receiver := fmt.Sprintf("%s %s", busy.from(), l.Addr()), fmt.Sprintf("%s %s", l.Addr(), busy.from())
	term.await("LISTEN 1", "ESTABLISHED 8")
	term.command("sort -tx")
	first("tx▼", sender)
	term.press("S")
	term.await("sort tx▲")
	// By the list of columns: the largest come first.
	term.press("s")
	term.await("sort by: ", "bytes of data received a second")
	term.press("g")
	for range slices.Index(screen.SortColumns(), "rx") + 1 { // the first is the default
		term.press("Down")
	}
	term.press("Enter")
	first("rx▼", receiver)
	term.press("<")
	first("tx▼", sender)
	term.command("sort -local")
	term.await("sort local▼")
	term.command("sort shoes")
	term.await("no column to sort by is called shoes")
	term.press("Escape")
	term.await("? help") // or it would be the key alt+:
	term.command("sort default")
	term.awaitThat("in netstat's order", func(screen string) bool {
		rows := tableRows(screen)
		return !strings.Contains(screen, "sort local") && len(rows) == 9 && strings.Contains(rows[0], "LISTEN")
	})
	term.quit()
}

// Connections are put together by process; the groups open, and rows that come while the order is frozen wait.
func TestScreenGroupsAndOrder(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	child := start(t, ns, "listener", "7777")
	ready(t, child, "")
	p := connect(t, ns, l)
	term := watchOn(t, ns, 120, 30, slowly, "-tanp --interval 200ms")
	term.await("LISTEN 2", "ESTABLISHED 2")
	term.press("t")
	mine, its := fmt.Sprintf("netlive.test[%d] (3)", os.Getpid()), fmt.Sprintf("listener[%d] (1)", child.Process.Pid)
	larger := regexp.MustCompile("(?s)2 by process.*▸ " + regexp.QuoteMeta(mine) + ".*▸ " + regexp.QuoteMeta(its))
	term.awaitThat("two groups, the larger first", func(screen string) bool {
		return larger.MatchString(screen) && !strings.Contains(screen, p.from())
	})
	term.press("Space")
	if text := term.await("▾ "+mine, "├ tcp", "└ tcp", p.from()); strings.Contains(text, "7777") {
		t.Errorf("both are open:\n%s", text)
	}
	term.press("Space")
	term.awaitNot("├ tcp")
	term.press("*")
	term.await("├ tcp", ":7777 ")
	term.press("t")
	term.command("group remote")
	term.await("by remote", "127.0.0.1 (2)", "without another side (2)")
	term.command("group none")
	term.awaitNot(" by ")

	term.press("p")
	term.await("FROZEN")
	q := connect(t, ns, l)
	if strings.Contains(term.await("FROZEN +2 new"), q.from()) {
		t.Error("a new row is shown")
	}
	// The numbers go on in the order that is frozen.
	if _, err := p.client.Write(make([]byte, 1234)); err != nil {
		t.Fatal(err)
	}
	term.rowOf(" 1234 ")
	term.press("p")
	term.rowOf(" " + q.from() + " ")
	term.awaitNot("FROZEN")

	// With follow the bar stays on its row, without it on its line: the listener that comes is the first of all.
	term.toRow(" " + p.from()[:strings.Index(p.from(), ":")+6])
	term.press("F")
	term.await("follow")
	var early net.Listener
	ns.Do(func() {
		var err error
		if early, err = net.Listen("tcp4", "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	})
	defer early.Close()
	term.rowOf("127.0.0.1:1 ", "LISTEN")
	term.onRow(p.from())
	term.quit()
}

// The queue of a listener: who waits in it, how many may, how many were accepted, and who found it full.
func TestScreenOfListeners(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	var l int
	var clients []int
	at := &unix.SockaddrInet4{Port: 7070, Addr: [4]byte{127, 0, 0, 1}}
	open := func() int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	ns.Do(func() {
		l = open()
		if err := unix.Bind(l, at); err != nil {
			t.Fatal(err)
		}
		if err := unix.Listen(l, 1); err != nil {
			t.Fatal(err)
		}
	})
	term := watchOn(t, ns, 120, 30, slowly, "-tlnp --interval 200ms")
	me := fmt.Sprintf("%d/netlive.test", os.Getpid())
	term.await("Recv-Q", "Backlog Accept/s Accepted Overflow")
	begin := func() {
		ns.Do(func() {
			c := open()
			if err := unix.Connect(c, at); err != nil && err != unix.EINPROGRESS {
				t.Fatal(err)
			}
			clients = append(clients, c)
		})
	}
	// fields are the last columns of the row, from the backlog on, with the first after the protocol.
	fields := func(want ...string) {
		t.Helper()
		term.awaitThat(fmt.Sprintf("%q", want), func(screen string) bool {
			for _, row := range tableRows(screen) {
				f := strings.Fields(row)
				i := slices.Index(f, me)
				if i > 0 && len(f) > i+4 && slices.Equal([]string{f[1], f[i+1], f[i+3], f[i+4]}, want) {
					return true
				}
			}
			return false
		})
	}
	fields("0", "1", "0", "0")
	begin()
	begin()
	fields("2", "1", "2", "0") // one more than listen(2) says (net/sock.h, sk_acceptq_is_full)
	begin()                    // its SYN is dropped, and sent again after a second
	if _, _, err := unix.Accept(l); err != nil {
		t.Fatal(err)
	}
	term.awaitThat("an overflow", func(screen string) bool {
		for _, row := range tableRows(screen) {
			f := strings.Fields(row)
			if i := slices.Index(f, me); i > 0 && len(f) > i+4 && f[i+3] == "3" && f[i+4] != "0" {
				return true
			}
		}
		return false
	})
	term.press("Enter")
	term.await("─ queue ", "2 wait for accept, 1 may", "─ accepts ", "3 since netlive began", "dropped for a full queue", "overflow")
	term.press("Escape")
	term.awaitNot("─ queue ")
	term.quit()
}

// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"netlive/internal/history"
	"netlive/internal/meter"
	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/view"
)

// row is a socket with what was measured of it.
type row struct {
	*view.Line
	now     sock.Stamp
	reading *meter.Reading // nil: none
	counts  *history.ListenerCounts
}

// column is a column of sockets.
type column struct {
	head
	// doc says what it is, for the picker.
	doc string
	// sampled values come from the meter. When rows are sorted by them all are measured, not those that are shown alone.
	sampled bool
	cell    func(w *Words, l *look, r *row) cell
	// compare orders rows, as far as the column does; nil cannot be sorted by. m has the measures.
	compare func(m *measures, a, b *table.Row) int
}

// measures are what rows are compared by that is not in them.
type measures struct {
	reading func(sock.ID) (meter.Reading, bool)
	counts  func(*table.Row) history.ListenerCounts
	now     sock.Stamp
}

func appendUint(b []byte, n uint64) []byte { return strconv.AppendUint(b, n, 10) }

// The columns of netstat, and behind them those that it has not.
var socketColumns = []column{
	{head: head{name: "proto", text: "Proto", spare: 27}, doc: "protocol",
		cell:    func(_ *Words, _ *look, r *row) cell { return plain(r.Proto.String()) },
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(a.Proto, b.Proto) }},
	{head: head{name: "recv_q", text: "Recv-Q", short: "RQ", right: true, spare: 25}, doc: "bytes that the process has not read; connections that wait for accept",
		cell:    queueCell(func(q sock.Queue) uint32 { return q.Recv }),
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(a.Queue.Recv, b.Queue.Recv) }},
	{head: head{name: "send_q", text: "Send-Q", short: "SQ", right: true, spare: 24}, doc: "bytes that the other side has not acknowledged",
		cell:    queueCell(func(q sock.Queue) uint32 { return q.Send }),
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(a.Queue.Send, b.Queue.Send) }},
	{head: head{name: "local", text: "Local Address", short: "Local", steady: true, spare: 28}, doc: "local address and port; path",
		cell: func(w *Words, _ *look, r *row) cell { local, _ := w.ends(&r.Socket); return plain(local) },
		compare: func(_ *measures, a, b *table.Row) int {
			return cmp.Or(a.Local.Compare(b.Local), strings.Compare(unixPath(a), unixPath(b)))
		}},
	{head: head{name: "remote", text: "Foreign Address", short: "Foreign", steady: true}, doc: "remote address and port",
		cell:    func(w *Words, _ *look, r *row) cell { _, remote := w.ends(&r.Socket); return plain(remote) },
		compare: func(_ *measures, a, b *table.Row) int { return a.Remote.Compare(b.Remote) }},
	{head: head{name: "state", text: "State", steady: true}, doc: "state; of closed ones how they ended",
		cell:    stateCell,
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(shownState(a), shownState(b)) }},
	{head: head{name: "user", text: "User", spare: 22}, doc: "user of the socket",
		cell:    func(w *Words, _ *look, r *row) cell { return plain(safe(string(w.Names.AppendUser(nil, r.UID)))) },
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(a.UID, b.UID) }},
	{head: head{name: "inode", text: "Inode", right: true, spare: 21}, doc: "inode of the socket",
		cell:    func(_ *Words, _ *look, r *row) cell { return plain(fmt.Sprint(r.Inode)) },
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(a.Inode, b.Inode) }},
	{head: head{name: "program", text: "PID/Program name", short: "PID/Program"}, doc: "process that holds it",
		cell: func(w *Words, _ *look, r *row) cell { return plain(w.program(&r.Owner)) },
		compare: func(_ *measures, a, b *table.Row) int {
			return cmp.Or(strings.Compare(ownerName(a), ownerName(b)), cmp.Compare(a.Owner.PID, b.Owner.PID))
		}},
	{head: head{name: "netns", text: "Netns"}, doc: "network namespace",
		cell: func(w *Words, _ *look, r *row) cell {
			if w.Space == nil {
				return plain("-")
			}
			return plain(known(w.Space(r.NetNS)))
		},
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(a.NetNS, b.NetNS) }},
	{head: head{name: "unit", text: "Unit"}, doc: "container or systemd unit",
		cell: func(w *Words, _ *look, r *row) cell {
			if w.Unit == nil {
				return plain("-")
			}
			return plain(known(w.Unit(&r.Socket)))
		},
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(a.Cgroup, b.Cgroup) }},
	{head: head{name: "backlog", text: "Backlog", right: true, spare: 8}, doc: "how many connections may wait for accept", sampled: true,
		cell: func(_ *Words, _ *look, r *row) cell {
			if r.reading == nil || r.State != sock.Listen || r.Ghost {
				return plain("-")
			}
			return plain(number(r.reading.SendQ))
		},
		compare: byReading(func(r *meter.Reading) float64 { return float64(r.SendQ) })},
	{head: head{name: "accepts", text: "Accept/s", right: true, spare: 9}, doc: "connections completed a second",
		cell: countCell(func(c *history.ListenerCounts) cell {
			return plain(strconv.FormatFloat(c.AcceptsPerSecond, 'f', 1, 64))
		}),
		compare: byCounts(func(c history.ListenerCounts) float64 { return c.AcceptsPerSecond })},
	{head: head{name: "accepted", text: "Accepted", right: true, spare: 6}, doc: "connections completed since netlive began",
		cell:    countCell(func(c *history.ListenerCounts) cell { return plain(fmt.Sprint(c.Accepted)) }),
		compare: byCounts(func(c history.ListenerCounts) float64 { return float64(c.Accepted) })},
	{head: head{name: "overflows", text: "Overflow", right: true, spare: 10}, doc: "connections and segments dropped for a full queue",
		cell: countCell(func(c *history.ListenerCounts) cell {
			switch {
			case c.Overflows < 0 && c.LastOverflow != 0: // its queue was full
				return styled("-", PartBad)
			case c.Overflows < 0:
				return plain("-")
			case c.Overflows > 0:
				return styled(fmt.Sprint(c.Overflows), PartBad)
			}
			return plain("0")
		}),
		compare: byCounts(func(c history.ListenerCounts) float64 { return float64(c.Overflows) })},
	{head: head{name: "tx", text: "TX/s", right: true, spare: 9}, doc: "bytes of data sent a second", sampled: true,
		cell:    rateCell(func(r *meter.Reading) float64 { return r.TxRate }),
		compare: byReading(func(r *meter.Reading) float64 { return r.TxRate })},
	{head: head{name: "rx", text: "RX/s", right: true, spare: 9}, doc: "bytes of data received a second", sampled: true,
		cell:    rateCell(func(r *meter.Reading) float64 { return r.RxRate }),
		compare: byReading(func(r *meter.Reading) float64 { return r.RxRate })},
	{head: head{name: "rtt", text: "RTT", right: true, spare: 7}, doc: "smoothed round-trip time", sampled: true,
		cell: readingCell(func(r *meter.Reading) cell {
			return rawCell(spanOf(r.RTT), int64(r.RTT/time.Microsecond))
		}),
		compare: byReading(func(r *meter.Reading) float64 { return float64(r.RTT) })},
	{head: head{name: "retrans", text: "Retr", right: true, spare: 5}, doc: "segments sent again", sampled: true,
		cell: readingCell(func(r *meter.Reading) cell {
			if r.Retrans > 0 {
				return styled(number(r.Retrans), PartClosing)
			}
			return plain(number(r.Retrans))
		}),
		compare: byReading(func(r *meter.Reading) float64 { return float64(r.Retrans) })},
	{head: head{name: "age", text: "Age", right: true, spare: 4}, doc: "time since it was opened, if that was seen",
		cell: func(_ *Words, _ *look, r *row) cell {
			if r.Born == 0 {
				return plain("-")
			}
			if r.Ghost {
				return rawCell(span(time.Duration(r.Closed-r.Born)), int64(r.Closed-r.Born)/int64(time.Microsecond))
			}
			text, _ := age(time.Duration(r.now - r.Born))
			return rawCell(text, int64(r.now-r.Born)/int64(time.Microsecond))
		},
		// The youngest is the one born last, and those of whom nobody knows are older.
		compare: func(_ *measures, a, b *table.Row) int { return cmp.Compare(b.Born, a.Born) }},
	{head: head{name: "peer", text: "Other end", spare: 3}, doc: "who has the other end, when it is on this machine",
		cell: func(w *Words, l *look, r *row) cell {
			if !r.Peer.Known() {
				return plain("-")
			}
			return plain(l.glyphs.joined + w.program(&r.Peer))
		}},
	{head: head{name: "why", text: "Why", spare: 2}, doc: "why it ended",
		cell: func(_ *Words, _ *look, r *row) cell {
			if r.Ending == nil {
				return plain("")
			}
			return plain(endingWords(r.Ending))
		}},
	{head: head{name: "graph", text: "Last minute", spare: 1}, doc: "rates of the last minute", sampled: true,
		cell: func(_ *Words, l *look, r *row) cell {
			if r.reading == nil || r.Ghost {
				return plain("")
			}
			return styled(sparkline(r.reading, graphWidth, l.glyphs.ascii), PartGraph)
		}},
	{head: head{name: "sent", text: "Sent", right: true, spare: 1}, doc: "bytes of data sent", sampled: true,
		cell:    readingCell(func(r *meter.Reading) cell { return rawCell(bytesOf(r.Sent), r.Sent) }),
		compare: byReading(func(r *meter.Reading) float64 { return float64(r.Sent) })},
	{head: head{name: "received", text: "Received", right: true, spare: 1}, doc: "bytes of data received", sampled: true,
		cell:    readingCell(func(r *meter.Reading) cell { return rawCell(bytesOf(r.Received), r.Received) }),
		compare: byReading(func(r *meter.Reading) float64 { return float64(r.Received) })},
}

// SocketColumns are the names of the columns of sockets.
func SocketColumns() []string { return columnNames(func(*column) bool { return true }) }

// SortColumns are the names of the columns of sockets that rows can be sorted by.
func SortColumns() []string { return columnNames(func(c *column) bool { return c.compare != nil }) }

func columnNames(which func(*column) bool) (names []string) {
	for i := range socketColumns {
		if which(&socketColumns[i]) {
			names = append(names, socketColumns[i].name)
		}
	}
	return names
}

// graphWidth is the width of the column of rates.
const graphWidth = 12

func socketColumn(name string) *column {
	for i := range socketColumns {
		if socketColumns[i].name == name {
			return &socketColumns[i]
		}
	}
	return nil
}

func unixPath(r *table.Row) string {
	if r.Unix == nil {
		return ""
	}
	return r.Unix.Path
}

func ownerName(r *table.Row) string {
	if r.Owner.Program != "" {
		return r.Owner.Program
	}
	return r.Owner.Comm.String()
}

// shownState is the state to sort by: a ghost stays where it was.
func shownState(r *table.Row) sock.State {
	if r.Closed != 0 {
		return r.Last
	}
	return r.State
}

// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"netlive/internal/history"
	"netlive/internal/meter"
	"netlive/internal/render"
	"netlive/internal/sockdiag"
)

// share gives each span its part of so many cells, one at least.
func share(spans []history.Span, width int) []int {
	cells := make([]int, len(spans))
	total := spans[len(spans)-1].To - spans[0].From
	left := max(width, len(spans))
	used, widest := 0, 0
	for i, s := range spans {
		n := 1
		if total > 0 {
			n = max(int(math.Round(float64(s.To-s.From)/float64(total)*float64(left))), 1)
		}
		cells[i] = n
		used += n
		if n > cells[widest] {
			widest = i
		}
	}
	// Rounding, and those that were given a cell more than is theirs, are the widest one's loss.
	cells[widest] = max(cells[widest]+left-used, 1)
	return cells
}

// counterLines are what the kernel counts of a connection. graph is the width of the sparklines.
func counterLines(l *look, r *meter.Reading, graph int) []string {
	i := r.Info
	pm := "±"
	if l.glyphs.ascii {
		pm = "+-"
	}
	lines := []string{
		fmt.Sprintf("TX/s %-6s %s", rate(r.TxRate), l.paint(PartGraph, graphOf(l, r.Tx, graph))),
		fmt.Sprintf("RX/s %-6s %s", rate(r.RxRate), l.paint(PartGraph, graphOf(l, r.Rx, graph))),
		fmt.Sprintf("sent %s  acknowledged %s  received %s  segments out %s in %s", bytesOf(i.Sent()), bytesOf(i.BytesAcked), bytesOf(i.Received()), number(i.SegsOut),
			number(i.SegsIn)),
		fmt.Sprintf("rtt %s %s %s  min %s  rto %s  cwnd %s  ssthresh %s  mss %s", spanOf(i.RTT), pm, spanOf(i.RTTVar), spanOf(i.MinRTT), spanOf(i.RTO), number(i.Cwnd),
			number(i.Ssthresh), number(i.SndMSS)),
		fmt.Sprintf("retransmits %s (%s)  in flight %s  lost %s  congestion %s  delivery rate %s/s", number(i.TotalRetrans), bytesOf(i.BytesRetrans), number(i.Unacked),
			number(i.Lost), word(i.CAState.String()), bytesOf(i.DeliveryRate)),
		fmt.Sprintf("unread %s bytes  unacknowledged %s bytes  never sent %s bytes  window ours %s theirs %s", number(i.RecvQ), number(i.SendQ), number(i.NotsentBytes),
			number(i.RcvWnd), number(i.SndWnd)),
	}
	var limits []string
	for _, limit := range []struct {
		name string
		took time.Duration
	}{{"busy", i.BusyTime}, {"kept back by their window", i.RwndLimited}, {"by our send buffer", i.SndbufLimited}} {
		if limit.took > 0 {
			limits = append(limits, limit.name+" "+span(limit.took))
		}
	}
	if i.AppLimited {
		limits = append(limits, "limited by what the process writes")
	}
	if limits != nil {
		lines = append(lines, strings.Join(limits, "  "))
	}
	return lines
}

// timerWords say which timers run.
func timerWords(r *meter.Reading) string {
	i := r.Info
	text := "none runs"
	if i.Timer.String() != "" {
		text = fmt.Sprintf("%s in %s", i.Timer, spanOf(i.TimerExpires))
		if i.TimerRetrans > 0 {
			text += fmt.Sprintf(", sent %d times in vain", i.TimerRetrans)
		}
	}
	return fmt.Sprintf("%s  last sent %s  received %s  acknowledged %s", text, ago(i.LastDataSent), ago(i.LastDataRecv), ago(i.LastAckRecv))
}

// optionLines are what was agreed on, and what the socket was set to.
func optionLines(r *meter.Reading) []string {
	i := r.Info
	var options []string
	for _, o := range []struct {
		is   sockdiag.Options
		name string
	}{{sockdiag.OptTimestamps, "timestamps"}, {sockdiag.OptSACK, "sack"}, {sockdiag.OptECN, "ecn"}, {sockdiag.OptECNSeen, "ecn-seen"}, {sockdiag.OptSYNData, "fast-open"}} {
		if i.Options.Has(o.is) {
			options = append(options, o.name)
		}
	}
	if i.Options.Has(sockdiag.OptWscale) {
		options = append(options, fmt.Sprintf("wscale %d,%d", i.SndWscale, i.RcvWscale))
	}
	if i.Options < 0 {
		options = []string{"-"}
	}
	second := []string{"congestion control " + word(safe(i.CongestionControl.String())), "pmtu " + number(i.PMTU), "rcvbuf " + number(i.SkMem.RcvBuf), "sndbuf " + number(i.SkMem.SndBuf)}
	if ulp := i.ULP.String(); ulp != "" {
		second = append(second, "ulp "+safe(ulp))
	}
	if i.TOS > 0 {
		second = append(second, fmt.Sprintf("tos %#x", i.TOS))
	}
	if i.Mark > 0 {
		second = append(second, fmt.Sprintf("mark %#x", i.Mark))
	}
	if i.SkMem.Drops > 0 {
		second = append(second, fmt.Sprintf("drops %d", i.SkMem.Drops))
	}
	switch i.Shutdown {
	case sockdiag.ShutdownRcv:
		second = append(second, "shut for receiving")
	case sockdiag.ShutdownSnd:
		second = append(second, "shut for sending")
	case sockdiag.ShutdownRcv | sockdiag.ShutdownSnd:
		second = append(second, "shut both ways")
	}
	return []string{strings.Join(options, "  "), strings.Join(second, "  ")}
}

func graphOf(l *look, values []float32, width int) string {
	return string(render.AppendSparkline(nil, values, min(len(values), width), l.glyphs.ascii))
}

// word is a text, or that it is not known.
func word(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// number is a number, which is negative when it is not known.
func number(n int64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func bytesOf(n int64) string {
	if n < 0 {
		return "-"
	}
	return size(uint64(n))
}

func spanOf(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	return span(d)
}

// ago is a time that has passed.
func ago(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	return span(d) + " ago"
}

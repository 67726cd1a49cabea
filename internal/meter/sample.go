// SPDX-License-Identifier: GPL-2.0-or-later

package meter

import (
	"math"
	"time"

	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// sample is what is kept of each socket, and what rates are made of: 56 bytes.
type sample struct {
	at             sock.Stamp // 0: there was none yet
	sent, received int64      // at that time; negative is not known, here and below
	retrans        int32
	tx, rx, again  float32 // rates, a second
	rtt            uint32  // microseconds; 0 is not known
	recvQ, sendQ   uint32
	state          sock.State
	round          uint8 // the low bits of that which had it last
}

// take makes s the sample of i, with rates for the time since. It reports whether anything else than its time is another. Too short a time makes no rate:
// counters go on from where they were.
func (s *sample) take(i *sockdiag.Info, at, since sock.Stamp, least time.Duration) (changed bool) {
	old := *s
	s.state = i.State
	s.rtt = uint32(min(max(i.RTT.Microseconds(), 0), math.MaxUint32))
	s.recvQ, s.sendQ = uint32(max(i.RecvQ, 0)), uint32(max(i.SendQ, 0))
	sent, received, retrans := i.Sent(), i.Received(), int32(min(i.TotalRetrans, math.MaxInt32))
	switch elapsed := time.Duration(at - since); {
	case old.at == 0:
		s.tx, s.rx, s.again = -1, -1, -1
	case elapsed < max(least, 1):
		s.at = old.at
		old.round = s.round
		return *s != old
	default:
		s.tx, s.rx = rate(old.sent, sent, elapsed), rate(old.received, received, elapsed)
		s.again = rate(int64(old.retrans), int64(retrans), elapsed)
	}
	s.at, s.sent, s.received, s.retrans = at, sent, received, retrans
	old.at, old.round = s.at, s.round
	return *s != old
}

// rate is what a counter grew by, a second; negative when either value is not known, or it fell: then it is another's.
func rate(before, now int64, elapsed time.Duration) float32 {
	if before < 0 || now < before {
		return -1
	}
	return float32(float64(now-before) / elapsed.Seconds())
}

func (s *sample) reading() Reading {
	r := Reading{
		At: s.at, State: s.state, TxRate: float64(s.tx), RxRate: float64(s.rx), RetransRate: float64(s.again),
		Sent: s.sent, Received: s.received, Retrans: int64(s.retrans), RTT: -1, RecvQ: int64(s.recvQ), SendQ: int64(s.sendQ),
	}
	if s.rtt != 0 {
		r.RTT = time.Duration(s.rtt) * time.Microsecond
	}
	return r
}

// push returns the rates with another one, after that many intervals in which nothing moved. Readers may have h.
func push(h []float32, intervals int, v float32) []float32 {
	if v < 0 {
		return nil // a new beginning
	}
	if len(h) == 0 {
		intervals = 0
	}
	next := make([]float32, 0, history)
	intervals = min(intervals, history-1)
	next = append(next, h[max(0, len(h)+intervals+1-history):]...)
	for range intervals {
		next = append(next, 0)
	}
	return append(next, v)
}

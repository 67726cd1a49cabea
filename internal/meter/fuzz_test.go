// SPDX-License-Identifier: GPL-2.0-or-later

package meter

import (
	"math"
	"testing"
	"time"

	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// Whatever the kernel counts, and whatever the clock does between two samples, a rate is a number of 0 or more, or not known; and the counters of a
// reading are those that were counted last.
func FuzzTake(f *testing.F) {
	f.Add(int64(1500), int64(500), int64(70), int64(3), int64(5e6), int64(2e9), uint8(sock.Established))
	f.Add(int64(-1), int64(-1), int64(-1), int64(-1), int64(-1), int64(0), uint8(sock.Listen))
	f.Add(int64(math.MaxInt64), int64(1), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(-5), uint8(sock.CloseWait))
	f.Add(int64(1), int64(5), int64(0), int64(math.MaxUint32), int64(1), int64(1), uint8(255))
	f.Fuzz(func(t *testing.T, sent, again, received, retrans, rtt, elapsed int64, state uint8) {
		least := func(n int64) int64 { return max(n, -1) } // as sockdiag has them
		info := sockdiag.Info{
			State: sock.State(state), BytesSent: least(sent), BytesRetrans: least(again), BytesReceived: least(received), TotalRetrans: least(retrans),
			RTT: time.Duration(least(rtt)), RecvQ: least(sent % (1 << 32)), SendQ: least(again % (1 << 32)),
		}
		before := sockdiag.Info{BytesRetrans: 0, BytesSent: least(received), BytesReceived: least(sent), TotalRetrans: least(again), State: sock.Established}
		var s sample
		var history32 []float32
		const first = sock.Stamp(100)
		at := first
		for _, i := range []*sockdiag.Info{&before, &info, &info, &before} {
			s.take(i, at, s.at, time.Millisecond)
			r := s.reading()
			for _, rate := range []float64{r.TxRate, r.RxRate, r.RetransRate} {
				if !(rate >= 0 && !math.IsInf(rate, 0) || rate == -1) {
					t.Errorf("rate %v of %+v", rate, *i)
				}
			}
			if r.Sent < -1 || r.Received < -1 || r.Retrans < -1 || r.RTT < -1 || r.RecvQ < 0 || r.SendQ < 0 {
				t.Errorf("%+v of %+v", r, *i)
			}
			history32 = push(history32, int(uint8(elapsed)), s.tx)
			if len(history32) > history || s.tx >= 0 && history32[len(history32)-1] != s.tx {
				t.Errorf("%v", history32)
			}
			at += sock.Stamp(elapsed)
		}
	})
}

// SPDX-License-Identifier: GPL-2.0-or-later

package summary

import (
	"strconv"
	"time"
)

// AppendJSON appends s as one JSON object, the last of a stream of events that ends at t. All its texts are ours.
func (s *Summary) AppendJSON(b []byte, t time.Time) []byte {
	number := func(name string, n uint64) {
		b = append(append(append(b, '"'), name...), `":`...)
		b = append(strconv.AppendUint(b, n, 10), ',')
	}
	object := func(name string, each func(func(name string, n uint64))) {
		b = append(append(append(b, '"'), name...), `":{`...)
		each(number)
		b = append(trimComma(b), "},"...)
	}
	b = t.UTC().AppendFormat(append(b, `{"event":"summary","time":"`...), "2006-01-02T15:04:05.000000000Z")
	b = append(b, `",`...)
	object("events", func(each func(string, uint64)) { s.events(each) })
	number("lost", s.lost)
	object("closes", s.eachClose)
	object("fails", s.eachFail)
	number("bytes_sent", s.bytesSent)
	number("bytes_received", s.bytesReceived)
	number("bytes_retrans", s.bytesRetrans)
	number("retrans", s.retrans)
	s.eachLatency(func(name string, l *latency) {
		if l.count() == 0 {
			b = append(append(append(b, '"'), name...), `_us":null,`...)
			return
		}
		object(name+"_us", func(each func(string, uint64)) {
			each("count", uint64(l.count()))
			for _, p := range percentiles {
				each(p.name, uint64(l.at(p.quantile)))
			}
			each("max", uint64(l.max))
		})
	})
	return append(trimComma(b), '}')
}

// trimComma takes a comma off the end.
func trimComma(b []byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return b
}

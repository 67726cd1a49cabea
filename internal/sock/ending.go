// SPDX-License-Identifier: GPL-2.0-or-later

package sock

import "time"

// Ending is how a connection ended, or the attempt to make one: what a table keeps of an EventClose or EventFail. Nobody changes an Ending
// once it is made, so that copies of a row may share it.
type Ending struct {
	// At is the instant: that of the change to CLOSE. A minisocket may stay for a minute more.
	At Stamp
	// Failed reports that it was never established (EventFail).
	Failed bool
	// End and By, Errno and Reason are those of Detail.
	End    End
	By     Side
	Errno  uint16
	Reason string
	// Signal, Exited and what follows are those of Life.
	Signal                   uint8
	Exited                   bool
	Duration                 time.Duration
	In                       [Closing + 1]time.Duration
	BytesSent, BytesReceived uint64
	Retrans                  uint32
	RTT                      time.Duration
	Peer                     Owner
}

// Ending is what e says of the end of its connection, copied; nil when it says nothing of one.
func (e *Event) Ending() *Ending {
	d := e.Detail
	if d == nil || e.Kind != EventClose && e.Kind != EventFail {
		return nil
	}
	return &Ending{
		At: e.Socket.At, Failed: e.Kind == EventFail,
		End: d.End, By: d.By, Errno: d.Errno, Reason: d.Reason,
		Signal: d.Signal, Exited: d.Exited, Duration: d.Duration, In: d.In,
		BytesSent: d.BytesSent, BytesReceived: d.BytesReceived, Retrans: d.Retrans, RTT: d.RTT, Peer: d.Peer,
	}
}

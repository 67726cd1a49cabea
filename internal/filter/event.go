// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// lifeFields are known of a connection that has ended.
var lifeFields = Fields(FieldAge, FieldRx, FieldTx, FieldRetrans)

// SetEvent makes v what is known of e, which it refers to. Names stay.
func (v *Values) SetEvent(e *sock.Event) {
	*v = Values{Socket: &e.Socket, Names: v.Names, Event: e.Kind, Old: e.Old}
	d := e.Detail
	if d == nil {
		return
	}
	v.Reasons = [3]string{d.End.String(), d.Reason}
	if d.Errno != 0 {
		v.Reasons[2] = unix.ErrnoName(unix.Errno(d.Errno))
	}
	if e.Kind != sock.EventFail && e.Kind != sock.EventClose {
		return
	}
	v.Known = lifeFields
	v.Age, v.RTT = d.Duration, d.RTT
	if d.Duration < 0 {
		v.Known &^= Fields(FieldAge)
	}
	if d.RTT > 0 {
		v.Known |= Fields(FieldRTT)
	}
	v.Rx, v.Tx, v.Retrans = d.BytesReceived, d.BytesSent, d.Retrans
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"strconv"
	"time"

	"netlive/internal/sock"
)

// EventSchema names what a line of events in JSON has: docs/netlive.event.v1.schema.json.
const EventSchema = "netlive.event.v1"

// AppendEventBegin appends the first object of a stream of events: which program tells of which events, by which hook, through which filter ("" is none).
func AppendEventBegin(b []byte, t time.Time, version, hook string, kinds sock.EventSet, filter string) []byte {
	b = appendTime(append(b, `{"event":"begin","schema":"`+EventSchema+`","time":"`...), t)
	b = appendTextJSON(b, `","version":`, version)
	b = appendTextJSON(b, `,"hook":`, hook)
	b = append(b, `,"events":[`...)
	comma := ""
	for k := sock.EventNone + 1; k.String() != ""; k++ {
		if kinds.Has(k) {
			b = append(append(append(append(b, comma...), '"'), k.String()...), '"')
			comma = ","
		}
	}
	return append(appendTextJSON(append(b, ']'), `,"filter":`, filter), '}')
}

// EventJSON writes events as JSON objects.
type EventJSON struct {
	// Places are names that are added to each socket.
	Places *Places

	second second
}

// eventHeads follow the time, one for each kind: put together for each event they would cost it a twentieth of its time.
var eventHeads = func() (heads [256]string) {
	for k := sock.EventNone + 1; k.String() != ""; k++ {
		heads[k] = `","event":"` + k.String() + `",`
	}
	return heads
}()

// Append appends e as one JSON object.
func (j *EventJSON) Append(b []byte, e *sock.Event) []byte {
	b = j.second.appendNano(append(b, `{"time":"`...), e.Time)
	b = append(b, eventHeads[e.Kind]...)
	switch e.Kind {
	case sock.EventLost:
		return append(appendUint(b, `"count":`, e.Lost), '}')
	case sock.EventResync, sock.EventStale:
		b[len(b)-1] = '}'
		return b
	}
	b = appendSocketFields(b, &e.Socket, false)
	switch e.Kind {
	case sock.EventState, sock.EventOwner:
		b = appendChangeJSON(b, e)
	case sock.EventOpen:
		b = appendMicros(b, `,"connect_us":`, e.InOld)
	case sock.EventAccept:
		b = appendMicros(b, `,"accept_wait_us":`, e.InOld)
	case sock.EventListen, sock.EventBind:
	default:
		b = appendEventDetail(b, e)
	}
	if e.Stack != nil {
		b = appendStackJSON(b, e.Stack)
	}
	b = append(b, '}')
	if j.Places == nil {
		return b
	}
	return j.Places.AppendJSON(b, &e.Socket)
}

func appendChangeJSON(b []byte, e *sock.Event) []byte {
	b = appendStateJSON(b, `,"old_state":`, e.Old, e.Old.String())
	b = appendStateJSON(b, `,"new_state":`, e.Socket.State, e.Socket.State.String())
	b = appendMicros(b, `,"state_us":`, e.InOld)
	if e.Mini != sock.StateNone {
		b = appendWord(b, `,"minisocket":`, e.Mini.String())
	}
	return b
}

func appendEventDetail(b []byte, e *sock.Event) []byte {
	d := e.Detail
	if d == nil {
		return b
	}
	switch e.Kind {
	case sock.EventFail, sock.EventClose:
		return appendLifeJSON(b, d)
	case sock.EventRetransmit, sock.EventDrop:
		b = appendWord(b, `,"segment":`, d.Segment.String())
		if d.Segment == sock.SegmentUnknown {
			b = append(b, `,"seq":null,"len":null`...)
		} else {
			b = appendUint(appendUint(b, `,"seq":`, uint64(d.Seq)), `,"len":`, uint64(d.Len))
		}
		if e.Kind == sock.EventRetransmit {
			return appendUint(b, `,"nth":`, uint64(d.Nth))
		}
		return appendReason(b, d.Reason)
	case sock.EventReset:
		direction := ""
		switch d.By {
		case sock.SideLocal:
			direction = "sent"
		case sock.SideRemote:
			direction = "received"
		}
		return appendReason(appendWord(b, `,"direction":`, direction), d.Reason)
	case sock.EventOverflow:
		b = appendUint(b, `,"backlog":`, uint64(d.Backlog))
		b = appendUint(b, `,"max_backlog":`, uint64(d.MaxBacklog))
		if d.Dropped < 0 {
			return append(b, `,"dropped":null`...)
		}
		return appendUint(b, `,"dropped":`, uint64(d.Dropped))
	case sock.EventError:
		return appendErrnoJSON(b, d)
	}
	return b
}

func appendLifeJSON(b []byte, d *sock.Detail) []byte {
	b = appendMicros(b, `,"duration_us":`, d.Duration)
	b = appendStatesJSON(b, &d.In)
	b = appendMicros(b, `,"connect_us":`, d.Connect)
	b = appendMicros(b, `,"accept_wait_us":`, d.AcceptWait)
	b = appendUint(b, `,"bytes_sent":`, d.BytesSent)
	b = appendUint(b, `,"bytes_received":`, d.BytesReceived)
	b = appendUint(b, `,"bytes_retrans":`, d.BytesRetrans)
	b = appendUint(b, `,"segs_out":`, uint64(d.SegsOut))
	b = appendUint(b, `,"segs_in":`, uint64(d.SegsIn))
	b = appendUint(b, `,"retrans":`, uint64(d.Retrans))
	b = appendMicros(b, `,"rtt_us":`, orUnknown(d.RTT))
	b = appendMicros(b, `,"min_rtt_us":`, orUnknown(d.MinRTT))
	b = appendWord(b, `,"closed_by":`, d.By.String())
	b = appendWord(b, `,"end":`, d.End.String())
	b = appendReason(b, d.Reason)
	b = appendErrnoJSON(b, d)
	if d.Signal == 0 {
		b = append(b, `,"signal":null`...)
	} else {
		b = append(appendSignal(append(b, `,"signal":"`...), d.Signal), '"')
	}
	b = strconv.AppendBool(append(b, `,"exited":`...), d.Exited)
	if !d.Peer.Known() {
		return append(b, `,"peer":null`...)
	}
	b = appendOwner(append(b, `,"peer":`...), &d.Peer)
	return append(appendUintOrNull(b[:len(b)-len("}")], `,"netns":`, uint64(d.PeerNetNS)), '}')
}

// appendStatesJSON appends the time spent in each state that the connection was in.
func appendStatesJSON(b []byte, in *[sock.Closing + 1]time.Duration) []byte {
	b = append(b, `,"states_us":{`...)
	first := true
	for s, d := range in {
		if d == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), sock.State(s).String()...), '"')
		b = appendMicros(b, ":", d)
	}
	return append(b, '}')
}

// appendMicros appends d in microseconds; null when it is negative: not known.
func appendMicros(b []byte, name string, d time.Duration) []byte {
	if d < 0 {
		return append(append(b, name...), "null"...)
	}
	return appendUint(b, name, uint64(d/time.Microsecond))
}

// appendWord appends a word of ours, which needs no escapes; null when it is empty.
func appendWord(b []byte, name, word string) []byte {
	b = append(b, name...)
	if word == "" {
		return append(b, "null"...)
	}
	return append(append(append(b, '"'), word...), '"')
}

func appendErrnoJSON(b []byte, d *sock.Detail) []byte {
	if d.Errno == 0 {
		return append(b, `,"errno":null`...)
	}
	return append(appendErrno(append(b, `,"errno":"`...), d.Errno), '"')
}

func appendStackJSON(b []byte, stack []string) []byte {
	b = append(b, `,"stack":[`...)
	for i, frame := range stack {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, frame)
	}
	return append(b, ']')
}

func appendReason(b []byte, reason string) []byte {
	b = append(b, `,"reason":`...)
	if reason == "" {
		return append(b, "null"...)
	}
	return appendText(b, reason)
}

// appendText appends what appendString does of a string, without making bytes of one that needs no escapes.
func appendText(b []byte, s string) []byte {
	at := len(b)
	b = append(append(append(b, '"'), s...), '"')
	if text := b[at+1 : len(b)-1]; plain(text) && bytes.IndexByte(text, '"') < 0 {
		return b
	}
	return appendString(b[:at], []byte(s))
}

// SPDX-License-Identifier: GPL-2.0-or-later

package meter

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// Run samples until ctx ends, and then returns nil. While nothing is wanted no timer runs.
func (m *Meter) Run(ctx context.Context) error {
	defer m.leave(func(*space) bool { return false })
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	tick := time.Now().Add(m.Interval)
	var rest time.Time // nothing is asked before
	for ctx.Err() == nil {
		wanted, fresh := m.wanted()
		begin := time.Now()
		switch {
		case !wanted:
			m.forget()
			m.sleep(ctx, nil)
			tick = time.Now().Add(m.Interval)
			continue
		case !begin.Before(tick):
			tick = begin.Add(m.Interval)
			if !m.due() {
				continue
			}
			m.sample(ctx, true)
		case fresh && !begin.Before(rest):
			m.sample(ctx, false)
		default:
			wait := time.Until(tick)
			if fresh {
				wait = min(wait, time.Until(rest))
			}
			timer.Reset(wait)
			m.sleep(ctx, timer.C)
			continue
		}
		end := time.Now()
		rest = end.Add((share - 1) * end.Sub(begin))
		if tick.Before(rest) {
			tick = rest
		}
	}
	return nil
}

// sleep waits for the timer, another wish or the end.
func (m *Meter) sleep(ctx context.Context, timer <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-m.wake:
	case <-timer:
	}
}

// wanted reports whether anything is, and whether something fresh, which has no sample yet.
func (m *Meter) wanted() (something, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown == 0 && len(m.all) == 0 {
		return false, false
	}
	for _, e := range m.single {
		if e.wish == m.wish && e.fresh() {
			return true, true
		}
	}
	return true, slices.ContainsFunc(m.all, func(netns uint32) bool { return !m.dumped[netns] })
}

// fresh reports that a socket was not asked for yet.
func (e *entry) fresh() bool { return !e.asked }

// due says whether to make a round at this tick.
func (m *Meter) due() bool {
	now := m.Now() // before the question: what moves after it counts for the next
	active := m.Active == nil || m.Active()
	m.mu.Lock()
	defer m.mu.Unlock()
	if active || m.anew {
		m.owed, m.anew = 2, false
	}
	if m.owed == 0 {
		m.still = now
		m.skips++
		return false
	}
	m.owed--
	return true
}

// question is a socket that is asked for.
type question struct {
	entry  *entry
	socket sock.Socket
	find   bool
}

// sample makes a round: of all that is wanted, or of what is fresh alone.
func (m *Meter) sample(ctx context.Context, all bool) {
	failed := joinErrs(m.errs) // written by this goroutine alone
	m.mu.Lock()
	if all {
		m.round++
	}
	dump := m.ask(all)
	m.mu.Unlock()

	changed := false
	for n := range m.asked {
		if ctx.Err() == nil {
			changed = m.get(&m.asked[n], all) || changed
		}
	}
	for _, netns := range dump {
		if ctx.Err() == nil {
			changed = m.dump(ctx, netns) || changed
		}
	}
	if all {
		m.skips = 0
		changed = m.sweep() || changed
		m.leave(func(s *space) bool { return s.round == m.round })
	}
	if now := joinErrs(m.errs); (now == nil) != (failed == nil) || now != nil && now.Error() != failed.Error() {
		changed = true
	}
	if changed && m.Sampled != nil {
		m.Sampled()
	}
}

// ask writes down what to ask for, and forgets what was not wanted for long.
func (m *Meter) ask(all bool) (dump []uint32) {
	m.asked = m.asked[:0]
	crowded := len(m.single) > m.shown+keepMost
	for id, e := range m.single {
		switch {
		case e.wish != m.wish:
			if all {
				e.rounds++
				e.lose() // nobody looks
			}
			if e.rounds > keep || crowded {
				delete(m.single, id)
			}
		case all && e.misses < 2 || e.fresh():
			m.asked = append(m.asked, question{e, e.socket, e.misses == 1 && e.socket.State != sock.Listen})
		}
	}
	if all {
		clear(m.dumped)
	}
	for _, netns := range m.all {
		if !m.dumped[netns] {
			dump = append(dump, netns)
			m.dumped[netns] = true // even when it fails: it is tried in its turn
		}
	}
	if !all && len(m.asked)+len(dump) > 0 {
		m.owed = 2 // one sample makes no rate
	}
	return dump
}

// get samples one socket and reports whether anything changed.
func (m *Meter) get(q *question, all bool) bool {
	q.entry.asked = true // read by this goroutine alone
	conn := m.conn(q.socket.NetNS)
	if conn == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		return q.entry.lose()
	}
	ask, at, info := conn.Get, m.Now(), new(sockdiag.Info)
	if q.find {
		ask = conn.Find // it is still there, and is bound to an interface
	}
	err := ask(&q.socket, info)
	if err != nil && !errors.Is(err, sockdiag.ErrGone) {
		m.fail(q.socket.NetNS, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := q.entry
	switch {
	case errors.Is(err, sockdiag.ErrGone) && e.info == nil:
		e.misses++
		m.owed = max(m.owed, 1) // to look for it once more
		return false
	case errors.Is(err, sockdiag.ErrGone):
		e.misses = 2
		return e.stop()
	case err != nil:
		return e.lose()
	}
	e.misses, e.info, e.socket.Dev = 0, info, info.Iface
	if e.at == 0 {
		e.sample = m.brief[q.socket.ID] // which makes a rate at once
	}
	since, intervals := m.since(&e.sample)
	before := e.at
	changed := e.take(info, at, since, m.least())
	e.round = uint8(m.round)
	if all && e.at != before && before != 0 {
		e.tx, e.rx = push(e.tx, intervals, e.sample.tx), push(e.rx, intervals, e.sample.rx)
	}
	if e.state != sock.Listen && e.sendQ > 0 {
		m.owed = max(m.owed, 1) // no news of what is acknowledged
	}
	return changed
}

// stop says that nothing moves any more: the socket is closed.
func (e *entry) stop() (changed bool) {
	changed = e.sample.tx > 0 || e.sample.rx > 0 || e.again > 0
	e.sample.tx, e.sample.rx, e.again = min(e.sample.tx, 0), min(e.sample.rx, 0), min(e.again, 0)
	return changed
}

// lose says that it is not known what moves.
func (e *entry) lose() (changed bool) {
	changed = e.sample.tx >= 0 || e.sample.rx >= 0 || e.again >= 0
	e.sample.tx, e.sample.rx, e.again = -1, -1, -1
	return changed
}

// least is the shortest time that a rate is made of.
func (m *Meter) least() time.Duration { return m.Interval / 2 }

// since is from when on what has moved since s has moved, and how many intervals were without a round. They are known of what the last round had.
func (m *Meter) since(s *sample) (since sock.Stamp, intervals int) {
	if s.round == uint8(m.round) || s.round == uint8(m.round-1) {
		return max(s.at, m.still), m.skips
	}
	return s.at, 0
}

// dump samples all TCP sockets of a namespace.
func (m *Meter) dump(ctx context.Context, netns uint32) (changed bool) {
	conn := m.conn(netns)
	if conn == nil {
		return false
	}
	at := m.Now() // for all: the next dump comes to each after as long
	err := conn.Dump(ctx, sock.ProtosTCP, func(id sock.ID, _, _ netip.AddrPort, i *sockdiag.Info) {
		m.mu.Lock()
		defer m.mu.Unlock()
		s := m.brief[id]
		since, _ := m.since(&s)
		changed = s.take(i, at, since, m.least()) || changed
		s.round = uint8(m.round)
		m.brief[id] = s
	})
	if err != nil && ctx.Err() == nil {
		m.fail(netns, err)
	}
	return changed
}

// sweep forgets what dumps told before, and the last did not.
func (m *Meter) sweep() (changed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, s := range m.brief {
		if s.round != uint8(m.round) {
			delete(m.brief, id)
			changed = true
		}
	}
	return changed
}

// forget lets all go.
func (m *Meter) forget() {
	m.leave(func(*space) bool { return false })
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown == 0 && len(m.all) == 0 { // still
		clear(m.single)
		clear(m.brief)
		clear(m.dumped)
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package meter

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// space is a network namespace of which something is wanted.
type space struct {
	conn  *sockdiag.Conn // nil: it could not be opened, or answered wrongly
	again sock.Stamp     // when to try again
	round uint64         // the last that wanted it
}

// conn is the connection to a namespace, or nil while there is none to be had.
func (m *Meter) conn(netns uint32) *sockdiag.Conn {
	s := m.spaces[netns]
	if s == nil {
		s = &space{}
		m.spaces[netns] = s
	}
	s.round = m.round
	if s.conn == nil {
		now := m.Now()
		if now < s.again {
			return nil
		}
		var err error
		if s.conn, err = m.Open(netns); err != nil {
			s.conn, s.again = nil, now+retry
		}
		m.setErr(netns, err)
	}
	return s.conn
}

// fail gives up the connection to a namespace for a while.
func (m *Meter) fail(netns uint32, err error) {
	s := m.spaces[netns]
	m.setErr(netns, errors.Join(err, s.conn.Close()))
	s.conn, s.again = nil, m.Now()+retry
}

// leave closes the connections to namespaces that the last round did not want: one that is open keeps its namespace alive.
func (m *Meter) leave(wanted func(s *space) bool) {
	for netns, s := range m.spaces {
		if wanted(s) {
			continue
		}
		if s.conn != nil {
			_ = s.conn.Close() // nothing is lost with it
		}
		delete(m.spaces, netns)
		m.setErr(netns, nil)
	}
}

func (m *Meter) setErr(netns uint32, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		delete(m.errs, netns)
	} else {
		m.errs[netns] = err
	}
}

func joinErrs(errs map[uint32]error) error {
	var all []error
	for _, netns := range slices.Sorted(maps.Keys(errs)) {
		all = append(all, fmt.Errorf("meter: network namespace %d: %w", netns, errs[netns]))
	}
	return errors.Join(all...)
}

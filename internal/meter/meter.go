// SPDX-License-Identifier: GPL-2.0-or-later

// Package meter keeps samples of the TCP sockets that are looked at, and makes rates of them. It asks for nothing that is not wanted, and for nothing
// while no data moves.
package meter

import (
	"slices"
	"sync"
	"time"

	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// Config is what a Meter needs.
type Config struct {
	// Interval is the time between two rounds of samples. A round that takes long makes the next one later, so that sampling takes a tenth of the
	// time at most.
	Interval time.Duration
	// Open opens a connection in the namespace with that inode number; 0 is the caller's own. It is closed when nothing of the namespace is wanted any
	// more: until then it keeps the namespace alive.
	Open func(netns uint32) (*sockdiag.Conn, error)
	// Active reports whether data may have moved, or connections come or gone, since the last call; nil: always. While it does not, nothing is asked,
	// but for one more round, so that rates fall to 0, and while a socket that was sampled has sent what is not acknowledged.
	Active func() bool
	// Now is the clock of Reading.At.
	Now func() sock.Stamp
	// Sampled is called, on the goroutine of Run, after a round that changed a reading or Err. Nil: nobody is told.
	Sampled func()
}

// Reading is what is known of a socket. Numbers are negative when they are not known.
type Reading struct {
	At    sock.Stamp // of the last sample; while Active says no, it goes on being true
	State sock.State
	// TxRate and RxRate are bytes of data a second since the sample before, each byte counted once; RetransRate is segments sent again a second. Negative
	// until there are two samples, and of listeners.
	TxRate, RxRate, RetransRate float64
	// Sent and Received are bytes of data, Retrans segments sent again, since the connection began.
	Sent, Received, Retrans int64
	RTT                     time.Duration
	RecvQ, SendQ            int64 // bytes; of a listener, connections that wait and that may
	// Info is all that the kernel knows, of sockets that were wanted by themselves; else nil. Nobody changes it.
	Info *sockdiag.Info
	// Tx and Rx are the last 60 rates, oldest first, one for each interval, where Info is. Nobody changes them.
	Tx, Rx []float32
}

const (
	history  = 60                           // rates that are kept
	keep     = 10                           // rounds for which a socket that is not wanted any more is remembered
	keepMost = 1000                         // of such sockets
	share    = 10                           // sampling takes this part of the time at most
	retry    = sock.Stamp(10 * time.Second) // until a namespace is tried again
)

// Meter samples. Run is for one goroutine, the other methods are for any.
type Meter struct {
	Config
	wake chan struct{}

	// Of Run's goroutine alone.
	spaces map[uint32]*space
	asked  []question
	skips  int // ticks without a round since the last

	mu     sync.Mutex
	wish   uint64 // calls of Want
	shown  int    // sockets of the last
	all    []uint32
	dumped map[uint32]bool    // those of all that have a sample
	single map[sock.ID]*entry // wanted one by one
	brief  map[sock.ID]sample // of dumps: 64 bytes a socket, and a map's room
	errs   map[uint32]error   // by namespace
	round  uint64             // of all that is wanted
	still  sock.Stamp         // nothing has moved from the last round until then
	owed   int                // rounds to make though Active says no
	anew   bool               // something is wanted that was not
}

// entry is a socket that is, or lately was, wanted by itself.
type entry struct {
	sample
	socket sock.Socket // as it was wanted, without its owners
	wish   uint64      // that had it last
	rounds int         // since
	asked  bool        // whether the kernel was asked at all
	misses int         // how often it had none such, as it was wanted
	info   *sockdiag.Info
	tx, rx []float32
}

// New makes a Meter of which nothing is wanted yet.
func New(c Config) *Meter {
	return &Meter{
		Config: c, wake: make(chan struct{}, 1), spaces: map[uint32]*space{}, dumped: map[uint32]bool{},
		single: map[sock.ID]*entry{}, brief: map[sock.ID]sample{}, errs: map[uint32]error{},
	}
}

// Want says what to sample from now on: each of these sockets by itself, and a little of all TCP sockets of the namespaces with these inode numbers.
// Of sockets only TCP's are looked at, in states in which they have something to tell. It may be called for each frame: what was wanted the last time costs no
// allocation. What has no sample yet is sampled at once, the rest in its turn. What is not wanted any more is forgotten some rounds later.
func (m *Meter) Want(sockets []sock.Socket, all []uint32) {
	m.mu.Lock()
	m.wish++
	had, changed := m.shown, false
	m.shown = 0
	for i := range sockets {
		if !tells(&sockets[i]) {
			if e := m.single[sockets[i].ID]; e != nil {
				e.stop()
			}
			continue
		}
		m.shown++
		changed = m.want(&sockets[i]) || changed
	}
	if !slices.Equal(m.all, all) {
		m.all, changed = slices.Clone(all), true
	}
	m.anew = m.anew || changed
	tell := changed || m.shown == 0 && had > 0
	m.mu.Unlock()
	if tell {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
}

// tells reports whether sock_diag has more of a socket than a source has.
func tells(s *sock.Socket) bool {
	if !sock.ProtosTCP.Has(s.Proto) {
		return false
	}
	switch s.State {
	case sock.StateNone, sock.TimeWait, sock.SynRecv, sock.NewSynRecv, sock.Close:
		return false
	}
	return true
}

// want takes in one socket and reports whether it was not wanted before.
func (m *Meter) want(s *sock.Socket) bool {
	e := m.single[s.ID]
	anew := e == nil || e.wish != m.wish && e.wish+1 != m.wish
	if e == nil {
		e = &entry{}
		m.single[s.ID] = e
	}
	if old := &e.socket; e.misses > 0 && (old.State != s.State || s.Dev != 0 && old.Dev != s.Dev || old.Local != s.Local) {
		e.misses, anew = 0, true
	}
	dev := e.socket.Dev // which we may know better
	e.socket = *s
	e.socket.Owner, e.socket.Others = sock.Owner{}, nil
	if s.Dev == 0 {
		e.socket.Dev = dev
	}
	e.wish, e.rounds = m.wish, 0
	return anew
}

// Get returns the last reading of a socket, be it from a dump; ok is false when there is none.
func (m *Meter) Get(id sock.ID) (r Reading, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, dumped := m.brief[id]
	if e := m.single[id]; e != nil && e.info != nil && (!dumped || e.wish == m.wish || e.at >= s.at) {
		r = e.reading()
		r.Sent, r.Received, r.Retrans = e.info.Sent(), e.info.Received(), e.info.TotalRetrans
		r.Info, r.Tx, r.Rx = e.info, e.tx, e.rx
		return r, true
	}
	if dumped {
		return s.reading(), true
	}
	return Reading{}, false
}

// Err is why namespaces that are wanted cannot be asked, if some cannot. They are tried again each ten seconds.
func (m *Meter) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return joinErrs(m.errs)
}

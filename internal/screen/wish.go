// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"sync"

	"netlive/internal/sock"
	"netlive/internal/view"
)

// wish is what the terminal wants to see of the loop's table. It is a value: the loop takes a copy.
type wish struct {
	// seq numbers the wishes: a frame says which it answers.
	seq  uint64
	page Page
	// offset and height are the window's.
	offset, height int
	// follow is what the bar is to stay on, at line of the window; zero nothing.
	follow     view.Place
	followLine int
	sort       string // a column, "" the default order
	reverse    bool
	group      grouping
	opened     *opened
	closed     bool // closed rows are shown
	frozen     bool
	filter     *Filter
	peers      bool
	ages       bool // how old rows are is shown
	// detail is the connection about which all is wanted; 0 none.
	detail sock.ID
	// skip is how many events came after those of the window when anchor were told in all; below 0 the window stays at the newest.
	skip   int
	anchor uint64
	kinds  sock.EventSet
	// find asks for the row that has the text; finding numbers the questions.
	find    string
	finding uint64
	back    bool
	from    view.Place
	// save asks for all rows that are shown; saving numbers the questions.
	saving uint64
}

// opened are the groups whose rows are shown. It is never changed, a change makes another.
type opened struct {
	all  bool // but those in keys
	keys map[view.Key]bool
}

func (o *opened) has(k view.Key) bool {
	if o == nil {
		return false
	}
	return o.keys[k] != o.all
}

// with is the same with one group the other way.
func (o *opened) toggled(k view.Key) *opened {
	next := &opened{keys: map[view.Key]bool{}}
	if o != nil {
		next.all = o.all
		for key := range o.keys {
			next.keys[key] = true
		}
	}
	if next.keys[k] {
		delete(next.keys, k)
	} else {
		next.keys[k] = true
	}
	return next
}

// wishes is the place where the terminal leaves its wish and the loop finds it.
type wishes struct {
	redraw chan struct{}

	mu   sync.Mutex
	last wish
}

func newWishes() *wishes { return &wishes{redraw: make(chan struct{}, 1)} }

// set leaves a wish, and has it fulfilled soon.
func (p *wishes) set(w wish) {
	p.mu.Lock()
	p.last = w
	p.mu.Unlock()
	p.wake()
}

func (p *wishes) get() wish {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// wake has the window drawn soon.
func (p *wishes) wake() {
	select {
	case p.redraw <- struct{}{}:
	default: // one is asked for already
	}
}

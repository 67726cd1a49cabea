// SPDX-License-Identifier: GPL-2.0-or-later

// Package screen is the terminal face of netlive watch: tables that stay true, drawn in place, and what leads from one row to its
// process, its history and its reason.
//
// Two goroutines share nothing but messages. The loop's (package live) owns the table, the log of events and all order and grouping:
// it makes a frame of what the terminal wishes to see, which is copies. The terminal's (bubbletea's Update and View) keeps where the
// bar is and what was typed, and turns frames into lines. Wishes go one way by a wishes value, frames the other by tea.Program.Send.
package screen

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"netlive/internal/crash"
	"netlive/internal/live"
	"netlive/internal/meter"
	"netlive/internal/render"
	"netlive/internal/sock"
)

// Page is one of the screens.
type Page uint8

const (
	Connections Page = iota
	Listeners
	Events
	Routes
	Interfaces
	Statistics
	Groups // multicast groups

	pageCount
)

var pageNames = [pageCount]string{"connections", "listeners", "events", "routes", "interfaces", "statistics", "groups"}

func (p Page) String() string { return pageNames[p] }

// PageNames are the names of all pages, in the order of their keys.
func PageNames() []string { return pageNames[:] }

// PageOf is the page of that name.
func PageOf(name string) (Page, bool) {
	for i, n := range pageNames {
		if n == name {
			return Page(i), true
		}
	}
	return 0, false
}

// ListPages are the pages of lists. The other pages have none.
type ListPages [pageCount]ListPage

// Filter is a parsed filter. Its functions are asked on the loop's goroutine.
type Filter struct {
	// Text is as it was typed.
	Text string
	// Socket says which sockets match, nil all; SocketErr says why sockets cannot be asked.
	Socket    func(*sock.Socket) bool
	SocketErr error
	// Event is the same of events.
	Event    func(*sock.Event) bool
	EventErr error
}

// Numeric says which names are numbers.
type Numeric struct{ Hosts, Ports, Users bool }

// Config says what to show and where.
type Config struct {
	// First is the page that is shown first.
	First Page
	// Select chooses the rows of the two pages of sockets; nil shows all.
	Select [2]func(*sock.Socket) bool
	// Filter is the first filter, and Parse makes one of a text. The error is the user's.
	Filter Filter
	Parse  func(text string) (Filter, error)
	// Extend adds user and inode, Programs the process, Netns and Unit where sockets belong.
	Extend, Programs, Netns, Unit bool
	Numeric                       Numeric
	// Words makes what turns numbers into names. A name that comes later than the row is drawn with calls arrived.
	Words func(n Numeric, arrived func()) Words
	// Host is this machine's name.
	Host string
	// Open opens where sockets come from. It is called when a page is shown for the first time that shows them, or their events.
	// redraw has the rows drawn anew that were measured.
	Open func(redraw func()) (Sockets, error)
	// Lists are the pages of lists. One that is nil is not to be had.
	Lists ListPages
	// RowJSON makes what appends a socket as a JSON object, for one goroutine.
	RowJSON func() func(b []byte, s *sock.Socket) []byte
	// Lineage says of an owner, a line each, who it is and who began it.
	Lineage func(o *sock.Owner) []string
	// Container names what a group of a container is called, and the key of the group; nil cannot group by it.
	Container func(s *sock.Socket) string
	// Kill ends a process, Destroy a connection; nil cannot, and ReadOnly says why.
	Kill     func(o *sock.Owner) error
	Destroy  func(s *sock.Socket) error
	ReadOnly string
	Settings Settings
	// Now is the wall clock; nil is time.Now.
	Now func() time.Time

	// Zone is that of the times that are shown; nil is the local one. Places names what lines of events have.
	Zone   *time.Location
	Places *render.Places

	Terminal
}

// Settings are the user's own.
type Settings struct {
	// Warning is what is wrong with them, said in the last line until a key is pressed; "" nothing.
	Warning       string
	Group         string // how connections are grouped at first; "" not
	Follow, Mouse bool
	ASCII         bool
	// Dark says whether the terminal's background is dark; nil asks it.
	Dark  *bool
	Theme Theme
	// Keys are those of actions that have others than bindings has.
	Keys map[string][]string
	// Columns are those of a page, by name; none: those that fit. Hide are never shown, and Sort is the column to sort by, with - before it the
	// other way round.
	Columns, Hide map[string][]string
	Sort          map[string]string
}

// Sockets is where sockets and their events come from.
type Sockets struct {
	// Loop keeps the table; Run sets its Redraw, and hears what its Told does too.
	Loop live.Config
	// Source names it ("ebpf"), Note is what a reader should know of it, if anything.
	Source, Note string
	// Meter measures the sockets that are shown; nil does not. Run runs it.
	Meter Meter
	// Kinds are the events that are told; 0 is none, and NoEvents says why.
	Kinds    sock.EventSet
	NoEvents string
}

// Meter measures sockets: meter.Meter does.
type Meter interface {
	// Want says what to measure: these sockets, and a little of all of the namespaces all.
	Want(sockets []sock.Socket, all []uint32)
	Get(id sock.ID) (meter.Reading, bool)
	Run(ctx context.Context) error
}

// Run shows the screens over the table that the loop keeps until the user quits (nil) or interrupts (ErrInterrupted), ctx ends or the loop
// fails. The terminal is as it was before when Run returns.
func Run(ctx context.Context, c Config) error {
	w := newWindow(&c)
	m := newModel(&c, w)
	return run(ctx, c.Terminal, m, func(ctx context.Context, send func(tea.Msg)) error {
		w.send = func(f *frame) { send(f) }
		end := m.lists.start(ctx, send)
		defer end()
		select {
		case <-ctx.Done():
			return nil
		case <-w.visited:
		}
		of, err := c.Open(w.wake)
		if err != nil {
			return err
		}
		w.of = of
		send(openedMsg(of))
		told := of.Loop.Told
		of.Loop.Redraw, of.Loop.Told = w.redraw, func(e *sock.Event) {
			w.told(e)
			if told != nil {
				told(e)
			}
		}
		if of.Meter != nil {
			ended := make(chan error, 1)
			ctx, cancel := context.WithCancel(ctx)
			go func() {
				defer crash.Guard()
				ended <- of.Meter.Run(ctx)
			}()
			defer func() {
				cancel()
				<-ended
			}()
		}
		return live.Run(ctx, of.Loop, w)
	})
}

// openedMsg says where sockets come from.
type openedMsg Sockets

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"time"

	"github.com/charmbracelet/x/term"

	"netlive/internal/options"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/sock"
	"netlive/internal/summary"
)

// eventForm is a way to write events down.
type eventForm interface {
	// begin is what comes before all events, which hook tells.
	begin(b []byte, hook string) []byte
	append(b []byte, e *sock.Event) []byte
	// end writes the summary.
	end(p *eventPrinter, s *summary.Summary) error
}

// newEventForm is the form that o asks for. The error is about --columns.
func newEventForm(o *options.Options, std streams, places *places) (eventForm, error) {
	var chosen render.EventColumns
	if o.Columns != nil {
		var err error
		if chosen, err = render.ParseEventColumns(o.Columns); err != nil {
			return nil, err
		}
	}
	columns := places.named(o.NetNS != "" || chosen.Has("netnsname"), o.Unit || chosen.Has("unit") || chosen.Has("cgroup"))
	users := resolve.New(resolve.Config{Users: true})
	switch {
	case o.JSON:
		return &jsonForm{o: o, objects: render.EventJSON{Places: columns}}, nil
	case o.CSV:
		names := o.Columns
		if names == nil && o.Stack {
			names = append(render.CSVColumns(o.Events, columns).Names(), "stack")
		}
		f := &csvForm{render.EventCSV{Places: columns, Names: users}, std}
		return f, f.Select(o.Events, names)
	}
	out := std
	if o.Command != nil {
		out.out, out.outTTY = std.err, std.errTTY()
	}
	times := render.TimesClock
	switch {
	case o.Absolute:
		times = render.TimesAbsolute
	case o.Delta:
		times = render.TimesDelta
	}
	f := &lineForm{render.EventLines{Color: out.color(), Location: time.Local, Times: times, Places: columns, Names: users, Width: width(out)}}
	return f, f.Select(o.Events, o.Columns)
}

// jsonForm writes an object a line, the first of which says what follows and the last, if it is wanted, what there was.
type jsonForm struct {
	o       *options.Options
	objects render.EventJSON
}

func (f *jsonForm) begin(b []byte, hook string) []byte {
	kinds := f.o.Events | sock.Events(sock.EventLost, sock.EventResync)
	return append(render.AppendEventBegin(b, time.Now(), version(), hook, kinds, f.o.Filter.Text()), '\n')
}

func (f *jsonForm) append(b []byte, e *sock.Event) []byte {
	return append(f.objects.Append(b, e), '\n')
}

func (f *jsonForm) end(p *eventPrinter, s *summary.Summary) error {
	_, err := p.out.Write(append(s.AppendJSON(nil, time.Now()), '\n'))
	return err
}

// csvForm writes a record a line. Its columns may have no room for a loss, which stderr has.
type csvForm struct {
	render.EventCSV
	std streams
}

func (f *csvForm) begin(b []byte, _ string) []byte { return f.Header(b) }
func (f *csvForm) append(b []byte, e *sock.Event) []byte {
	if e.Kind == sock.EventLost {
		fmt.Fprintf(f.std.err, "netlive: %d events lost: the buffer was full\n", e.Lost)
	}
	return f.Append(b, e)
}
func (f *csvForm) end(p *eventPrinter, s *summary.Summary) error { return endText(p, s) }

// lineForm writes lines for people.
type lineForm struct{ render.EventLines }

func (f *lineForm) begin(b []byte, _ string) []byte               { return f.Header(b) }
func (f *lineForm) append(b []byte, e *sock.Event) []byte         { return f.Append(b, e) }
func (f *lineForm) end(p *eventPrinter, s *summary.Summary) error { return endText(p, s) }

// endText writes the summary to stderr: it is no event.
func endText(p *eventPrinter, s *summary.Summary) error {
	if err := p.out.Flush(); err != nil {
		return err
	}
	_, err := p.std.err.Write(s.AppendText(nil))
	return err
}

// width is how many columns the terminal has that lines go to; 0 when it is none.
func width(std streams) int {
	f, ok := std.out.(*os.File)
	if !ok || !std.outTTY {
		return 0
	}
	columns, _, err := term.GetSize(f.Fd())
	if err != nil {
		return 0
	}
	return columns
}

// errTTY reports whether stderr is a terminal.
func (s streams) errTTY() bool {
	f, ok := s.err.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

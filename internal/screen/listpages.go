// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"context"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"netlive/internal/crash"
)

// listPages are the pages of lists, of which the one that is shown runs.
type listPages struct {
	m       *model
	pages   [pageCount]*listView
	running Page // pageCount: none
	begin   func(Page)
	end     func()
}

func newListPages(m *model) *listPages {
	p := &listPages{m: m, running: pageCount}
	for i := range p.pages {
		if m.config.Lists[i] != nil {
			by := m.config.Settings.Sort[Page(i).String()]
			p.pages[i] = &listView{
				m: m, page: Page(i), window: &listWindow{redraw: make(chan struct{}, 1), page: Page(i)}, sort: strings.TrimPrefix(by, "-"), reverse: strings.HasPrefix(by, "-"),
			}
		}
	}
	return p
}

// start makes pages able to run. The loops end with ctx, and by end.
func (p *listPages) start(ctx context.Context, send func(tea.Msg)) (end func()) {
	var running sync.WaitGroup
	var cancel context.CancelFunc
	var mu sync.Mutex
	stop := func() {
		if cancel != nil {
			cancel()
			running.Wait()
			cancel = nil
		}
	}
	begin := func(page Page) {
		defer crash.Guard()
		mu.Lock()
		defer mu.Unlock()
		stop()
		v := p.pages[page]
		if v == nil || ctx.Err() != nil {
			return
		}
		var of context.Context
		of, cancel = context.WithCancel(ctx)
		v.window.send = func(f *listFrame) { send(f) }
		running.Go(func() {
			defer crash.Guard()
			if err := p.m.config.Lists[page](of, v.window.redraw, v.window.wake, v.window.draw); err != nil && of.Err() == nil {
				send(sayMsg(safe(err.Error())))
			}
		})
	}
	end = func() {
		mu.Lock()
		defer mu.Unlock()
		stop()
	}
	send(startMsg{begin, end})
	return end
}

// startMsg brings what runs a list's loop, and what ends it.
type startMsg struct {
	begin func(Page)
	end   func()
}

// show runs the page that is shown, if it is a list, and no other.
func (p *listPages) show(page Page) {
	if p.begin == nil {
		return // it will be when it can
	}
	if v := p.pages[page]; v != nil {
		v.renew()
	}
	if page < Routes {
		page = pageCount
	}
	if p.running == page {
		return
	}
	p.running = page
	begin, end := p.begin, p.end
	// To end a loop takes waiting for it, which the terminal shall not.
	if page == pageCount {
		go end()
		return
	}
	go begin(page)
}

func (p *listPages) view() *listView { return p.pages[p.m.page] }

// current is the frame of the page that is shown, nil none.
func (p *listPages) current() *listFrame {
	if v := p.view(); v != nil {
		return v.frame
	}
	return nil
}

func (p *listPages) frame(f *listFrame) tea.Cmd {
	if v := p.pages[f.page]; v != nil {
		return v.take(f)
	}
	return nil
}

func (p *listPages) resized() {
	for _, v := range p.pages {
		if v != nil {
			v.grids = nil
		}
	}
}

func (p *listPages) note() string {
	if f := p.current(); f != nil {
		return f.note
	}
	return ""
}

func (p *listPages) counts() (parts []string) {
	f := p.current()
	if f == nil {
		return nil
	}
	for _, c := range f.counts {
		parts = append(parts, c.word+" "+string(appendUint(nil, uint64(c.n))))
	}
	return parts
}

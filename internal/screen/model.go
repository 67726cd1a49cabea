// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/render"
)

// model is the state of the terminal: which page is shown, what the bar is on, what is typed.
type model struct {
	config *Config
	window *window
	of     Sockets // nothing until they are opened
	// visited is that sockets have been asked for.
	visited bool
	keys    *keyMap
	look    *look
	words   Words
	asked   uint64 // how many questions were

	width, height int
	page          Page
	numeric       Numeric
	filter        Filter
	sockets       [2]*sockPage
	events        *eventPage
	lists         *listPages
	detail        *detailPage // nil: closed
	over          over        // what is laid over the page; nil nothing
	box           box         // what is typed into; nil nothing
	last          *frame
	seq           uint64 // of the last wish

	saveTo      *saveTo // what waits for rows to be saved
	interrupted bool
	said        string // for the reader, until the next key
	clicked     struct {
		y  int
		at time.Time
	}
}

// pane is what fills the screen between the status lines and the keys: a page, or the detail over it.
type pane interface {
	// act does what a key means here; done reports whether it means anything.
	act(a action) (cmd tea.Cmd, done bool)
	body(width, height int) []string
	// about is what is special about what is shown, and count which rows of how many it is.
	about() string
	count() string
	// click is of a cell of the body.
	click(x, y int, double bool) tea.Cmd
	hints() []action
}

// pane is what is shown.
func (m *model) pane() pane {
	switch {
	case m.detail != nil:
		return m.detail
	case m.page <= Listeners:
		return m.sockets[m.page]
	case m.page == Events:
		return m.events
	case m.lists.pages[m.page] != nil:
		return m.lists.pages[m.page]
	}
	return missing{m}
}

// over is what is laid over a page until it is closed.
type over interface {
	act(m *model, a action, key string) tea.Cmd
	lines(m *model, width, height int) []string
}

// box is a line that is typed into.
type box interface {
	open(m *model) tea.Cmd
	update(m *model, msg tea.Msg) tea.Cmd
	line(m *model, width int) (text string, cursor int)
	// error is a line about what is typed; "" none.
	problem(width int) string
}

func newModel(c *Config, w *window) *model {
	if c.Now == nil {
		c.Now = time.Now
	}
	m := &model{config: c, window: w, page: c.First, numeric: c.Numeric, filter: c.Filter, keys: newKeyMap(c.Settings.Keys)}
	dark := c.Settings.Dark == nil || *c.Settings.Dark
	m.said = safe(c.Settings.Warning)
	m.look = newLook(dark, c.Settings.ASCII, c.Settings.Theme)
	m.words = c.Words(m.numeric, w.wake)
	m.sockets = [2]*sockPage{newSockPage(m, Connections), newSockPage(m, Listeners)}
	m.events = newEventPage(m)
	m.lists = newListPages(m)
	return m
}

func (m *model) zone() *time.Location {
	if m.config.Zone != nil {
		return m.config.Zone
	}
	return time.Local
}

// number is a new one for a question.
func (m *model) number() uint64 {
	m.asked++
	return m.asked
}

// places are the names of places that the lines of events have.
func (m *model) places() *render.Places { return m.config.Places }

func (m *model) columnsOf(p Page) []string { return m.config.Settings.Columns[p.String()] }

// Init implements tea.Model.
func (m *model) Init() tea.Cmd {
	if m.config.Settings.Dark == nil {
		return tea.RequestBackgroundColor
	}
	return nil
}

// bodyHeight is how many lines there are between the status lines and the last.
func (m *model) bodyHeight() int {
	h := m.height - m.tops() - 1
	if m.box != nil && m.box.problem(m.width) != "" {
		h--
	}
	if m.strips() {
		h -= stripLines
	}
	return max(h, 0)
}

// strips reports whether there is room for a strip about the row that the bar is on.
func (m *model) strips() bool { return m.height >= 20 && m.page <= Events && m.detail == nil }

// tops are how many status lines there is room for.
func (m *model) tops() int {
	switch {
	case m.height >= 10:
		return 2
	case m.height >= 4:
		return 1
	}
	return 0
}

// renew tells the loop what is wished for now.
func (m *model) renew() {
	m.seq++
	w := wish{seq: m.seq, page: m.page}
	if m.filter.Text != "" {
		f := m.filter
		w.filter = &f
	}
	switch {
	case m.detail != nil:
		w.detail = m.detail.of.ID
	case m.page <= Listeners:
		m.sockets[m.page].wish(&w)
	case m.page == Events:
		w.height = max(m.bodyHeight()-1, 0)
		m.events.wish(&w)
	}
	m.window.set(w)
	if !m.visited && m.page <= Events {
		m.visited = true
		close(m.window.visited)
	}
	m.lists.show(m.page)
}

// wholeRegion has all lines scroll again (DECSTBM). bubbletea scrolls parts of the screen, and names its last line instead of all of them when it has done so: on
// a terminal that has grown meanwhile lines beyond the old last one would never be reached.
const wholeRegion = "\x1b[r"

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		for _, p := range m.sockets {
			p.grid.reset()
		}
		m.lists.resized()
		m.renew()
		return m, tea.Sequence(tea.Raw(wholeRegion), tea.ClearScreen)
	case tea.BackgroundColorMsg:
		if m.config.Settings.Dark == nil {
			m.look = newLook(msg.IsDark(), m.config.Settings.ASCII, m.config.Settings.Theme)
		}
	case tea.ResumeMsg:
		m.renew()
	case *frame:
		m.last = msg
		m.show(msg)
		return m, m.saveFrame(msg)
	case *listFrame:
		return m, m.lists.frame(msg)
	case openedMsg:
		m.of = Sockets(msg)
		m.renew()
	case startMsg:
		m.lists.begin, m.lists.end = msg.begin, msg.end
		m.renew()
	case lineageMsg:
		if m.detail != nil && m.detail.of.ID == msg.id {
			m.detail.lineage = msg.lines
		}
	case sayMsg:
		m.say(string(msg))
	case tea.KeyPressMsg:
		return m, m.press(msg)
	case tea.PasteMsg:
		if m.box != nil {
			return m, m.box.update(m, msg)
		}
	case tea.MouseMsg:
		return m, m.mouse(msg)
	default:
		if m.box != nil {
			return m, m.box.update(m, msg)
		}
	}
	return m, nil
}

func (m *model) show(f *frame) {
	if m.detail != nil {
		m.detail.show(f)
	}
	for _, p := range m.sockets {
		p.show(f)
	}
	m.events.show(f)
}

// sayMsg is something to be said.
type sayMsg string

// say shows a text in the last line until the next key.
func (m *model) say(text string) { m.said = text }

func (m *model) press(msg tea.KeyPressMsg) tea.Cmd {
	key := msg.String()
	m.said = ""
	a := m.keys.byKey[key]
	// These work wherever one is.
	switch {
	case a == actInterrupt || key == "ctrl+c":
		return m.interrupt()
	case a == actSuspend:
		return tea.Suspend
	case a == actRedraw:
		return tea.ClearScreen
	}
	switch {
	case m.box != nil:
		return m.box.update(m, msg)
	case m.over != nil:
		return m.over.act(m, a, key)
	}
	return m.act(a)
}

// interrupt ends with ErrInterrupted. bubbletea's own way, tea.Interrupt, does not wait for what reads the keyboard.
func (m *model) interrupt() tea.Cmd {
	m.interrupted = true
	return tea.Quit
}

// act does what a key or a command says.
func (m *model) act(a action) tea.Cmd {
	switch a {
	case actNone:
		return nil
	case actQuit:
		return tea.Quit
	case actInterrupt:
		return m.interrupt()
	case actSuspend:
		return tea.Suspend
	case actRedraw:
		return tea.ClearScreen
	case actHelp:
		m.over = &helpPane{}
		return nil
	case actBack:
		m.back()
		return nil
	case actCommand:
		return m.ask(&commandBox{})
	case actFilter:
		return m.ask(&filterBox{})
	case actFilterUser:
		return m.ask(&filterBox{begin: "user = "})
	case actConnections, actListeners, actEvents, actRoutes, actInterfaces, actStatistics, actMulticast:
		m.turn(Page(a - actConnections))
		return nil
	case actNext:
		m.turn((m.page + 1) % pageCount)
		return nil
	case actPrevious:
		m.turn((m.page + pageCount - 1) % pageCount)
		return nil
	case actNumeric:
		all := m.numeric.Hosts && m.numeric.Ports && m.numeric.Users
		m.numeric = Numeric{!all, !all, !all}
		m.words = m.config.Words(m.numeric, m.window.wake)
		m.renew()
		return nil
	case actPorts:
		m.numeric.Ports = !m.numeric.Ports
		m.words = m.config.Words(m.numeric, m.window.wake)
		m.renew()
		return nil
	}
	cmd, done := m.pane().act(a)
	if !done {
		m.say(bindings[a].does + ": not on this screen")
	}
	if m.box == nil {
		m.renew()
	}
	return cmd
}

// back closes what is open, or clears the filter.
func (m *model) back() {
	switch {
	case m.detail != nil:
		m.detail = nil
	case m.filter.Text != "":
		m.setFilter(Filter{})
	}
	m.renew()
}

func (m *model) setFilter(f Filter) {
	m.filter = f
	for _, p := range m.sockets {
		p.grid.reset()
	}
	m.renew()
}

// jump shows the connections that a filter matches.
func (m *model) jump(text string) tea.Cmd {
	f, err := m.config.Parse(text)
	if err != nil {
		m.say(err.Error())
		return nil
	}
	m.detail = nil
	m.page = Connections
	m.setFilter(f)
	return nil
}

// turn shows another page.
func (m *model) turn(p Page) {
	m.page, m.detail = p, nil
	m.renew()
}

// ask opens a box to type into.
func (m *model) ask(b box) tea.Cmd {
	m.box = b
	return b.open(m)
}

func (m *model) pick(p *picker) { m.over = p }

// close closes the box or what lies over the page.
func (m *model) close() {
	m.box, m.over = nil, nil
	m.renew()
}

func (m *model) copy(text string) tea.Cmd {
	m.say("copied: " + ansi.Truncate(strings.ReplaceAll(text, "\n", " "), max(m.width-20, 10), m.look.glyphs.ellipsis))
	return tea.SetClipboard(text)
}

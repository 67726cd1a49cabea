// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"

	"netlive/internal/cgroup"
	"netlive/internal/config"
	"netlive/internal/filter"
	"netlive/internal/live"
	"netlive/internal/meter"
	"netlive/internal/netns"
	"netlive/internal/options"
	ps "netlive/internal/process"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/screen"
	"netlive/internal/sock"
	"netlive/internal/sockdiag"
	"netlive/internal/tracer"
)

// watchEvents are what the screens tell of unless --event says otherwise, besides the changes of state that make the table. Segments that are dropped are not among
// them: on a machine that is scanned there are too many of them to see the rest.
var watchEvents = sock.Events(sock.EventState, sock.EventOwner, sock.EventListen, sock.EventOpen, sock.EventAccept, sock.EventFail, sock.EventClose,
	sock.EventRetransmit, sock.EventReset, sock.EventOverflow, sock.EventError)

// onScreen reports whether watch draws a screen: on a terminal that can be drawn on, unless it is to print.
func onScreen(o *options.Options, std streams) bool {
	return std.outTTY && !o.JSON && o.Count == 0 && !dumb(std)
}

// dumb reports whether a terminal can be written to and not drawn on.
func dumb(std streams) bool { term := std.getenv("TERM"); return term == "" || term == "dumb" }

// watchScreen shows the screens until the user quits.
func watchScreen(ctx context.Context, o *options.Options, std streams) (err error) {
	settings, linger, err := screenSettings(o, &std)
	if err != nil {
		return err
	}
	p, err := newPlaces(o)
	if err == nil {
		err = p.enterable()
	}
	if err != nil {
		return err
	}
	s := &screens{o: o, std: std, places: p, asked: p.filterNames(), linger: linger}
	defer func() { err = errors.Join(err, s.close()) }()
	c := screen.Config{
		First: firstPage(o, settings), Filter: s.parsed(o.Filter), Parse: s.parse,
		Extend: o.Extend > 0, Programs: o.Programs, Netns: o.NetNS != "", Unit: o.Unit,
		Numeric: screen.Numeric{Hosts: o.NumericHosts, Ports: o.NumericPorts, Users: o.NumericUsers},
		Words:   s.words, Open: s.open, Places: p.columns(o), Container: s.asked.Unit, RowJSON: s.rowJSON,
		Lineage: lineage, Kill: kill, Destroy: s.destroy,
		Settings: settings.Settings,
		Terminal: screen.Terminal{In: std.in, Out: std.out, Env: std.screenEnv()},
	}
	if o.ReadOnly {
		c.Kill, c.Destroy, c.ReadOnly = nil, nil, "--read-only"
	}
	connections, listeners := *o, *o
	if o.Listening && !o.All {
		connections.Listening = false
	}
	listeners.All, listeners.Listening = false, true
	c.Select = [2]func(*sock.Socket) bool{connections.Shows, listeners.Shows}
	if c.Host, err = os.Hostname(); err != nil {
		c.Host = ""
	}
	if c.Lists, err = listPages(o, std, settings.Settings); err != nil {
		return err
	}
	std.keep(screenUses(o, nil))
	if c.First <= screen.Events {
		// What is wrong is told before there is a screen.
		if err := s.attach(); err != nil {
			return err
		}
	}
	if err := screen.Run(ctx, c); err != nil {
		return err
	}
	return context.Cause(ctx) // a signal, if it was one
}

// firstPage is the page that the options ask for, or else the configuration.
func firstPage(o *options.Options, s *screenSetup) screen.Page {
	switch {
	case o.Groups:
		return screen.Groups
	case o.Mode == options.ModeRoute:
		return screen.Routes
	case o.Mode == options.ModeInterfaces:
		return screen.Interfaces
	case o.Mode == options.ModeStatistics:
		return screen.Statistics
	case o.Listening && !o.All:
		return screen.Listeners
	case o.NamedProtos != 0 || len(o.Families) > 0 || o.All || !o.Filter.All():
		return screen.Connections
	}
	return s.first
}

// screens are the sources of what the screens show.
type screens struct {
	o      *options.Options
	std    streams
	places *places
	asked  *filter.Names // of filters and groups, for the loop's goroutine: what it has learnt outlives a filter
	linger time.Duration
	src    *source // nil until it is attached
	moved  atomic.Bool
}

// attach opens the source of sockets.
func (s *screens) attach() (err error) {
	if s.src == nil {
		if s.src, err = openSource(s.o, s.places, s.kinds()); err == nil {
			s.std.keep(screenUses(s.o, s.src))
		}
	}
	return err
}

// kinds are the events that are told.
func (s *screens) kinds() sock.EventSet {
	if s.o.Events != 0 {
		return s.o.Events | sock.Events(sock.EventState, sock.EventOwner)
	}
	return watchEvents
}

func (s *screens) close() error {
	if s.src == nil {
		return nil
	}
	return s.src.Close()
}

// open is screen.Config.Open.
func (s *screens) open(redraw func()) (of screen.Sockets, err error) {
	if err := s.attach(); err != nil {
		return of, err
	}
	o, src := s.o, s.src
	of.Source = src.name()
	of.Loop = live.Config{
		Source: src, Want: sock.Want{Protos: o.Protos(), Owners: true}, Interval: o.Interval, Frame: frameTime, Linger: s.linger, Now: tracer.Now,
	}
	m := meter.Config{Interval: o.Interval, Open: s.diag, Now: tracer.Now, Sampled: redraw}
	switch {
	case src.tracer != nil:
		of.Loop.Signals = activity{src.tracer, &s.moved}
		if of.Loop.Events, err = src.tracer.Stream(); err != nil {
			return of, err
		}
		of.Kinds = s.kinds() &^ src.tracer.Lacks() &^ sock.Events(sock.EventOwner)
		of.Loop.Told = func(*sock.Event) { s.moved.Store(true) }
		m.Active = func() bool { return s.moved.Swap(false) }
	default:
		of.Note = fmt.Sprintf("polling /proc each %v: %v", o.Interval, src.why)
		of.NoEvents = fmt.Sprintf("they come from the kernel by BPF, and that cannot be had: %v", src.why)
	}
	of.Meter = meter.New(m)
	return of, nil
}

// activity is the tracer's signals, of which the meter hears too.
type activity struct {
	*tracer.Tracer
	moved *atomic.Bool
}

// Active implements live.Signals.
func (a activity) Active() sock.ProtoSet {
	set := a.Tracer.Active()
	if set.Any(sock.ProtosTCP) {
		a.moved.Store(true)
	}
	return set
}

// diag opens sock_diag in a network namespace.
func (s *screens) diag(inode uint32) (c *sockdiag.Conn, err error) {
	err = s.in(inode, func() (err error) {
		c, err = sockdiag.Open()
		return err
	})
	return c, err
}

// in calls f in the namespace with an inode number; 0 is our own.
func (s *screens) in(inode uint32, f func() error) error {
	if own, err := tracer.NetNS(); inode == 0 || err == nil && own == inode {
		return f()
	}
	list, err := s.places.list()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(n netns.Space) bool { return n.Inode() == inode })
	if i < 0 {
		return fmt.Errorf("network namespace %d is not there any more", inode)
	}
	return list[i].Do(f)
}

func (s *screens) destroy(k *sock.Socket) error {
	return s.in(k.NetNS, func() error {
		c, err := sockdiag.Open()
		if err != nil {
			return err
		}
		return errors.Join(c.Destroy(k), c.Close())
	})
}

// words are for one goroutine.
func (s *screens) words(n screen.Numeric, arrived func()) screen.Words {
	o := *s.o
	o.NumericHosts, o.NumericPorts, o.NumericUsers = n.Hosts, n.Ports, n.Users
	w := screen.Words{Names: names(&o, resolve.Config{Arrived: arrived}), Program: newPrograms().name, Space: s.places.spaces.Name}
	w.Unit = func(k *sock.Socket) string { return cgroup.Owner(s.places.cgroup(k)) }
	return w
}

// parse makes a filter of what was typed.
func (s *screens) parse(text string) (screen.Filter, error) {
	f, err := filter.Parse(text)
	if err != nil {
		return screen.Filter{}, err
	}
	return s.parsed(f), nil
}

func (s *screens) parsed(f *filter.Filter) screen.Filter {
	p := screen.Filter{Text: f.Text(), SocketErr: f.Require(tableFields), EventErr: f.Require(traceFields)}
	if f.All() {
		return p
	}
	sockets, events := filter.Values{Names: s.asked}, filter.Values{Names: s.asked}
	p.Socket = func(k *sock.Socket) bool {
		sockets.Socket = k
		return f.Match(&sockets)
	}
	p.Event = func(e *sock.Event) bool {
		events.SetEvent(e)
		return f.Match(&events)
	}
	return p
}

// rowJSON writes sockets as netlive --json does.
func (s *screens) rowJSON() func(b []byte, k *sock.Socket) []byte {
	t, program := &render.Table{Places: s.places.columns(s.o)}, newPrograms().name
	return func(b []byte, k *sock.Socket) []byte {
		row := *k
		if o := &row.Owner; s.o.Programs && o.Known() && o.Program == "" {
			o.Program = program(o)
		}
		return t.SocketJSON(b, &row)
	}
}

// listPages are the pages of routes, interfaces, statistics and groups.
func listPages(o *options.Options, std streams, set screen.Settings) (pages screen.ListPages, err error) {
	add := func(p screen.Page, page listPage, err error) error {
		if err == nil {
			pages[p] = func(ctx context.Context, redraw <-chan struct{}, arrived func(), draw screen.ListDrawer) error {
				return page.show(ctx, redraw, arrived, pageDrawer(draw))
			}
		}
		return err
	}
	routes, err1 := newRoutePage(o, std)
	columns := interfaceDefaults
	if chosen := set.Columns[screen.Interfaces.String()]; len(chosen) > 0 {
		columns = chosen
	}
	hide := set.Hide[screen.Interfaces.String()]
	columns = slices.DeleteFunc(slices.Clone(columns), func(name string) bool { return slices.Contains(hide, name) })
	ifaces, err2 := newInterfacePage(o, std, columns, set.ASCII)
	stats, err3 := newStatisticsPage(o, std)
	groups, err4 := newGroupPage(o, std)
	return pages, errors.Join(add(screen.Routes, routes, err1), add(screen.Interfaces, ifaces, err2), add(screen.Statistics, stats, err3), add(screen.Groups, groups, err4))
}

// kill asks a process to end.
func kill(o *sock.Owner) error {
	start := o.Start
	if start == 0 { // /proc's owners are known by their PID alone: it is the one that has it now
		chain, err := ps.Lineage(os.DirFS("/proc"), o.PID, 0)
		if err != nil {
			return err
		}
		start = chain[0].Start
	}
	return ps.Signal(o.PID, start, unix.SIGTERM)
}

// lineage are the owner and who began it, a line each.
func lineage(o *sock.Owner) (lines []string) {
	chain, err := ps.Lineage(os.DirFS("/proc"), o.PID, o.Start)
	if err != nil {
		return []string{err.Error()}
	}
	for i := range chain {
		p := &chain[i]
		what := strings.Join(p.Args, " ")
		if what == "" {
			what = "[" + p.Comm + "]"
		}
		text := fmt.Sprintf("%d %s", p.PID, what)
		if u, err := user.LookupId(strconv.FormatUint(uint64(p.UID), 10)); err == nil {
			text += "  user " + u.Username
		}
		if !p.Began.IsZero() {
			text += "  since " + p.Began.Format("2006-01-02 15:04:05")
		}
		if name := cgroup.Owner(p.Cgroup); name != "" && (i == 0 || cgroup.Owner(chain[i-1].Cgroup) != name) {
			text += "  in " + name
		}
		lines = append(lines, text)
	}
	return lines
}

// screenSetup are the settings of the screens, and the first of them.
type screenSetup struct {
	screen.Settings
	first screen.Page
}

// screenSettings are those of the configuration, but where options say otherwise.
func screenSettings(o *options.Options, std *streams) (s *screenSetup, linger time.Duration, err error) {
	path, must := o.Config, o.Config != ""
	if !must {
		path = config.Path(std.getenv)
	}
	c, err := config.Load(path, must, configSchema())
	s = &screenSetup{}
	switch {
	case err == nil:
	case !must && errors.Is(err, fs.ErrPermission):
		// It is another user's: HOME stays what it was for setpriv(1) and the like.
		s.Warning = err.Error()
	default:
		return nil, 0, &options.Error{Message: eachLine("netlive: ", err), ExitCode: exitUsage}
	}
	s.Group, s.Follow, s.Mouse, s.ASCII = c.Group, c.Follow, c.Mouse, c.ASCII || !unicodeCharset(std.getenv)
	s.Keys, s.Columns, s.Hide, s.Sort = c.Keys, map[string][]string{}, map[string][]string{}, map[string]string{}
	for name, t := range c.Tables {
		s.Columns[name], s.Hide[name], s.Sort[name] = t.Columns, t.Hide, t.Sort
	}
	s.first, _ = screen.PageOf(c.Screen)
	if c.Background != "auto" {
		dark := c.Background == "dark"
		s.Dark = &dark
	}
	if c.Color != "auto" && std.when == "" && std.getenv("NO_COLOR") == "" {
		std.when = c.Color
	}
	s.Theme = screen.Theme{}
	for name, style := range c.Colors {
		if part, ok := screen.PartOf(name); ok {
			s.Theme[part] = screen.Style{
				Foreground: colorOf(style.Fg), Background: colorOf(style.Bg),
				Bold: style.Bold, Dim: style.Dim, Italic: style.Italic, Underline: style.Underline, Reverse: style.Reverse, Strike: style.Strike,
			}
		}
	}
	// A list is sorted by the head of a column.
	page := screen.Interfaces.String()
	if name := strings.TrimPrefix(s.Sort[page], "-"); name != "" {
		t, err := render.NewInterfaceTable([]string{name})
		if err != nil {
			panic(err) // it was checked
		}
		s.Sort[page] = strings.TrimSuffix(s.Sort[page], name) + t.Columns()[0].Head
	}
	for _, page := range []string{screen.Connections.String(), screen.Listeners.String()} {
		if o.Columns != nil {
			s.Columns[page] = o.Columns
		}
		if o.Sort != "" {
			s.Sort[page] = o.Sort
		}
	}
	if o.Group != "" {
		s.Group = o.Group
	}
	return s, c.Linger, nil
}

// configSchema is what a configuration may name.
func configSchema() config.Schema {
	sockets, sorts := screen.SocketColumns(), screen.SortColumns()
	return config.Schema{
		Screens: map[string][]string{"connections": sockets, "listeners": sockets, "events": render.AllEventColumns().Names(), "interfaces": interfaceColumns()},
		Sorts:   map[string][]string{"connections": sorts, "listeners": sorts, "interfaces": interfaceColumns()},
		Actions: screen.ActionNames(), Keys: screen.ActionKeys(), Parts: screen.PartNames(), Groups: screen.GroupNames(),
	}
}

// colorOf is a colour of the configuration; nil is the terminal's own.
func colorOf(c config.Color) color.Color {
	if n, ok := c.Index(); ok {
		return ansi.IndexedColor(n)
	}
	if r, g, b, ok := c.RGB(); ok {
		return color.RGBA{r, g, b, 0xff}
	}
	return nil
}

// eachLine is an error with something before each of its lines.
func eachLine(before string, err error) string {
	return before + strings.ReplaceAll(err.Error(), "\n", "\n"+before)
}

// unicodeCharset reports whether the terminal shows more than ASCII: the locale's charset is UTF-8 (setlocale(3): LC_ALL, LC_CTYPE, LANG).
func unicodeCharset(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			_, charset, _ := strings.Cut(value, ".")
			charset, _, _ = strings.Cut(charset, "@")
			charset = strings.ReplaceAll(strings.ToLower(charset), "-", "")
			// C and POSIX are what is set where nobody cared; most terminals show more.
			return charset == "utf8" || charset == ""
		}
	}
	return true
}

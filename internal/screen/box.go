// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// inputMax is how much can be typed or pasted into a box.
const inputMax = 4096

// input is a line with a prompt. What is pasted into it loses what is no character.
type input struct {
	text textinput.Model
}

func (b *input) begin(m *model, prompt, value string) tea.Cmd {
	b.text = textinput.New()
	b.text.Prompt = prompt
	b.text.CharLimit = inputMax
	b.text.KeyMap.Paste.SetEnabled(false) // it would run a program; terminals paste by themselves
	b.text.SetVirtualCursor(false)
	b.text.SetStyles(textinput.Styles{})
	b.text.SetValue(value)
	b.text.CursorEnd()
	return b.text.Focus()
}

// typed takes a message in; done is that Enter was pressed, left that Esc was.
func (b *input) typed(msg tea.Msg) (cmd tea.Cmd, done, left bool) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			return nil, true, false
		case "esc":
			return nil, false, true
		}
	}
	switch m := msg.(type) { // the text box itself takes out control characters, and those alone
	case tea.KeyPressMsg:
		m.Text = strings.Map(seen, m.Text)
		msg = m
	case tea.PasteMsg:
		m.Content = strings.Map(seen, m.Content)
		msg = m
	}
	b.text, cmd = b.text.Update(msg)
	return cmd, false, false
}

// seen takes out what cannot be seen and moves what can: the marks that turn the direction of writing.
func seen(r rune) rune {
	if unicode.IsPrint(r) || unicode.IsControl(r) {
		return r
	}
	return -1
}

func (b *input) line(m *model, width int) (string, int) {
	b.text.SetWidth(max(width-ansi.StringWidth(b.text.Prompt)-1, 1))
	at := -1
	if c := b.text.Cursor(); c != nil {
		at = c.X
	}
	return ansi.Truncate(b.text.View(), width, ""), at
}

// filterBox is where the filter is typed. It is checked as one types, and shows at once what it matches.
type filterBox struct {
	input
	begin  string
	before Filter
	err    error
}

func (b *filterBox) open(m *model) tea.Cmd {
	b.before = m.filter
	value := m.filter.Text
	if b.begin != "" {
		value = b.begin
	}
	return b.input.begin(m, "/ ", value)
}

func (b *filterBox) update(m *model, msg tea.Msg) tea.Cmd {
	cmd, done, left := b.typed(msg)
	if left {
		m.setFilter(b.before)
		m.close()
		return cmd
	}
	text := strings.TrimSpace(b.text.Value())
	f, err := Filter{}, error(nil)
	if text != "" {
		f, err = m.config.Parse(text)
	}
	b.err = err
	if err == nil && m.page <= Listeners && f.SocketErr != nil {
		b.err = f.SocketErr
	}
	if err == nil && m.page == Events && f.EventErr != nil {
		b.err = f.EventErr
	}
	if b.err == nil && f.Text != m.filter.Text {
		m.setFilter(f)
	}
	if done && b.err == nil {
		m.close()
		return cmd
	}
	m.renew() // the line of the error takes one from the table
	return cmd
}

func (b *filterBox) problem(width int) string {
	if b.err == nil {
		return ""
	}
	return safe(b.err.Error())
}

func (b *filterBox) line(m *model, width int) (string, int) {
	line, at := b.input.line(m, width)
	line = strings.TrimRight(line, " ") // it is as wide as the terminal
	if m.last != nil && m.page <= Listeners && m.last.wish.page == m.page {
		count := fmt.Sprintf("  %d of %d ", m.last.Matched, m.last.Total)
		if w := width - ansi.StringWidth(count); max(ansi.StringWidth(line), at) < w {
			line = fill(line, w) + count
		}
	}
	return line, at
}

// findBox is where a text is typed that a row is to have.
type findBox struct {
	input
	page *sockPage
}

func (b *findBox) open(m *model) tea.Cmd { return b.input.begin(m, "find: ", b.page.find) }

func (b *findBox) update(m *model, msg tea.Msg) tea.Cmd {
	cmd, done, left := b.typed(msg)
	switch {
	case left:
		m.close()
	case done:
		b.page.find = strings.TrimSpace(b.text.Value())
		if b.page.find != "" {
			b.page.findMore(false)
		}
		m.close()
	}
	return cmd
}

func (b *findBox) problem(int) string { return "" }

// mentions reports whether a row has a text, in any case, in one of its names or addresses as they are shown or as numbers.
func mentions(w *Words, r *table.Row, text string) bool {
	text = strings.ToLower(text)
	local, remote := w.ends(&r.Socket)
	for _, has := range []string{local, remote, w.program(&r.Owner), sock.StateName(r.Proto, r.State), r.Proto.String()} {
		if strings.Contains(strings.ToLower(has), text) {
			return true
		}
	}
	return false
}

// commandBox runs an action by its name; some take a word: sort, group, filter, find.
type commandBox struct {
	input
	err string
}

func (b *commandBox) open(m *model) tea.Cmd {
	cmd := b.input.begin(m, ":", "")
	b.text.ShowSuggestions = true
	b.text.SetSuggestions(ActionNames())
	return cmd
}

func (b *commandBox) update(m *model, msg tea.Msg) tea.Cmd {
	cmd, done, left := b.typed(msg)
	if left {
		m.close()
		return cmd
	}
	if !done {
		b.err = ""
		return cmd
	}
	name, word, _ := strings.Cut(strings.TrimSpace(b.text.Value()), " ")
	word = strings.TrimSpace(word)
	if name == "" {
		m.close()
		return cmd
	}
	if word != "" {
		if b.err = m.command(name, word); b.err == "" {
			m.close()
		}
		return cmd
	}
	a := actionOf(strings.ReplaceAll(name, "-", "_"))
	if a == actNone {
		// An unambiguous beginning does.
		var found []action
		for i := actNone + 1; i < actionCount; i++ {
			if strings.HasPrefix(bindings[i].name, name) {
				found = append(found, i)
			}
		}
		if len(found) != 1 {
			b.err = "no action is called " + safe(name) + "; " + m.keyText(keyName("?")) + " lists them"
			if len(found) > 1 {
				var names []string
				for _, f := range found {
					names = append(names, bindings[f].name)
				}
				b.err = safe(name) + " may be " + strings.Join(names, ", ")
			}
			return cmd
		}
		a = found[0]
	}
	m.close()
	return tea.Batch(cmd, m.act(a))
}

// command does what takes a word; problem is what is wrong with it.
func (m *model) command(name, word string) (problem string) {
	var p *sockPage
	if m.page <= Listeners {
		p = m.sockets[m.page]
	}
	switch {
	case name == "filter":
		f, err := m.config.Parse(word)
		if err != nil {
			return safe(err.Error())
		}
		m.setFilter(f)
	case name == "sort" && p != nil:
		by := strings.TrimPrefix(word, "-")
		if c := socketColumn(by); by != "default" && (c == nil || c.compare == nil) {
			return "no column to sort by is called " + safe(by)
		}
		if by == "default" {
			by = ""
		}
		p.sort, p.reverse = by, strings.HasPrefix(word, "-")
	case name == "group" && m.page == Connections:
		if !slices.Contains(groupNames[:], word) {
			return "there are " + strings.Join(groupNames[:], ", ")
		}
		p.setGroup(groupOf(word))
	case name == "find" && p != nil:
		p.find = word
		p.findMore(false)
	default:
		return safe(name) + " takes no word here"
	}
	return ""
}

func (b *commandBox) problem(int) string { return b.err }

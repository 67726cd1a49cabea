// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"netlive/internal/render"
	"netlive/internal/sock"
)

// saveBox is where the name of the file is typed to which all that is shown goes. Its end says in which form.
type saveBox struct {
	input
	page Page
	want func() // asks the loop for the rows
	err  string
}

func newSaveBox(m *model, page Page, want func()) *saveBox { return &saveBox{page: page, want: want} }

func (b *saveBox) open(m *model) tea.Cmd {
	name := fmt.Sprintf("netlive-%s-%s.txt", b.page, m.config.Now().In(m.zone()).Format("20060102-150405"))
	return b.input.begin(m, "save to (.txt .json .csv): ", name)
}

// saveForms are the ends of names, and what each means.
var saveForms = []string{".txt", ".json", ".csv"}

func (b *saveBox) update(m *model, msg tea.Msg) tea.Cmd {
	cmd, done, left := b.typed(msg)
	b.err = ""
	if left {
		m.close()
		return cmd
	}
	if !done {
		return cmd
	}
	path := strings.TrimSpace(b.text.Value())
	form := strings.ToLower(filepath.Ext(path))
	if form != saveForms[0] && form != saveForms[1] && form != saveForms[2] {
		b.err = "the name has to end in .txt, .json or .csv, which says the form"
		return cmd
	}
	// What is there already is not ours to overwrite.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		b.err = safe(err.Error())
		if errors.Is(err, fs.ErrExist) {
			b.err = safe(path) + " is there already; give it another name"
		}
		return cmd
	}
	m.saveTo = &saveTo{file: file, path: path, form: form}
	b.want()
	m.close()
	return cmd
}

func (b *saveBox) problem(int) string { return b.err }

// saveTo is the file that waits for rows.
type saveTo struct {
	file       *os.File
	path, form string
}

// finish writes the file on a goroutine of its own.
func (s *saveTo) finish(rows int, write func(w io.Writer) error) tea.Cmd {
	return func() tea.Msg {
		err := errors.Join(write(s.file), s.file.Close())
		if err != nil {
			return sayMsg("save: " + safe(err.Error()))
		}
		return sayMsg(fmt.Sprintf("saved %d rows to %s", rows, safe(s.path)))
	}
}

// saveFrame writes the rows that a frame has brought for it.
func (m *model) saveFrame(f *frame) tea.Cmd {
	if f.saveSeq == 0 || m.saveTo == nil {
		return nil
	}
	to := m.saveTo
	m.saveTo = nil
	if f.wish.page == Events {
		return to.finish(len(f.savedEvents), func(w io.Writer) error { return m.writeEvents(w, to.form, f.savedEvents) })
	}
	p := m.sockets[f.wish.page]
	names := p.columns()
	words := m.config.Words(m.numeric, func() {})
	look := p.m.look // it is never changed
	return to.finish(len(f.saved), func(w io.Writer) error {
		heads, cells := socketCells(look, f, f.saved, &words, names)
		return writeRows(w, to.form, m.config, textTable{heads, cells}, f)
	})
}

// saveList writes the lines that a list's frame has brought for it.
func (m *model) saveList(f *listFrame) tea.Cmd {
	if m.saveTo == nil {
		return nil
	}
	to := m.saveTo
	m.saveTo = nil
	return to.finish(len(f.saved.lines), func(w io.Writer) error { return writeList(w, to.form, f.saved) })
}

// textTable is rows of texts with heads.
type textTable struct {
	heads []head
	rows  [][]cell
}

func writeRows(w io.Writer, form string, c *Config, t textTable, f *frame) error {
	switch form {
	case ".json":
		object := c.RowJSON()
		b := []byte{'['}
		for i := range f.saved {
			l := &f.saved[i]
			if i > 0 {
				b = append(b, ',')
			}
			b = object(append(b, '\n'), &l.Socket)
			if l.Ghost {
				why, err := json.Marshal(endingWords(l.Ending))
				if err != nil {
					return err
				}
				b = append(append(append(b[:len(b)-1], `,"closed":`...), why...), '}')
			}
		}
		_, err := w.Write(append(b, "\n]\n"...))
		return err
	case ".csv":
		return writeCSV(w, t)
	}
	return writeText(w, t)
}

func writeCSV(w io.Writer, t textTable) error {
	out := csv.NewWriter(w)
	record := make([]string, len(t.heads))
	for i := range t.heads {
		record[i] = t.heads[i].name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, row := range t.rows {
		for i := range row {
			record[i] = row[i].text
			if row[i].raw != "" {
				record[i] = row[i].raw
			}
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeText writes columns as wide as they have to be.
func writeText(w io.Writer, t textTable) error {
	var g grid
	g.fit(t.heads, t.rows, 0, true, "")
	line := func(text func(i int) string) error {
		var b strings.Builder
		for i, width := range g.widths {
			b.WriteString(pad(text(i), width, t.heads[i].right))
			b.WriteByte(' ')
		}
		_, err := io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
		return err
	}
	if err := line(func(i int) string { return t.heads[i].text }); err != nil {
		return err
	}
	for _, row := range t.rows {
		if err := line(func(i int) string { return row[i].text }); err != nil {
			return err
		}
	}
	return nil
}

func (m *model) writeEvents(w io.Writer, form string, events []sock.Event) error {
	var b []byte
	kinds := m.events.kinds() &^ sock.Events(sock.EventLost, sock.EventResync)
	words := m.config.Words(m.numeric, func() {})
	switch form {
	case ".json":
		j := render.EventJSON{Places: m.config.Places}
		b = append(b, '[')
		for i := range events {
			if i > 0 {
				b = append(b, ',')
			}
			b = j.Append(append(b, '\n'), &events[i])
		}
		b = append(b, "\n]\n"...)
	case ".csv":
		c := render.EventCSV{Places: m.config.Places, Names: words.Names}
		if err := c.Select(kinds, m.columnsOf(Events)); err != nil {
			return err
		}
		b = c.Header(b)
		for i := range events {
			b = c.Append(b, &events[i])
		}
	default:
		l := render.EventLines{Location: m.zone(), Places: m.config.Places, Names: words.Names, Times: render.TimesAbsolute}
		if err := l.Select(kinds, m.columnsOf(Events)); err != nil {
			return err
		}
		b = l.Header(b)
		for i := range events {
			b = l.Append(b, &events[i])
		}
	}
	_, err := w.Write(b)
	return err
}

func writeList(w io.Writer, form string, f *listFrame) error {
	if form == ".json" {
		objects := []map[string]string{}
		for _, line := range f.lines {
			if line.head {
				continue
			}
			o := map[string]string{"table": f.counts[line.section].word}
			for i, text := range line.cells {
				name := "text"
				if f.columns[line.section] != nil {
					name = f.columns[line.section][i].Head
				}
				o[name] = text
			}
			objects = append(objects, o)
		}
		out := json.NewEncoder(w)
		out.SetIndent("", " ")
		return out.Encode(objects)
	}
	for section := range f.columns {
		t := textTable{}
		for _, c := range f.columns[section] {
			t.heads = append(t.heads, head{name: c.Head, text: c.Head, right: c.Right})
		}
		if t.heads == nil {
			t.heads = []head{{name: "text"}}
		}
		for _, line := range f.lines {
			if line.section != section || line.head {
				continue
			}
			row := make([]cell, len(line.cells))
			for i, text := range line.cells {
				row[i] = plain(text)
			}
			t.rows = append(t.rows, row)
		}
		if section > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		write := writeText
		if form == ".csv" {
			write = writeCSV
		}
		if err := write(w, t); err != nil {
			return err
		}
	}
	return nil
}

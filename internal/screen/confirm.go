// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"netlive/internal/sock"
)

// confirmBox asks before something is done that cannot be undone: a word has to be typed that only who has read the question knows.
type confirmBox struct {
	input
	question, word string
	do             func() error
	done           string
}

func (b *confirmBox) open(m *model) tea.Cmd {
	return b.input.begin(m, b.question+" Type "+b.word+": ", "")
}

func (b *confirmBox) update(m *model, msg tea.Msg) tea.Cmd {
	cmd, done, left := b.typed(msg)
	switch {
	case left:
		m.close()
		m.say("nothing was done")
	case done && strings.TrimSpace(b.text.Value()) != b.word:
		m.close()
		m.say("that was not " + b.word + ": nothing was done")
	case done:
		m.close()
		do, said := b.do, b.done
		return tea.Batch(cmd, func() tea.Msg {
			if err := do(); err != nil {
				return sayMsg(safe(err.Error()))
			}
			return sayMsg(said)
		})
	}
	return cmd
}

func (b *confirmBox) problem(int) string { return "" }

// noRow is what is said where a key wants a row and the bar is on none.
const noRow = "the bar is on no row"

// askKill asks whether to end the process of a socket.
func (m *model) askKill(s *sock.Socket) tea.Cmd {
	var o sock.Owner
	if s != nil {
		o = s.Owner
	}
	switch {
	case m.config.Kill == nil:
		m.say("processes cannot be ended here: " + m.config.ReadOnly)
		return nil
	case s == nil:
		m.say(noRow)
		return nil
	case !o.Known():
		m.say("its process is not known")
		return nil
	}
	held := ""
	if m.detail != nil && m.detail.detail != nil {
		held = fmt.Sprintf(" with %d sockets", m.detail.detail.ofProcess+1)
	}
	return m.ask(&confirmBox{
		question: fmt.Sprintf("End %d/%s%s by SIGTERM?", o.PID, m.words.name(&o), held), word: fmt.Sprint(o.PID),
		do: func() error { return m.config.Kill(&o) }, done: fmt.Sprintf("SIGTERM was sent to %d", o.PID),
	})
}

// askDestroy asks whether to close a connection.
func (m *model) askDestroy(s *sock.Socket) tea.Cmd {
	switch {
	case m.config.Destroy == nil:
		m.say("connections cannot be closed here: " + m.config.ReadOnly)
		return nil
	case s == nil:
		m.say(noRow)
		return nil
	case !sock.ProtosTCP.Has(s.Proto) || s.ID.Cookie() == 0:
		m.say("only TCP sockets that the kernel has named can be closed")
		return nil
	}
	victim := *s
	local, remote := m.words.ends(s)
	return m.ask(&confirmBox{
		question: fmt.Sprintf("Close %s %s %s of %s?", local, m.look.glyphs.joined, remote, m.words.program(&s.Owner)), word: "close",
		do: func() error { return m.config.Destroy(&victim) }, done: "closed " + local + " " + m.look.glyphs.joined + " " + remote,
	})
}

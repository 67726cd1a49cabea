// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"os"
	"reflect"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// Keys come from what is no file, from a terminal, and else from the terminal of the process, if it has one.
func TestKeyboard(t *testing.T) {
	in := strings.NewReader("")
	if keys, done, err := keyboard(in); err != nil || keys != in {
		t.Errorf("%v, %v", keys, err)
	} else {
		done()
	}
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	if keys, done, err := keyboard(pty); err != nil || keys != pty {
		t.Errorf("%v, %v", keys, err)
	} else {
		done()
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	keys, done, err := keyboard(null)
	switch tty, ttyErr := os.Open("/dev/tty"); {
	case ttyErr == nil:
		_ = tty.Close()
		if err != nil || keys == null {
			t.Errorf("%v, %v", keys, err)
		} else {
			done()
		}
	case err == nil || !strings.HasPrefix(err.Error(), "the input is no terminal to take keys from: "):
		t.Errorf("%v, %v", keys, err)
	}
}

// A terminal that was resized scrolls as a whole again, and is drawn anew.
func TestResized(t *testing.T) {
	s := newStage(t, 80, 24, nil)
	_, cmd := s.m.Update(tea.WindowSizeMsg{Width: 100, Height: 30})
	steps := reflect.ValueOf(cmd()) // a list of commands, whose type is bubbletea's own
	if steps.Kind() != reflect.Slice || steps.Len() != 2 {
		t.Fatalf("%v", steps)
	}
	var got []tea.Msg
	for i := range steps.Len() {
		got = append(got, steps.Index(i).Interface().(tea.Cmd)())
	}
	if want := []tea.Msg{tea.RawMsg{Msg: "\x1b[r"}, tea.ClearScreen()}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

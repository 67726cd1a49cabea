// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"os"
	"strings"
	"testing"

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

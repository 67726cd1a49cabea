// SPDX-License-Identifier: GPL-2.0-or-later

package crash

import (
	"slices"
	"testing"
)

// What was begun last is put right first, each once, and what was taken back not at all.
func TestPrepare(t *testing.T) {
	var done []int
	var undo [4]func()
	for i := range undo {
		undo[i] = First(func() { done = append(done, i) })
	}
	undo[1]()
	undo[1]()
	Prepare()
	Prepare()
	undo[2]()
	if !slices.Equal(done, []int{3, 2, 0}) {
		t.Errorf("put right: %v", done)
	}
}

// A panic goes on as it was, and finds things put right.
func TestGuard(t *testing.T) {
	right := false
	defer First(func() { right = true })()
	func() {
		defer Guard()
	}()
	if right {
		t.Error("nothing has happened")
	}
	defer func() {
		if p := recover(); p != "fault" || !right {
			t.Errorf("panic %v, put right: %t", p, right)
		}
	}()
	defer Guard()
	panic("fault")
}

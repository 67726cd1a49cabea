// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"testing"
)

// Each screen at each size, with everything on it that it can show.
func TestGolden(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		for name, keys := range map[string][]string{
			"connections": nil, "by-process": {"t", "*"}, "listeners": {"2"}, "events": {"3"}, "routes": {"4"}, "interfaces": {"5"}, "statistics": {"6"},
			"detail": {"down", "down", "enter"}, "detail-closed": {"f", "9", "0", "0", "1", "enter", "enter"}, "help": {"?"}, "sort": {"s"}, "columns": {"C"},
			"filter": {"/", "p", "o", "r", "t", "space", "8", "0"}, "filter-wrong": {"/", "x"}, "frozen": {"p"},
		} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				newStage(t, size[0], size[1], nil).scene().draw().press(keys...).draw().golden(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]))
			})
		}
	}
}

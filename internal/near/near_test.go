// SPDX-License-Identifier: GPL-2.0-or-later

package near

import (
	"fmt"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	names := []string{"sort", "hide", "columns", "rtt", "rate"}
	for name, want := range map[string]string{
		"srot": "[sort]", "so": "[sort]", "SORT": "[sort]", "rat": "[rtt rate]", "x": "[]", "": "[]", "colums": "[columns]", "abc": "[]",
		strings.Repeat("x", 1000): "[]",
	} {
		if got := fmt.Sprint(Names(name, names)); got != want {
			t.Errorf("%.20q: %s, want %s", name, got, want)
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package legacy

import "testing"

func TestFamily(t *testing.T) {
	want := []string{"ipx", "ax25", "x25", "netrom", "rose", "unknown"}
	for f := IPX; f <= numFamilies; f++ {
		if f.String() != want[f] {
			t.Errorf("%d is %q, want %q", f, f, want[f])
		}
	}
}

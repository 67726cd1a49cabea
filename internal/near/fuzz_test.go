// SPDX-License-Identifier: GPL-2.0-or-later

package near

import (
	"slices"
	"strings"
	"testing"
)

// What a word may mean is of the words that there are, each once, the word itself first; and the distance is the same both ways.
func FuzzNames(f *testing.F) {
	names := []string{"proto", "local", "remote", "state", "rtt", "tx", "rx", "program", "recv_q", "send_q", "cgroup", "retrans"}
	for _, s := range []string{"", "stat", "LOCAL", "rtx", "x", strings.Repeat("state", 20), "\xff", "état", "retranz"} {
		f.Add(s, "state")
	}
	f.Fuzz(func(t *testing.T, word, other string) {
		found := Names(word, names)
		for i, n := range found {
			if !slices.Contains(names, n) || slices.Contains(found[:i], n) {
				t.Errorf("%q: %q", word, found)
			}
		}
		if exact := strings.ToLower(word); slices.Contains(names, exact) && (len(found) == 0 || found[0] != exact) && len(exact) > 2 {
			t.Errorf("%q: %q", word, found)
		}
		if a, b := editDistance(word, other), editDistance(other, word); a != b || a < 0 || word == other && a != 0 && len(word) <= 32 {
			t.Errorf("%q and %q: %d, %d", word, other, a, b)
		}
	})
}

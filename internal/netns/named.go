// SPDX-License-Identifier: GPL-2.0-or-later

package netns

import "os"

// Named are the names that ip-netns(8) gave.
func Named() (names []string) {
	entries, err := os.ReadDir(namedDir)
	if err != nil {
		return nil // nobody gave one
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"os"
	"path/filepath"
	"testing"
)

// kernelFiles are what real kernels have had in a file of /proc/net, in a namespace with a socket in each state, routes and groups:
// testdata/linux-VERSION/net/NAME. To add a kernel is to copy its files there.
func kernelFiles(tb testing.TB, name string) (contents [][]byte) {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "linux-*", "net", name))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no kernel's net/%s: %v", name, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		contents = append(contents, data)
	}
	return contents
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// watchfulDir is where a netlive is that has the race detector, when the tests have it.
var watchfulDir string

// suite runs the tests, with netlive in the PATH as users build it. With the race detector it takes seconds to load BPF programs, which most tests
// do many times; those of the screens, where goroutines meet, take the one that has it: watchful.
type suite struct{ *testing.M }

// Run implements testscript.TestingM.
func (s suite) Run() int {
	if !raceDetector {
		return s.M.Run()
	}
	path, err := exec.LookPath("netlive")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	watchfulDir = filepath.Dir(path)
	dir, err := os.MkdirTemp("", "netlive")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // some tests run it as nobody
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "netlive"), ".") // -trimpath: what TestReproducible needs is compiled then
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return s.M.Run()
}

// watchful is the PATH in which netlive has the race detector when the tests have it.
func watchful() string {
	if watchfulDir == "" {
		return os.Getenv("PATH")
	}
	return watchfulDir + string(os.PathListSeparator) + os.Getenv("PATH")
}

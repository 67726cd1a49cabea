// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What is released is static, and has the same bytes wherever it was built. Compiled packages are taken from the cache here, which does not know where they
// were: `make check-release` compiles all of it twice.
func TestReproducible(t *testing.T) {
	var built [2][]byte
	for i, name := range []string{"one", "another place of another length"} {
		dir := filepath.Join(t.TempDir(), name)
		copyModule(t, dir)
		file := filepath.Join(dir, "netlive")
		cmd := exec.Command(filepath.Join(dir, "scripts", "build-static.sh"), runtime.GOARCH, file)
		cmd.Env = append(os.Environ(), "BUILDVCS=false") // a copy has no repository
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		var err error
		if built[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range []string{dir, strings.TrimSpace(string(cache))} {
			if bytes.Contains(built[i], []byte(place)) {
				t.Errorf("the program has %s in it", place)
			}
		}
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Errorf("two places gave two programs, of %d and %d bytes", len(built[0]), len(built[1]))
	}
	program, err := elf.NewFile(bytes.NewReader(built[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program has a segment %v: it is not static", p.Type)
		}
	}
}

// copyModule copies what netlive is built from.
func copyModule(t *testing.T, dir string) {
	t.Helper()
	var err error
	for _, part := range []string{"cmd", "internal", "scripts"} {
		err = errors.Join(err, os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join("..", "..", part))))
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, read := os.ReadFile(filepath.Join("..", "..", name))
		err = errors.Join(err, read, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

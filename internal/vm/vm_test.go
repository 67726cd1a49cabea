// SPDX-License-Identifier: GPL-2.0-or-later

package vm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	text := "firmware \x1b[2J\nVM-BEGIN one\n=== RUN TestA\nno line feed\nVM-EXIT 0 1500\n\nVM-BEGIN two\npanic\nVM-EXIT 2 7\nVM-BEGIN three\ncut"
	got, done := parse(text)
	if done {
		t.Error("done without a word of it")
	}
	if o := got["one"]; o.Exit != 0 || o.Took != 1500*time.Millisecond || o.Output != "=== RUN TestA\nno line feed\n" {
		t.Errorf("one: %+v", o)
	}
	if o := got["two"]; o.Exit != 2 || o.Output != "panic\n" {
		t.Errorf("two: %+v", o)
	}
	if _, ended := got["three"]; ended || len(got) != 2 {
		t.Errorf("%d outcomes: %+v", len(got), got)
	}
	if _, done := parse(text + "\nVM-DONE\n"); !done {
		t.Error("not done")
	}
}

// What cpio(1) makes of the archive, the kernel does too.
func TestInitramfs(t *testing.T) {
	dir := t.TempDir()
	program, data := filepath.Join(dir, "program"), filepath.Join(dir, "data")
	if err := os.WriteFile(program, []byte("#!/bin/true\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(data, "deep", "er"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "deep", "er", "file"), []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := Machine{
		Init: program, Modules: []string{program}, Programs: []Program{{Name: "one", Args: []string{"/init"}}},
		Files: map[string]string{"/tests/testdata": data, "/bin/netlive": program},
	}
	archive := filepath.Join(dir, "initrd")
	if err := m.writeInitramfs(archive); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	cpio := exec.Command("cpio", "--list", "--verbose", "--numeric-uid-gid", "--quiet")
	cpio.Stdin = bytes.NewReader(text)
	out, err := cpio.CombinedOutput()
	if err != nil {
		t.Fatalf("cpio: %v\n%s", err, out)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		name := f[len(f)-1]
		if len(f) > 2 && f[len(f)-2] == "->" {
			name = f[len(f)-3] + "->" + name
		}
		got = append(got, f[0]+" "+name)
	}
	for _, want := range []string{
		"crw------- dev/console", "-rwxr-xr-x init", "-rwxr-xr-x mod/00-program", "-rwxr-xr-x bin/netlive", "lrwxrwxrwx bin/cat->/init",
		"drwxr-xr-x tests/testdata/deep/er", "-rw-r--r-- tests/testdata/deep/er/file", "drwxrwxrwt tmp", "-rw-r--r-- plan.json",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

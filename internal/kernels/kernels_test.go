// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"netlive/internal/vm"
)

func TestCompareVersions(t *testing.T) {
	sorted := []string{
		"linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-50-cloud-amd64", "linux-image-6.12.94+deb13-cloud-amd64",
		"linux-image-6.12.107+deb13-cloud-amd64", "linux-image-7.3.4+deb13-cloud-amd64",
	}
	mixed := slices.Clone(sorted)
	slices.Reverse(mixed)
	slices.SortFunc(mixed, compareVersions)
	if !slices.Equal(mixed, sorted) {
		t.Errorf("%q", mixed)
	}
}

// A test that is gone, skipped or red is seen, and one that only says so is not taken for one that has passed.
func TestCheck(t *testing.T) {
	s := suite{"internal/x", []test{{name: "TestA"}, {name: "TestB"}, {name: "TestC", needs: lackTyped}}}
	all := kernel{}
	for _, c := range []struct {
		output string
		exit   int
		kernel kernel
		passed int
		wrong  string
	}{
		{"--- PASS: TestA (0.1s)\n--- PASS: TestB (0.1s)\n--- PASS: TestC (1s)\nPASS\n", 0, all, 3, ""},
		{"--- PASS: TestA (0.1s)\n--- PASS: TestB (0.1s)\nPASS\n", 0, kernel{Lacks: lackTyped}, 2, ""},
		{"--- PASS: TestA (0.1s)\n    --- PASS: TestB (0.1s)\n--- PASS: TestC (1s)\n", 0, all, 2, "TestB: no word"},
		{"--- PASS: TestA (0.1s)\n--- SKIP: TestB (0.1s)\n--- PASS: TestC (1s)\n", 0, all, 2, "TestB: SKIP"},
		{"--- PASS: TestA (0.1s)\n--- FAIL: TestB (0.1s)\n--- PASS: TestC (1s)\n", 1, all, 2, "TestB: FAIL"},
		{"--- PASS: TestA (0.1s)\n--- PASS: TestB (0.1s)\n--- PASS: TestC (1s)\n", 2, all, 3, "exit code 2"},
	} {
		passed, err := s.check(c.kernel, vm.Outcome{Output: c.output, Exit: c.exit})
		if passed != c.passed || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: %d, %v", c.output, passed, err)
		}
	}
}

// The tests that are to be run are there: a name that has changed would be missed only where the machines run.
func TestSuitesAreThere(t *testing.T) {
	for _, s := range suites {
		out, err := exec.Command("grep", "-rhoE", "^func Test[A-Za-z0-9_]+", "../../"+s.pkg, "--include=*_test.go").Output()
		if err != nil {
			t.Fatalf("%s: %v", s.pkg, err)
		}
		there := strings.Split(string(out), "\n")
		for _, want := range s.tests {
			if !slices.Contains(there, "func "+want.name) {
				t.Errorf("%s has no %s", s.pkg, want.name)
			}
		}
	}
}

func TestKernels(t *testing.T) {
	ids := map[string]bool{}
	for _, k := range kernels {
		if _, err := regexp.Compile(k.Package); err != nil || ids[k.id()] {
			t.Errorf("%s: %v", k.id(), err)
		}
		ids[k.id()] = true
	}
	if !ids[costKernel] {
		t.Errorf("no kernel %s to count on", costKernel)
	}
}

func TestTable(t *testing.T) {
	o := outcome{
		kernel: kernels[0], passed: 3, expected: 4, took: 61 * time.Second,
		outcomes: map[string]vm.Outcome{doctorName: {Output: `[   1.0] a word of the kernel
{"kernel":{"release":"5.10.0-1","machine":"x86_64"},"checks":[{"name":"btf","state":"ok"},{"name":"socket_cookie","state":"lacking"}],
"verbs":[{"verb":"trace","source":"tracepoint","not_told":["open"]},{"verb":"watch","source":"procfs"},{"verb":"watch rates","source":null}]}`}},
	}
	got := string(table([]outcome{o}))
	if want := "| 5.10.0-1 | x86_64 | 3 of 4 | 61 | tracepoint, not open | procfs | - | socket_cookie |\n"; !strings.HasSuffix(got, want) {
		t.Errorf("%s", got)
	}
	doc, err := os.ReadFile("../../" + tableFile)
	if err != nil || !strings.Contains(string(doc), tableBegin) || !strings.Contains(string(doc), tableEnd) {
		t.Errorf("%s: %v", tableFile, err)
	}
}

// Rows of some kernels take the places of their old ones; new ones come last.
func TestMerge(t *testing.T) {
	const old = "| kernel | machine | tests |\n|---|---|---|\n| 6.1 | x86_64 | 1 of 2 |\n| 6.1 | s390x | 3 of 3 |\n"
	const other = "| kernel | machine | tests |\n|---|---|---|\n| 6.1 | x86_64 | 2 of 2 |\n| 7.0 | x86_64 | 4 of 4 |\n"
	const want = "| kernel | machine | tests |\n|---|---|---|\n| 6.1 | x86_64 | 2 of 2 |\n| 6.1 | s390x | 3 of 3 |\n| 7.0 | x86_64 | 4 of 4 |\n"
	if got := string(merge([]byte(old), []byte(other))); got != want {
		t.Errorf("%s", got)
	}
}

// A program that was taken out of this machine's root runs with nothing but what was taken with it.
func TestLinked(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	l := linked{root: "/", into: t.TempDir()}
	for range 2 { // what is there already is not taken again
		if err := l.take(bash, "bin/bash"); err != nil {
			t.Fatal(err)
		}
	}
	loaders, err := filepath.Glob(filepath.Join(l.into, "lib*", "ld*.so.*"))
	if err != nil || len(loaders) == 0 {
		t.Fatalf("loaders %q, %v", loaders, err)
	}
	lib := filepath.Join(l.into, "lib")
	c := exec.Command(loaders[0], "--library-path", lib, filepath.Join(l.into, "bin/bash"), "-c", "while read -r l; do echo $l; done </proc/self/maps")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if file := strings.Fields(line + " -")[5]; strings.HasPrefix(file, "/") && strings.Contains(file, ".so") && !strings.HasPrefix(file, l.into) {
			t.Errorf("%s was not taken", file)
		}
	}
	if err := l.take("bin/no such thing", "bin/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
}

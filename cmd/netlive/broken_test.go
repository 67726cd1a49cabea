// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netlive/internal/kerneltest"
)

// brokenRig is a stage where the files of sockets of /proc are made anew for each question.
type brokenRig struct {
	*stage
	proc string
	full map[string][]byte
}

var brokenFiles = []string{"tcp", "udp6", "raw", "unix"}

func newBrokenRig(t *testing.T) *brokenRig {
	t.Helper()
	kerneltest.RequireRoot(t)
	r := &brokenRig{proc: tree(t, filepath.Join("testdata", "conformance", "full.txtar")), full: map[string][]byte{}}
	for _, name := range brokenFiles {
		text, err := os.ReadFile(filepath.Join(r.proc, "net", name))
		if err != nil {
			t.Fatal(err)
		}
		r.full[name] = text
	}
	r.stage = newStage(t, "broken", findPrograms(t), kerneltest.NetNS(t), [2]string{"/proc", r.proc})
	return r
}

// write replaces a file, and leaves nothing of the rest.
func (r *brokenRig) write(name string, text []byte) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.proc, "net", name), text, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// brokenLines show the files, each for itself.
var brokenLines = map[string]string{"tcp": "-tano4", "udp6": "-uan6", "raw": "-wane4", "unix": "-xan"}

// less checks that netlive has no row that netstat has not, and that it warns of each that it has not. netstat takes a line for whole without its last
// columns: what these are it does not show, and netlive does not guess.
func (r *brokenRig) less(what, name string) {
	r.t.Helper()
	line := parseLine(brokenLines[name])
	want, got := r.run(r.netstat, line), r.run(r.netlive, line)
	rows := slices.Collect(strings.Lines(want.out))
	at := 0
	for row := range strings.Lines(got.out) {
		i := slices.Index(rows[at:], row)
		if i < 0 {
			r.t.Errorf("%s: netlive alone has %q:\n%s", what, row, got.against(want))
			return
		}
		at += i + 1
	}
	missing := len(rows) - strings.Count(got.out, "\n")
	if warned := strings.Count(got.err, "\n") - strings.Count(want.err, "\n"); missing != warned || missing > 4 || got.code != want.code {
		r.t.Errorf("%s: %d rows are missing, and %d warnings are not netstat's:\n%s", what, missing, warned, got.against(want))
	}
}

// A /proc that is truncated, interleaved, enormous, or full of numbers that no field has room for: no crash, no row that is none.
func TestBrokenProc(t *testing.T) {
	t.Parallel()
	r := newBrokenRig(t)
	r.tables()
	r.numbers()
	r.enormous()
}

// A file that ends anywhere, and one whose lines come twice, in disorder, one within another: no row is shown that is none.
func (r *brokenRig) tables() {
	t := r.t
	for _, name := range brokenFiles {
		full := r.full[name]
		lines := slices.Collect(bytes.Lines(full))
		if len(lines) < 8 {
			t.Fatalf("%s has %d lines", name, len(lines))
		}
		begin := len(lines[0]) + len(lines[1])
		for _, end := range []int{0, 1, len(lines[0]) - 1, begin + 5, begin + 20, begin + 50, begin + 60, begin + 75, begin + len(lines[2]) - 2} {
			r.write(name, full[:min(end, len(full))])
			r.less(fmt.Sprintf("%s cut at %d", name, end), name)
		}
		mixed := slices.Clone(lines[:8])
		for i := 2; i < len(mixed)-1; i += 3 { // as when a table moved between two reads
			mixed[i] = slices.Concat(mixed[i][:len(mixed[i])/2], mixed[i+1])
		}
		slices.Reverse(mixed[1:])
		r.write(name, slices.Concat(slices.Concat(mixed...), slices.Concat(lines[1:]...)))
		r.less(name+" interleaved", name)
		r.write(name, full)
	}
}

// numbersBeyond are what no field has room for, or what is none.
var numbersBeyond = []string{"7FFFFFFF", "80000000", "FFFFFFFF", "100000000", "7FFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFFF", "-1", "-80000001", "0x7", "xyz", "", "00000000000000000001", "4294967296", "+5"}

// Of numbers that overflow, or are none, in any field no row is made that netstat has not; and netlive goes on with the next line where netstat crashes, by a
// state that is none.
func (r *brokenRig) numbers() {
	const state = 3
	t := r.t
	for _, name := range []string{"tcp", "unix"} {
		full := r.full[name]
		lines := slices.Collect(bytes.Lines(full))
		of := func(field int) (text []byte) {
			for _, number := range numbersBeyond {
				words := strings.Fields(string(lines[1]))
				before, after, pair := strings.Cut(words[field], ":")
				if words[field] = number; pair && field < state {
					words[field] = before + ":" + number
				} else if pair {
					words[field] = number + ":" + after
				}
				text = append(append(text, strings.Join(words, " ")...), '\n')
			}
			return text
		}
		fields := min(len(bytes.Fields(lines[1])), 10)
		text := slices.Clone(lines[0])
		for field := 1; field < fields; field++ {
			if name == "unix" || field != state {
				text = append(text, of(field)...)
			}
		}
		r.write(name, append(text, lines[2]...))
		line := parseLine(brokenLines[name])
		want, got := r.run(r.netstat, line), r.run(r.netlive, line)
		rows := slices.Collect(strings.Lines(want.out))
		for row := range strings.Lines(got.out) {
			if !slices.Contains(rows, row) {
				t.Errorf("%s: netlive alone has %q", name, row)
			}
		}
		if got.code != 0 || want.code != 0 || strings.Count(got.out, "\n") < 5 {
			t.Errorf("%s: exit codes %d and %d:\n%s", name, got.code, want.code, got.out)
		}
		if name == "tcp" {
			r.write(name, slices.Concat(lines[0], of(state), lines[2]))
			if got := r.run(r.netlive, line); got.code != 0 || !strings.Contains(got.out, "UNKNOWN") || !strings.Contains(got.out, "SYN_SENT") {
				t.Errorf("states: exit code %d:\n%s", got.code, got.out)
			}
		}
		r.write(name, full)
	}
}

// A table without bound takes no more memory than one with: rows are printed as they are read.
func (r *brokenRig) enormous() {
	t := r.t
	const room = 128 << 10 // of data in KiB, of which Go takes half to begin with
	lines := slices.Collect(bytes.Lines(r.full["tcp"]))
	for _, c := range []struct {
		name string
		text []byte
		rows int
	}{
		{"a line of 64 MiB", slices.Concat(lines[0], bytes.Repeat([]byte{'x'}, 64<<20), []byte("\n"), lines[1]), 1},
		{"64 MiB of NULs", slices.Concat(lines[0], make([]byte, 64<<20), []byte("\n"), lines[1]), 1},
		{"a million lines", slices.Concat(lines[0], bytes.Repeat([]byte("bad\n"), 1_000_000), bytes.Repeat(lines[1], 50_000)), 50_000},
	} {
		r.write("tcp", c.text)
		var out, errs bytes.Buffer
		cmd := exec.Command("bash", "-c", fmt.Sprintf(`ulimit -d %d; exec -a netlive "$0" -tan4`, room), r.netlive)
		cmd.Stdout, cmd.Stderr = &out, &errs
		r.start(cmd)
		hung := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		hung.Stop()
		if err != nil {
			t.Fatalf("%s: %v: %.300s", c.name, err, &errs)
		}
		if n := bytes.Count(out.Bytes(), []byte("\ntcp ")); n != c.rows {
			t.Errorf("%s: %d rows, want %d", c.name, n, c.rows)
		}
	}
}

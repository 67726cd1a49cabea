// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package main

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// TestBench measures netlive beside its peers and writes the figures as Markdown to BENCH_OUT, or stdout. It judges no time: it fails
// when netlive's bytes are not netstat's, and when an event is neither told nor told to be lost.
func TestBench(t *testing.T) {
	kerneltest.RequireRoot(t)
	b := newBench(t)
	b.heading(t)
	t.Run("tables", b.tables)
	t.Run("storm", b.storms)
	t.Run("programs", b.programs)
	t.Run("start", b.starts)
	t.Run("memory", b.memory)
	t.Run("screens", b.screens)
}

const (
	// millionNeeds is the memory that has to be there for the crowd of a million: some 3 kB of the kernel's a socket, and room for all else.
	millionNeeds = 12 << 30
	// bigCrowd is from how many sockets on a crowd is looked at as nobody too.
	bigCrowd  = 100_000
	udpCrowd  = 10_000
	unixCrowd = 20_000
	// smallCrowd is what an ordinary machine has.
	smallCrowd = 20
)

// bench is what all measurements share.
type bench struct {
	out     io.Writer
	netlive string // the program as it is released, where everybody may run it
	keeper  string // this test binary, under the name by which it holds a crowd
	scratch string // for what is printed; in memory, so that no disk is measured
	sizes   []int  // of the TCP crowds
	rounds  int
	made    int // connections in a storm
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{out: os.Stdout, rounds: setting(t, "BENCH_ROUNDS", 5), made: setting(t, "BENCH_STORM", 100_000)}
	b.sizes = []int{smallCrowd, 1000, 10_000, bigCrowd, 198_000}
	if sizes := strings.Fields(strings.ReplaceAll(os.Getenv("BENCH_SIZES"), ",", " ")); len(sizes) > 0 {
		b.sizes = nil
		for _, text := range sizes {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("BENCH_SIZES: %v", err)
			}
			b.sizes = append(b.sizes, n)
		}
	} else if memory(t, "MemAvailable") > millionNeeds {
		b.sizes = append(b.sizes, 1_000_000)
	}
	if path := os.Getenv("BENCH_OUT"); path != "" {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		b.out = f
	}
	dir := openDir(t, "")
	b.netlive, b.keeper = filepath.Join(dir, "netlive"), filepath.Join(dir, keeperName)
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=auto", "-o", b.netlive, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build netlive: %v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, b.keeper); err != nil {
		t.Fatal(err)
	}
	b.scratch = openDir(t, "/dev/shm")
	return b
}

// openDir makes a directory below parent that everybody may read.
func openDir(t *testing.T, parent string) string {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "netlive")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(otherwise)))
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number of them", name, os.Getenv(name))
	}
	return n
}

func (b *bench) printf(format string, args ...any) {
	fmt.Fprintf(b.out, format, args...) // a report that cannot be written is seen to be short
}

// heading says what was measured on what.
func (b *bench) heading(t *testing.T) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	b.printf("# Performance\n\n")
	b.printf("Made by `make bench` (as root; `make bench SIZES=\"20 1000\"` for some sizes alone, `BENCH_ROUNDS`, `BENCH_STORM` for fewer\n")
	b.printf("rounds and connections). Times are medians; ratios are medians of the rounds' own ratios, with the least and the greatest.\n\n")
	b.printf("| | |\n|---|---|\n")
	b.printf("| processor | %s, %d of them |\n", processor(t), runtime.NumCPU())
	b.printf("| memory | %.1f GB |\n", float64(memory(t, "MemTotal"))/(1<<30))
	b.printf("| kernel | Linux %s, %s |\n", unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:]))
	b.printf("| netlive | %s, %s |\n", revision(t, b.netlive), runtime.Version())
	for _, name := range []string{"net-tools", "iproute2", "libbpf-tools", "bpftrace"} {
		version, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
		if err != nil {
			version = []byte("not from a Debian package")
		}
		b.printf("| %s | %s |\n", name, version)
	}
}

// revision is the commit that a program was built from.
func revision(t *testing.T, path string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	commit, changed := "not from a repository", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	return commit + changed
}

func processor(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// memory is a line of /proc/meminfo, in bytes.
func memory(t *testing.T, name string) int {
	t.Helper()
	return kilobytes(t, "/proc/meminfo", name) << 10
}

// kilobytes reads a line "Name:  123 kB".
func kilobytes(t *testing.T, path, name string) (n int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, name+": %d kB", &n); err == nil {
			return n
		}
	}
	t.Fatalf("%s: no %s", path, name)
	return 0
}

// spread is what the rounds gave.
type spread []float64

func (s spread) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// over are the ratios of each round.
func (s spread) over(other spread) (ratios spread) {
	for i := range min(len(s), len(other)) {
		ratios = append(ratios, s[i]/other[i])
	}
	return ratios
}

// value is the median, number that with three digits.
func (s spread) value() string {
	if len(s) == 0 {
		return "-"
	}
	return number(s.median())
}

// String is the median with the least and the greatest.
func (s spread) String() string {
	if len(s) == 0 {
		return "-"
	}
	if slices.Min(s) == slices.Max(s) {
		return number(s[0])
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.median()), number(slices.Min(s)), number(slices.Max(s)))
}

// number has three significant digits, and all those before the point.
func number(x float64) string {
	if math.Abs(x) >= 1000 || x == math.Trunc(x) {
		return thousands(int(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

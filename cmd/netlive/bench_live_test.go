// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// programs has the kernel time the BPF programs in a storm. That costs time itself, so the storm is not timed.
func (b *bench) programs(t *testing.T) {
	const statistics = "/proc/sys/kernel/bpf_stats_enabled"
	old, err := os.ReadFile(statistics)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(statistics, old, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(statistics, []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	b.printf("\n## BPF programs\n\nBy the kernel's own statistics (kernel.bpf_stats_enabled), in a storm of %s connections. A connection has six changes of state.\n\n", thousands(b.made))
	b.printf("| netlive | program | runs | ns a run |\n|---|---|---|---|\n")
	var sums []string
	for _, w := range b.witnesses() {
		if !w.ours || w.name != "netlive trace --event state --json" && !w.frames {
			continue
		}
		ns := kerneltest.NetNS(t)
		r := b.startTracer(t, ns, w)
		before := programRuns(t, r.cmd.Process.Pid)
		_, happened := b.blow(t, ns)
		r.settle()
		after := programRuns(t, r.cmd.Process.Pid)
		r.interrupt()
		hooks := uint64(0)
		for _, id := range slices.Sorted(maps.Keys(after)) {
			p := after[id]
			p.Count, p.Time = p.Count-before[id].Count, p.Time-before[id].Time
			if p.Count == 0 {
				continue
			}
			if strings.HasPrefix(p.Name, "watch_tcp_state") {
				hooks += p.Time
			}
			b.printf("| `%s` | %s | %s | %s |\n", w.name, p.Name, thousands(int(p.Count)), number(float64(p.Time/p.Count)))
		}
		sums = append(sums, fmt.Sprintf("`%s` %s", w.name, number(float64(hooks)/float64(happened))))
	}
	b.printf("\nNanoseconds a change of state, both hooks together: %s.\n", strings.Join(sums, "; "))
	t.Logf("ns a change: %v", sums)
}

// programRun is how often a BPF program ran, as bpftool tells it.
type programRun struct {
	Name  string
	Time  uint64 `json:"run_time_ns"`
	Count uint64 `json:"run_cnt"`
}

// programRuns are the programs that a process has a descriptor of, or of a link to, by the kernel's number for them.
func programRuns(t *testing.T, pid int) map[int]programRun {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	runs := map[int]programRun{}
	for _, path := range infos {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a descriptor that is closed again
		}
		for line := range strings.Lines(string(text)) {
			var id int
			if _, err := fmt.Sscanf(line, "prog_id: %d", &id); err != nil || runs[id].Name != "" {
				continue
			}
			out, err := exec.Command("bpftool", "-j", "prog", "show", "id", strconv.Itoa(id)).Output()
			if err != nil {
				t.Fatalf("bpftool: %v", err)
			}
			var p programRun
			if err := json.Unmarshal(out, &p); err != nil {
				t.Fatalf("bpftool: %v: %s", err, out)
			}
			runs[id] = p
		}
	}
	return runs
}

// starts times how soon there is something to see.
func (b *bench) starts(t *testing.T) {
	b.printf("\n## Start\n\nFrom exec to the first line, while connections are made all the time.\n\n| | ms |\n|---|---|\n")
	knocked := fmt.Sprint(knockPort)
	for _, c := range []struct{ name, args, text string }{
		{"netlive trace --event state --json, the first event", b.netlive + " trace --event state --json", `_port":` + knocked},
		{"tcpstates, the first event", "stdbuf -oL tcpstates", knocked},
		{"netlive watch -tan --json, the first frame, of 20 sockets", b.netlive + " watch -tan --json --count 1", `"sockets"`},
	} {
		var took spread
		for range b.rounds {
			ns := kerneltest.NetNS(t)
			leave := b.crowd(t, ns, "tcp", smallCrowd)
			took = append(took, first(t, ns, strings.Fields(c.args), c.text))
			leave()
		}
		b.printf("| %s | %v |\n", c.name, took)
		t.Logf("%s: %v ms", c.name, took)
	}
}

// first is how many milliseconds it takes until there is a line that has the text.
func first(t *testing.T, ns *kerneltest.NS, args []string, text string) float64 {
	t.Helper()
	begin := time.Now()
	p := start(t, ns, args[0], args[1:]...)
	arrived := make(chan time.Duration, 1)
	go func() {
		defer close(arrived)
		for {
			line, err := p.out.ReadBytes('\n')
			if bytes.Contains(line, []byte(text)) {
				arrived <- time.Since(begin)
			}
			if err != nil || bytes.Contains(line, []byte(text)) {
				return
			}
		}
	}()
	for {
		select {
		case took, ok := <-arrived:
			if !ok {
				_, _, errs := p.wait()
				t.Fatalf("%v has ended: %s", args, errs)
			}
			_ = p.Process.Signal(unix.SIGINT) // it may have ended
			p.wait()
			return float64(took.Microseconds()) / 1000
		default:
			ns.Do(func() { knock(t) })
			time.Sleep(time.Millisecond)
		}
	}
}

// memoryFrames is how many frames are drawn until the memory is looked at: by then all buffers have their size.
const memoryFrames = 5

// memory is what a live table of many sockets takes.
func (b *bench) memory(t *testing.T) {
	b.printf("\n## Memory of a live table\n\nAfter %d frames, an interval of a second.\n\n| | sockets | resident MB | anonymous MB | peak MB | bytes a socket |\n|---|---|---|---|---|---|\n", memoryFrames)
	most := 0
	for _, n := range b.sizes {
		if n <= 200_000 {
			most = max(most, n)
		}
	}
	for _, c := range []struct {
		name string
		look func(t *testing.T, ns *kerneltest.NS, sockets int) resident
	}{{"watch -tan --json", b.framed}, {"watch -tan on a screen", b.screened}} {
		var little resident
		for _, n := range []int{smallCrowd, most} {
			ns := kerneltest.NetNS(t)
			leave := b.crowd(t, ns, "tcp", n)
			m := c.look(t, ns, n)
			leave()
			each := "-"
			if n > smallCrowd {
				each = number((m.all - little.all) * (1 << 20) / float64(n-smallCrowd))
			}
			little = m
			b.printf("| `%s` | %s | %s | %s | %s | %s |\n", c.name, thousands(n), number(m.all), number(m.anonymous), number(m.peak), each)
			t.Logf("%s, %d sockets: %+v MB, %s bytes a socket", c.name, n, m, each)
		}
	}
}

// resident is a process's memory, in MB.
type resident struct{ all, anonymous, peak float64 }

func residentOf(t *testing.T, pid int) resident {
	t.Helper()
	path := fmt.Sprintf("/proc/%d/status", pid)
	mb := func(name string) float64 { return float64(kilobytes(t, path, name)) / 1024 }
	return resident{mb("VmRSS"), mb("RssAnon"), mb("VmHWM")}
}

// framed looks at watch --json, whose frames are read and dropped.
func (b *bench) framed(t *testing.T, ns *kerneltest.NS, _ int) resident {
	t.Helper()
	p := start(t, ns, b.netlive, "watch", "-tan", "--json", "--interval", "1s")
	for range memoryFrames {
		for {
			_, err := p.out.ReadSlice('\n')
			if err == nil {
				break
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				_, _, errs := p.wait()
				t.Fatalf("watch has ended: %s", errs)
			}
		}
	}
	m := residentOf(t, p.Process.Pid)
	if code, _, errs := p.end(unix.SIGINT); code != exitInterrupted {
		t.Errorf("watch: exit code %d\n%s", code, errs)
	}
	return m
}

// screened looks at watch on a terminal.
func (b *bench) screened(t *testing.T, ns *kerneltest.NS, n int) resident {
	t.Helper()
	file := filepath.Join(b.scratch, "pid")
	term := newTerminal(t, ns, 120, 40, fmt.Sprintf("sh -c 'echo $$ >%s; exec %s watch -tan --interval 1s'", file, b.netlive))
	term.await(fmt.Sprintf("ESTABLISHED %d", n&^1), "q quit")
	time.Sleep(memoryFrames * time.Second)
	m := residentOf(t, pidIn(t, file))
	term.press("q")
	term.await("exit code 0")
	return m
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// inKernel are the BPF objects of a process, by the kernel's numbers, which it gives to others last.
type inKernel struct{ programs, maps, links map[uint32]bool }

// heldBy waits until a process holds BPF programs, and returns what it holds.
func heldBy(t *testing.T, pid int) inKernel {
	t.Helper()
	for deadline := time.Now().Add(limit / 4); ; time.Sleep(5 * time.Millisecond) {
		h := holds(t, pid)
		if len(h.programs) > 0 && len(h.maps) > 0 && len(h.links) > 0 {
			return h
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d holds no BPF programs, or no maps or links of theirs: %v", pid, h)
		}
	}
}

// holds is what a process holds now.
func holds(t *testing.T, pid int) inKernel {
	t.Helper()
	h := inKernel{map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, _ := os.ReadFile(file) // a descriptor that was closed
		for line := range strings.Lines(string(text)) {
			name, number, _ := strings.Cut(strings.TrimSpace(line), ":")
			id, err := strconv.ParseUint(strings.TrimSpace(number), 10, 32)
			set := map[string]map[uint32]bool{"prog_id": h.programs, "map_id": h.maps, "link_id": h.links}[name]
			if err == nil && set != nil {
				set[uint32(id)] = true
			}
		}
	}
	h.ofPrograms(t)
	return h
}

// ofPrograms adds the maps of the programs: those of constants have no descriptors of their own for long.
func (h inKernel) ofPrograms(t *testing.T) {
	t.Helper()
	for id := range h.programs {
		p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
		if err != nil {
			continue // unloaded meanwhile
		}
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		maps, _ := info.MapIDs()
		for _, m := range maps {
			h.maps[uint32(m)] = true
		}
		p.Close()
	}
}

// gone waits until nothing of it is left: the kernel frees some of it later.
func (h inKernel) gone(t *testing.T) {
	t.Helper()
	left := func(ids map[uint32]bool, open func(uint32) (io.Closer, error)) (n int) {
		for id := range ids {
			c, err := open(id)
			switch {
			case err == nil:
				c.Close()
				n++
			case !errors.Is(err, unix.ENOENT):
				t.Fatalf("%d: %v", id, err)
			}
		}
		return n
	}
	for deadline := time.Now().Add(limit / 4); ; time.Sleep(10 * time.Millisecond) {
		links := left(h.links, func(id uint32) (io.Closer, error) { return link.NewFromID(link.ID(id)) })
		programs := left(h.programs, func(id uint32) (io.Closer, error) { return ebpf.NewProgramFromID(ebpf.ProgramID(id)) })
		maps := left(h.maps, func(id uint32) (io.Closer, error) { return ebpf.NewMapFromID(ebpf.MapID(id)) })
		if links+programs+maps == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d programs, %d maps and %d links are left in the kernel", programs, maps, links)
		}
	}
}

// However netlive ends, its programs, maps and links end with it.
func TestNothingStaysInTheKernel(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	verbs := []struct{ line, begins string }{
		{"trace --event all", "tracing"},
		{"watch -a --json --interval 50ms", ""},
	}
	for _, sig := range []unix.Signal{unix.SIGKILL, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGSEGV} {
		for _, verb := range verbs {
			p := start(t, ns, "netlive", strings.Fields(verb.line)...)
			if verb.begins != "" {
				p.awaitErr(verb.begins)
			} else {
				p.frame(time.Time{})
			}
			held := heldBy(t, p.Process.Pid)
			code, _, errs := p.end(sig)
			want := map[unix.Signal]int{unix.SIGKILL: -1, unix.SIGTERM: exitOK, unix.SIGINT: exitInterrupted, unix.SIGQUIT: exitUsage, unix.SIGSEGV: exitUsage}[sig]
			if code != want || (len(errs) > 0) != (want == exitUsage) {
				t.Errorf("%s: after %v: exit code %d, want %d; stderr %.300q", verb.line, sig, code, want, errs)
			}
			held.gone(t)
		}
	}
}

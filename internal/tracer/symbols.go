// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// symbols are the kernel's functions by address, read once when the first stack comes.
type symbols struct {
	once sync.Once
	list []symbol // in the order of addresses; empty where they may not be read (kernel.kptr_restrict)
}

type symbol struct {
	addr uint64
	name string
}

// load reads /proc/kallsyms.
func (s *symbols) load() {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return
	}
	defer f.Close()
	s.list = readSymbols(f)
}

// readSymbols reads lines such as "ffffffff81000000 T _text [module]". All addresses are 0 for those who may not see them.
func readSymbols(r io.Reader) (list []symbol) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 3 || !strings.ContainsAny(f[1], "tTwW") {
			continue // data
		}
		addr, err := strconv.ParseUint(f[0], 16, 64)
		if err != nil || addr == 0 {
			continue
		}
		name := strings.Clone(f[2])
		if len(f) > 3 {
			name += " " + f[3]
		}
		list = append(list, symbol{addr, name})
	}
	slices.SortStableFunc(list, func(a, b symbol) int { return cmp.Compare(a.addr, b.addr) })
	return list
}

// name is FUNCTION+0xOFFSET, or the address where no function is known.
func (s *symbols) name(addr uint64) string {
	i, found := slices.BinarySearchFunc(s.list, addr, func(f symbol, a uint64) int { return cmp.Compare(f.addr, a) })
	if !found {
		i--
	}
	if i < 0 {
		return "0x" + strconv.FormatUint(addr, 16)
	}
	return s.list[i].name + "+0x" + strconv.FormatUint(addr-s.list[i].addr, 16)
}

// stack names the functions of a stack, without those of BPF and of the tracepoint, by which it was taken.
func (s *symbols) stack(addrs []uint64) []string {
	s.once.Do(s.load)
	if end := slices.Index(addrs, 0); end >= 0 {
		addrs = addrs[:end]
	}
	frames := make([]string, len(addrs))
	begin := 0
	for i, a := range addrs {
		frames[i] = s.name(a)
		if isTracing(frames[i]) {
			begin = i + 1
		}
	}
	return frames[begin:]
}

// isTracing reports whether a function is of the machinery between the kernel and our programs.
func isTracing(frame string) bool {
	for _, prefix := range []string{"bpf_prog_", "bpf_trace_run", "__bpf_trace_", "__traceiter_", "trace_call_bpf", "perf_syscall_exit", "perf_trace_"} {
		if strings.HasPrefix(frame, prefix) {
			return true
		}
	}
	return false
}

// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// ErrUnsupported is wrapped by errors that mean: this kernel cannot do it. The
// text around it says what is missing and since which version it is there.
var ErrUnsupported = errors.New("not supported by this kernel")

// ErrNarrow is why a netlive of 32 bits has no BPF, be the kernel what it is: the layouts of its records and of what it reads of the kernel are those
// of 64 bits.
var ErrNarrow = fmt.Errorf("%w: the programs are made for 64-bit kernels, and this netlive is built for 32 bits", ErrUnsupported)

// ErrNoTable is why HookClassic does for trace alone: there is news, and no truth to hold it against.
var ErrNoTable = fmt.Errorf("the classic tracepoint names no socket: %w", ErrUnsupported)

// explain turns an error of the BPF library into one that says what was being done, and
// that answers to os.ErrPermission and ErrUnsupported as far as the cause is known.
func explain(doing string, err error) error {
	var verifier *ebpf.VerifierError
	switch {
	// First, because without them the library's looks at the kernel fail too, and then it tells of a kernel that cannot.
	case exhausted(err):
	// The library asks what the kernel can by making maps, and takes any failure of that for a no.
	case errors.Is(err, ebpf.ErrNotSupported) && !spare(loadFiles):
		err = unix.EMFILE
	// Before the next, because the verifier's no is an EACCES. A program that it refuses is, for
	// whoever runs netlive, one that this kernel does not take.
	case errors.As(err, &verifier) && len(verifier.Log) > 0:
		return fmt.Errorf("tracer: %s: %w: %w", doing, ErrUnsupported, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("tracer: %s: %w", doing, os.ErrPermission)
	case errors.Is(err, btf.ErrNotSupported), errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("tracer: %s: %w (typed tracepoints need Linux 5.12 with CONFIG_DEBUG_INFO_BTF): %w", doing, ErrUnsupported, err)
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("tracer: %s: %w: %w", doing, ErrUnsupported, err)
	}
	return fmt.Errorf("tracer: %s: %w", doing, err)
}

// raiseMemlock lifts RLIMIT_MEMLOCK on kernels that charge BPF memory to it: those before 5.11. Where that is not allowed the load says so. (The library's
// rlimit package would ask the kernel by making a map, as soon as the program begins, whatever for.)
func raiseMemlock() {
	var name unix.Utsname
	var major, minor int
	if err := unix.Uname(&name); err != nil {
		return
	}
	if n, _ := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); n == 2 && (major > 5 || major == 5 && minor >= 11) {
		return
	}
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
}

// exhausted reports whether it is us who may have no more of something, which says nothing of the kernel.
func exhausted(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

// loadFiles is more descriptors than a collection takes: one for each map, program and link.
const loadFiles = 128

// spare reports whether this process may have n descriptors more.
func spare(n int) bool {
	for range n {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			return false
		}
		defer unix.Close(fd)
	}
	return true
}

// classicState is the tracepoint of changes of state.
const classicState = "sock/inet_sock_set_state"

// classicLayout is where struct classic_state of netlive.bpf.c has its fields.
var classicLayout = map[string]int{
	"skaddr": 8, "oldstate": 16, "newstate": 20, "sport": 24, "dport": 26, "family": 28, "protocol": 30,
	"saddr": 32, "daddr": 36, "saddr_v6": 40, "daddr_v6": 56,
}

// checkClassicLayout reports whether this kernel lays the classic tracepoint out as
// struct classic_state has it. Some distributions pad the common fields
// (elastic/ebpf#214), and before 5.6 the protocol had one byte.
func checkClassicLayout() error {
	text, err := readClassicFormat()
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, errNoTracefs):
		return fmt.Errorf("tracer: classic tracepoint inet_sock_set_state: %w: no such tracepoint, or %w", ErrUnsupported, errNoTracefs)
	case err != nil:
		return fmt.Errorf("tracer: read the layout of the classic tracepoint: %w", err)
	}
	offsets := parseFormat(text)
	for field, want := range classicLayout {
		if got, ok := offsets[field]; !ok || got != want {
			return fmt.Errorf("tracer: classic tracepoint inet_sock_set_state: %w: field %s is at %d, not at %d",
				ErrUnsupported, field, got, want)
		}
	}
	return nil
}

func readClassicFormat() ([]byte, error) {
	dir, err := openTracefs()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return readAt(dir, "events/"+classicState+"/format")
}

var formatField = regexp.MustCompile(`field:[^;]*?(\w+)(?:\[\d+\])?;\s*offset:(\d+);`)

// parseFormat reads the offsets of the fields in a tracefs format file.
func parseFormat(text []byte) map[string]int {
	offsets := map[string]int{}
	for line := range bytes.Lines(text) {
		if m := formatField.FindSubmatch(line); m != nil {
			if n, err := strconv.Atoi(string(m[2])); err == nil {
				offsets[string(m[1])] = n
			}
		}
	}
	return offsets
}

// SPDX-License-Identifier: GPL-2.0-or-later

// Package vm runs programs on other kernels, and on those of other architectures: under QEMU, without KVM, as root of a machine that
// has nothing but the kernel and these programs. The first of them is its init (Guest). It is for tests alone.
package vm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Program is one that the machine runs. They run one after the other.
type Program struct {
	// Name is what Machine.Run knows its outcome by.
	Name string
	// Dir is where it runs, a directory of the machine's.
	Dir string
	// Args has the program's path in the machine first.
	Args []string
	Env  []string
}

// Machine is a virtual machine that has not been started.
type Machine struct {
	// Arch is that of Go: amd64, arm64 or s390x.
	Arch string
	// Kernel is the file of the kernel's image.
	Kernel string
	// Modules are files of kernel modules, which are loaded in this order. Of one that the kernel cannot load the console tells.
	Modules []string
	// Init is the file of the program that is run first; it has to call Guest.
	Init string
	// Files are more files of the machine, by their paths in it. One that is a directory comes with what is in it.
	Files map[string]string
	// Programs are what is run. The machine ends with the last.
	Programs []Program
	// MiB is the machine's memory; 0 is 1,024.
	MiB int
	// Live is where what the programs print goes as it comes; it may be nil.
	Live io.Writer
	// NoCX16 takes the instruction cmpxchg16b away: an amd64 kernel 6.12 falls over while it starts where QEMU emulates it. Kernels since 7.2 have no socket storage
	// without it.
	NoCX16 bool
	// Count makes an instruction take one nanosecond of the machine's time, on its one processor: then what takes how long is always the same.
	Count bool
}

// Outcome is what came of one program.
type Outcome struct {
	Output string
	// Exit is the exit code, or -1 when a signal ended it.
	Exit int
	Took time.Duration
}

// ErrNoInit is wrapped by the error of a machine that ended before its init said a word. QEMU 7.2's translation of some instructions makes
// some kernels fall over while they start: that says nothing of what was to be run.
var ErrNoInit = errors.New("the kernel did not come to run init")

// guestEnv is in the environment of an init that is one of ours: the kernel hands it on from its command line.
const guestEnv = "NETLIVE_VM"

// plan is what the machine is told to do; it lies in the root of its file system.
type plan struct {
	Modules  []string
	Programs []Program
}

const planFile = "/plan.json"

// What the guest says on the line on which the programs' output comes. The words of a program begin at the beginning of a line, so that its output
// is what is between two of these.
const (
	markBegin = "VM-BEGIN"
	markExit  = "VM-EXIT"
	markDone  = "VM-DONE"
)

// Run starts the machine, waits until it ends and tells what came of its programs. The error has the end of the console's text, and
// console is all of it. Programs that did not run, or did not end, have no outcome and are an error.
func (m *Machine) Run(ctx context.Context) (outcomes map[string]Outcome, console string, err error) {
	dir, err := os.MkdirTemp("", "netlive-vm")
	if err != nil {
		return nil, "", fmt.Errorf("vm: %w", err)
	}
	defer os.RemoveAll(dir)
	initrd := filepath.Join(dir, "initrd")
	if err := m.writeInitramfs(initrd); err != nil {
		return nil, "", fmt.Errorf("vm: write the initramfs: %w", err)
	}
	args, err := m.qemu(dir, initrd)
	if err != nil {
		return nil, "", err
	}
	var out, warnings bytes.Buffer
	qemu := exec.CommandContext(ctx, args[0], args[1:]...)
	qemu.Stdout, qemu.Stderr = &out, &warnings
	if m.Live != nil {
		qemu.Stdout = io.MultiWriter(&out, m.Live)
	}
	qemu.WaitDelay = time.Second
	runErr := qemu.Run()
	text := strings.ReplaceAll(out.String(), "\r", "") // the line is a terminal
	console = text
	if own, err := os.ReadFile(filepath.Join(dir, consoleFile)); err == nil { // where there are two lines
		console = strings.ReplaceAll(string(own), "\r", "") + text
	}
	console += warnings.String()
	outcomes, done := parse(text)
	switch {
	case ctx.Err() != nil:
		return outcomes, console, fmt.Errorf("vm: %w", context.Cause(ctx))
	case runErr != nil:
		return outcomes, console, fmt.Errorf("vm: %s: %w: %s", args[0], runErr, warnings.String())
	case !strings.Contains(text, markBegin) && !strings.Contains(text, markDone):
		return outcomes, console, fmt.Errorf("vm: %w", ErrNoInit)
	case !done:
		return outcomes, console, errors.New("vm: the machine ended before its programs")
	}
	return outcomes, console, nil
}

// parse finds the programs' outcomes in what came over the line.
func parse(text string) (outcomes map[string]Outcome, done bool) {
	outcomes = map[string]Outcome{}
	var name string
	var output strings.Builder
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		mark, rest, _ := strings.Cut(lines.Text(), " ")
		switch mark {
		case markBegin:
			name = rest
			output.Reset()
		case markExit:
			f := strings.Fields(rest)
			if len(f) != 2 || name == "" {
				continue
			}
			code, err1 := strconv.Atoi(f[0])
			ms, err2 := strconv.Atoi(f[1])
			if err1 == nil && err2 == nil {
				outcomes[name] = Outcome{Output: output.String(), Exit: code, Took: time.Duration(ms) * time.Millisecond}
			}
			name = ""
		case markDone:
			done = true
		default:
			output.WriteString(lines.Text())
			output.WriteByte('\n')
		}
	}
	return outcomes, done
}

// consoleFile is where the kernel's console goes where the machine has two lines.
const consoleFile = "console"

// qemu is the command line of the emulator.
func (m *Machine) qemu(dir, initrd string) ([]string, error) {
	// One thread for all processors: with several, code that the kernel patches is seen half patched (QEMU 7.2).
	accel, smp := "tcg,thread=single", "2"
	if m.Count {
		smp = "1"
	}
	mib := m.MiB
	if mib == 0 {
		mib = 1024
	}
	args := []string{
		"", "-accel", accel, "-smp", smp, "-m", strconv.Itoa(mib), "-nodefaults", "-display", "none", "-no-reboot",
		"-kernel", m.Kernel, "-initrd", initrd,
	}
	if m.Count {
		args = append(args, "-icount", "shift=0,sleep=off")
	}
	console := ""
	switch m.Arch {
	case "amd64":
		args[0], console = "qemu-system-x86_64", "ttyS0"
		cpu := "max"
		if m.NoCX16 {
			cpu += ",-cx16"
		}
		args = append(args, "-cpu", cpu, "-chardev", "null,id=console,logfile="+filepath.Join(dir, consoleFile),
			"-serial", "chardev:console", "-serial", "stdio")
	case "arm64":
		args[0], console = "qemu-system-aarch64", "ttyAMA0"
		// Pointer authentication as the architecture has it costs five seconds of each start.
		args = append(args, "-M", "virt", "-cpu", "max,pauth-impdef=on", "-serial", "stdio")
	case "s390x":
		args[0], console = "qemu-system-s390x", "ttysclp0"
		args = append(args, "-cpu", "max", "-chardev", "stdio,id=console", "-device", "sclpconsole,chardev=console")
	default:
		return nil, fmt.Errorf("vm: no machine of architecture %q", m.Arch)
	}
	// panic=-1 and -no-reboot: a kernel that panics ends the machine.
	return append(args, "-append", "console="+console+" quiet loglevel=3 panic=-1 "+guestEnv+"=1"), nil
}

// planText is what the guest reads.
func (m *Machine) planText() ([]byte, error) {
	p := plan{Programs: m.Programs}
	for i, file := range m.Modules {
		p.Modules = append(p.Modules, modulePath(i, file))
	}
	return json.Marshal(p)
}

func modulePath(i int, file string) string {
	return fmt.Sprintf("/mod/%02d-%s", i, filepath.Base(file))
}

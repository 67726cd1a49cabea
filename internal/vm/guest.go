// SPDX-License-Identifier: GPL-2.0-or-later

package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Guest does what init has to do if this process is the init of a Machine, or what cat(1) does if that is what it is called, of which the
// machines have no other. It does not return then. In all other processes it does nothing.
func Guest() {
	if filepath.Base(os.Args[0]) == "cat" {
		cat(os.Args[1:])
	}
	if os.Getpid() != 1 || os.Getenv(guestEnv) == "" {
		return
	}
	if err := guest(); err != nil {
		fmt.Printf("\nvm: %v\n", err)
	}
	unix.Sync()
	// With QEMU's -no-reboot the machine ends by it.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {} // an init that ends is a panic
}

// insideEnv is in the environment of all programs of a Machine.
const insideEnv = "NETLIVE_IN_VM"

// Inside reports whether this process runs in a Machine, which has no other programs than those it was given.
func Inside() bool { return os.Getenv(insideEnv) != "" }

func cat(files []string) {
	if len(files) == 0 {
		_, _ = io.Copy(os.Stdout, os.Stdin)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err == nil {
			_, err = io.Copy(os.Stdout, f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(0)
}

func guest() error {
	if err := setUp(); err != nil {
		return err
	}
	text, err := os.ReadFile(planFile)
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("%s: %w", planFile, err)
	}
	for _, module := range p.Modules {
		if err := loadModule(module); err != nil {
			fmt.Printf("vm: load %s: %v\n", module, err)
		}
	}
	out := line()
	for _, program := range p.Programs {
		// What is there may lack its line feed: a firmware's escape sequences, a program's last words.
		fmt.Fprintf(out, "\n%s %s\n", markBegin, program.Name)
		begin := time.Now()
		code := runProgram(program, out)
		fmt.Fprintf(out, "\n%s %d %d\n", markExit, code, time.Since(begin).Milliseconds())
	}
	fmt.Fprintf(out, "\n%s\n", markDone)
	return nil
}

// line is where the programs' output goes: the second serial line where there is one, which has nothing of the kernel's.
func line() io.Writer {
	f, err := os.OpenFile("/dev/ttyS1", os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return os.Stdout
	}
	// A node is there for lines that are not: those answer no question about their speed.
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return os.Stdout
	}
	return f
}

func setUp() error {
	for _, m := range []struct{ kind, on, options string }{
		{"devtmpfs", "/dev", ""},
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"tracefs", "/sys/kernel/tracing", ""},
		{"bpf", "/sys/fs/bpf", ""},
		{"cgroup2", "/sys/fs/cgroup", ""},
		{"securityfs", "/sys/kernel/security", ""},
		{"tmpfs", "/run", ""},
	} {
		if err := unix.Mount(m.kind, m.on, m.kind, 0, m.options); err != nil {
			fmt.Printf("vm: mount %s on %s: %v\n", m.kind, m.on, err)
		}
	}
	for name, text := range map[string]string{
		"/etc/passwd":   "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
		"/etc/group":    "root:x:0:\nnogroup:x:65534:\n",
		"/etc/hosts":    "127.0.0.1 localhost\n::1 localhost\n",
		"/etc/services": "http 80/tcp\nssh 22/tcp\ndomain 53/udp\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	// What systemd gives. By package syscall, which then lets children have it too.
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1 << 19, Max: 1 << 19}); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	if err := unix.Sethostname([]byte("guest")); err != nil {
		return fmt.Errorf("set the host's name: %w", err)
	}
	return LoUp()
}

// LoUp sets the loopback device of the calling thread's namespace up, which also gives it its addresses.
func LoUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
		return fmt.Errorf("read the flags of lo: %w", err)
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}

func loadModule(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if !strings.HasSuffix(file, ".ko") {
		flags = unix.MODULE_INIT_COMPRESSED_FILE // since 5.17
	}
	return unix.FinitModule(int(f.Fd()), "", flags)
}

func runProgram(p Program, out io.Writer) int {
	c := exec.Command(p.Args[0], p.Args[1:]...)
	c.Dir = p.Dir
	c.Env = append([]string{"PATH=/bin", "HOME=/", "TMPDIR=/tmp", "TERM=linux", insideEnv + "=1"}, p.Env...)
	c.Stdout, c.Stderr = out, out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintf(out, "vm: %v\n", err)
	}
	return c.ProcessState.ExitCode() // -1 for one that did not start
}

// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is given up is given up for good, so the test's own program does it, as a child.
const stepsKey = "NETLIVE_TEST_PRIVILEGE"

func TestMain(m *testing.M) {
	if steps := os.Getenv(stepsKey); steps != "" {
		if err := child(steps); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// steps are what a child does one after the other: restrict itself to uses, or with Alone enter the domain and nothing else.
type steps struct {
	Uses  []Use
	Alone bool
	Dir   string // for it to write in
}

// state is what a child may do after a step.
type state struct {
	// Threads are the lines of /proc/PID/task/TID/status that count, all that differ.
	Threads []map[string]string
	// Tried has the error of each thing that was tried, "" for none.
	Tried map[string]string
	// Gained are the permitted capabilities of a program that is run, if it may be.
	Gained string
}

// child prints its state before the first step and after each.
func child(text string) error {
	var s steps
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	if err := busyThreads(); err != nil {
		return err
	}
	open, err := os.Create(filepath.Join(s.Dir, "open"))
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	tell := func() error {
		now, err := look(s.Dir, open)
		return errors.Join(err, out.Encode(now))
	}
	if err := tell(); err != nil {
		return err
	}
	if s.Alone {
		if err := enterLandlock(); err != nil {
			return err
		}
		return tell()
	}
	for _, uses := range s.Uses {
		if err := errors.Join(Restrict(uses), tell()); err != nil {
			return err
		}
	}
	return nil
}

// busyThreads has threads that are hard to reach: bound to a goroutine, in the kernel for good, and one in a network namespace of its own where
// that is allowed.
func busyThreads() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	const threads = 4
	bound := make(chan error, threads)
	for i := range threads {
		go func() {
			runtime.LockOSThread()
			var err error
			if i == 0 && unix.Geteuid() == 0 {
				err = unix.Unshare(unix.CLONE_NEWNET)
			}
			bound <- err
			if i < 2 {
				_, _ = unix.Read(pipe[0], make([]byte, 1))
			}
			select {}
		}()
	}
	var errs []error
	for range threads {
		errs = append(errs, <-bound)
	}
	return errors.Join(errs...)
}

// look finds out what this process may do.
func look(dir string, open *os.File) (s state, err error) {
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		return s, err
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if errors.Is(err, unix.ESRCH) || os.IsNotExist(err) {
			continue // it has ended
		}
		if err != nil {
			return s, err
		}
		lines := map[string]string{}
		for line := range strings.Lines(string(text)) {
			if key, value, _ := strings.Cut(line, ":"); strings.HasPrefix(key, "Cap") || key == "NoNewPrivs" || key == "Uid" {
				lines[key] = strings.TrimSpace(value)
			}
		}
		if !slices.ContainsFunc(s.Threads, func(t map[string]string) bool { return fmt.Sprint(t) == fmt.Sprint(lines) }) {
			s.Threads = append(s.Threads, lines)
		}
	}
	s.Tried = map[string]string{}
	tried := func(what string, err error) {
		s.Tried[what] = ""
		if errno := unix.Errno(0); errors.As(err, &errno) {
			s.Tried[what] = unix.ErrnoName(errno)
		} else if err != nil {
			s.Tried[what] = err.Error()
		}
	}
	file := func(path string, flags int) error {
		f, err := os.OpenFile(path, flags, 0o600)
		return errors.Join(err, f.Close())
	}
	_, err = open.WriteString("more\n")
	tried("write what is open", err)
	tried("make", file(filepath.Join(dir, fmt.Sprint("new", os.Getpid())), os.O_WRONLY|os.O_CREATE))
	tried("write", file(open.Name(), os.O_WRONLY))
	tried("read", file(open.Name(), os.O_RDONLY))
	tried("mkdir", func() error {
		defer os.Remove(filepath.Join(dir, "sub"))
		return os.Mkdir(filepath.Join(dir, "sub"), 0o700)
	}())
	status, err := exec.Command("/bin/cat", "/proc/self/status").Output()
	tried("run", err)
	_, status, _ = bytes.Cut(status, []byte("CapPrm:\t"))
	s.Gained = string(status[:min(len(status), 16)])
	dial := func(network, address string) error {
		c, err := net.Dial(network, address)
		if err != nil {
			return err
		}
		return c.Close()
	}
	tried("connect", dial("tcp4", "127.0.0.1:1"))
	tried("connect to 53", dial("tcp4", "127.0.0.1:53"))
	tried("udp", dial("udp4", "127.0.0.1:1"))
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // of which Landlock knows nothing
	l, err := plain.Listen(context.Background(), "tcp4", "127.0.0.1:4000")
	if err == nil {
		err = l.Close()
	}
	tried("bind", err)
	parent := fmt.Sprintf("/proc/%d/", os.Getppid())
	_, err = os.Stat(parent + "ns/net")
	tried("look into another", err)
	_, err = os.Readlink(parent + "fd/0")
	tried("its descriptors", err)
	_, err = os.ReadFile(parent + "cmdline")
	tried("its name", err)
	_, err = os.Stat("/proc/self/ns/net")
	tried("look into itself", err)
	return s, nil
}

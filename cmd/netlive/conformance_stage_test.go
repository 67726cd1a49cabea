// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// pair is netstat and netlive where anybody may run them.
type pair struct {
	netstat, netlive string
	// slots bounds how many run at a time.
	slots chan struct{}
}

func findPrograms(t *testing.T) pair {
	t.Helper()
	netstat, err := exec.LookPath("netstat")
	if err != nil {
		t.Fatal(err)
	}
	return pair{netstat, builtAs(t, "netstat"), make(chan struct{}, 2)}
}

// builtAs builds the program as it is shipped, where everybody can run it, and returns a link of that name to it.
func builtAs(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "netlive")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program, link := filepath.Join(dir, "netlive"), filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	if err := os.Symlink("netlive", link); err != nil {
		t.Fatal(err)
	}
	return link
}

// stage is a thread in a network namespace and in a mount namespace of its own, from which the programs are started.
type stage struct {
	pair
	t     *testing.T
	name  string
	calls chan func()
	// nobody runs the programs as the user nobody.
	nobody bool
	// mask hides what moves between two runs.
	mask func(string) string
}

// newStage makes a stage where dirs are mounted: where to what.
func newStage(t *testing.T, name string, p pair, ns *kerneltest.NS, dirs ...[2]string) *stage {
	t.Helper()
	s := &stage{t: t, name: name, pair: p, calls: make(chan func()), mask: func(text string) string { return text }}
	ready, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		// Never unlocked: the thread ends with the goroutine, and its mounts with it.
		runtime.LockOSThread()
		ns.Do(func() {
			err := mountPrivately(dirs)
			ready <- err
			if err == nil {
				for call := range s.calls {
					call()
				}
			}
		})
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(s.calls)
		<-ended
	})
	return s
}

// mountPrivately moves the calling thread to a mount namespace of its own and mounts there.
func mountPrivately(dirs [][2]string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, d := range dirs {
		if err := unix.Mount(d[1], d[0], "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", d[0], err)
		}
	}
	return nil
}

// command is a program that is about to run a command line on the stage.
func (s *stage) command(ctx context.Context, program string, line commandLine) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, line.args...)
	cmd.Args[0] = "netstat"
	cmd.Env = append([]string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}, line.env...)
	cmd.Dir = "/"
	if s.nobody {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodyID, Gid: nobodyID}}
	}
	return cmd
}

const nobodyID = 65534

// start starts cmd from the stage's thread.
func (s *stage) start(cmd *exec.Cmd) {
	s.t.Helper()
	done := make(chan error)
	s.calls <- func() { done <- cmd.Start() }
	if err := <-done; err != nil {
		s.t.Fatalf("start %s: %v", cmd.Path, err)
	}
}

// run runs a command line to its end.
func (s *stage) run(program string, line commandLine) outcome {
	s.t.Helper()
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := s.command(ctx, program, line)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	s.start(cmd)
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		s.t.Fatalf("%s %s: %v", program, line, err)
	}
	return outcome{s.mask(out.String()), errs.String(), cmd.ProcessState.ExitCode()}
}

// tree makes the files of a txtar archive. A file of a name such as
//
//	net/tcp [mode 000]     has that mode
//	100/cmdline [quoted]   has the text of a Go string literal for each line, and nothing else
//	100/fd/3 -> socket:[7] is a symbolic link
//	net/x25/               is a directory
func tree(t *testing.T, archive string) string {
	t.Helper()
	text, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", archive, err)
		}
	}
	check(os.Chmod(root, 0o755))
	for _, f := range text.Files {
		data, mode := f.Data, os.FileMode(0o644)
		name, target, isLink := strings.Cut(f.Name, " -> ")
		words := treeWords.FindStringSubmatch(name)
		name = words[1]
		path := filepath.Join(root, name)
		check(os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case isLink:
			check(os.Symlink(target, path))
			continue
		case strings.HasSuffix(name, "/"):
			check(os.MkdirAll(path, 0o755))
			mode = 0o755
		case strings.HasPrefix(words[2], "quoted"):
			data = nil
			for line := range strings.Lines(string(f.Data)) {
				s, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
				check(err)
				data = append(data, s...)
			}
		}
		if m, ok := strings.CutPrefix(words[2], "mode "); ok {
			n, err := strconv.ParseUint(m, 8, 32)
			check(err)
			mode = os.FileMode(n)
		}
		if !strings.HasSuffix(name, "/") {
			check(os.WriteFile(path, data, 0o644))
		}
		check(os.Chmod(path, mode))
		if mode.Perm() == 0 && strings.HasSuffix(name, "/") {
			t.Cleanup(func() { _ = os.Chmod(path, 0o755) }) // so that it can be removed
		}
	}
	return root
}

var treeWords = regexp.MustCompile(`^(.*?)(?: \[(.*)\])?$`)

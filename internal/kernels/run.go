// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"netlive/internal/vm"
)

// outcome is what came of a kernel.
type outcome struct {
	kernel   kernel
	image    image
	passed   int
	expected int
	took     time.Duration
	outcomes map[string]vm.Outcome
	console  string
	err      error
}

// patience is how long a machine may take.
const patience = time.Hour

// runOn boots a kernel and holds what came of it against what was to come.
func runOn(ctx context.Context, k kernel, i image, b binaries, live io.Writer) (o outcome) {
	o.kernel, o.image = k, i
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m := machine(k, i, b)
	m.Live = live
	o.outcomes, o.console, o.err = m.Run(ctx)
	if errors.Is(o.err, vm.ErrNoInit) {
		// Once: the emulator has faults that hit a kernel before anything of ours runs.
		fmt.Printf("%s: %v; started again\n", k.id(), o.err)
		o.outcomes, o.console, o.err = m.Run(ctx)
	}
	o.took = time.Since(begin)
	return o.judged()
}

// ownName is what this machine's kernel is called.
const ownName = "own"

// runHere does the same on this machine's kernel.
func runHere(ctx context.Context, b binaries) (o outcome) {
	o.kernel = kernel{Name: ownName, Arch: runtime.GOARCH}
	o.outcomes = map[string]vm.Outcome{}
	begin := time.Now()
	dir, err := os.MkdirTemp("", "netlive-own")
	if err != nil {
		o.err = err
		return o
	}
	defer os.RemoveAll(dir)
	m := machine(o.kernel, image{}, b)
	for _, p := range m.Programs {
		// The machine's paths, below a directory of this one's.
		path := filepath.Join(dir, p.Args[0])
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(m.Files[p.Args[0]], path)); err != nil {
			o.err = err
			return o
		}
		if data, ok := m.Files[p.Dir+"/testdata"]; ok {
			if data, err = filepath.Abs(data); err == nil {
				err = os.Symlink(data, filepath.Join(dir, p.Dir, "testdata"))
			}
			if err != nil {
				o.err = err
				return o
			}
		}
		c := exec.CommandContext(ctx, path, p.Args[1:]...)
		c.Dir = filepath.Join(dir, p.Dir)
		out, err := c.CombinedOutput()
		if err != nil && c.ProcessState == nil {
			o.err = err
			return o
		}
		o.console += string(out)
		o.outcomes[p.Name] = vm.Outcome{Output: string(out), Exit: c.ProcessState.ExitCode()}
	}
	o.took = time.Since(begin)
	return o.judged()
}

// judged holds what came against what was to come.
func (o outcome) judged() outcome {
	errs := []error{o.err}
	for _, s := range suites {
		names := s.on(o.kernel)
		o.expected += len(names)
		out, ran := o.outcomes[s.name()]
		if !ran {
			if len(names) > 0 {
				errs = append(errs, fmt.Errorf("%s: did not end", s.pkg))
			}
			continue
		}
		passed, err := s.check(o.kernel, out)
		o.passed += passed
		errs = append(errs, err)
	}
	o.err = errors.Join(errs...)
	return o
}

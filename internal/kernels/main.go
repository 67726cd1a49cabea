// SPDX-License-Identifier: GPL-2.0-or-later

// Kernels runs the tests that meet the kernel on the kernels that Debian ships, under QEMU, and says what works where:
//
//	go run ./internal/kernels -ci
//	go run ./internal/kernels -only 'amd64-6.1$' -v
//
// It wants to be started in the root of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ci := flag.Bool("ci", false, "those kernels alone that run with every change")
	only := flag.String("only", "", "those kernels alone whose name matches, such as 'amd64-6.1$'")
	count := flag.Bool("cost", false, "count the instructions of each program instead, and hold them against "+costFile)
	short := flag.Bool("short", false, "without the tests that take minutes")
	tests := flag.String("run", "", "those tests alone whose name matches")
	verbose := flag.Bool("v", false, "print what the machines say as they say it (-j 1 keeps them apart)")
	write := flag.Bool("write", false, "write "+tableFile+" (with -only and -ci those rows alone), or with -cost "+costFile+", anew")
	logs := flag.String("logs", "", "directory for what the machines said")
	own := flag.Bool("own", true, "this machine's kernel too")
	side := flag.Int("j", 2, "machines that run side by side")
	flag.Parse()
	if *logs != "" {
		if err := os.MkdirAll(*logs, 0o755); err != nil {
			return err
		}
	}
	which, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if err := choose(*tests); err != nil {
		return err
	}
	var wanted []kernel
	for _, k := range kernels {
		if *count && k.id() != costKernel {
			continue
		}
		if which.MatchString(k.id()) && (k.CI || !*ci) {
			k.short, k.quick = *short, *ci
			wanted = append(wanted, k)
		}
	}
	if len(wanted) == 0 {
		return fmt.Errorf("no kernel matches %q", *only)
	}
	images, err := fetch(ctx, wanted)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "netlive-kernels")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for n, k := range wanted {
		if len(images[k.id()].modules()) == 0 {
			wanted[n].Lacks |= lackModules
		}
	}
	built := map[string]binaries{}
	for _, k := range wanted {
		if _, ok := built[k.Arch]; !ok {
			b, err := build(ctx, k.Arch, dir)
			if err != nil {
				return err
			}
			if !*short { // else nothing runs that needs them
				if b.tools, err = fetchTools(ctx, k.Arch); err != nil {
					return err
				}
			}
			built[k.Arch] = b
		}
	}

	if *count {
		costs, err := countCost(ctx, images[costKernel], built["amd64"])
		switch {
		case err != nil:
			return err
		case *write:
			return os.WriteFile(costFile, costText(costs), 0o644)
		}
		return compareCost(costs)
	}

	outcomes := make([]outcome, len(wanted))
	var all sync.WaitGroup
	room := make(chan struct{}, *side)
	for n, k := range wanted {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			var live io.Writer
			if *verbose {
				live = os.Stdout
			}
			o := runOn(ctx, k, images[k.id()], built[k.Arch], live)
			outcomes[n] = o
			fmt.Printf("%-14s %d of %d in %.1f s\n", k.id(), o.passed, o.expected, o.took.Seconds())
			if *logs != "" {
				if err := os.WriteFile(filepath.Join(*logs, k.id()+".log"), []byte(o.console), 0o644); err != nil {
					fmt.Println(err)
				}
			}
			if o.err != nil && !*verbose {
				fmt.Println(o.console)
			}
		})
	}
	all.Wait()
	if runtime.GOARCH == "amd64" && *own {
		o := runHere(ctx, built["amd64"])
		if o.err != nil {
			fmt.Println(o.console)
		}
		outcomes = append(outcomes, o)
	}
	text := table(outcomes)
	fmt.Printf("\n%s\n", text)
	if *write {
		if err := writeTable(text, len(wanted) < len(kernels)); err != nil {
			return err
		}
	}
	var errs []error
	for _, o := range outcomes {
		if o.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.kernel.id(), o.err))
		}
	}
	return errors.Join(errs...)
}

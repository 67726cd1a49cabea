// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netlive/internal/vm"
)

// costKernel is the kernel on which the cost is counted.
const costKernel = "amd64-6.12"

// costFile has what each program cost when that was last agreed to, in instructions a run: those of the program, of what it calls, and of the kernel's
// own look at the clock before and after.
const costFile = "internal/kernels/cost.txt"

// costGrowth is by how much a program may become dearer. Two counts of the same differ by less than a fiftieth, of some by a twelfth.
const costGrowth = 1.10

// costRuns is how often a program has to run for what it costs to be held.
const costRuns = 150

// cost is what one program costs for one way to use it.
type cost struct {
	name string // WAY PROGRAM
	each float64
}

var costLine = regexp.MustCompile(`COST (\S+ \S+) (\d+) ([0-9.]+)`)

// countCost runs the test that prints what programs cost, on a machine on which an instruction takes a nanosecond.
func countCost(ctx context.Context, i image, b binaries) ([]cost, error) {
	of := slices.IndexFunc(suites, func(s suite) bool { return s.pkg == "internal/tracer" })
	s := suites[of]
	m := &vm.Machine{
		Arch: "amd64", Kernel: i.kernel(), Modules: i.modules(), Init: b.file(s), Count: true, NoCX16: true,
		Programs: []vm.Program{{Name: "cost", Dir: "/", Args: []string{"/init", "-test.v", "-test.timeout=10m", "-test.run=^TestCost$"}}},
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	outcomes, console, err := m.Run(ctx)
	if errors.Is(err, vm.ErrNoInit) {
		outcomes, console, err = m.Run(ctx)
	}
	if err != nil || outcomes["cost"].Exit != 0 {
		return nil, fmt.Errorf("count the cost: exit code %d, %w\n%s", outcomes["cost"].Exit, err, console)
	}
	var costs []cost
	for _, line := range costLine.FindAllStringSubmatch(outcomes["cost"].Output, -1) {
		ran, err1 := strconv.Atoi(line[2])
		each, err2 := strconv.ParseFloat(line[3], 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("%s: %w", line[0], err)
		}
		if ran >= costRuns {
			costs = append(costs, cost{line[1], each})
		}
	}
	return costs, nil
}

func costText(costs []cost) []byte {
	var b strings.Builder
	b.WriteString("# Instructions a run of each BPF program on " + costKernel + "; written by: go run ./internal/kernels -cost -write\n")
	for _, c := range costs {
		fmt.Fprintf(&b, "%-40s %.0f\n", c.name, c.each)
	}
	return []byte(b.String())
}

// agreed reads costFile.
func agreed() (map[string]float64, error) {
	text, err := os.ReadFile(filepath.FromSlash(costFile))
	if err != nil {
		return nil, err
	}
	costs := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] == "#" {
			continue
		}
		each, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", costFile, err)
		}
		costs[f[0]+" "+f[1]] = each
	}
	return costs, nil
}

// compareCost prints what has changed, and fails for what has grown.
func compareCost(costs []cost) error {
	before, err := agreed()
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range costs {
		old, ok := before[c.name]
		delete(before, c.name)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s: %.0f instructions, and not in %s", c.name, c.each, costFile))
			continue
		case c.each > old*costGrowth:
			errs = append(errs, fmt.Errorf("%s: %.0f instructions, it was %.0f: more than a tenth dearer", c.name, c.each, old))
		}
		fmt.Printf("%-40s %5.0f instructions, %+.1f %%\n", c.name, c.each, (c.each/old-1)*100)
	}
	for name := range before {
		errs = append(errs, fmt.Errorf("%s is in %s and was not counted", name, costFile))
	}
	if len(errs) > 0 {
		errs = append(errs, errors.New("where that is meant: go run ./internal/kernels -cost -write, and commit "+costFile))
	}
	return errors.Join(errs...)
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"netlive/internal/vm"
)

// suite is the tests of one package that meet the kernel.
type suite struct {
	pkg   string
	tests []test
}

type test struct {
	name string
	// needs is what a kernel may not lack for it to be run.
	needs lack
	// long: it takes minutes, and is left out with -short. slow: it does without a JIT for BPF, and is left out there with -ci.
	long, slow bool
}

// suites are run on each kernel. A test that is not here meets no kernel, compares netlive with a program that the machines do not have (tools.go), or
// loads the programs dozens of times, each of which takes seconds there.
var suites = []suite{
	{"internal/procfallback", []test{
		{name: "TestConformance"}, {name: "TestRealProc"}, {name: "TestHolders"}, {name: "TestScansAgree"}, {name: "TestCountersOfThisKernel"},
		{name: "TestRoutesOfThisKernel"}, {name: "TestInterfacesHere"},
	}},
	{"internal/privilege", []test{{name: "TestAllOfBPF"}, {name: "TestRestrict", needs: lackReply, long: true}, {name: "TestNarrow", needs: lackReply}}},
	{"internal/sockdiag", []test{{name: "TestGet", needs: lackModules}, {name: "TestListener", needs: lackModules}, {name: "TestTimeWait", needs: lackModules}}},
	{"internal/tracer", []test{
		{name: "TestSource", needs: lackTyped}, {name: "TestEveryChangeInOrder", needs: lackTyped}, {name: "TestEveryChangeByClassicHook"}, {name: "TestOneNamespace", needs: lackTyped},
		{name: "TestMinisockets", needs: lackTyped | lackReply}, {name: "TestRequestAndItsConnection", needs: lackTyped}, {name: "TestFamily", needs: lackTyped},
		{name: "TestNewsOfSockets", needs: lackTyped | lackData}, {name: "TestStaleIsTold", needs: lackTyped | lackData}, {name: "TestActive", needs: lackTyped | lackData, long: true},
		{name: "TestSpaces", needs: lackTyped}, {name: "TestLostIsCounted", needs: lackTyped}, {name: "TestSleeperIsWoken", needs: lackTyped},
		{name: "TestTableBesideEvents", needs: lackTyped | lackData | lackReply, long: true}, {name: "TestStormBesideEvents", needs: lackTyped, long: true},
		{name: "TestOverflowWithoutDrops", needs: lackTyped | lackData}, {name: "TestManyUnixSockets", needs: lackTyped, slow: true}, {name: "TestWhy", needs: lackTyped | lackData | lackReply, long: true},
		{name: "TestKernelFilterClassic"}, {name: "TestTry", needs: lackTyped | lackData, slow: true},
	}},
	{"cmd/netlive", []test{
		{name: "TestHandoverByOneWalk", needs: lackTyped, slow: true}, {name: "TestLossIsHealed", needs: lackTyped | lackReply},
		{name: "TestTraceCountsLosses", needs: lackTyped, slow: true},
		{name: "TestJSONOfBothSources", needs: lackTyped}, {name: "TestTraceOutcomes", needs: lackTyped | lackReply | lackModules, long: true}, {name: "TestGolden", needs: lackTyped | lackReply | lackModules, long: true},
	}},
}

// choose leaves of the suites the tests that match.
func choose(pattern string) error {
	which, err := regexp.Compile(pattern)
	for i := range suites {
		suites[i].tests = slices.DeleteFunc(suites[i].tests, func(t test) bool { return err == nil && !which.MatchString(t.name) })
	}
	return err
}

// on is the tests that this kernel is held to.
func (s suite) on(k kernel) (names []string) {
	for _, t := range s.tests {
		if t.needs&k.Lacks == 0 && !(t.long && k.short) && !(t.slow && k.quick && k.Arch == "s390x") {
			names = append(names, t.name)
		}
	}
	return names
}

// name is what the suite's program is called in the machine.
func (s suite) name() string { return strings.ReplaceAll(s.pkg, "/", "-") }

// binaries are the tests of one architecture as programs, and what Debian has for it of what they run; empty is nothing.
type binaries struct{ dir, tools string }

func (b binaries) file(s suite) string { return filepath.Join(b.dir, s.name()) }

// build compiles the tests.
func build(ctx context.Context, arch, dir string) (binaries, error) {
	b := binaries{dir: filepath.Join(dir, arch)}
	for _, s := range suites {
		c := exec.CommandContext(ctx, "go", "test", "-c", "-ldflags=-s -w", "-o", b.file(s), "./"+s.pkg)
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if out, err := c.CombinedOutput(); err != nil {
			return b, fmt.Errorf("build the tests of %s for %s: %w\n%s", s.pkg, arch, err, out)
		}
	}
	return b, nil
}

// machine is what runs the suites on a kernel, and netlive doctor.
func machine(k kernel, i image, b binaries) *vm.Machine {
	m := &vm.Machine{Arch: k.Arch, Kernel: i.kernel(), Modules: i.modules(), NoCX16: k.NoCX16, Files: map[string]string{}}
	if b.tools != "" {
		m.Files["/"] = b.tools
		m.MiB = 3072 // the sequences copy their programs, each under its player's name
	}
	for _, s := range suites {
		names := s.on(k)
		path := "/" + s.name() + "/test"
		m.Files[path] = b.file(s)
		if data := filepath.Join(s.pkg, "testdata"); isDir(data) && s.pkg != "cmd/netlive" {
			m.Files["/"+s.name()+"/testdata"] = data
		}
		if s.pkg == "cmd/netlive" {
			m.Init = b.file(s)
			m.Files["/bin/netlive"] = b.file(s) // called so it is netlive: TestMain
			m.Programs = append(m.Programs, vm.Program{Name: doctorName, Dir: "/", Args: []string{"/bin/netlive", "doctor", "--json"}})
		}
		if len(names) > 0 {
			m.Programs = append(m.Programs, vm.Program{
				Name: s.name(), Dir: "/" + s.name(),
				Args: []string{path, "-test.v", "-test.timeout=40m", "-test.run=^(" + strings.Join(names, "|") + ")$"},
			})
		}
	}
	return m
}

const doctorName = "doctor"

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

var verdict = regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\S+)`)

// check holds what came of a suite against what was to come: each of its tests has passed, and none was skipped.
func (s suite) check(k kernel, o vm.Outcome) (passed int, err error) {
	verdicts := map[string]string{}
	for _, m := range verdict.FindAllStringSubmatch(o.Output, -1) {
		verdicts[m[2]] = m[1]
	}
	var errs []error
	for _, name := range s.on(k) {
		switch verdicts[name] {
		case "PASS":
			passed++
		case "":
			errs = append(errs, fmt.Errorf("%s: %s: no word of it", s.pkg, name))
		default:
			errs = append(errs, fmt.Errorf("%s: %s: %s", s.pkg, name, verdicts[name]))
		}
	}
	if o.Exit != 0 {
		errs = append(errs, fmt.Errorf("%s: exit code %d", s.pkg, o.Exit))
	}
	return passed, errors.Join(errs...)
}

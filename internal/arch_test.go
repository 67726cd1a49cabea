// SPDX-License-Identifier: GPL-2.0-or-later

// Package internal holds no code: its test holds the policy of the tree.
package internal

import (
	"bufio"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "netlive"

// imports says which of our packages each may import, besides those of the
// standard library. It is the architecture: a package without a line fails, and a new
// line, or a longer one, wants a reason.
var imports = map[string][]string{
	// The vocabularies: values only.
	"internal/sock":   {},
	"internal/route":  {},
	"internal/iface":  {},
	"internal/mib":    {},
	"internal/masq":   {},
	"internal/legacy": {},

	// The words.
	"internal/near": {},
	"internal/lang": {},

	// What is asked for.
	"internal/options": {"internal/sock", "internal/filter"}, // a filter is a part of the command line
	"internal/filter":  {"internal/sock", "internal/near"},

	// Where sockets belong.
	"internal/netns":  {"internal/crash"},
	"internal/cgroup": {},

	// What is known of processes, and what users have set.
	"internal/process": {},
	"internal/config":  {"internal/near"},

	// The sources. They cannot be told apart by what follows them, so they never meet.
	"internal/tracer":       {"internal/sock", "internal/filter", "internal/cgroup", "internal/ktime", "internal/crash"}, // the kernel's part of a filter; some programs are attached to the root of cgroup v2
	"internal/procfallback": {"internal/sock", "internal/route", "internal/iface", "internal/mib", "internal/masq", "internal/legacy", "internal/ktime"},
	"internal/sockdiag":     {"internal/sock"}, // of single sockets what only it tells: it is no source of tables
	"internal/rtnl":         {},                // it says when, not what: procfallback reads that

	// The path from socket to screen; each knows those before it.
	"internal/table":   {"internal/sock"},
	"internal/view":    {"internal/sock", "internal/table"},
	"internal/history": {"internal/sock", "internal/table"},
	"internal/resolve": {"internal/sock", "internal/crash"},
	"internal/render":  {"internal/sock", "internal/route", "internal/iface", "internal/mib", "internal/masq", "internal/legacy", "internal/view"},
	"internal/summary": {"internal/sock"},
	"internal/live":    {"internal/sock", "internal/table", "internal/view", "internal/render", "internal/options", "internal/crash"},
	"internal/meter":   {"internal/sock", "internal/sockdiag"},
	"internal/screen":  {"internal/sock", "internal/table", "internal/view", "internal/render", "internal/live", "internal/history", "internal/meter", "internal/sockdiag", "internal/crash"},

	// What of all this there is here, and why the rest is not. It tries out what the verbs use.
	"internal/doctor": {"internal/sock", "internal/tracer", "internal/sockdiag", "internal/rtnl", "internal/privilege", "internal/render"}, // of render, how strangers' words are escaped

	// What this process may do.
	"internal/privilege": {},

	// What all goroutines do, and all clocks.
	"internal/crash": {},
	"internal/ktime": {"internal/sock"},

	// For tests only; nothing that is shipped imports these.
	"internal":               {},
	"internal/vm":            {},
	"internal/kernels":       {"internal/vm", "internal/doctor"}, // a program: the matrix of kernels, with what the doctor says on each
	"internal/kerneltest":    {"internal/vm"},                    // a test's own binary is the init of other kernels
	"internal/sock/socktest": {"internal/sock", "internal/kerneltest"},

	"cmd/netlive": {anything},
}

// anything stands for all of our packages but those for tests.
const anything = "*"

var testOnly = []string{"internal/kerneltest", "internal/sock/socktest", "internal/vm", "internal/kernels"}

// modules says who alone may import a module that is not ours. Others are free
// for all: that they are in go.mod was the decision.
var modules = map[string][]string{
	"github.com/cilium/ebpf": {"internal/tracer"},
	"github.com/spf13/cobra": {"cmd/netlive"},
	"github.com/spf13/pflag": {"cmd/netlive"},
	"charm.land":             {"internal/screen"},

	"github.com/mdlayher/netlink":       {"internal/rtnl", "internal/sockdiag"},
	"github.com/pelletier/go-toml":      {"internal/config"},
	"github.com/leonelquinteros/gotext": {"internal/lang"},
	"github.com/HdrHistogram":           {"internal/summary"},
	"golang.org/x/text":                 {"internal/lang"},

	"kernel.org/pub/linux/libs/security/libcap": {"internal/privilege"},
	"github.com/landlock-lsm":                   {"internal/privilege"},
}

func TestImports(t *testing.T) {
	for pkg, imported := range listImports(t) {
		allowed, ok := imports[pkg]
		if !ok {
			t.Errorf("%s has no line in the table of imports", pkg)
			continue
		}
		for _, path := range imported {
			if why := forbidden(pkg, path, allowed); why != "" {
				t.Errorf("%s imports %s: %s", pkg, path, why)
			}
		}
	}
}

// The table itself must not have what it is there to keep out.
func TestImportTable(t *testing.T) {
	for pkg, allowed := range imports {
		for _, a := range allowed {
			if _, ok := imports[a]; !ok && a != anything {
				t.Errorf("%s may import %s, which has no line", pkg, a)
			}
			if slices.Contains(testOnly, a) && !slices.Contains(testOnly, pkg) {
				t.Errorf("%s may import %s, which is for tests", pkg, a)
			}
		}
	}
	for _, c := range []struct {
		pkg, path string
		ok        bool
	}{
		{"internal/view", "netlive/internal/table", true},
		{"internal/table", "netlive/internal/view", false},
		{"internal/sock", "net/netip", true},
		{"internal/tracer", "github.com/cilium/ebpf/link", true},
		{"internal/live", "github.com/cilium/ebpf/link", false},
		{"internal/live", "github.com/cilium/ebpfother", true},
		{"internal/screen", "charm.land/bubbletea/v2", true},
		{"internal/render", "charm.land/lipgloss/v2", false},
		{"cmd/netlive", "netlive/internal/tracer", true},
		{"cmd/netlive", "netlive/internal/kerneltest", false},
		{"cmd/netlive", "github.com/spf13/cobra", true},
		{"internal/options", "github.com/spf13/cobra", false},
	} {
		if why := forbidden(c.pkg, c.path, imports[c.pkg]); (why == "") != c.ok {
			t.Errorf("%s importing %s: %q", c.pkg, c.path, why)
		}
	}
}

// forbidden says why pkg may not import path; empty when it may.
func forbidden(pkg, path string, allowed []string) string {
	if ours, ok := strings.CutPrefix(path, module+"/"); ok {
		switch {
		case slices.Contains(allowed, ours):
			return ""
		case slices.Contains(testOnly, ours):
			return "that is for tests"
		case slices.Contains(allowed, anything):
			return ""
		}
		return "not in its line of the table of imports"
	}
	for m, who := range modules {
		if (path == m || strings.HasPrefix(path, m+"/")) && !slices.Contains(who, pkg) {
			return "only " + strings.Join(who, ", ") + " may"
		}
	}
	return ""
}

// listImports returns what each package of the module imports, without its tests.
func listImports(t *testing.T) map[string][]string {
	t.Helper()
	// -e: a package that does not compile is another test's business.
	cmd := exec.Command("go", "list", "-e", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	m := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		m[strings.TrimPrefix(f[0], module+"/")] = f[1:]
	}
	if len(m) < 2 {
		t.Fatalf("go list found %d packages", len(m))
	}
	return m
}

// Every source file says under which licence it is, within its first three lines.
func TestLicenceLines(t *testing.T) {
	const spdx = "SPDX-License-Identifier: GPL-2.0-or-later"
	n := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci":
			return fs.SkipDir
		case !d.Type().IsRegular() || !slices.Contains([]string{".go", ".c", ".h", ".sh"}, filepath.Ext(path)):
			return nil
		case strings.HasSuffix(path, "_bpfel.go") || strings.HasSuffix(path, "_bpfeb.go"): // generated
			return nil
		}
		n++
		head, err := firstLines(path, 3)
		if err == nil && !strings.Contains(head, spdx) {
			t.Errorf("%s: no %q", path, spdx)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Error("no source files found")
	}
}

func firstLines(path string, n int) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var b strings.Builder
	s := bufio.NewScanner(f)
	for ; n > 0 && s.Scan(); n-- {
		b.WriteString(s.Text() + "\n")
	}
	return b.String(), s.Err()
}

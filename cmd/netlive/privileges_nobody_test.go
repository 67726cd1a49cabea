// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"netlive/internal/kerneltest"
)

// capabilitySets are those whose effect docs/capabilities.md tells, for nobody but the last.
var capabilitySets = []string{
	"", "sys_ptrace,dac_read_search", "bpf,perfmon", "bpf,perfmon,net_admin", "bpf,perfmon,syslog", "bpf,perfmon,sys_ptrace,dac_read_search",
	"bpf,perfmon,sys_ptrace,sys_admin", "root",
}

// The table of verbs and capabilities in the documentation is what happens: as nobody with just those.
func TestCapabilityTable(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns, other := kerneltest.NetNS(t), kerneltest.NetNS(t)
	ready(t, start(t, ns, "tenant", "still"), "")
	away := ready(t, start(t, other, "tenant", "still"), "")
	program, err := publicCopy(t, "netlive")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/capabilities.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]string, len(capabilitySets))
	var all sync.WaitGroup
	for i, caps := range capabilitySets {
		n := nobodys{t: t, ns: ns, program: program, caps: caps}
		all.Go(func() { rows[i] = n.row(away) })
	}
	all.Wait()
	for _, row := range rows {
		if !bytes.Contains(text, []byte("\n"+row+"\n")) {
			t.Errorf("docs/capabilities.md lacks\n%s", row)
		}
	}
}

// nobodys is netlive with some capabilities.
type nobodys struct {
	t       *testing.T
	ns      *kerneltest.NS
	program string
	caps    string
}

// run runs it to its end.
func (n *nobodys) run(args ...string) (code int, out, errs []byte) {
	n.t.Helper()
	command := append([]string{n.program}, args...)
	if n.caps != "root" {
		command = append(asNobody(n.caps), command...)
	}
	p := start(n.t, n.ns, command[0], command[1:]...)
	_ = p.stdin.Close()
	return p.wait()
}

// refused is the cell of what exits with a code: one that is refused says how it would be granted.
func (n *nobodys) refused(code int, errs []byte, caps ...string) string {
	n.t.Helper()
	switch code {
	case exitOK:
		return "yes"
	case exitPermission:
	default:
		n.t.Errorf("%s: exit code %d, %s", n.caps, code, errs)
	}
	for _, c := range caps {
		if !bytes.Contains(errs, []byte(c)) {
			n.t.Errorf("%s: no %s in %s", n.caps, c, errs)
		}
	}
	return "refused"
}

// owners is whether an owner of another user is among the rows.
func (n *nobodys) owners(rows []placedJSON) string {
	listens := slices.IndexFunc(rows, func(r placedJSON) bool { return r.LocalPort == tenantTCP && r.State == "LISTEN" })
	switch {
	case listens < 0:
		n.t.Errorf("%s: no listener in %v", n.caps, rows)
		return ""
	case len(rows[listens].Owners) > 0:
		return "all"
	}
	return "own"
}

// row is that of the table.
func (n *nobodys) row(away *place) string {
	n.t.Helper()
	name := "none"
	if n.caps == "root" {
		name = "root"
	} else if n.caps != "" {
		name = "`" + strings.ReplaceAll(strings.ToUpper(n.caps), ",", "` `") + "`"
	}
	cells := []string{name}

	_, out, _ := n.run("-tanp", "--json")
	var rows []placedJSON
	if err := json.Unmarshal(out, &rows); err != nil {
		n.t.Errorf("%s: %v: %s", n.caps, err, out)
	}
	cells = append(cells, n.owners(rows))

	code, _, errs := n.run("-tan", "--netns", fmt.Sprint(away.tenant.Process.Pid))
	cells = append(cells, n.refused(code, errs, "sudo setcap", "cap_sys_admin", "cap_sys_ptrace"))

	_, out, _ = n.run("watch", "-tanp", "--json", "--count", "1")
	var frame placedFrame
	if err := json.Unmarshal(out, &frame); err != nil {
		n.t.Errorf("%s: %v: %s", n.caps, err, out)
	}
	cells = append(cells, map[string]string{"ebpf": "events", "procfs": "polls"}[frame.Source], n.owners(frame.Sockets))

	code, out, errs = n.run("trace", "--stack", "--json", "--event", "open,close", "--", "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d", tenantTCP))
	cells = append(cells, n.refused(code, errs, "sudo setcap", "cap_bpf", "cap_perfmon"))
	told := errs // the command has the other for itself
	switch {
	case code != exitOK:
		cells = append(cells, "-")
	case !bytes.Contains(told, []byte(`"event":"open"`)) || !bytes.Contains(told, []byte(`"stack":["`)):
		n.t.Errorf("%s: it told %s %s", n.caps, out, told)
	case bytes.Contains(told, []byte(`__sys_connect+0x`)):
		cells = append(cells, "functions")
	default:
		cells = append(cells, "addresses")
	}

	code, _, errs = n.run("trace", "--event", "bind", "--", "true")
	cells = append(cells, n.refused(code, errs))
	return "| " + strings.Join(cells, " | ") + " |"
}

// On a screen what may not be done says so, and is done with the capability for it.
func TestActionsOfNobody(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	program, err := publicCopy(t, "netlive")
	if err != nil {
		t.Fatal(err)
	}
	for caps, want := range map[string][2]string{
		"bpf,perfmon":                {"operation not permitted", "operation not permitted"},
		"bpf,perfmon,kill,net_admin": {"SIGTERM was sent to ", "closed 127.0.0.1:"},
	} {
		t.Run(caps, func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			child := start(t, ns, "listener", "7777")
			ready(t, child, "")
			_, l := listen(t, ns)
			p := connect(t, ns, l)
			term := newTerminal(t, ns, 140, 30, strings.Join(append(asNobody(caps), program, "watch", "-tan"), " "),
				append(configure(t, slowly).env, "XDG_CONFIG_HOME=/nonexistent")...)
			term.await("ebpf", "LISTEN 2", "ESTABLISHED 2")
			pid := fmt.Sprint(child.Process.Pid)
			term.toRow(":7777")
			term.press("K")
			term.await("Type " + pid)
			term.typed(pid)
			term.press("Enter")
			term.await(want[0])
			term.toRow(p.from())
			term.press("X")
			term.await("Type close:")
			term.typed("close")
			term.press("Enter")
			term.await(want[1])
			term.quit()
		})
	}
}

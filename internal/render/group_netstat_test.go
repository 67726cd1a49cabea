// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/procfallback"
)

// mountNames puts the names into /etc, for this thread and what it starts. Nothing is asked of a network.
func mountNames(t *testing.T) {
	t.Helper()
	etc := t.TempDir()
	var hosts, services strings.Builder
	for addr, name := range someHosts {
		fmt.Fprintln(&hosts, addr, name)
	}
	for port, name := range someServices {
		fmt.Fprintln(&services, name, port)
	}
	for name, text := range map[string]string{"hosts": hosts.String(), "services": services.String(),
		"networks": "", "nsswitch.conf": "hosts: files\nnetworks: files\nservices: files\n"} {
		write(t, filepath.Join(etc, name), text)
		if err := unix.Mount(filepath.Join(etc, name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			t.Fatalf("mount on /etc/%s: %v", name, err)
		}
	}
}

// asGroups and asMasquerade are what a command asks for.
func asGroups(args []string) *Groups {
	v4, v6 := strings.Contains(args[0], "4"), strings.Contains(args[0], "6")
	return &Groups{IPv4: v4 || !v6, IPv6: v6 || !v4, Unnamed: (v4 || v6) && !strings.Contains(args[0], "t"), Names: namesOf(strings.Join(args, " "))}
}

func asMasquerade(args []string) *Masquerade {
	return &Masquerade{Extend: strings.Count(args[0], "e"), Names: namesOf(strings.Join(args, " "))}
}

func namesOf(command string) someNames {
	short, _, _ := strings.Cut(command, " ")
	n := strings.Contains(short, "n")
	return someNames{hosts: !n && !strings.Contains(command, "numeric-hosts"), ports: !n && !strings.Contains(command, "numeric-ports")}
}

// sayGroups is what netstat prints for a command with -g if there are no sockets.
func sayGroups(t *testing.T, args []string, dir string) said {
	t.Helper()
	g := asGroups(args)
	var out []byte
	if strings.ContainsAny(args[0], "46t") {
		out = (&Table{}).InetHeader(nil)
	}
	out, errs, code, err := g.Append(t.Context(), out, nil, procfallback.New(os.DirFS(dir)))
	if err != nil {
		t.Fatal(err)
	}
	return said{string(out), string(errs), code}
}

func sayMasquerade(t *testing.T, args []string, dir string) said {
	t.Helper()
	out, errs, code, err := asMasquerade(args).Append(t.Context(), nil, nil, procfallback.New(os.DirFS(dir)))
	if err != nil {
		t.Fatal(err)
	}
	return said{string(out), string(errs), code}
}

var (
	groupCommands = [][]string{{"-g"}, {"-gn"}, {"-gn4"}, {"-gn6"}, {"-gnv"}, {"-gnlaep"}, {"-gn46"}, {"-gnv4"}, {"-gnt"}, {"-gnt6"},
		{"-g", "--numeric-hosts"}, {"-g", "--numeric-ports"}}
	masqueradeCommands = [][]string{{"-M"}, {"-Mn"}, {"-Me"}, {"-Mne"}, {"-Mnee"}, {"-M", "--numeric-hosts"}, {"-M", "--numeric-ports"}}
)

// like compares what netstat and we say of a tree.
func like(t *testing.T, name string, commands [][]string, say func(*testing.T, []string, string) said, dir string) {
	t.Helper()
	for _, args := range commands {
		want, got := askNetstat(t, args...), say(t, args, dir)
		if got != want {
			t.Errorf("%s, netstat %v, exit code %d and %d, stderr\n%q\n%q\nfirst difference:\n%s",
				name, args, want.code, got.code, want.errs, got.errs, firstDifference(want.out, got.out))
		}
	}
}

// netstat itself says what we say of the same files.
func TestGroupsAndMasqueradeLikeNetstat(t *testing.T) {
	dir := t.TempDir()
	hideProc(t, dir)
	mountNames(t)
	const tcp = "net/tcp" // which -t wants
	for name, tree := range groupTrees {
		replaceTree(t, dir, tree)
		write(t, filepath.Join(dir, tcp), "")
		like(t, name, groupCommands, sayGroups, dir)
	}
	for name, text := range masqueradeFiles {
		replaceTree(t, dir, map[string]string{"net/ip_masquerade": text})
		like(t, name, masqueradeCommands, sayMasquerade, dir)
	}
	replaceTree(t, dir, nil)
	like(t, "no file", masqueradeCommands, sayMasquerade, dir)
	g := newGroupGenerator(1)
	for round := range 200 {
		name, tree := fmt.Sprint("round ", round), g.tree()
		tree["net/ip_masquerade"] = g.masquerade()
		replaceTree(t, dir, tree)
		write(t, filepath.Join(dir, tcp), "")
		like(t, name, groupCommands[:2+round%2], sayGroups, dir)
		like(t, name, masqueradeCommands[round%len(masqueradeCommands):][:1], sayMasquerade, dir)
		like(t, name, masqueradeCommands[2:3], sayMasquerade, dir)
		if t.Failed() {
			t.Fatalf("and so on; the files were\n%q", tree)
		}
	}
}

// Nothing, a link that leads nowhere, a directory: open and read fail.
func TestGroupsAndMasqueradeLikeNetstatWhenFilesFail(t *testing.T) {
	dir := t.TempDir()
	hideProc(t, dir)
	mountNames(t)
	for _, bad := range []string{"missing", "loop", "directory"} {
		for _, file := range []string{"net/igmp", "net/igmp6", "net/ip_masquerade"} {
			replaceTree(t, dir, groupTrees["kernel"])
			write(t, filepath.Join(dir, "net/ip_masquerade"), masqueradeFiles["both"])
			write(t, filepath.Join(dir, "net/tcp"), "")
			path := filepath.Join(dir, file)
			err := os.Remove(path)
			switch bad {
			case "loop":
				err = errors.Join(err, os.Symlink(filepath.Base(path), path))
			case "directory":
				err = errors.Join(err, os.Mkdir(path, 0o755))
			}
			if err != nil {
				t.Fatal(err)
			}
			like(t, bad+" "+file, [][]string{{"-Mn"}}, sayMasquerade, dir)
			if file == "net/ip_masquerade" || bad != "directory" { // of groups netstat would read one for ever
				like(t, bad+" "+file, groupCommands, sayGroups, dir)
			}
		}
	}
}

// replaceTree makes dir hold the files of tree alone.
func replaceTree(t *testing.T, dir string, tree map[string]string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, "net")); err != nil {
		t.Fatal(err)
	}
	for file, text := range tree {
		write(t, filepath.Join(dir, file), groupFile(text))
	}
}

// From its second pass on netstat -gc errs, and with Strict so do we, byte for byte.
func TestGroupsErrLikeNetstat(t *testing.T) {
	hideProc(t, t.TempDir())
	g := newGroupGenerator(2)
	g.whole = true
	var runs []*continuousRun
	for i := range 40 {
		dir, tree := t.TempDir(), g.tree()
		if i == 0 {
			tree = groupTrees["kernel"]
		}
		replaceTree(t, dir, tree)
		if err := unix.Mount(dir, "/proc", "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		// They all run at once, each in a namespace that is a copy of ours as it is now.
		runs = append(runs, startContinuous(t, dir))
		if err := unix.Unmount("/proc", unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range runs {
		r.check(t)
	}
}

// continuousRun is a netstat -gnc, and what we say of the same files.
type continuousRun struct {
	out, errs []byte // ours
	cmd       *exec.Cmd
	pipe      io.Reader
	said      bytes.Buffer
}

func startContinuous(t *testing.T, dir string) *continuousRun {
	t.Helper()
	const passes = 3
	r := &continuousRun{}
	strict := Groups{IPv4: true, IPv6: true, Names: someNames{}, Strict: true}
	src := procfallback.New(os.DirFS(dir))
	code := 0 // any other is the last pass's
	for pass := 0; pass < passes && code == 0; pass++ {
		var err error
		if r.out, r.errs, code, err = strict.Append(t.Context(), r.out, r.errs, src); err != nil {
			t.Fatal(err)
		}
	}
	r.cmd = exec.CommandContext(t.Context(), "netstat", "-gnc")
	r.cmd.Env = []string{"LC_ALL=C"}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	r.cmd.Stderr = &r.said
	pipe, err := r.cmd.StdoutPipe()
	if err := errors.Join(err, r.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	r.pipe = pipe
	return r
}

// check ends the run: it would go on for ever, so there is as much as we want.
func (r *continuousRun) check(t *testing.T) {
	t.Helper()
	out := make([]byte, len(r.out))
	_, err := io.ReadFull(r.pipe, out)
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // killed
	if err != nil || !bytes.Equal(out, r.out) || !bytes.HasPrefix(r.said.Bytes(), r.errs) {
		t.Errorf("netstat -gnc: %v, stderr\n%q\n%q\nfirst difference:\n%s", err, r.said.Bytes(), r.errs, firstDifference(string(out), string(r.out)))
	}
}

// On the real files of a namespace.
func TestGroupsLikeNetstatOnThisKernel(t *testing.T) {
	ns := kerneltest.NetNS(t)
	ns.Do(func() { startContinuous(t, "/proc").check(t) }) // lo alone, which has no timers
	ns.Do(func() {
		runIP(t, "link add abcdefghijklmno type veth peer name v1\nlink set abcdefghijklmno up\nlink set v1 up\n"+
			"addr add 239.1.2.30/32 dev v1 autojoin\naddr add 239.255.255.250/32 dev abcdefghijklmno autojoin\n")
	})
	ns.Do(func() {
		for _, command := range []string{"-gn", "-gnt6"} {
			for attempt := range 20 {
				before := askNetstat(t, command)
				if got := sayGroups(t, []string{command}, "/proc"); got == before || got == askNetstat(t, command) {
					if strings.Count(got.out, "\n") < 8 || strings.Count(got.out, "abcdefghijklmno ") < 2 || got.errs != "" {
						t.Errorf("%+v", got)
					}
					break
				} else if attempt == 19 {
					t.Errorf("netstat %s: %+v\nwe: %+v", command, before, got)
				}
			}
		}
	})
}

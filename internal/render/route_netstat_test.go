// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/procfallback"
)

// netstat itself says what we say of the same trees.
func TestRoutesLikeNetstat(t *testing.T) {
	dir, etc := t.TempDir(), t.TempDir()
	hideProc(t, dir)
	for name, table := range map[string]map[string]string{"hosts": routeHosts, "networks": routeNetworks} {
		var b strings.Builder
		for addr, word := range table {
			if name == "hosts" {
				fmt.Fprintln(&b, addr, word)
			} else {
				fmt.Fprintln(&b, word, addr)
			}
		}
		write(t, filepath.Join(etc, name), b.String())
	}
	write(t, filepath.Join(etc, "nsswitch.conf"), "hosts: files\nnetworks: files\n")
	for _, name := range []string{"hosts", "networks", "nsswitch.conf"} {
		if _, err := os.Stat("/etc/" + name); err != nil {
			t.Skipf("needs a file to mount another on: %v", err)
		}
		if err := unix.Mount(filepath.Join(etc, name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			t.Fatalf("mount on /etc/%s: %v", name, err)
		}
	}
	for name, tree := range routeTrees {
		if err := os.RemoveAll(filepath.Join(dir, "net")); err != nil {
			t.Fatal(err)
		}
		for file, text := range tree {
			write(t, filepath.Join(dir, file), routeFile(text))
		}
		for _, command := range routeCommands {
			r, args := asRoutes(command)
			if name == "cache of no format" && strings.Contains(args[0], "C") && r.Extend%4 != 2 && r.Extend%4 != 3 {
				// netstat goes on with a format from where its stack happens to have one.
				continue
			}
			want, got := askNetstat(t, args...), sayRoutes(t, &r, procfallback.New(os.DirFS(dir)))
			if got != want {
				t.Errorf("%s, netstat %v, exit code %d and %d, stderr %q and %q, first difference:\n%s",
					name, args, want.code, got.code, want.errs, got.errs, firstDifference(want.out, got.out))
			}
		}
	}
	testRoutesWhenFilesFail(t, dir)
}

// testRoutesWhenFilesFail has, in the place of files, directories and links that lead nowhere: read and open fail.
func testRoutesWhenFilesFail(t *testing.T, dir string) {
	for _, command := range []string{"-rn", "-rnee", "-rnC", "-6rn", "-6rnC", "-46rn", "-r,ax25", "-r,netrom", "-r,rose", "-r,x25", "-r,ipx"} {
		for _, bad := range []string{"directory", "loop"} {
			if err := os.RemoveAll(filepath.Join(dir, "net")); err != nil {
				t.Fatal(err)
			}
			for file := range routeTrees["full"] {
				path := filepath.Join(dir, file)
				if bad == "directory" {
					write(t, filepath.Join(path, "file"), "")
					continue
				}
				err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(filepath.Base(path), path))
				if err != nil {
					t.Fatal(err)
				}
			}
			r, args := asRoutes(command)
			if bad == "loop" && (args[len(args)-1] == "x25" || args[len(args)-1] == "ipx") {
				continue // netstat tries the second name whatever ails the first, and has its reason
			}
			want, got := askNetstat(t, args...), sayRoutes(t, &r, procfallback.New(os.DirFS(dir)))
			if got != want {
				t.Errorf("%s, netstat %v:\n%+v\nwe:\n%+v", bad, args, want, got)
			}
		}
	}
}

// manyRoutes has one of each kind that ip(8) makes.
const manyRoutes = `link add v0 type veth peer name v1
link set lo up
link set v0 up
link set v1 up
addr add 10.1.0.1/24 dev v0
addr add 2001:db8:1::1/64 dev v0 nodad
route add default via 10.1.0.254
route add default dev v0 metric 5
route add 10.3.0.0/16 via 10.1.0.2 metric 4294967295
route add blackhole 10.97.0.1
route add blackhole 10.96.0.0/16 metric 7
route add unreachable 10.95.0.0/16
route add prohibit 10.94.0.3 metric 20
route add throw 10.93.0.0/16
route add 10.92.0.0/16 nexthop via 10.1.0.3 weight 1 nexthop via 10.1.0.4 weight 2
route add 10.91.0.0/16 via 10.1.0.5 mtu 1400 window 5000 rtt 300ms metric 50 advmss 1200
route add 10.90.0.7/32 dev v0
route add 10.89.0.1 via 10.1.0.9 dev v0 onlink
route add 0.0.0.0/1 dev v0
route add 10.88.0.0/16 dev v0 window 4294967295
route add 10.87.0.0/16 via inet6 fe80::1 dev v0
route add local 10.86.0.1 dev lo table main
route add multicast 239.0.0.0/8 dev v0
route add default via 2001:db8:1::fe metric 77
route add blackhole 2001:db8:97::/48
route add unreachable 2001:db8:96::/48
route add prohibit 2001:db8:95::/48
route add throw 2001:db8:94::/48
route add 2001:db8:93::/48 nexthop via 2001:db8:1::3 nexthop via 2001:db8:1::4
route add 2001:db8:1111:2222:3333:4444:5555:6666/128 via fe80::1234:5678:9abc:def0 dev v0
route add 2001:db8:92::/48 via 2001:db8:1::9 mtu 1300 metric 4294967295
route add 2001:db8:91::5 dev v0 expires 500
route add ::ffff:10.0.0.0/104 dev v0
route add ::1.2.3.4 dev v0
route add ::/1 dev v0
route add local 2001:db8:90::1 dev lo
route add anycast 2001:db8:89::1 dev v0
`

// runIP runs the lines of commands with ip(8), from the calling thread. A kernel without a kind of route does without.
func runIP(t *testing.T, commands string) {
	t.Helper()
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Fatal("needs ip: make test-deps installs it")
	}
	cmd := exec.Command(ip, "-force", "-batch", "-")
	cmd.Stdin = strings.NewReader(commands)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("ip: %v\n%s", err, out)
	}
}

// On the real files of a namespace with routes of each kind.
func TestRoutesLikeNetstatOnThisKernel(t *testing.T) {
	ns := kerneltest.NetNS(t)
	ns.Do(func() { runIP(t, manyRoutes) })
	ns.Do(func() {
		for _, command := range routeCommands {
			if !strings.Contains(command, "n") || strings.Contains(command, "netrom") {
				continue // names would be asked of whatever serves this machine
			}
			r, args := asRoutes(command)
			// Reference counts and new addresses settle for a moment.
			for attempt := range 20 {
				before, got := askNetstat(t, args...), sayRoutes(t, &r, procfallback.New(os.DirFS("/proc")))
				if got == before || got == askNetstat(t, args...) {
					if len(r.Warnings) > 0 {
						t.Errorf("%v: %v", args, r.Warnings)
					}
					break
				}
				if attempt == 19 {
					t.Errorf("netstat %v, exit code %d and %d, stderr %q and %q, first difference:\n%s",
						args, before.code, got.code, before.errs, got.errs, firstDifference(before.out, got.out))
				}
			}
		}
		r, _ := asRoutes("-46rn")
		if s := sayRoutes(t, &r, procfallback.New(os.DirFS("/proc"))); strings.Count(s.out, "\n") < strings.Count(manyRoutes, "route add")-2 {
			t.Errorf("few routes:\n%s", s.out)
		}
	})
}

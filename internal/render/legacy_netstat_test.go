// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/legacy"
	"netlive/internal/procfallback"
)

var legacyOptions = map[string]legacy.Family{
	"--ipx": legacy.IPX, "--ax25": legacy.AX25, "--x25": legacy.X25, "--netrom": legacy.NetROM, "--rose": legacy.ROSE,
}

// legacyCommands are options of netstat's. Without one of a family they are for all of these.
var legacyCommands = []string{
	"--ipx", "--ipx -e", "--ipx -ee -n", "--ipx -ae --numeric-users", "--ipx -l", "--ipx -aopW --numeric-ports --numeric-hosts", "--ax25",
	"--ax25 -a", "--ax25 -le", "--ax25 -n", "--x25", "--x25 -a", "--x25 -la", "--x25 -l", "--x25 -en", "--netrom", "--netrom -a",
	"--netrom -l", "--netrom -en", "--rose", "--rose -ae", "--rose -l", "--rose -n", "", "-a", "-le", "-een", "-e --numeric-users",
}

// legacyUsers are all the users that netstat is to know.
var legacyUsers = fakeNames{users: map[uint32]string{0: "root", 33: "www-data", 1000: "a-rather-long-name"}}

// asLegacy is what a command asks us for, and all that it asks netstat for.
func asLegacy(command string) (l Legacy, families []legacy.Family, args []string) {
	l = Legacy{Names: legacyUsers, Strict: true}
	args = strings.Fields(command)
	for _, arg := range args {
		if f, ok := legacyOptions[arg]; ok {
			families = append(families, f)
			continue
		}
		if arg == "--numeric-users" || !strings.HasPrefix(arg, "--") && strings.Contains(arg, "n") {
			l.Names = Numeric{}
		}
		if !strings.HasPrefix(arg, "--") {
			l.All = l.All || strings.Contains(arg, "a")
			l.Extend += strings.Count(arg, "e")
		}
	}
	if families == nil {
		for f := legacy.IPX; f <= legacy.ROSE; f++ {
			families = append(families, f)
			args = append(args, "--"+f.String())
		}
	}
	return l, families, args
}

// hideLegacyProc has dir for /proc, and legacyUsers for the users.
func hideLegacyProc(t *testing.T, dir string) {
	t.Helper()
	etc := t.TempDir()
	hideProc(t, dir)
	var passwd strings.Builder
	for uid, name := range legacyUsers.users {
		fmt.Fprintf(&passwd, "%s:x:%d:0::/:/bin/sh\n", name, uid)
	}
	for name, text := range map[string]string{"passwd": passwd.String(), "nsswitch.conf": "passwd: files\n"} {
		write(t, filepath.Join(etc, name), text)
		if _, err := os.Stat("/etc/" + name); err != nil {
			t.Skipf("needs a file to mount another on: %v", err)
		}
		if err := unix.Mount(filepath.Join(etc, name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			t.Fatalf("mount on /etc/%s: %v", name, err)
		}
	}
}

func compareLegacy(t *testing.T, name, dir, command string) {
	t.Helper()
	l, families, args := asLegacy(command)
	want, got := askNetstat(t, args...), sayLegacy(t, &l, procfallback.New(os.DirFS(dir)), families...)
	if got != want {
		t.Errorf("%s, netstat %v, exit code %d and %d, stderr %q and %q, first difference:\n%s",
			name, args, want.code, got.code, want.errs, got.errs, firstDifference(want.out, got.out))
	}
}

// legacyTrees are made-up trees; what one does not have is missing.
var legacyTrees = map[string]map[string]string{
	"none": {},
	"full": legacyFiles,
	"empty": {
		"net/ipx/socket": "", "net/ax25": "", "net/x25": "", "net/nr": "", "net/rose": "",
	},
	"headers": {
		"net/ipx/socket": ipxHeader, "net/ax25": ax25OldHead, "net/x25": x25Header, "net/nr": netromHeader, "net/rose": roseHeader,
	},
	// As in Linux 2.2: the directory of IPX is a file. netstat fails on that.
	"old": {
		"net/ipx": ipxHeader + "00000001:4004 Not_Connected 00000000 00000000 01 033\n",
		"net/ax25": ax25OldHead + "VK2KTJ-1  N0CALL-5   ax0   3   1   2   3 000/010 00/03 000/300 000/900 00/10  10   2   256      7     9 999\n" +
			"*         N0CALL-15  ax0   0   0   0   0 000/010 00/03 000/300 000/900 00/10  10   2   256\n" +
			"VK2KTJ-1  N0CALL-5   ax0   3   1   2   3 000/010 00/03 000/300 000/900 00/10  10   2   256      7            \n" +
			"VK2KTJ-1  N0CALL-5   ax0   3   1                                                                           \n",
	},
	// As in all kernels since 2.4 that have these.
	"new": {
		"net/x25/socket": x25Header + "1234567890 0987654321 x25a0 001  3  1  2  3   4   5   6   7   8    90    91 999\n",
		"net/ipx/route":  "Network    Router_Net   Router_Node\n",
		"net/rose":       legacyFiles["net/rose"],
	},
	"ipx without end":         {"net/ipx/socket": ipxHeader + "1:1:1 Not_Connected 1 2 7 33\n1:1:1 x 1 2 7 33\n1:1:1 Not_Connected 1 2 7 33\n"},
	"ipx without a beginning": {"net/ipx/socket": ipxHeader + "x 1:1 1 2 7 33\n", "net/ax25": ax25OldHead},
}

// netstat itself says what we say of the same trees when we are to repeat its faults.
func TestLegacyLikeNetstat(t *testing.T) {
	dir := t.TempDir()
	hideLegacyProc(t, dir)
	for name, tree := range legacyTrees {
		if err := os.RemoveAll(filepath.Join(dir, "net")); err != nil {
			t.Fatal(err)
		}
		for file, text := range tree {
			write(t, filepath.Join(dir, file), text)
		}
		for _, command := range legacyCommands {
			compareLegacy(t, name, dir, command)
		}
	}
}

// Directories in the place of files, and links that lead nowhere: read and open fail.
func TestLegacyLikeNetstatWhenFilesFail(t *testing.T) {
	dir := t.TempDir()
	hideLegacyProc(t, dir)
	for _, bad := range []string{"directory", "loop", "ipx is a loop", "dangling"} {
		if err := os.RemoveAll(filepath.Join(dir, "net")); err != nil {
			t.Fatal(err)
		}
		for file := range legacyFiles {
			path, to := filepath.Join(dir, file), filepath.Base(file)
			switch bad {
			case "directory":
				write(t, filepath.Join(path, "file"), "")
				continue
			case "ipx is a loop":
				if file == "net/ipx/socket" {
					path, to = filepath.Dir(path), "ipx"
				}
			case "dangling":
				to = "nothing"
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(to, path)); err != nil {
				t.Fatal(err)
			}
		}
		for _, command := range legacyCommands {
			compareLegacy(t, bad, dir, command)
		}
	}
}

// On made-up files, also damaged ones, netstat and we say the same.
func TestLegacyLikeNetstatRandomly(t *testing.T) {
	dir := t.TempDir()
	hideLegacyProc(t, dir)
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	g := legacyGenerator{rand.New(rand.NewPCG(1, 1))}
	next := 0
	for round := range rounds {
		for file, text := range map[string]string{"net/ipx/socket": g.ipx(), "net/ax25": g.ax25(), "net/x25": g.x25(), "net/nr": g.netrom(), "net/rose": g.rose()} {
			write(t, filepath.Join(dir, file), text)
		}
		for range 5 {
			compareLegacy(t, fmt.Sprintf("round %d", round), dir, legacyCommands[next%len(legacyCommands)])
			next++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/procfallback"
	"netlive/internal/resolve"
	"netlive/internal/sock"
)

const (
	sctpEpsHeader    = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n"
	sctpAssocsHeader = " ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS " +
		"HBINT INS OUTS MAXRT T1X T2X RTXC wmema wmemq sndbuf rcvbuf\n"
	sctpAssocTail = "\t    7500    10    10   10    0    0        0        1        0   212992   212992\n"
	wide6Groups   = "2001:0db8:1111:2222:3333:4444:5555:6666"
	six           = "2001:0db8:0000:0000:0000:0000:0000:0001"
	pointers      = "0000000000000000 0000000000000000 "
)

// sctpTrees are made-up files below /proc; what a tree does not have is missing.
var sctpTrees = map[string]map[string]string{
	"none": {},
	"one home": {
		"net/sctp/eps": sctpEpsHeader + pointers + "2   10  9    9899   1000 31337 127.0.0.1 \n",
		"net/sctp/assocs": sctpAssocsHeader +
			pointers + "2   1   3  0       1        4        5    1000 41337 9899  40000  *127.0.0.1 <-> *10.0.0.1 " + sctpAssocTail +
			pointers + "1   7   3  0       2        0  1234567    0    41338 9899  0  *0.0.0.0 <-> *0.1.2.3 " + sctpAssocTail,
	},
	"many homes": {
		"net/sctp/eps": sctpEpsHeader +
			pointers + "2   10  9    9899   1000 31337 127.0.0.1 10.0.0.1 " + six + " \n" +
			pointers + "1   7   9    0      1001 31338 " + wide6Groups + " 0000:0000:0000:0000:0000:0000:0000:0000 \n" +
			pointers + "1   7   9    1      1001 31338 0000:0000:0000:0000:0000:ffff:7f00:0001 fe80:0000:0000:0000:0000:0000:0000:0001 \n",
		"net/sctp/assocs": sctpAssocsHeader +
			pointers + "2   1   3  0       1        4        5    1000 31337 9899  40000  *127.0.0.1 10.0.0.1 <-> *10.0.0.2 " + sctpAssocTail +
			pointers + "2   8   4  0       2        0        0    0    41338 9899  40000  *" + wide6Groups + " <-> " + six + " *10.9.8.7 10.9.8.8 " + sctpAssocTail +
			pointers + "2   2   1  0       2        0        0    0    31337 9899  40000  10.0.0.1 <-> " + strings.Repeat("10.9.8.7 ", 150) + sctpAssocTail,
	},
	"no addresses": {
		"net/sctp/eps": sctpEpsHeader + pointers + "2   10  9    9899   1000 31337 \n" + pointers + "2   10  9    9899   1000 31338\n",
		"net/sctp/assocs": sctpAssocsHeader + pointers + "2   1   3  0       1        4        5    1000 41337 9899  40000   <-> " + sctpAssocTail +
			pointers + "2   1   3  0       1        4        5    1000 41337 9899  40000   <-> 10.0.0.1 " + sctpAssocTail +
			pointers + "2   1   3  0       1        4        5    1000 41337 9899  40000   10.0.0.1 10.0.0.2 <-> " + sctpAssocTail,
	},
	// Linux 2.6 had no columns after the addresses, and later fewer.
	"old": {
		"net/sctp/eps": sctpEpsHeader + pointers + "2   10  9    9899   1000 31337 127.0.0.1 \n",
		"net/sctp/assocs": sctpAssocsHeader +
			pointers + "2   1   3  0       1        4        5    1000 41337 9899  40000  *127.0.0.1 <-> *10.0.0.1 \n" +
			pointers + "2   1   3  0       1        4        5    1000 41337 9899  40000  *127.0.0.1 <-> *10.0.0.1 \t    7500    10\n",
	},
	"states": {
		"net/sctp/eps":    sctpEpsHeader + sctpStateLines("0 0 2 %d 9 9899 0 31337 10.0.0.2 10.0.0.3\n"),
		"net/sctp/assocs": sctpAssocsHeader + sctpStateLines("0 0 2 %d 3 0 1 4 5 0 31337 9899 40000  10.0.0.2 <-> 10.0.0.3 \t7500\n"),
	},
	// In a file of its own, which no kernel has, is whatever IPv6 there is; in any order with the rest.
	"sctp6": {
		"net/sctp/eps":     sctpEpsHeader + "0 0 2 10 9 1 0 31337 127.0.0.1\nbad\n",
		"net/sctp/assocs":  sctpAssocsHeader + "0 0 2 1 3 0 1 4 5 1000 41337 9899 40000 127.0.0.1 <-> 10.0.0.1\nbad\n",
		"net/sctp6/eps":    sctpEpsHeader + "0 0 2 10 9 2 0 31337 " + six + "\nbad\n",
		"net/sctp6/assocs": sctpAssocsHeader + "0 0 2 1 3 0 1 4 5 1000 41337 9899 40000 " + six + " <-> 10.0.0.1\nbad\n",
	},
	"sctp6 alone": {
		"net/sctp6/eps":    sctpEpsHeader + "0 0 2 10 9 2 0 31337 " + six + "\n",
		"net/sctp6/assocs": sctpAssocsHeader + "0 0 2 1 3 0 1 4 5 1000 41337 9899 40000 " + six + " <-> 10.0.0.1\n",
	},
	"eps alone":    {"net/sctp/eps": sctpEpsHeader + "0 0 2 10 9 1 0 31337 127.0.0.1\n"},
	"assocs alone": {"net/sctp/assocs": sctpAssocsHeader + "0 0 2 1 3 0 1 4 5 1000 41337 9899 40000 127.0.0.1 <-> 10.0.0.1\n"},
	"eps in a loop": {
		"net/sctp/eps": loop, "net/sctp/assocs": sctpAssocsHeader + "0 0 2 1 3 0 1 4 5 1000 41337 9899 40000 127.0.0.1 <-> 10.0.0.1\n",
	},
	"assocs in a loop": {"net/sctp/eps": sctpEpsHeader + "0 0 2 10 9 1 0 31337 127.0.0.1\n", "net/sctp/assocs": loop},
	"sctp6 in a loop":  {"net/sctp/eps": sctpEpsHeader, "net/sctp/assocs": sctpAssocsHeader, "net/sctp6/eps": loop, "net/sctp6/assocs": loop},
	"empty":            {"net/sctp/eps": "", "net/sctp/assocs": "\n\n"},
	"bad lines": {
		"net/sctp/eps": "127.0.0.1\n\n0\n" + strings.Repeat("0 0 2 10 9 9899 1000\n", 300) + "0 0 2 10 9 9899 1000 \n0 0 2 10 9 9899 1000 7\n" +
			"0\t0\t2\t1\t9\t70000\t-1\t8 1.2.3.4\t5.6.7.8\n 0  0 2 x1 9 x 10y 12z *10.0.0.1 foo 1.2 0x7f.1 010.1.1 256.1.1.1 1.1.1.1.1 77777777777 4294967295\n" +
			"0 0 2 99999999999999999999 9 -99999999999999999999 99999999999 8 1.2.3.4",
		"net/sctp/assocs": "bad\n0 0 2 1 3 0 1 4 5 0 5 99\n\t \n0 0 2 1 3 0 1 4 5 0 5 99 98  <-> \n" +
			"0 0 2 1 3 0 1 4 5 0 5 99 98  1.2.3.4 5.6.7.8 \t 7500 10\n0 0 2 1 3 0 1 4 5 0 5 99 98 <-> 5.6.7.8 \t 7500 10\n" +
			"0 0 2 1 3 0 1 4 5 0 5 99 98  *1.2.3.4 <-> \t 7500 10\n0 0 2 1 3 0 1 -4 99999999999 0 5 0 0  **1.2.3.4 - 7.7.7.7 <-> 1.1.1.1\t 7500 10\n" +
			"0 0 2 1 3 0 1 4 5 0 5 99 98  * <-> * \n0 0 2 1 3 0 1 4 5 0 5 99 98 <- > 1.1.1.1 <> 2.2.2.2",
	},
}

// loop stands for a link to itself.
const loop = "loop"

func sctpStateLines(format string) string {
	var b strings.Builder
	for _, state := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 255, 1 << 20, -1} {
		fmt.Fprintf(&b, format, state)
	}
	return b.String()
}

var sctpHosts = map[string]string{
	"127.0.0.1": "localhost", "10.0.0.1": strings.Repeat("a.long.name.", 6) + "example.com", "2001:db8::1": strings.Repeat("six.", 16) + "example.com",
	"255.255.255.255": "broadcasthost",
}

const sctpPasswd = "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\na-user-with-a-long-name:x:1001:1001::/:/bin/sh\n"

var sctpCommands = []string{
	"-S", "-Sa", "-Sl", "-San", "-Sane", "-Sanep", "-Sano", "-SanW", "-Sa --numeric-ports", "-SaN", "-S6an", "-S4a", "-Sap",
	"-SaW", "-Sal", "-Saeepo", "-Sae --numeric-hosts", "-Sae --numeric-users", "-Sae --numeric-ports", "-S6a", "-S46a", "-S4n", "-S6ln", "-Snl",
}

// sctpRun is what a command asks for.
type sctpRun struct {
	table             Table
	endpoints, assocs bool
	v4, v6            bool
}

// asSCTP is a command as its arguments, and what we are to do for it.
func asSCTP(command string, named *resolve.Resolver, numbered *resolve.Resolver) (r sctpRun, args []string) {
	args = strings.Fields(command)
	r.table.Names, r.table.SCTPNames = named, named
	for _, arg := range args {
		long := strings.HasPrefix(arg, "--")
		if long {
			r.table.SCTPNames = Numeric{}
			if arg == "--numeric-users" {
				r.table.Names = numbered
			}
			continue
		}
		for _, letter := range arg[1:] {
			switch letter {
			case 'a':
				r.table.All = true
			case 'l':
				r.table.Listening = true
			case 'e':
				r.table.Extend++
			case 'p':
				r.table.Programs = true
			case 'o':
				r.table.Timers = true
			case 'W':
				r.table.Wide = true
			case 'n':
				r.table.Names, r.table.SCTPNames = Numeric{}, Numeric{}
			case 'N':
				r.table.SCTPNames = Numeric{}
			case '4':
				r.v4 = true
			case '6':
				r.v6 = true
			}
		}
	}
	if !r.v4 && !r.v6 {
		r.v4, r.v6 = true, true
	}
	r.endpoints, r.assocs = r.table.All || r.table.Listening, r.table.All || !r.table.Listening
	return r, args
}

// saySCTP is what netstat would say, if it were us.
func saySCTP(t *testing.T, r *sctpRun, dir string) (s said) {
	t.Helper()
	snap, err := procfallback.New(os.DirFS(dir)).Snapshot(t.Context(), sock.Want{Protos: sock.ProtosSCTP, Owners: r.table.Programs})
	if err != nil {
		t.Fatal(err)
	}
	out := r.table.InetHeader(nil)
	for _, endpoint := range []bool{true, false} {
		if endpoint && !r.endpoints || !endpoint && !r.assocs || s.code != 0 {
			continue
		}
		for _, p := range []sock.Proto{sock.SCTP, sock.SCTP6} {
			if p == sock.SCTP && !r.v4 || p == sock.SCTP6 && !r.v6 {
				continue
			}
			file, bogus := "net/"+p.String()+"/eps", "warning, got bogus sctp eps line.\n"
			if !endpoint {
				file, bogus = "net/"+p.String()+"/assocs", "warning, got bogus sctp assoc line.\n"
			}
			if fault := unopened(&snap, file); p == sock.SCTP && errors.Is(fault, unix.ELOOP) {
				return said{string(out), s.errs + "/proc/" + file + ": Too many levels of symbolic links\n", 255}
			} else if p == sock.SCTP && fault != nil {
				s.errs, s.code = s.errs+"netstat: no support for `AF INET (sctp)' on this system.\n", 1
			}
			s.errs += strings.Repeat(bogus, badLines(&snap, file))
			for i := range snap.Sockets {
				if row := &snap.Sockets[i]; row.Proto == p && row.SCTP.Endpoint == endpoint {
					out = r.table.SCTPRow(out, row)
				}
			}
		}
	}
	s.out = string(out)
	return s
}

func unopened(snap *sock.Snapshot, file string) error {
	for _, u := range snap.Unopened {
		if u.File == file {
			return u.Err
		}
	}
	return nil
}

func badLines(snap *sock.Snapshot, file string) (n int) {
	for _, w := range snap.Warnings {
		var bad *procfallback.LineError
		var more *procfallback.MoreLinesError
		switch {
		case errors.As(w, &bad) && bad.File == file:
			n++
		case errors.As(w, &more) && more.File == file:
			n += more.Count
		}
	}
	return n
}

// sctpRig makes the calling thread see dir as /proc and the names above in /etc.
func sctpRig(t *testing.T, dir string) (named, numbered *resolve.Resolver) {
	t.Helper()
	root := t.TempDir()
	var hosts strings.Builder
	for addr, name := range sctpHosts {
		fmt.Fprintln(&hosts, addr, name)
	}
	hideProc(t, dir)
	for name, text := range map[string]string{
		"hosts": hosts.String(), "passwd": sctpPasswd, "services": "wrong 9899/tcp\nwrong 9899/sctp\nwrong 40000/udp\n",
		"networks": "nets 0.1.2.3\n", "nsswitch.conf": "hosts: files\nnetworks: files\npasswd: files\nservices: files\n",
	} {
		write(t, filepath.Join(root, "etc", name), text)
		if _, err := os.Stat("/etc/" + name); err != nil {
			t.Skipf("needs a file to mount another on: %v", err)
		}
		if err := unix.Mount(filepath.Join(root, "etc", name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			t.Fatalf("mount on /etc/%s: %v", name, err)
		}
	}
	config := resolve.Config{Hosts: true, Ports: true, Users: true, Root: os.DirFS(root),
		LookupAddr: func(_ context.Context, addr string) ([]string, error) {
			if name, ok := sctpHosts[addr]; ok {
				return []string{name}, nil
			}
			return nil, errors.New("has no name")
		}}
	named = resolve.New(config)
	config.Users = false
	return named, resolve.New(config)
}

// writeSCTP replaces the files below dir.
func writeSCTP(t *testing.T, dir string, tree map[string]string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, "net")); err != nil {
		t.Fatal(err)
	}
	for name, text := range tree {
		path := filepath.Join(dir, name)
		write(t, path, text)
		if text == loop {
			if err := errors.Join(os.Remove(path), os.Symlink(filepath.Base(path), path)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// netstat itself says what we say of the same trees.
func TestSCTPLikeNetstat(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "100/cmdline"), "/usr/bin/sctp-daemon-of-a-kind\x00-x\x00")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "100/fd"), 0o755), os.Symlink("socket:[31337]", filepath.Join(dir, "100/fd/3"))); err != nil {
		t.Fatal(err)
	}
	named, numbered := sctpRig(t, dir)
	compare := func(what, command string) bool {
		t.Helper()
		r, args := asSCTP(command, named, numbered)
		want, got := askNetstat(t, args...), saySCTP(t, &r, dir)
		if got != want {
			t.Errorf("%s, netstat %v, exit code %d and %d, stderr %q and %q, first difference:\n%s",
				what, args, want.code, got.code, want.errs, got.errs, firstDifference(want.out, got.out))
		}
		return got == want
	}
	for name, tree := range sctpTrees {
		writeSCTP(t, dir, tree)
		for _, command := range sctpCommands {
			compare(name, command)
		}
	}
	g := sctpGenerator{rand.New(rand.NewPCG(1, 1))}
	next := 0
	for round, failures := 0, 0; round < 300 && failures < 5; round++ {
		tree := map[string]string{"net/sctp/eps": g.endpoints(), "net/sctp/assocs": g.assocs()}
		writeSCTP(t, dir, tree)
		for range 3 {
			if !compare(fmt.Sprintf("round %d", round), sctpCommands[next%len(sctpCommands)]) {
				failures++
			}
			next++
		}
	}
}

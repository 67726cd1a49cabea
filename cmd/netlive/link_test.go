// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// fieldScripts are what is in people's shells' histories and cron jobs, with what they find in the namespace of
// TestCalledThroughALink.
var fieldScripts = []struct{ what, script, finds string }{
	{"count the states", `netstat -ant | awk '/^tcp/ {n[$6]++} END {for (s in n) print n[s], s}' | sort -rn`, "4 ESTABLISHED\n2 LISTEN\n"},
	{"the listener of a port", `netstat -tlnp | awk '$4 ~ /:8080$/ {split($7, p, "/"); print p[2]}'`, "netlive.test\n"},
	{"the same, by grep and cut", `netstat -tulpn 2>/dev/null | grep ':8081 ' | tr -s ' ' | cut -d ' ' -f 4,6`, "127.0.0.1:8081 LISTEN\n"},
	{"foreign addresses", `netstat -nt | awk 'NR > 2 && $4 ~ /:8080$/ {sub(/:[0-9]+$/, "", $5); print $5}' | sort | uniq -c | sort -rn`, "      2 127.0.0.1\n"},
	{"is it listening", `netstat -ln | grep -q '^tcp .*:8080 .*LISTEN' && echo yes`, "yes\n"},
	{"nothing there", `netstat -ltn | grep -c ':9999 '`, "0\n"},
	{"the default route", `netstat -rn | awk '$1 == "0.0.0.0" && $4 ~ /G/ {print $2, $NF}'`, "192.0.2.1 eth1\n"},
	{"packets of an interface", `netstat -i | awk '$1 == "eth1" {print $2, $NF}'`, "1500 BMRU\n"},
	{"listening UNIX sockets", `netstat -lx | grep -c '@netlive-link$'`, "1\n"},
	{"counters", `netstat -s | awk '/connections established/ {print ($1 >= 4)}'`, "1\n"},
	{"groups", `netstat -gn | awk '$1 == "lo" && $3 == "224.0.0.1"' | wc -l`, "1\n"},
	{"what it is", `netstat --version | head -1`, "net-tools 2.10\n"},
	{"a fault", `netstat --no-such-option >/dev/null 2>&1; echo $?`, "3\n"},
	{"Munin's plugin", `MUNIN_LIBDIR=/usr/share/munin /usr/share/munin/plugins/netstat | awk '/^multigraph/ || /^(established|active|passive|failed|resets)\.value [0-9]+$/ {print $1}'`,
		"multigraph\nactive.value\npassive.value\nfailed.value\nresets.value\nestablished.value\nmultigraph\nestablished.value\n"},
	{"its numbers", `MUNIN_LIBDIR=/usr/share/munin /usr/share/munin/plugins/netstat | grep -c 'established.value 4'`, "2\n"},
}

// Scripts find in netlive, called through a link named netstat, what they find in netstat.
func TestCalledThroughALink(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	ip(t, ns, `
link add eth1 type veth peer name eth2
addr add 192.0.2.2/24 dev eth1
link set eth1 up
link set eth2 up
route add default via 192.0.2.1
`)
	ns.Do(func() {
		for _, end := range []string{"127.0.0.1:8080", "127.0.0.1:8081"} {
			l, err := net.Listen("tcp4", end)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		}
		for range 2 {
			c, err := net.Dial("tcp4", "127.0.0.1:8080")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
		}
		l, err := net.Listen("unix", "@netlive-link")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	})
	p := findPrograms(t)
	for _, c := range fieldScripts {
		t.Run(c.what, func(t *testing.T) {
			for _, program := range []string{p.netstat, p.netlive} {
				cmd := exec.Command("sh", "-c", c.script)
				cmd.Env = []string{"LC_ALL=C", "PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH")}
				var out, errs strings.Builder
				cmd.Stdout, cmd.Stderr = &out, &errs
				if err := ns.Start(cmd); err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait() // grep -c of nothing is 1
				if out.String() != c.finds || errs.String() != "" {
					t.Errorf("%s: %s finds\n%s%swant\n%s", program, c.script, out.String(), errs.String(), c.finds)
				}
			}
		})
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"netlive/internal/mib"
)

// reportText is a report on one line.
func reportText(r mib.Report) string {
	var b strings.Builder
	for _, t := range r {
		fmt.Fprintf(&b, "[%s]", t.Title)
		for _, c := range t.Counters {
			fmt.Fprintf(&b, " %s=%d", c.Key, c.Value)
		}
	}
	return b.String()
}

func TestParseSNMP(t *testing.T) {
	for _, c := range []struct {
		name, data, want, warnings string
		broken                     int
	}{
		{"two", "Ip: A B\nIp: 1 2\nTcp: C\nTcp: 3\n", "[Ip] A=1 B=2[Tcp] C=3", "", 0},
		{"no last newline", "Ip: A B\nIp: 1 2", "[Ip] A=1 B=2", "", 0},
		{"nothing", "", "", "", 0},
		{"no keys", "Ip:\nIp:\n", "[Ip]", "", 0},
		{"no blanks after colons", "Ip:A B\nIp:1 2\n", "[Ip] A=1 B=2", "", 0},
		{"many blanks", "Ip:  A\t B  \nIp:\t1   2 \n", "[Ip] A=1 B=2", "", 0},
		{"more values", "Ip: A\nIp: 1 2\n", "[Ip] A=1", "", 0},
		{"negative", "Tcp: M N\nTcp: -1 5\n", "[Tcp] M=18446744073709551615 N=5", "", 0},
		{"empty lines before a pair", "\n\nIp: A\nIp: 1\n\nTcp: B\nTcp: 2\n", "[Ip] A=1[Tcp] B=2", "", 0},
		{"the first title counts", "Ip: A\nTcp: 1\n", "[Ip] A=1", "", 0},
		{"strange titles", ": A\n: 1\n x y: A\nz: 1\n", "[] A=1[ x y] A=1", "", 0},
		{"fewer values", "Ip: A B C\nIp: 1\n", "[Ip] A=1 B=0 C=0", "f:2: value of B missing", 0},
		{"no number", "Ip: A B C\nIp: 1 x 3\n", "[Ip] A=1 B=0 C=0", `f:2: value of B "x"`, 0},
		{"half a number", "Ip: A B C\nIp: 1 2,5 3\n", "[Ip] A=1 B=2 C=0", `f:2: value of C ",5"`, 0},
		{"odd line", "Ip: A\nIp: 1\nTcp: B\n", "[Ip] A=1", "f:4: values missing", 0},
		{"no colon in keys", "Ip: A\nIp: 1\n\nTcp B\nTcp: 1\nUdp: C\nUdp: 1\n", "[Ip] A=1", "", 4},
		{"no colon in values", "Ip: A\nIp 1\nTcp: B\nTcp: 1\n", "", "", 1},
		{"empty line within a pair", "Ip: A\n\nIp: 1\n", "", "", 1},
	} {
		warn := warnings{file: "f"}
		r, broken := parseSNMP([]byte(c.data), &warn)
		if got := reportText(r); got != c.want || broken != c.broken {
			t.Errorf("%s: %s, broken at %d\nwant %s, %d", c.name, got, broken, c.want, c.broken)
		}
		checkWarnings(t, c.name, &warn, c.warnings)
	}
}

func checkWarnings(t *testing.T, name string, warn *warnings, want string) {
	t.Helper()
	var got []string
	for _, w := range warn.list() {
		got = append(got, w.Error())
	}
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("%s: warnings %s\nwant %s", name, s, want)
	}
}

func TestParseSCTP(t *testing.T) {
	const data = "SctpCurrEstab                   \t2\n\nSctpAborteds x\nSctpShutdowns\n 7\nSctpX\t-1 2"
	warn := warnings{file: "f"}
	got := reportText(mib.Report{{Title: "Sctp", Counters: parseSCTP([]byte(data), &warn)}})
	if want := "[Sctp] SctpCurrEstab=2 SctpAborteds=0 =7 SctpX=18446744073709551615"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	checkWarnings(t, "sctp", &warn, `f:3: value "x"; f:4: value missing`)
}

func TestParseSNMP6(t *testing.T) {
	for _, c := range []struct{ name, data, want, warnings string }{
		{"the kernel's", "Ip6InReceives                   \t3\nIp6InDelivers                   \t4\nIcmp6InMsgs\t5\nUdp6NoPorts 6\nUdpLite6NoPorts 7",
			"[Ip6] Ip6InReceives=3 Ip6InDelivers=4[Icmp6] Icmp6InMsgs=5[Udp6] Udp6NoPorts=6[UdpLite6] UdpLite6NoPorts=7", ""},
		{"a title lasts while keys contain it", "Udp6A 1\nXUdp6B 2\nFoo 3\nFooBar6 4\nBar66 5\nBar6 6\n6a 7\n",
			"[Udp6] Udp6A=1 XUdp6B=2[Foo] Foo=3 FooBar6=4[Bar6] Bar66=5 Bar6=6[6] 6a=7", ""},
		{"numbers", "A -1\nAb +3x\nAc 99999999999999999999\n  Ad\t 4 5\n",
			"[A] A=18446744073709551615 Ab=3 Ac=18446744073709551615 Ad=4", ""},
		{"bad lines", "\nA\nB -\nC x y\nD 1\n", "[D] D=1",
			`f:1: key missing; f:2: value of A missing; f:3: value of B "-"; f:4: value of C "x y"`},
	} {
		warn := warnings{file: "f"}
		if got := reportText(parseSNMP6([]byte(c.data), &warn)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
		checkWarnings(t, c.name, &warn, c.warnings)
	}
}

func TestCutUint(t *testing.T) {
	for _, c := range []struct {
		text string
		want uint64
		rest string
		ok   bool
	}{
		{"18446744073709551615", math.MaxUint64, "", true},
		{"18446744073709551616", math.MaxUint64, "", true},
		{"-18446744073709551615 ", 1, " ", true},
		{"-18446744073709551616", math.MaxUint64, "", true},
		{"99999999999999999999999999", math.MaxUint64, "", true},
		{" \t\v-0x10", 0, "x10", true},
		{"+07", 7, "", true},
		{"", 0, "", false},
		{"  ", 0, "  ", false},
		{" - 1", 0, " - 1", false},
		{"+-1", 0, "+-1", false},
	} {
		n, rest, ok := cutUint([]byte(c.text))
		if n != c.want || string(rest) != c.rest || ok != c.ok {
			t.Errorf("%q: %d, %q, %t, want %d, %q, %t", c.text, n, rest, ok, c.want, c.rest, c.ok)
		}
	}
}

func TestCounters(t *testing.T) {
	root := fstest.MapFS{
		"net/snmp":      file("Ip: A\nIp: 1\nbroken\n\n"),
		"net/sctp/snmp": file("SctpA\t2\nSctpB\n"),
		"net/snmp6":     file("Ip6A 3\nIp6B 4\n"),
	}
	all, err := New(root).Counters(t.Context(), mib.AllFiles)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for f := range mib.AllFiles.All() {
		got = append(got, reportText(all[f].Report))
	}
	if want := []string{"[Ip] A=1", "", "[Sctp] SctpA=2", "[Ip6] Ip6A=3 Ip6B=4"}; !reflect.DeepEqual(got, want) {
		t.Errorf("reports %q, want %q", got, want)
	}
	if err := all[mib.Netstat].OpenErr; !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("net/netstat: %v", err)
	}
	if at := all[mib.SNMP].BrokenAt; at != 3 {
		t.Errorf("net/snmp broken at %d, want 3", at)
	}
	if got := fmt.Sprint(all.Warnings()); got != "[net/sctp/snmp:2: value missing]" {
		t.Errorf("warnings %s", got)
	}

	// What is not wanted is not read.
	some, err := New(root).Counters(t.Context(), mib.FileSetOf(mib.SNMP6))
	if want := (mib.Files{mib.SNMP6: all[mib.SNMP6]}); err != nil || !reflect.DeepEqual(some, want) {
		t.Errorf("%+v, %v, want %+v", some, err, want)
	}
}

func TestCountersOfFilesThatFail(t *testing.T) {
	root := fstest.MapFS{"net/snmp": file("Ip: A\nIp: 1\n")}
	get := func(f fs.FS) mib.Content {
		t.Helper()
		files, err := New(f).Counters(t.Context(), mib.FileSetOf(mib.SNMP))
		if err != nil {
			t.Fatal(err)
		}
		return files[mib.SNMP]
	}
	if c := get(faulty{FS: root, name: "net/snmp", open: syscall.EACCES}); !errors.Is(c.OpenErr, fs.ErrPermission) || c.ReadErr != nil {
		t.Errorf("denied: %+v", c)
	}
	if c := get(faulty{FS: root, name: "net/snmp", read: syscall.EIO}); !errors.Is(c.ReadErr, syscall.EIO) || c.OpenErr != nil || c.Report != nil {
		t.Errorf("unreadable: %+v", c)
	}
	if c := get(fstest.MapFS{"net/snmp/a": file("")}); c.ReadErr == nil || c.OpenErr != nil {
		t.Errorf("directory: %+v", c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(root).Counters(ctx, mib.FileSetOf(mib.SNMP)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// The real files have what every kernel has, and nothing that we cannot use.
func TestCountersOfThisKernel(t *testing.T) {
	files, err := New(os.DirFS("/proc")).Counters(t.Context(), mib.AllFiles)
	if err != nil {
		t.Fatal(err)
	}
	if w := files.Warnings(); len(w) > 0 {
		t.Errorf("warnings %v", w)
	}
	for _, c := range []struct {
		file       mib.File
		title, key string
	}{
		{mib.SNMP, "Ip", "InReceives"}, {mib.SNMP, "Udp", "NoPorts"}, {mib.Netstat, "TcpExt", "TW"},
		{mib.Netstat, "IpExt", "InOctets"}, {mib.SNMP6, "Ip6", "Ip6InReceives"}, {mib.SNMP6, "Udp6", "Udp6NoPorts"},
	} {
		content := &files[c.file]
		if c.file == mib.SNMP6 && errors.Is(content.OpenErr, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if _, ok := content.Report.Get(c.title, c.key); !ok {
			t.Errorf("%s: no %s %s (open: %v)", c.file, c.title, c.key, content.OpenErr)
		}
	}
	if n, _ := files[mib.SNMP].Report.Get("Tcp", "MaxConn"); n != math.MaxUint64 {
		t.Errorf("MaxConn is %d, not -1", int64(n))
	}
}

func FuzzParseSNMP(f *testing.F) {
	f.Add([]byte("Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: MaxConn\nTcp: -1\n"))
	f.Add([]byte("\nIp: A B C\nIp: 1 x\n\n:\n:"))
	f.Add([]byte("Ip A\nIp: 1"))
	for _, name := range []string{"snmp", "netstat"} {
		for _, data := range kernelFiles(f, name) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		warn := warnings{file: "f"}
		r, broken := parseSNMP(data, &warn)
		lines := bytes.Count(data, newline) + 1
		if broken < 0 || broken > lines || 2*len(r) > lines {
			t.Errorf("%d tables, broken at %d, of %d lines", len(r), broken, lines)
		}
		// Each table has its own pair of lines, in order.
		for _, table := range r {
			at := bytes.Index(data, []byte(table.Title+":"))
			if at < 0 {
				t.Fatalf("title %q is not in the file", table.Title)
			}
			data = data[at+len(table.Title)+1:]
			checkKeys(t, data, table.Counters, " \t\n")
		}
	})
}

func FuzzParseSNMP6(f *testing.F) {
	f.Add([]byte("Ip6InReceives                   \t3\nIcmp6InMsgs\t-1\nUdpLite6NoPorts 5"))
	f.Add([]byte("\nA\n6 1\n x 99999999999999999999\n"))
	for _, data := range kernelFiles(f, "snmp6") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		warn := warnings{file: "f"}
		r := parseSNMP6(data, &warn)
		good := 0
		for _, table := range r {
			if len(table.Counters) == 0 {
				t.Errorf("%q is empty", table.Title)
			}
			good += len(table.Counters)
			for _, c := range table.Counters {
				if !strings.Contains(c.Key, table.Title) {
					t.Errorf("%q in the table %q", c.Key, table.Title)
				}
			}
			checkKeys(t, data, table.Counters, space)
		}
		lines := bytes.Count(data, newline)
		if len(data) > 0 && data[len(data)-1] != '\n' {
			lines++
		}
		if bad := len(warn.kept) + warn.more; good+bad != lines {
			t.Errorf("%d counters and %d warnings of %d lines", good, bad, lines)
		}
		// SCTP's file is of the same kind, and each of its lines that is not empty is a counter or a warning.
		var sctp warnings
		if n := len(parseSCTP(data, &sctp)) + len(sctp.kept) + sctp.more; n < good {
			t.Errorf("%d by the rules of SCTP, %d by those of IPv6", n, good)
		}
	})
}

// checkKeys checks that keys come from data, in order, with none of the bytes in without.
func checkKeys(t *testing.T, data []byte, counters []mib.Counter, without string) {
	t.Helper()
	for _, c := range counters {
		at := bytes.Index(data, []byte(c.Key))
		if at < 0 || c.Key == "" || strings.ContainsAny(c.Key, without) {
			t.Fatalf("key %q", c.Key)
		}
		data = data[at+len(c.Key):]
	}
}

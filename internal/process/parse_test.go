// SPDX-License-Identifier: GPL-2.0-or-later

package process

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// tail is what follows the state and the parent in a real /proc/PID/stat, with 7 threads and a start at tick 4242.
const tail = " 812 812 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 7 0 4242 104103936 2560 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

func TestParseStat(t *testing.T) {
	want := func(comm string) stat {
		return stat{pid: 812, ppid: 1, comm: comm, state: 'S', threads: 7, ticks: 4242}
	}
	for _, comm := range []string{"sshd", "a b", "", ")", "(", ") R 1 (", "x) S 2", "\n", "a\nb)\n(", "\xff\x1b[2J", "((sd-pam))"} {
		if got, ok := parseStat([]byte("812 (" + comm + ") S 1" + tail)); !ok || got != want(comm) {
			t.Errorf("%q: %+v %v", comm, got, ok)
		}
	}
	if got, ok := parseStat([]byte("812 (sshd) S 1" + strings.Replace(tail, " 7 0 4242", " 0 0 4242", 1))); !ok || got.threads != 1 {
		t.Errorf("without threads: %+v %v", got, ok)
	}
	for _, bad := range []string{
		"", "812", "812 (sshd)", "812 sshd S 1" + tail, "(sshd) S 1" + tail, "812(sshd) S 1" + tail, "812 )sshd( S 1" + tail,
		"x (sshd) S 1" + tail, "-1 (sshd) S 1" + tail, "4294967296 (sshd) S 1" + tail, "812 (sshd) SS 1" + tail, "812 (sshd) \xe7 1" + tail, "812 (sshd) _ 1" + tail, "812 (sshd) S -1" + tail,
		"812 (sshd) S x" + tail, "812 (sshd) S 1 812 812 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 7 0", "812 (sshd) S 1" + strings.Replace(tail, "4242", "-1", 1),
		"812 (sshd) S 1" + strings.Replace(tail, " 7 0", " x 0", 1),
	} {
		if got, ok := parseStat([]byte(bad)); ok || got != (stat{}) {
			t.Errorf("%q: %+v %v", bad, got, ok)
		}
	}
}

func FuzzStat(f *testing.F) {
	f.Add([]byte("812 (sshd) S 1" + tail))
	f.Add([]byte("812 () R 1 () S 1" + tail))
	f.Add([]byte("812 (a\nb) Z 0" + tail))
	f.Add([]byte(")("))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, ok := parseStat(data)
		if !ok {
			if s != (stat{}) {
				t.Fatalf("%q: no stat, but %+v", data, s)
			}
			return
		}
		if s.threads < 1 || s.state == 0 {
			t.Fatalf("%q: %+v", data, s)
		}
		// What was found is found again when it is written as the kernel writes it.
		again := fmt.Sprintf("%d (%s) %c %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 %d 0 %d 0 0\n", s.pid, s.comm, s.state, s.ppid, s.threads, s.ticks)
		if got, ok := parseStat([]byte(again)); !ok || got != s {
			t.Fatalf("%q: %+v; as %q: %+v %v", data, s, again, got, ok)
		}
	})
}

func TestSplitArgs(t *testing.T) {
	for _, c := range []struct {
		cmdline string
		want    []string
	}{
		{"", nil},
		{"\x00", nil},
		{"a\x00", []string{"a"}},
		{"a", []string{"a"}},
		{"a\x00-x\x00b c\x00", []string{"a", "-x", "b c"}},
		{"a\x00\x00b\x00", []string{"a", "", "b"}},
		{"a\x00\x00", []string{"a", ""}},
		{"\x00a\x00", []string{"", "a"}},
		{"nginx: worker process", []string{"nginx: worker process"}},
		{"sshd: ana\x00\x00\x00\x00\x00\x00", []string{"sshd: ana"}},
		{"\x00\x00\x00\x00", []string{""}},
		{"a\x1b[2J\nb\x00\xff\x00", []string{"a\x1b[2J\nb", "\xff"}},
	} {
		if got := splitArgs([]byte(c.cmdline)); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.cmdline, got, c.want)
		}
	}
}

func TestCgroupPath(t *testing.T) {
	for file, want := range map[string]string{
		"":                                   "",
		"0::/\n":                             "/",
		"0::/system.slice/ssh.service\n":     "/system.slice/ssh.service",
		"12:pids:/a\n1:name=x:/b\n0::/c:d\n": "/c:d",
		"12:pids:/a\n":                       "",
		"0::/gone (deleted)\n":               "/gone",
		"0::/../other\n":                     "/../other",
		"10::/a\n":                           "",
	} {
		if got := cgroupPath([]byte(file)); got != want {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

func TestEffectiveUID(t *testing.T) {
	for _, c := range []struct {
		file string
		uid  uint32
		ok   bool
	}{
		{"Name:\tsshd\nUmask:\t0022\nUid:\t1000\t0\t1001\t1002\nGid:\t5\t6\t7\t8\n", 0, true},
		{"Name:\ta\\nUid:\t7\t7\t7\t7\nUid:\t1\t4294967294\t1\t1\n", 4294967294, true},
		{"Name:\tsshd\n", 0, false},
		{"Uid:\t1\t2\n", 0, false},
		{"Uid:\t1\tx\t1\t1\n", 0, false},
		{"", 0, false},
	} {
		if uid, ok := effectiveUID([]byte(c.file)); ok != c.ok || uid != c.uid {
			t.Errorf("%q: %d %v", c.file, uid, ok)
		}
	}
}

func TestBootOffset(t *testing.T) {
	for file, want := range map[string]int64{
		"": 0,
		"monotonic           0         0\nboottime            0         0\n":   0,
		"monotonic           5         7\nboottime      1000000       500\n":   1000000e9 + 500,
		"monotonic           5         7\nboottime           -2 999999999\n":   -1000000001,
		"boottime\nboottime x y\nboottime 99999999999999999999 0\nother 1 1\n": 0,
	} {
		if got := bootOffset([]byte(file)); got != want {
			t.Errorf("%q: %d, want %d", file, got, want)
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package process

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// Arguments are found again when they are written as the kernel has them.
func FuzzArgs(f *testing.F) {
	for _, s := range []string{"", "\x00", "sh\x00-c\x00\x00x\x00", "nginx: worker\x00\x00\x00\x00", "no end", "\x1b[2J\x00\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		args := splitArgs(data)
		if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "\x00") }) || len(args) > bytes.Count(data, []byte{0})+1 {
			t.Fatalf("%q", args)
		}
		if joined := strings.Join(args, "\x00"); !bytes.HasPrefix(data, []byte(joined)) || strings.Trim(string(data[len(joined):]), "\x00") != "" {
			t.Errorf("%q of %q", args, data)
		}
		if args != nil && args[len(args)-1] != "" {
			if again := splitArgs([]byte(strings.Join(args, "\x00") + "\x00")); !slices.Equal(again, args) {
				t.Errorf("%q, and then %q", args, again)
			}
		}
	})
}

// What else is read of a process is of the file, whatever that has, and the same again.
func FuzzProcess(f *testing.F) {
	stat := func(pid int, comm string) string {
		return fmt.Sprintf("%d (%s) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0 4711 0 0\n", pid, comm)
	}
	f.Add([]byte(stat(7, "a) R 1 (b")), []byte("Name:\ta\nUid:\t0\t1000\t0\t0\n"), []byte("12:cpu:/\n0::/system.slice/a b (deleted)\n"), []byte("boottime -3 500000000\nmonotonic 0 0\n"))
	f.Add([]byte(stat(7, "\x1b[2J")), []byte("Uid:\t4294967295\t4294967296\t0\t0\n"), []byte("0::"), []byte("boottime 99999999999999999999 -1\n"))
	f.Add([]byte{}, []byte("Uid:"), []byte("\n\n"), []byte("boottime"))
	f.Fuzz(func(t *testing.T, stat, status, group, offsets []byte) {
		root := fstest.MapFS{}
		for name, data := range map[string][]byte{"7/stat": stat, "7/status": status, "7/cgroup": group, "7/cmdline": group, "self/timens_offsets": offsets} {
			root[name] = &fstest.MapFile{Data: data}
		}
		list, err := Lineage(root, 7, 0)
		again, err2 := Lineage(root, 7, 0)
		if (err == nil) != (err2 == nil) || len(again) != len(list) {
			t.Fatalf("%v, and then %v", err, err2)
		}
		path := cgroupPath(group)
		if !bytes.Contains(group, []byte(path)) || strings.ContainsAny(path, "\n") {
			t.Errorf("cgroup %q", path)
		}
		uid, known := effectiveUID(status)
		if err != nil {
			return
		}
		p := &list[0]
		if p.PID != 7 || p.Threads < 1 || len(list) > lineageMax || p.Comm != again[0].Comm || p.Cgroup != path || !known || p.UID != uid || !bytes.Contains(stat, []byte(p.Comm)) {
			t.Errorf("%+v", *p)
		}
		if n := bootOffset(offsets); n != 0 && !bytes.Contains(offsets, []byte("boottime")) {
			t.Errorf("offset %d", n)
		}
	})
}

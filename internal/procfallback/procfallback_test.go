// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
	"netlive/internal/sock/socktest"
)

// everything is all protocols.
const everything = sock.ProtoSet(1<<(sock.Unix+1) - 1<<sock.TCP)

func TestConformance(t *testing.T) {
	socktest.Run(t, socktest.Config{
		Open: func(*testing.T) socktest.Source { return New(os.DirFS("/proc")) },
		// SCTP the scene has not: kernels are built without it, and its table is not of sockets.
		Protos: everything &^ sock.ProtosSCTP,
	})
}

func file(data string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(data)} }

func link(to string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
}

// ticking is a clock that is one nanosecond later each time it is read.
func ticking() func() sock.Stamp {
	var at sock.Stamp
	return func() sock.Stamp { at++; return at }
}

func snapshot(t *testing.T, root fs.FS, want sock.Want) sock.Snapshot {
	t.Helper()
	s := New(root)
	s.now = ticking()
	snap, err := s.Snapshot(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// tinyTree has a row in each of three tables, and one bad line.
func tinyTree() fstest.MapFS {
	return fstest.MapFS{
		"net/tcp":  file(inetHeader + inetLine("127.0.0.1:22", "0.0.0.0:0", "0A 0:0 0:0 0 0 0 7 1") + "\nnonsense\n"),
		"net/udp6": file(inetHeader + inetLine("[::]:53", "[::]:0", "07 0:0 0:0 0 0 0 8 1") + "\n"),
		"net/unix": file(unixHeader + "0: 1 0 0 1 03 9\n"),
	}
}

func TestSnapshot(t *testing.T) {
	snap := snapshot(t, tinyTree(), sock.Want{Protos: everything})
	var got []string
	for _, s := range snap.Sockets {
		got = append(got, fmt.Sprintf("%s:%d@%d", s.Proto, s.Inode, s.At))
	}
	// The clock is read once to begin and once before each table.
	if want := "[tcp:7@2 udp6:8@7 unix:9@12]"; fmt.Sprint(got) != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	if snap.Begin != 1 {
		t.Errorf("began at %d, want 1", snap.Begin)
	}
	if want := sock.Protos(sock.TCP, sock.UDP6, sock.Unix); snap.Protos != want || snap.Missing != everything&^want {
		t.Errorf("protos %b, missing %b, want %b and the rest", snap.Protos, snap.Missing, want)
	}
	if want := `[net/tcp:3: slot "nonsense"]`; fmt.Sprint(snap.Warnings) != want {
		t.Errorf("warnings %s, want %s", snap.Warnings, want)
	}
}

func TestSnapshotReadsOnlyWhatIsWanted(t *testing.T) {
	snap := snapshot(t, tinyTree(), sock.Want{Protos: sock.Protos(sock.UDP6, sock.Raw)})
	if len(snap.Sockets) != 1 || snap.Sockets[0].Proto != sock.UDP6 {
		t.Errorf("sockets %+v, want the one of udp6", snap.Sockets)
	}
	if snap.Protos != sock.Protos(sock.UDP6) || snap.Missing != sock.Protos(sock.Raw) {
		t.Errorf("protos %b, missing %b", snap.Protos, snap.Missing)
	}
}

// faulty fails to open or read one file.
type faulty struct {
	fs.FS
	name       string
	open, read error
}

func (f faulty) Open(name string) (fs.File, error) {
	if name != f.name {
		return f.FS.Open(name)
	}
	if f.open != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: f.open}
	}
	file, err := f.FS.Open(name)
	return unreadable{file, f.read}, err
}

func (f faulty) ReadLink(name string) (string, error)   { return fs.ReadLink(f.FS, name) }
func (f faulty) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(f.FS, name) }

type unreadable struct {
	fs.File
	err error
}

func (u unreadable) Read([]byte) (int, error) { return 0, u.err }

func TestSnapshotErrors(t *testing.T) {
	for _, err := range []error{syscall.ENOENT, syscall.EACCES} {
		snap := snapshot(t, faulty{FS: tinyTree(), name: "net/tcp", open: err}, sock.Want{Protos: sock.ProtosTCP})
		if snap.Missing != sock.ProtosTCP || len(snap.Warnings) > 0 {
			t.Errorf("%v: missing %b, warnings %v", err, snap.Missing, snap.Warnings)
		}
	}
	snap := snapshot(t, faulty{FS: tinyTree(), name: "net/tcp", open: syscall.EIO}, sock.Want{Protos: sock.ProtosTCP})
	if snap.Missing != sock.ProtosTCP || len(snap.Unopened) != 2 || len(snap.Warnings) != 1 || !errors.Is(snap.Warnings[0], syscall.EIO) {
		t.Errorf("EIO of open: missing %b, unopened %v, warnings %v", snap.Missing, snap.Unopened, snap.Warnings)
	}
	if got, want := snap.Unopened[0], (sock.Unopened{Proto: sock.TCP, File: "net/tcp", Err: syscall.EIO}); got != want {
		t.Errorf("unopened %v, want %v", got, want)
	}
	_, err := New(faulty{FS: tinyTree(), name: "net/tcp", read: syscall.EIO}).Snapshot(t.Context(), sock.Want{Protos: sock.ProtosTCP})
	if !errors.Is(err, syscall.EIO) || !strings.HasPrefix(err.Error(), "procfallback: read net/tcp: ") {
		t.Errorf("error %v, want EIO from net/tcp", err)
	}
}

func TestSnapshotIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := New(tinyTree()).Snapshot(ctx, sock.Want{Protos: everything})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}

// TestWhoseNamespace checks that the calling thread's own namespace comes first.
func TestWhoseNamespace(t *testing.T) {
	listing := func(inode int) *fstest.MapFile {
		return file(inetHeader + inetLine("127.0.0.1:22", "0.0.0.0:0", fmt.Sprintf("0A 0:0 0:0 0 0 0 %d 1", inode)))
	}
	tree := fstest.MapFS{
		"net/tcp":            listing(1),
		"7/net/tcp":          listing(2),
		"7/ns/net":           link("net:[4026531840]"),
		"7/task/9/net/tcp":   listing(3),
		"7/task/9/ns/net":    link("net:[4026532000]"),
		"self":               link("7"),
		"thread-self":        link("7/task/9"),
		"7/task/9/ns/uts":    link("uts:[1]"),
		"elsewhere/net/nope": file(""),
	}
	check := func(name string, inode, netns uint32) {
		t.Helper()
		s := snapshot(t, tree, sock.Want{Protos: sock.Protos(sock.TCP)}).Sockets
		if len(s) != 1 || s[0].Inode != inode || s[0].NetNS != netns {
			t.Errorf("%s: %+v, want inode %d of namespace %d", name, s, inode, netns)
		}
	}
	check("thread", 3, 4026532000)
	tree["7/task/9/ns/net"] = link("net:[4026532000")
	check("a link of another kind", 3, 0)
	delete(tree, "thread-self")
	check("process", 2, 4026531840)
	delete(tree, "self")
	check("bare net", 1, 0)
}

func TestIDs(t *testing.T) {
	tcp := func(lines ...string) string { return inetHeader + strings.Join(lines, "\n") }
	line := func(remote, state string, inode int) string {
		return inetLine("127.0.0.1:22", remote, fmt.Sprintf("%s 0:0 0:0 0 0 0 %d 1", state, inode))
	}
	ids := func(tcp, unix string) []sock.ID {
		tree := fstest.MapFS{"net/tcp": file(tcp), "net/unix": file(unix)}
		var ids []sock.ID
		seen := make(map[sock.ID]bool)
		for _, s := range snapshot(t, tree, sock.Want{Protos: everything}).Sockets {
			if s.ID&sock.LocalID == 0 || s.ID.Cookie() != 0 {
				t.Errorf("ID %#x is not marked as local", s.ID)
			}
			if seen[s.ID] {
				t.Errorf("ID %#x twice", s.ID)
			}
			seen[s.ID] = true
			ids = append(ids, s.ID)
		}
		return ids
	}
	// Two listeners share a port; a row is doubled; two sockets wait at one path.
	before := ids(
		tcp(line("0.0.0.0:0", "0A", 7), line("0.0.0.0:0", "0A", 8), line("127.0.0.1:99", "01", 0), line("127.0.0.1:99", "01", 0)),
		unixHeader+"0: 1 0 0 1 03 7\n0: 1 0 0 1 02 0 /a\n0: 1 0 0 1 02 0 /a\n0: 1 0 0 1 02 0 /b\n")
	if len(before) != 8 {
		t.Fatalf("%d rows, want 8", len(before))
	}
	// The connection was accepted and has gone to TIME_WAIT; the rest moved about.
	after := ids(
		tcp(line("127.0.0.1:99", "06", 50), line("0.0.0.0:0", "0A", 8), line("0.0.0.0:0", "0A", 7)),
		unixHeader+"0: 1 0 0 1 02 0 /b\n0: 2 0 0 1 04 7\n")
	for i, was := range []int{2, 1, 0, 7, 4} {
		if after[i] != before[was] {
			t.Errorf("row %d has ID %#x, want %#x of row %d before", i, after[i], before[was], was)
		}
	}
}

func TestSnapshotIsUsedAgain(t *testing.T) {
	tree := tinyTree()
	s := New(tree)
	first, err := s.Snapshot(t.Context(), sock.Want{Protos: everything})
	if err != nil {
		t.Fatal(err)
	}
	kept := first.Sockets[2].ID
	path := "/" + strings.Repeat("x", 2_000)
	line := "0: 1 0 0 1 03 9 " + path + "\n"
	tree["net/unix"] = file(unixHeader + line + strings.Repeat(strings.Replace(line, " 9 ", " 10 ", 1), 100)) // more than a buffer
	second, err := s.Snapshot(t.Context(), sock.Want{Protos: everything})
	if err != nil {
		t.Fatal(err)
	}
	if got := second.Sockets[2]; got.ID != kept || got.Unix.Path != path {
		t.Errorf("second snapshot: ID %#x with a path of %d bytes, want %#x and %d", got.ID, len(got.Unix.Path), kept, len(path))
	}
	if first.Sockets[2].Unix.Path != "" {
		t.Error("the second snapshot changed the first")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestRealProc needs no privilege: it reads what there is.
func TestRealProc(t *testing.T) {
	kerneltest.NoLeaks(t)
	s := New(os.DirFS("/proc"))
	snap, err := s.Snapshot(t.Context(), sock.Want{Protos: everything, Owners: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.Warnings) > 0 {
		t.Errorf("warnings: %v", snap.Warnings)
	}
	if snap.Protos|snap.Missing != everything || snap.Protos&snap.Missing != 0 {
		t.Errorf("protos %b, missing %b", snap.Protos, snap.Missing)
	}
	if s.Name() != "procfs" {
		t.Errorf("name %q", s.Name())
	}
}

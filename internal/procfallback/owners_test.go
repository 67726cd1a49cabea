// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// ownersTree is four processes and four sockets.
func ownersTree() fstest.MapFS {
	inode := func(n int) string {
		return inetLine("127.0.0.1:22", "0.0.0.0:0", fmt.Sprintf("0A 0:0 0:0 0 0 0 %d 1", n)) + "\n"
	}
	return fstest.MapFS{
		"net/tcp": file(inetHeader + inode(100) + inode(200) + inode(0) + inode(300) + inode(100)),
		// The name order of these is not the order of their numbers.
		"9/fd/3":           link("socket:[100]"),
		"9/fd/4":           link("pipe:[200]"),
		"9/comm":           file("server\n"),
		"9/cmdline":        file("/usr/sbin/server one\x00--flag\x00"),
		"10/fd/10":         link("socket:[100]"),
		"10/fd/9":          link("socket:[100]"),
		"10/fd/11":         link("[0000]:200"),
		"10/comm":          file("worker\n"),
		"10/cmdline":       file("worker: idle"),
		"80/fd/5":          link("socket:[100]"),
		"80/fd/6":          link("socket:[0]"),
		"80/fd/x":          link("socket:[300]"),
		"80/comm":          file("a name that is too long\n"),
		"700/fd/0":         link("socket:[99999]"),
		"700/comm":         &fstest.MapFile{Mode: fs.ModeDir}, // not to be read: it owns nothing here
		"sys/fd/3":         link("socket:[300]"),
		"99999999999/fd/3": link("socket:[300]"),
	}
}

func TestOwners(t *testing.T) {
	snap := snapshot(t, ownersTree(), sock.Want{Protos: sock.Protos(sock.TCP), Owners: true})
	describe := func(s *sock.Socket) string {
		var b strings.Builder
		for _, o := range append([]sock.Owner{s.Owner}, s.Others...) {
			fmt.Fprintf(&b, "%d/%d/%s/%s/%s ", o.PID, o.FD, o.Comm, o.Program, o.How)
		}
		return strings.TrimSpace(b.String())
	}
	shared := "9/3/server/server one/procfs 10/9/worker/worker: idle/procfs 80/5/a name that is //procfs"
	want := []string{shared, "10/11/worker/worker: idle/procfs", "0/0///", "0/0///", shared}
	for i := range snap.Sockets {
		if got := describe(&snap.Sockets[i]); got != want[i] {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, want[i])
		}
	}
	if !snap.OwnersFound || snap.OwnersDenied {
		t.Errorf("found %t, denied %t", snap.OwnersFound, snap.OwnersDenied)
	}
}

func TestOwnersNotWanted(t *testing.T) {
	snap := snapshot(t, ownersTree(), sock.Want{Protos: sock.Protos(sock.TCP)})
	if snap.OwnersFound || snap.Sockets[0].Owner.Known() {
		t.Errorf("owner %+v", snap.Sockets[0].Owner)
	}
}

func TestOwnersDenied(t *testing.T) {
	tests := []struct {
		err           error
		owner         uint32
		denied, found bool
	}{
		{syscall.EACCES, 10, true, true},
		{syscall.ENOENT, 10, false, true},
		{syscall.ESRCH, 10, false, true},
	}
	for _, tt := range tests {
		root := faulty{FS: ownersTree(), name: "9/fd", open: tt.err}
		snap := snapshot(t, root, sock.Want{Protos: sock.Protos(sock.TCP), Owners: true})
		if got := snap.Sockets[0].Owner.PID; got != tt.owner || snap.OwnersDenied != tt.denied || snap.OwnersFound != tt.found {
			t.Errorf("%v: owner %d, denied %t, found %t, want %+v", tt.err, got, snap.OwnersDenied, snap.OwnersFound, tt)
		}
	}
	snap := snapshot(t, faulty{FS: ownersTree(), name: ".", open: syscall.EACCES}, sock.Want{Protos: sock.Protos(sock.TCP), Owners: true})
	if !snap.OwnersDenied || snap.OwnersFound {
		t.Errorf("no list of processes: denied %t, found %t", snap.OwnersDenied, snap.OwnersFound)
	}
}

func TestProgramName(t *testing.T) {
	long := strings.Repeat("x", 600)
	tests := []struct{ cmdline, want string }{
		{"", ""},
		{"\x00arg", ""},
		{"nginx: master process /usr/sbin/nginx", "nginx: master process /usr/sbin/nginx"},
		{"/usr/bin/python3\x00/path/to/script", "python3"},
		{"/usr/bin/a b/c d\x00", "c d"},
		{"./client\x00", "./client"},
		{"bin/client\x00", "bin/client"},
		{"-bash\x00", "-bash"},
		{"/\x00", ""},
		{"/bin/\x00", ""},
		{"\x1b[2J\xff", "\x1b[2J\xff"},
		{"/" + long, long[:510]},
	}
	for _, tt := range tests {
		tree := fstest.MapFS{"7/cmdline": file(tt.cmdline), "7/comm": file("name\n")}
		if _, got := New(tree).names("7"); got != tt.want {
			t.Errorf("%.40q: %.40q, want %.40q", tt.cmdline, got, tt.want)
		}
	}
}

func TestSocketInode(t *testing.T) {
	tests := []struct {
		link string
		want uint32
	}{
		{"socket:[7]", 7}, {"socket:[4294967295]", 4294967295}, {"[0000]:7", 7},
		{"", 0}, {"socket:[", 0}, {"socket:[]", 0}, {"socket:[7", 0}, {"socket:[0]", 0}, {"socket:[4294967296]", 0},
		{"socket:[-7]", 0}, {"socket:[7] (deleted)", 0}, {"pipe:[7]", 0}, {"/tmp/socket:[7]", 0}, {"[0000]:", 0}, {"[0000]:0", 0},
	}
	for _, tt := range tests {
		if got, ok := socketInode([]byte(tt.link)); ok != (tt.want != 0) || ok && got != tt.want {
			t.Errorf("%q: %d %t, want %d", tt.link, got, ok, tt.want)
		}
	}
}

// opaque hides that its files are those of the operating system.
type opaque struct{ fs.FS }

func (o opaque) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return struct{ fs.ReadDirFile }{f.(fs.ReadDirFile)}, nil
}
func (o opaque) ReadLink(name string) (string, error)   { return fs.ReadLink(o.FS, name) }
func (o opaque) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(o.FS, name) }

// TestScansAgree compares the scan by descriptor with the one by name.
func TestScansAgree(t *testing.T) {
	openPairs(t, 2000) // more than one buffer of names
	dir := fmt.Sprintf("%d/fd", os.Getpid())
	scan := func(root fs.FS) (found []string) {
		c := fdScan{root: root, buf: make([]byte, 32<<10)}
		if err := c.sockets(dir, func(fd int32, inode uint32) {
			found = append(found, fmt.Sprint(fd, inode))
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		return found
	}
	real := os.DirFS("/proc")
	fast, slow := scan(real), scan(opaque{real})
	if len(fast) < 4000 || !slices.Equal(fast, slow) {
		t.Errorf("%d sockets by descriptor, %d by name", len(fast), len(slow))
	}
}

// openPairs opens pairs of UNIX sockets that stay until the test is over.
func openPairs(tb testing.TB, pairs int) {
	tb.Helper()
	need := uint64(2*pairs + 100)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		tb.Fatal(err)
	}
	if limit.Cur < need {
		raised := unix.Rlimit{Cur: need, Max: max(need, limit.Max)}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err != nil {
			tb.Skipf("needs %d descriptors, may have %d: %v", need, limit.Max, err)
		}
		tb.Cleanup(func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) })
	}
	for range pairs {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	}
}

// BenchmarkOwners finds the owners of 18,000 sockets of this process, and of
// whatever else the machine runs.
func BenchmarkOwners(b *testing.B) {
	openPairs(b, 9_000)
	real := os.DirFS("/proc")
	for _, bm := range []struct {
		name string
		root fs.FS
	}{{"by descriptor", real}, {"by name", opaque{real}}} {
		b.Run(bm.name, func(b *testing.B) {
			s := New(real)
			snap, err := s.Snapshot(b.Context(), sock.Want{Protos: sock.ProtosUnix})
			if err != nil {
				b.Fatal(err)
			}
			s.root = bm.root
			b.ReportAllocs()
			for b.Loop() {
				for i := range snap.Sockets {
					snap.Sockets[i].Owner, snap.Sockets[i].Others = sock.Owner{}, nil
				}
				if err := s.findOwners(b.Context(), &snap); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/18_000, "ns/socket")
		})
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// bigTree has tables that no buffer holds, with bad lines among the good ones, one of them longer than a buffer.
func bigTree() fstest.MapFS {
	var tcp, unix strings.Builder
	tcp.WriteString(inetHeader)
	unix.WriteString(unixHeader)
	for i := range 3000 {
		fmt.Fprintln(&tcp, inetLine("127.0.0.1:22", fmt.Sprintf("192.0.2.%d:%d", i%256, i), fmt.Sprintf("01 %X:0 0:0 0 %d 0 %d 1", i, i%7, i+1)))
		fmt.Fprintf(&unix, "0: %X 0 0 1 03 %d /run/%s\n", i, i+1, strings.Repeat("x", i%90))
		if i%1000 == 500 {
			fmt.Fprintln(&tcp, "nonsense")
			fmt.Fprintln(&unix, strings.Repeat("y", 3*eachBuffer/2))
		}
	}
	unix.WriteString("0: 1 0 0 1 03 9 /no/line/feed")
	return fstest.MapFS{"net/tcp": file(tcp.String()), "net/unix": file(unix.String()), "net/udp": file(""), "net/raw": file(inetHeader)}
}

// slow gives a byte at a time.
type slow struct{ fs.FS }

func (s slow) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return slowFile{f}, nil
}

type slowFile struct{ fs.File }

func (f slowFile) Read(b []byte) (int, error) { return iotest.OneByteReader(f.File).Read(b) }

// Each gives what a snapshot has, however the file is cut into reads.
func TestEach(t *testing.T) {
	kerneltest.NoLeaks(t)
	for _, root := range []fs.FS{bigTree(), slow{bigTree()}, tinyTree(), slow{tinyTree()}} {
		for p := sock.TCP; p <= sock.Unix; p++ {
			if sock.ProtosSCTP.Has(p) {
				continue
			}
			want := snapshot(t, root, sock.Want{Protos: sock.Protos(p)})
			var got []sock.Socket
			warned, err := New(root).Each(t.Context(), p, func(s *sock.Socket) { got = append(got, *s) })
			if want.Missing != 0 {
				if path := (*fs.PathError)(nil); !errors.As(err, &path) || path.Op != "open" || len(got) > 0 {
					t.Errorf("%v: %v, want that it cannot be opened", p, err)
				}
				continue
			}
			if err != nil || len(got) != len(want.Sockets) || fmt.Sprint(warned) != fmt.Sprint(want.Warnings) {
				t.Fatalf("%v: %d rows, %v, warnings %.200s; want %d and %.200s", p, len(got), err, fmt.Sprint(warned), len(want.Sockets), fmt.Sprint(want.Warnings))
			}
			for i := range got {
				w := want.Sockets[i]
				w.ID, w.At = 0, 0
				if !reflect.DeepEqual(got[i], w) {
					t.Fatalf("%v: row %d is %+v, want %+v", p, i, got[i], w)
				}
			}
		}
	}
}

func TestEachFails(t *testing.T) {
	kerneltest.NoLeaks(t)
	root := faulty{FS: tinyTree(), name: "net/tcp", read: syscall.EIO}
	if _, err := New(root).Each(t.Context(), sock.TCP, func(*sock.Socket) {}); !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v, want %v", err, syscall.EIO)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	_, err := New(bigTree()).Each(ctx, sock.TCP, func(*sock.Socket) {
		cancel()
		rows++
	})
	if !errors.Is(err, context.Canceled) || rows == 0 {
		t.Errorf("error %v after %d rows, want %v", err, rows, context.Canceled)
	}
}

// Holders names the process that netstat would.
func TestHolders(t *testing.T) {
	snap := snapshot(t, ownersTree(), sock.Want{Protos: everything, Owners: true})
	source := New(ownersTree())
	h := sock.NewHolders(0, sock.HowProcfs, func(pid uint32) string {
		name, _ := source.Program(pid)
		return name
	})
	found, denied, err := source.Holders(t.Context(), h)
	if err != nil || found != snap.OwnersFound || denied != snap.OwnersDenied {
		t.Fatalf("found %v, denied %v, %v; want %v and %v", found, denied, err, snap.OwnersFound, snap.OwnersDenied)
	}
	for _, s := range snap.Sockets {
		named := s
		named.Owner, named.Others = sock.Owner{}, nil
		if h.Name(&named); named.Owner.PID != s.Owner.PID || named.Owner.Program != s.Owner.Program || named.Owner.How != s.Owner.How {
			t.Errorf("inode %d: %+v, want %+v", s.Inode, named.Owner, s.Owner)
		}
	}
}

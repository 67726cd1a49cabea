// SPDX-License-Identifier: GPL-2.0-or-later

package vm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mountPoints are the directories on which the guest mounts what a kernel offers.
var mountPoints = []string{"/dev", "/proc", "/sys", "/run", "/tmp", "/etc", "/mod"}

// initramfs writes an archive in the kernel's form (Documentation/driver-api/early-userspace/buffer-format.rst): cpio's newc. No
// module of Go's for it takes device nodes, and without /dev/console init has no output.
type initramfs struct {
	w    *bufio.Writer
	at   int // bytes written
	ino  int
	dirs map[string]bool
	err  error
}

func (m *Machine) writeInitramfs(file string) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	a := initramfs{w: bufio.NewWriter(f), dirs: map[string]bool{"/": true}}
	for _, dir := range mountPoints {
		a.mkdir(dir)
	}
	a.entry("/dev/console", unix.S_IFCHR|0o600, nil, 0, unix.Mkdev(5, 1))
	text, err := m.planText()
	if err != nil {
		return err
	}
	a.entry(planFile, unix.S_IFREG|0o644, bytes.NewReader(text), int64(len(text)), 0)
	a.copy("/init", m.Init)
	a.mkdir("/bin")
	a.symlink("/bin/cat", "/init")
	for i, module := range m.Modules {
		a.copy(modulePath(i, module), module)
	}
	for _, to := range slices.Sorted(maps.Keys(m.Files)) {
		a.tree(to, m.Files[to])
	}
	a.entry("TRAILER!!!", 0, nil, 0, 0)
	return errors.Join(a.err, a.w.Flush())
}

// tree adds a file, or a directory with what is in it.
func (a *initramfs) tree(to, from string) {
	err := filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		switch name := path.Join(to, filepath.ToSlash(below)); {
		case d.IsDir():
			a.mkdir(name)
		default:
			a.mkdir(path.Dir(name))
			a.copy(name, file)
		}
		return a.err
	})
	a.err = errors.Join(a.err, err)
}

// mkdir adds a directory and those above it, once.
func (a *initramfs) mkdir(dir string) {
	if a.dirs[dir] {
		return
	}
	a.mkdir(path.Dir(dir))
	a.dirs[dir] = true
	mode := uint32(unix.S_IFDIR | 0o755)
	if dir == "/tmp" {
		mode |= 0o1777
	}
	a.entry(dir, mode, nil, 0, 0)
}

func (a *initramfs) copy(to, from string) {
	f, err := os.Open(from)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	a.entry(to, unix.S_IFREG|0o644|uint32(info.Mode().Perm())&0o111, f, info.Size(), 0)
}

func (a *initramfs) symlink(from, to string) {
	a.entry(from, unix.S_IFLNK|0o777, strings.NewReader(to), int64(len(to)), 0)
}

func (a *initramfs) entry(name string, mode uint32, content io.Reader, size int64, device uint64) {
	if a.err != nil {
		return
	}
	a.ino++
	if name[0] == '/' {
		name = name[1:]
	}
	nlink := 1
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", a.ino, mode, 0, 0, nlink, 0, size, 0, 0,
		unix.Major(device), unix.Minor(device), len(name)+1, 0, name)
	a.write([]byte(head))
	a.pad()
	if content != nil {
		n, err := io.Copy(a.w, content)
		a.at += int(n)
		if err == nil && n != size {
			err = fmt.Errorf("%s: %d bytes of %d", name, n, size)
		}
		a.err = errors.Join(a.err, err)
	}
	a.pad()
}

func (a *initramfs) write(b []byte) {
	n, err := a.w.Write(b)
	a.at += n
	a.err = errors.Join(a.err, err)
}

// pad fills up to four bytes, where the head of an entry and its content begin.
func (a *initramfs) pad() { a.write(make([]byte, -a.at&3)) }

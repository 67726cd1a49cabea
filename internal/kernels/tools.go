// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// toolPackages have the programs that tests hold netlive against, and toolFiles are those programs. They are the same on all kernels of an architecture: none of them
// is newer than the kernel that is to be looked at with it.
var (
	toolPackages = []string{"bash", "iproute2", "net-tools"}
	toolFiles    = []string{"bin/bash", "bin/ip", "bin/netstat", "bin/ss", "sbin/tc"}
)

// fetchTools brings the programs of an architecture here with the libraries that they are linked to, and tells the directory in which they lie as in the
// root of a machine.
func fetchTools(ctx context.Context, arch string) (dir string, err error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(cache, "tools-"+arch)
	if isDir(dir) {
		return dir, nil
	}
	a, err := newApt(ctx, []kernel{{Arch: arch, Suites: bookworm}})
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(a.dir)
	if _, err := a.run(ctx, "apt-get", "update", "-q"); err != nil {
		return "", err
	}
	of := []string{"-o", "APT::Architecture=" + arch, "install", "-q", "-y", "--download-only", "--no-install-recommends"}
	if _, err := a.run(ctx, "apt-get", append(of, toolPackages...)...); err != nil {
		return "", err
	}
	root := filepath.Join(a.dir, "root")
	if _, err := a.run(ctx, "sh", "-c", `for deb in cache/archives/*.deb; do dpkg-deb -x "$deb" root || exit; done`); err != nil {
		return "", err
	}
	l := linked{root: root, into: dir + ".part"}
	if err := os.RemoveAll(l.into); err != nil {
		return "", err
	}
	for _, file := range toolFiles {
		if err := l.take(file, filepath.Join("bin", filepath.Base(file))); err != nil {
			return "", fmt.Errorf("%s of %s: %w", file, arch, err)
		}
	}
	return dir, os.Rename(l.into, dir)
}

// linked takes programs and what they are linked to out of a root directory.
type linked struct{ root, into string }

// take copies a file, and if that is new what it needs.
func (l linked) take(from, to string) error {
	to = filepath.Join(l.into, to)
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	file, err := l.resolve(from)
	if err != nil {
		return err
	}
	if err := copyFile(to, file); err != nil {
		return err
	}
	f, err := elf.Open(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(p.Open())
		if err != nil {
			return err
		}
		loader := strings.Trim(string(name), "/\x00")
		if err := l.take(loader, loader); err != nil {
			return err
		}
	}
	names, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range names {
		found, err := l.find(name)
		if err != nil {
			return err
		}
		if err := l.take(found, "lib/"+name); err != nil { // where the loader of each architecture looks last
			return err
		}
	}
	return nil
}

// find is where a library lies.
func (l linked) find(name string) (string, error) {
	for _, pattern := range []string{"lib/*-linux-gnu*", "usr/lib/*-linux-gnu*", "lib", "usr/lib", "lib64"} {
		if found, _ := filepath.Glob(filepath.Join(l.root, pattern, name)); len(found) > 0 {
			return filepath.Rel(l.root, found[0])
		}
	}
	return "", fmt.Errorf("no library %s", name)
}

// resolve follows links, as from the root.
func (l linked) resolve(name string) (string, error) {
	for range 8 {
		file := filepath.Join(l.root, name)
		to, err := os.Readlink(file)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return "", err
		case err != nil: // no link
			return file, nil
		case filepath.IsAbs(to):
			name = to
		default:
			name = filepath.Join(filepath.Dir(name), to)
		}
	}
	return "", fmt.Errorf("%s: too many links", name)
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, 0o755))
}

// SPDX-License-Identifier: GPL-2.0-or-later

// Package cgroup says which container or systemd unit a cgroup v2 is, by its number.
package cgroup

import (
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/sys/mountinfo"
)

// Names finds cgroups by their numbers, which are the inode numbers of their directories (kernfs, on 64 bit machines). It may be used
// by several goroutines.
type Names struct {
	mu     sync.Mutex
	dir    string // where cgroup v2 is mounted
	root   string // which cgroup is mounted there
	rooted bool
	paths  map[uint64]string
	looked time.Time
}

const (
	// lookAgain is how long a number that nothing is known of is not looked for again.
	lookAgain = time.Second
	// pathsMax bounds what is remembered; then what is gone is forgotten.
	pathsMax = 1 << 16
)

// Path is the path of a cgroup below the root of cgroup v2, as in /system.slice/ssh.service; "" when it is not found. One that is gone keeps
// the path it was last seen at.
func (n *Names) Path(id uint64) string {
	if id == 0 {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	path, ok := n.paths[id]
	if !ok && time.Since(n.looked) > lookAgain {
		n.look()
		path = n.paths[id]
	}
	return path
}

// look reads the whole tree of directories.
func (n *Names) look() {
	n.looked = time.Now()
	if !n.rooted {
		n.dir, n.root, _ = Mount() // without it nothing has a path
		n.rooted = true
	}
	if n.dir == "" {
		return
	}
	if n.paths == nil || len(n.paths) > pathsMax {
		n.paths = map[uint64]string{}
	}
	_ = filepath.WalkDir(n.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // one that went meanwhile
		}
		if info, err := d.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				n.paths[st.Ino] = path.Join(n.root, strings.TrimPrefix(name, n.dir))
			}
		}
		return nil
	})
}

// Mount is where cgroup v2 is mounted, "" when it is not, and the cgroup that is the root there: / unless a part alone is mounted.
// The error is that of reading /proc/self/mountinfo.
func Mount() (dir, root string, err error) {
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup2"))
	if err != nil {
		return "", "", err
	}
	dir, root = pick(mounts)
	return dir, root, nil
}

func pick(mounts []*mountinfo.Info) (dir, root string) {
	if len(mounts) == 0 {
		return "", ""
	}
	whole := slices.IndexFunc(mounts, func(m *mountinfo.Info) bool { return m.Root == "/" })
	m := mounts[max(whole, 0)]
	return m.Mountpoint, m.Root
}

// Container runtimes name cgroups docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope, SLICE:cri-containerd:ID, and
// /docker/ID, /kubepods/…/ID without systemd. The ID has 64 hex digits. machine-NAME.scope, lxc.payload.NAME and lxc/NAME have names.
var (
	container = regexp.MustCompile(`(?:^|[-:])([0-9a-f]{64})(?:\.scope)?$`) // a part of a path
	machine   = regexp.MustCompile(`/machine-([^/]+)\.scope(?:/|$)`)
	lxc       = regexp.MustCompile(`/lxc(?:\.payload\.|\.payload/|/)([^/]+)(?:/|$)`)
	escaped   = regexp.MustCompile(`\\x[0-9a-f]{2}`)
)

// shortID is as much of a container's ID as docker ps shows.
const shortID = 12

// Owner is what a path of Names stands for: the first twelve digits of a container's ID (of the innermost), the name of an LXC container or
// of a machine, or a systemd unit (the last .service or .scope of the path, else its last .slice); "" for none of these.
func Owner(path string) string {
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if m := container.FindStringSubmatch(parts[i]); m != nil {
			return m[1][:shortID]
		}
	}
	if m := machine.FindStringSubmatch(path); m != nil {
		return escaped.ReplaceAllStringFunc(m[1], unescape)
	}
	if m := lxc.FindStringSubmatch(path); m != nil {
		return m[1]
	}
	slice := ""
	for i := len(parts) - 1; i >= 0; i-- {
		switch part := parts[i]; {
		case strings.HasSuffix(part, ".service"), strings.HasSuffix(part, ".scope"):
			return part
		case strings.HasSuffix(part, ".slice") && slice == "":
			slice = part
		}
	}
	return slice
}

// unescape undoes what systemd does to a byte that the name of a unit may not have (systemd-escape(1)).
func unescape(s string) string {
	b, _ := strconv.ParseUint(s[len(`\x`):], 16, 8) // escaped lets nothing else through
	return string([]byte{byte(b)})
}

// SPDX-License-Identifier: GPL-2.0-or-later

package cgroup

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"netlive/internal/kerneltest"
)

const (
	id    = "3f4e8a0c55d97e1b2c6a9f00d1e2b3c4a5968778695a4b3c2d1e0f9e8d7c6b5a"
	inner = "aa11bb22cc33dd44ee55ff66aa77bb88cc99dd00ee11ff22aa33bb44cc55dd66"
	pod   = "8c1d4a5e_9f00_4a6b_8d1c_0123456789ab"
)

// Owner of paths as runtimes and systemd make them.
func TestOwner(t *testing.T) {
	user := "/user.slice/user-1000.slice/user@1000.service"
	for _, c := range []struct{ of, path, want string }{
		{"docker, driver systemd", "/system.slice/docker-" + id + ".scope", id[:12]},
		{"docker, driver cgroupfs", "/docker/" + id, id[:12]},
		{"docker without root", user + "/user.slice/docker-" + id + ".scope", id[:12]},
		{"systemd in docker", "/system.slice/docker-" + id + ".scope/system.slice/ssh.service", id[:12]},
		{"init in docker", "/docker/" + id + "/init.scope", id[:12]},
		{"docker in docker", "/docker/" + id + "/docker/" + inner, inner[:12]},
		{"a container right below another", "/docker/" + id + "/" + inner, inner[:12]},
		{"podman", "/machine.slice/libpod-" + id + ".scope", id[:12]},
		{"podman, its payload", "/machine.slice/libpod-" + id + ".scope/container", id[:12]},
		{"podman without root", user + "/user.slice/libpod-" + id + ".scope/container", id[:12]},
		{"podman, manager cgroupfs", "/libpod_parent/libpod-" + id, id[:12]},
		{"podman, the monitor of a container", "/machine.slice/libpod-conmon-" + id + ".scope", id[:12]},
		{"containerd", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + pod + ".slice/cri-containerd-" + id + ".scope", id[:12]},
		{"containerd, cgroupfs", "/kubepods/burstable/pod" + strings.ReplaceAll(pod, "_", "-") + "/" + id, id[:12]},
		{"containerd, half of each", "/system.slice/containerd.service/kubepods-besteffort-pod" + pod + ".slice:cri-containerd:" + id, id[:12]},
		{"crio", "/kubepods.slice/kubepods-pod" + pod + ".slice/crio-" + id + ".scope", id[:12]},
		{"crio, its payload", "/kubepods.slice/kubepods-pod" + pod + ".slice/crio-" + id + ".scope/container", id[:12]},
		{"kind: a pod in docker", "/docker/" + id + "/kubelet.slice/kubelet-kubepods.slice/cri-containerd-" + inner + ".scope", inner[:12]},
		{"a pod itself", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + pod + ".slice", "kubepods-burstable-pod" + pod + ".slice"},
		{"a pod itself, cgroupfs", "/kubepods/besteffort/pod" + strings.ReplaceAll(pod, "_", "-"), ""},
		{"lxc", "/lxc.payload.web", "web"},
		{"lxc, a unit in it", "/lxc.payload.web/system.slice/nginx.service", "web"},
		{"lxc 3", "/lxc.payload/web/init.scope", "web"},
		{"lxc 2", "/lxc/web/init.scope", "web"},
		{"lxc's own unit", "/system.slice/lxc.service", "lxc.service"},
		{"lxc's monitor", "/lxc.monitor.web", ""},
		{"machined", "/machine.slice/machine-debian.scope/payload/system.slice/cron.service", "debian"},
		{"libvirt", `/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/emulator`, "qemu-1-vm"},
		{"nspawn", "/machine.slice/systemd-nspawn@debian.service/payload/init.scope", "init.scope"},
		{"a service", "/system.slice/nginx.service", "nginx.service"},
		{"a part of a service", "/system.slice/nginx.service/workers", "nginx.service"},
		{"an instance", "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"},
		{"systemd", "/init.scope", "init.scope"},
		{"a session", "/user.slice/user-1000.slice/session-3.scope", "session-3.scope"},
		{"a user's systemd", user + "/init.scope", "init.scope"},
		{"a user's service", user + "/app.slice/dbus.service", "dbus.service"},
		{"a user's application", user + "/app.slice/app-gnome-firefox-4242.scope", "app-gnome-firefox-4242.scope"},
		{"a slice", "/system.slice", "system.slice"},
		{"a slice within one", "/user.slice/user-0.slice", "user-0.slice"},
		{"a digit too few", "/docker/" + id[1:], ""},
		{"a digit too many", "/docker/0" + id, ""},
		{"not a digit", "/docker/g" + id[1:], ""},
		{"capitals", "/docker/" + strings.ToUpper(id), ""},
		{"plain", "/build/job 7", ""},
		{"the root", "/", ""},
		{"unknown", "", ""},
	} {
		if got := Owner(c.path); got != c.want {
			t.Errorf("%s: %s is of %q, want %q", c.of, c.path, got, c.want)
		}
	}
}

// part is how the last part of a path that is a container looks.
var part = regexp.MustCompile(`^(?:.*[-:])?([0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?$`)

// The last part that is a container is the owner. Another owner is a piece of the path, escapes of systemd's apart.
func FuzzOwner(f *testing.F) {
	for _, path := range []string{
		"", "/", "/docker/" + id, "/docker/" + id + "/" + inner, "/system.slice/docker-" + id + ".scope/init.scope",
		"/lxc.payload.web/a", "/lxc/a", `/machine.slice/machine-a\x2db.scope`, `/machine-\x.scope`, `/machine-\x2.scope/`,
		"/a.slice/b.service/c.slice", "//..scope//", "-" + id, "\xff/lxc/\x00",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := Owner(path)
		container := ""
		for p := range strings.SplitSeq(path, "/") {
			if m := part.FindStringSubmatch(p); m != nil {
				container = m[1]
			}
		}
		switch {
		case container != "" && got != container:
			t.Errorf("%q: %q, want container %q", path, got, container)
		case container == "" && !strings.Contains(path, got) && !strings.Contains(path, `\x`):
			t.Errorf("%q: %q is not in it", path, got)
		}
	})
}

// inode is the number of a directory.
func inode(t *testing.T, dir string) uint64 {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

func mkdir(t *testing.T, dir string) uint64 {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return inode(t, dir)
}

// A number is looked for once a second at most; what was found stays, be the cgroup gone.
func TestNamesRemember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := t.TempDir()
		old := mkdir(t, filepath.Join(root, "old.slice", "a"))
		n := &Names{dir: root, root: "/", rooted: true}
		expect := func(number uint64, want string) {
			t.Helper()
			if got := n.Path(number); got != want {
				t.Errorf("%d is at %q, want %q", number, got, want)
			}
		}
		expect(0, "")
		if !n.looked.IsZero() {
			t.Error("no cgroup was looked for")
		}
		expect(old, "/old.slice/a")
		expect(inode(t, root), "/")
		late := mkdir(t, filepath.Join(root, "late"))
		expect(late, "") // the last look was just now
		time.Sleep(lookAgain)
		expect(late, "")
		time.Sleep(time.Nanosecond)
		expect(late, "/late")
		if err := os.RemoveAll(filepath.Join(root, "old.slice")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		expect(1<<63, "")
		expect(old, "/old.slice/a")
		if len(n.paths) > pathsMax {
			t.Errorf("%d paths", len(n.paths))
		}
	})
}

// What is remembered has a bound.
func TestNamesAreBounded(t *testing.T) {
	n := &Names{dir: t.TempDir(), root: "/", rooted: true, paths: map[uint64]string{}}
	for i := range uint64(pathsMax + 1) {
		n.paths[1<<40+i] = "/gone"
	}
	if n.Path(7); len(n.paths) > pathsMax {
		t.Errorf("%d paths after a look", len(n.paths))
	}
}

// Where cgroup v2 is not mounted nothing has a path.
func TestNoCgroups(t *testing.T) {
	n := &Names{rooted: true}
	if got := n.Path(7); got != "" {
		t.Errorf("%q", got)
	}
}

// The kernel's own tree: a cgroup is found by the number of its directory, and has its path after its end.
func TestCgroups(t *testing.T) {
	kerneltest.RequireRoot(t)
	root, part, err := Mount()
	if err != nil || root == "" || part != "/" {
		t.Fatalf("cgroup v2 is not mounted: %q of %q, %v", root, part, err)
	}
	dir, err := os.MkdirTemp(root, "netlive-test-*.service")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	var n Names
	number, want := inode(t, dir), "/"+filepath.Base(dir)
	if got := n.Path(number); got != want || Owner(got) != filepath.Base(dir) {
		t.Errorf("%s: %q of %q", dir, got, Owner(got))
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	n.looked = time.Time{}
	if n.Path(1 << 63); n.Path(number) != want {
		t.Errorf("after its end: %q", n.Path(number))
	}
	if got := n.Path(inode(t, root)); got != "/" {
		t.Errorf("the root: %q", got)
	}
}

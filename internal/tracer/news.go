// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"netlive/internal/cgroup"
	"netlive/internal/sock"
)

// enum news of records.h.
const (
	newsTCP = iota
	newsUDP
	newsRaw
	newsUnix
	newsOwners
	newsCount = 8
)

// newsProtos are the protocols that a byte of stale or active stands for. What is neither TCP nor UDP goes by raw.
var newsProtos = [newsCount]sock.ProtoSet{
	newsTCP:  sock.ProtosTCP,
	newsUDP:  sock.ProtosUDP | sock.ProtosUDPLite,
	newsRaw:  sock.ProtosRaw | sock.ProtosSCTP,
	newsUnix: sock.ProtosUnix,
}

// inetPrograms tell that a socket of an internet protocol was made, bound or closed; bindPrograms that one was bound.
var (
	bindPrograms = []string{bpfProgInetBind4, bpfProgInetBind6}
	inetPrograms = append([]string{bpfProgInetCreate, bpfProgInetRelease}, bindPrograms...)
)

// attachInet hangs programs up at the root of cgroup v2, all or none. That takes CAP_NET_ADMIN and a cgroup namespace that sees the
// root; without, Announced lacks those protocols, Lacks has EventBind, and that is all.
func (t *Tracer) attachInet(spec *ebpf.CollectionSpec, programs []string) error {
	root, err := openCgroupRoot()
	if err != nil {
		return explain("open the root of cgroup v2", err)
	}
	defer root.Close()
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return !slices.Contains(programs, name) })
	shared := map[string]*ebpf.Map{}
	for name, m := range t.coll.Maps {
		shared[name] = m
	}
	for name := range spec.Maps {
		if shared[name] == nil {
			delete(spec.Maps, name)
		}
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: shared})
	if err != nil {
		return explain("load", err)
	}
	for _, name := range programs {
		l, err := link.AttachCgroup(link.CgroupOptions{Path: fmt.Sprintf("/proc/self/fd/%d", root.Fd()), Attach: spec.Programs[name].AttachType, Program: coll.Programs[name]})
		if err != nil {
			coll.Close()
			return explain("attach "+name, err)
		}
		t.links = append(t.links, l)
	}
	t.inet = coll
	return nil
}

var (
	errNoCgroupRoot = errors.New("the root of cgroup v2 is not in sight")
	errNotMounted   = errors.New("cgroup v2 is not mounted")
)

// openCgroupRoot opens the root directory of cgroup v2. Where it is not mounted, as where ip-netns(8) has mounted another /sys, it is
// made visible to us alone (fsmount(2), Linux 5.2, CAP_SYS_ADMIN).
func openCgroupRoot() (*os.File, error) {
	path, err := cgroupRoot()
	if err == nil {
		return os.Open(path)
	}
	if !errors.Is(err, errNotMounted) {
		return nil, err
	}
	return openUnmounted("cgroup2")
}

// openUnmounted opens the root of a file system of the kernel's own, without mounting it where anybody else sees it.
func openUnmounted(kind string) (*os.File, error) {
	fs, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, err
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), kind), nil
}

// cgroupRoot is where the root of cgroup v2 is mounted.
func cgroupRoot() (string, error) {
	// In a cgroup namespace the root is its own (include/linux/proc_ns.h, PROC_CGROUP_INIT_INO).
	const initial = 0xeffffffb
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/cgroup", &st); err != nil || st.Ino != initial {
		return "", errNoCgroupRoot
	}
	dir, root, err := cgroup.Mount()
	switch {
	case err != nil:
		return "", err
	case root != "/":
		return "", errNotMounted
	}
	return dir, nil
}

// Announced are the protocols whose sockets cannot come, go, change their ends or move data without an event, Stale or Active
// saying so: others must be walked to know. The ends of TCP's half-open connections and of its minisockets are an exception. Its Owners is whether
// a second owner is told: without sk_data_ready and sock_recv_length (6.3) nobody tells of a socket that is passed on.
func (t *Tracer) Announced() (n sock.News) {
	has := func(program string) bool { return t.coll.Programs[program] != nil }
	data := has(bpfProgWatchData) || has(bpfProgWatchQueue)
	n.Owners = data && has(bpfProgWatchReceive)
	if !data || !has(bpfProgWatchWrite) {
		return n
	}
	n.Protos = newsProtos[newsTCP]
	if t.inet != nil {
		n.Protos |= newsProtos[newsUDP] | newsProtos[newsRaw]
	}
	return n
}

// Stale is what has changed since the last call that events do not tell; an EventStale says when to ask. A snapshot that begins
// after the call has it.
func (t *Tracer) Stale() sock.News { return t.take(bpfVarStale) }

// Active are the protocols of which data has moved since the last call, so that queues are others. Without sk_data_ready
// (6.3) it is TCP's reads alone.
func (t *Tracer) Active() sock.ProtoSet { return t.take(bpfVarActive).Protos }

func (t *Tracer) take(variable string) (n sock.News) {
	v := t.coll.Variables[variable]
	if v == nil {
		return n // HookClassic
	}
	var set [newsCount]uint8
	// Mapped memory of the right size: neither can fail. What is set between the two is lost, but happened before the walk that follows.
	if _ = v.Get(&set); set == [newsCount]uint8{} {
		return n
	}
	_ = v.Set([newsCount]uint8{})
	for i, is := range set {
		if is != 0 {
			n.Protos |= newsProtos[i]
		}
	}
	n.Owners = set[newsOwners] != 0
	return n
}

// nextWalk numbers the walk over descriptors that is about to begin.
func (t *Tracer) nextWalk() error {
	v := t.coll.Variables[bpfVarWalk]
	var n uint8
	if err := v.Get(&n); err != nil {
		return fmt.Errorf("tracer: number a walk: %w", err)
	}
	if n++; n == 0 {
		n = 1
	}
	if err := v.Set(n); err != nil {
		return fmt.Errorf("tracer: number a walk: %w", err)
	}
	return nil
}

// pidNamespace is the inode number of our PID namespace, 0 for the initial one.
func pidNamespace() (uint32, error) {
	const initial = 0xeffffffc // include/linux/proc_ns.h, PROC_PID_INIT_INO
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return 0, fmt.Errorf("tracer: find the PID namespace: %w", err)
	}
	if st.Ino == initial {
		return 0, nil
	}
	return uint32(st.Ino), nil
}

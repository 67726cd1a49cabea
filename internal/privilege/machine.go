// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"runtime"
	"strings"
	"unsafe"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// allOfBPF reports whether the kernel asks for CAP_BPF at each call of bpf(2). Until Linux 5.19 it does unless kernel.unprivileged_bpf_disabled is
// 0; since then only for making maps and loading programs (kernel/bpf/syscall.c, __sys_bpf). Distributions' kernels have versions
// that say little, so it is asked: without the capability, of a descriptor that is none.
func allOfBPF() bool {
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before [2]unix.CapUserData
	if err := unix.Capget(&header, &before[0]); err != nil {
		runtime.UnlockOSThread()
		return true
	}
	without := before
	for _, c := range []uint{unix.CAP_BPF, unix.CAP_SYS_ADMIN} { // bpf_capable()
		without[c/32].Effective &^= 1 << (c % 32)
	}
	if err := unix.Capset(&header, &without[0]); err != nil {
		runtime.UnlockOSThread()
		return true
	}
	attr := struct{ link, flags uint32 }{link: ^uint32(0)}
	_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_ITER_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if err := unix.Capset(&header, &before[0]); err == nil { // else the thread ends with its goroutine
		runtime.UnlockOSThread()
	}
	return errno == unix.EPERM
}

// onlyAdmin reports whether it is CAP_SYS_ADMIN that must do for CAP_BPF.
func onlyAdmin() bool {
	return !permitted(cap.BPF) && allOfBPF()
}

// hiddenProc reports whether /proc hides processes (hidepid of proc(5)) from who may not trace them.
func hiddenProc() bool {
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("proc"))
	if err != nil {
		return true
	}
	hides := false
	for _, m := range mounts {
		if m.Mountpoint != "/proc" {
			continue
		}
		hides = false // the last one is on top
		for option := range strings.SplitSeq(m.VFSOptions, ",") {
			if value, ok := strings.CutPrefix(option, "hidepid="); ok {
				hides = value != "0" && value != "off"
			}
		}
	}
	return hides
}

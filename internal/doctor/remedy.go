// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"errors"
	"os"

	"netlive/internal/tracer"
)

// newer is what mends a kernel that does not support what netlive's programs need.
const newer = "Linux 5.12 or newer with CONFIG_DEBUG_INFO_BTF can do it"

// wider is what mends a netlive of 32 bits, and a kernel.
const wider = "a 64-bit kernel and the netlive that is built for it"

// typeless is what mends a kernel whose types are not to be seen.
const typeless = "a kernel with CONFIG_DEBUG_INFO_BTF=y; in a container or chroot: sudo mount -t sysfs sysfs /sys"

// Remedy says what would make BPF available, given the error of opening the tracer, "" where that is not known. self is the path of netlive.
func Remedy(err error, self string) string {
	if err == nil || !errors.Is(err, os.ErrPermission) && !errors.Is(err, tracer.ErrUnsupported) {
		return ""
	}
	f := Read(os.DirFS("/"))
	return f.remedy(err, self)
}

// Grant says how to get capabilities, besides those for BPF. self is the path of netlive.
func Grant(self string, caps ...Capability) string {
	f := Read(os.DirFS("/"))
	return f.grant(self, caps...)
}

// remedy is Remedy on a machine that is known.
func (f *Facts) remedy(err error, self string) string {
	switch {
	case errors.Is(err, os.ErrPermission) && !f.privileged():
		return f.grant(self)
	case errors.Is(err, os.ErrPermission) && f.Lockdown == "confidentiality":
		return unlock
	case errors.Is(err, os.ErrPermission) && f.Seccomp == "2":
		return unfilter
	case errors.Is(err, tracer.ErrNarrow):
		return wider
	case errors.Is(err, tracer.ErrUnsupported) && f.BTF == 0 && f.since(5, 12):
		return typeless
	case errors.Is(err, tracer.ErrUnsupported):
		return newer
	}
	return ""
}

const (
	unlock   = "boot without lockdown=confidentiality; integrity does no harm"
	unfilter = "let the seccomp filter pass bpf and perf_event_open: docker run --security-opt seccomp=FILE, SystemCallFilter= of the systemd unit"
)

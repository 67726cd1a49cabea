// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// domain is what a process may not do any more that Landlock has heard of. Reading is not among it: nothing but what was opened is written, no
// file is made, renamed or removed anywhere, no program run. Signals are left alone: until Linux 6.15 threads of one process that had
// entered a domain by themselves could not send each other any, which Go's scheduler does.
var domain = landlock.MustConfig(
	landlock.AccessFSSet(syscall.AccessFSExecute|syscall.AccessFSWriteFile|syscall.AccessFSTruncate|syscall.AccessFSRefer|
		syscall.AccessFSRemoveDir|syscall.AccessFSRemoveFile|syscall.AccessFSMakeChar|syscall.AccessFSMakeDir|syscall.AccessFSMakeReg|
		syscall.AccessFSMakeSock|syscall.AccessFSMakeFifo|syscall.AccessFSMakeBlock|syscall.AccessFSMakeSym),
	landlock.AccessNetSet(syscall.AccessNetBindTCP|syscall.AccessNetConnectTCP),
	landlock.ScopedSet(syscall.ScopeAbstractUnixSocket),
)

// dns is the port at which names are asked for; by TCP when the answer is long.
const dns = 53

// Landlock is the version of Landlock that this kernel has, 0 for none: 1 came with Linux 5.13, and what is loaded at boot decides (lsm=).
func Landlock() (version int) {
	version, err := syscall.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return version
}

// enterLandlock enters the domain, as far as this kernel knows it.
//
// Who is in a domain may look into no process outside of it: /proc/PID/fd, /proc/PID/ns and, with hidepid, all of /proc/PID are refused, CAP_SYS_PTRACE
// or not (security/landlock/task.c, hook_ptrace_access_check, which is asked for reading too).
func enterLandlock() error {
	if err := domain.BestEffort().Restrict(landlock.ConnectTCP(dns)); err != nil {
		return fmt.Errorf("privilege: landlock: %w", err)
	}
	return nil
}

// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"fmt"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// noNewPrivileges has programs that are run, by this process and by all that come of it, get no more than it has: no setuid, no file's
// capabilities, and no capabilities for being root (security/commoncap.c, cap_bprm_creds_from_file). So the bounding set has nothing left to bound
// and stays as it is: to empty it takes a call for each capability on each thread, which on a busy machine takes seconds.
func noNewPrivileges() error {
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("privilege: set no_new_privs: %w", err)
	}
	return nil
}

// permitted reports whether we have a capability.
func permitted(c cap.Value) bool {
	has, err := cap.GetProc().GetFlag(cap.Permitted, c)
	return err == nil && has
}

// everything are all capabilities that this kernel has.
func everything() (all []cap.Value) {
	for c := range cap.MaxBits() {
		all = append(all, c)
	}
	return all
}

// keepCapabilities gives up all capabilities but those. The ambient ones go with the inheritable (security/commoncap.c, cap_capset).
func keepCapabilities(keep []cap.Value) error {
	now, left := cap.GetProc(), cap.NewSet()
	for _, c := range keep {
		has, err := now.GetFlag(cap.Permitted, c)
		if err != nil || !has {
			continue // this kernel has none of the name, or we do not have it
		}
		inForce, err := now.GetFlag(cap.Effective, c)
		if err == nil {
			err = left.SetFlag(cap.Permitted, true, c)
		}
		if err == nil {
			err = left.SetFlag(cap.Effective, inForce, c)
		}
		if err != nil {
			return fmt.Errorf("privilege: %v: %w", c, err)
		}
	}
	if err := left.SetProc(); err != nil {
		return fmt.Errorf("privilege: give up capabilities: %w", err)
	}
	return nil
}

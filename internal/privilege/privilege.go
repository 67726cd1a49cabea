// SPDX-License-Identifier: GPL-2.0-or-later

// Package privilege gives up what a verb has no more use for: capabilities(7), the gaining of privileges by running
// programs (PR_SET_NO_NEW_PRIVS) and, where that takes nothing away from what is shown, writing, running programs and TCP (landlock(7)).
// To the kernel all of these belong to threads: they are given up by all threads of the process, and by those that come later.
package privilege

import (
	"errors"
	"sync"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// restricted is what Restrict has done.
var restricted struct {
	sync.Mutex
	begun, landlock bool
}

// Restrict gives up all that none of uses needs, for good: a later call may only give up more. What has been opened, loaded and begun
// before stays as it is, a child process too. The effective user stays who it is.
//
// What this kernel does not have is left out. The error says what it refused; the rest is done nevertheless.
func Restrict(uses Use) error {
	restricted.Lock()
	defer restricted.Unlock()
	var errs []error
	keep, looks := uses.needs()
	if uses&Look != 0 && !permitted(cap.SYS_PTRACE) {
		// Processes of our user may be looked into that have no capability that we have not: each that is given up hides some.
		keep = everything()
	}
	if !restricted.begun {
		restricted.begun = true
		errs = append(errs, noNewPrivileges())
	}
	errs = append(errs, keepCapabilities(keep))
	if !looks && !restricted.landlock {
		restricted.landlock = true
		errs = append(errs, enterLandlock())
	}
	return errors.Join(errs...)
}

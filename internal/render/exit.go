// SPDX-License-Identifier: GPL-2.0-or-later

package render

// netstat's exit codes.
const (
	exitFailed   = 1
	exitNoFamily = 3
	exitBroken   = 255 // its main returned -1
)

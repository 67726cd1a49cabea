// SPDX-License-Identifier: GPL-2.0-or-later

package kerneltest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Where says what each thread of a process waits for, for messages about one that does not go on.
func Where(pid int) string {
	var b strings.Builder
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, task := range tasks {
		read := func(name string) string {
			text, err := os.ReadFile(filepath.Join(task, name))
			if err != nil {
				return "-\n"
			}
			return string(text)
		}
		_, state, _ := strings.Cut(read("stat"), ") ")
		fmt.Fprintf(&b, "thread %s %.1s %s %s%s", filepath.Base(task), state, read("wchan"), read("syscall"), read("stack"))
		for line := range strings.Lines(read("status")) {
			if strings.HasPrefix(line, "Sig") || strings.HasPrefix(line, "ShdPnd") || strings.Contains(line, "ctxt_switches") {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

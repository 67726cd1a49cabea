// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"bytes"
	"os"
	"os/signal"
	"strconv"
	"unsafe"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// jobs is the shell's job control as seen from the job: ^Z, and the signals that others send. bubbletea knows ^Z alone, and of that not that there may be no shell
// to go back to.
type jobs struct {
	tty   *tty
	stops chan os.Signal // SIGTSTP
	conts chan os.Signal // SIGCONT
	// caught is what is done upon SIGTSTP while it is heard.
	caught sigaction
}

// sigaction has room for the kernel's struct sigaction of any architecture. Zeros are SIG_DFL.
type sigaction [8]uint64

// setAction says what is done upon a signal, and returns what was done before. signal.Stop will not do: SIGTSTP goes on to be caught then, and is thrown
// away (runtime/signal_unix.go, sigdisable).
func setAction(s unix.Signal, to sigaction) (before sigaction) {
	const maskSize = 8
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&to)), uintptr(unsafe.Pointer(&before)), maskSize, 0, 0)
	return before
}

func newJobs(t *tty) *jobs {
	return &jobs{tty: t, stops: make(chan os.Signal, 1), conts: make(chan os.Signal, 1)}
}

// awakeMsg says that the process goes on, after whatever has stopped it.
type awakeMsg struct{}

// hear has the signals sent as messages until it is ended.
func (j *jobs) hear(send func(tea.Msg)) (end func()) {
	signal.Notify(j.stops, unix.SIGTSTP)
	signal.Notify(j.conts, unix.SIGCONT)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-j.stops:
				send(tea.Suspend())
			case <-j.conts:
				send(awakeMsg{})
			case <-ended:
				return
			}
		}
	}()
	return func() {
		signal.Stop(j.stops)
		signal.Stop(j.conts)
		close(ended)
	}
}

// filter sees all messages before bubbletea does.
func (j *jobs) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.SuspendMsg:
		if orphaned() {
			// The kernel stops no such job, and bubbletea would wait for ever to be awakened (tty_unix.go, suspendProcess).
			return sayMsg("there is no shell that could wake it again")
		}
		j.caught = setAction(unix.SIGTSTP, sigaction{}) // or what bubbletea sends to itself would come here
	case tea.ResumeMsg:
		setAction(unix.SIGTSTP, j.caught)
	case awakeMsg:
		// Who stopped it by SIGSTOP did not ask: a shell has had the terminal as it was.
		j.tty.raw()
		return tea.ClearScreen()
	}
	return msg
}

// orphaned reports whether nobody of our session looks after our process group (setpgid(2)): then SIGTSTP does nothing (kernel/signal.c,
// get_signal). Whoever began the group began one of our ancestors.
func orphaned() bool {
	session, err := unix.Getsid(0)
	if err != nil {
		return false
	}
	group := unix.Getpgrp()
	for pid := os.Getppid(); pid > 0; pid = parentOf(pid) {
		if of, err := unix.Getsid(pid); err != nil || of != session {
			return true
		}
		if of, err := unix.Getpgid(pid); err != nil || of != group {
			return err != nil
		}
	}
	return true
}

// parentOf is the parent's PID, 0 when it is not known.
func parentOf(pid int) int {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// PID (COMM) STATE PPID: COMM may have brackets of its own.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(string(fields[1]))
	return ppid
}

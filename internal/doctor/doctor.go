// SPDX-License-Identifier: GPL-2.0-or-later

// Package doctor says what this kernel and these privileges allow, what each verb makes of that, and how to get the rest.
//
// What is there is read (Read) and tried out (Try) apart from what it means (Judge), which is pure.
package doctor

import (
	"os"
)

// State says whether what netlive can use is there.
type State uint8

const (
	// Unknown: it may not be looked at, or only what is lacking beside it would tell.
	Unknown State = iota
	OK
	Lacking
)

var stateWords = [...]string{Unknown: "unknown", OK: "ok", Lacking: "lacking"}

func (s State) String() string { return stateWords[s] }

// Check is one thing that netlive can use.
type Check struct {
	// Group is one of Groups.
	Group string
	// Name is the kernel's: of a program, a capability, a sysctl, a file.
	Name  string
	State State
	// Found is what is there. It may have the words of strangers (a release, a mount).
	Found string
	// For is what needs it: what is lost where it is lacking.
	For string
	// Remedy is the command or setting that would mend it, "" where nothing is to be mended or nothing could.
	Remedy string
}

// The groups of checks, in their order.
const (
	GroupKernel     = "kernel"
	GroupPrivileges = "privileges"
	GroupNamespaces = "namespaces"
	GroupBPF        = "bpf"
	GroupPrograms   = "programs"
	GroupSources    = "sources"
)

// Groups are all of them, in the order in which they are shown.
var Groups = []string{GroupKernel, GroupPrivileges, GroupNamespaces, GroupBPF, GroupPrograms, GroupSources}

// Use is what a verb, or a part of one, works with here.
type Use struct {
	// Verb is what it is the source of: netlive, watch, trace, and parts of watch: routes, rates, close.
	Verb string
	// Source is the word that watch and trace have for it (ebpf, procfs, tp_btf, tracepoint, rtnetlink, sock_diag), "" is none.
	Source string
	// Note is what else there is to say of it, the same that the verb says where it falls back; Remedy what would get it a better source.
	Note, Remedy string
	// Events are the kinds that are told, NotTold those that are not; nil for what tells of none.
	Events, NotTold []string
}

// Report is what the doctor says.
type Report struct {
	Release, Machine string // of the kernel
	Checks           []Check
	Uses             []Use
}

// Lacking is how many things are missing that netlive can use.
func (r *Report) Lacking() (n int) {
	for i := range r.Checks {
		if r.Checks[i].State == Lacking {
			n++
		}
	}
	return n
}

// Examine looks at this machine with the privileges of this process. self is the path of the program, for the remedies. It takes a second or
// two and leaves nothing behind.
func Examine(self string) (Report, error) {
	facts := Read(os.DirFS("/")) // before a trial raises a limit
	trials, err := Try()
	if err != nil {
		return Report{}, err
	}
	return Judge(&facts, &trials, self), nil
}

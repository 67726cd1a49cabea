// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"netlive/internal/sock"
	"netlive/internal/tracer"
)

// Judge says what the facts and trials mean. self is the path of the program, for the remedies.
func Judge(f *Facts, t *Trials, self string) Report {
	j := judge{Facts: f, t: t, self: self}
	j.kernel()
	j.privileges()
	j.namespaces()
	j.bpf()
	j.programs()
	j.sources()
	return Report{Release: f.Release, Machine: t.Machine, Checks: j.checks, Uses: j.uses()}
}

type judge struct {
	*Facts
	t      *Trials
	self   string
	group  string
	checks []Check
}

// add appends a check; a remedy is for what is not OK.
func (j *judge) add(name string, state State, found, needed, remedy string) {
	if state == OK {
		remedy = ""
	}
	j.checks = append(j.checks, Check{j.group, name, state, found, needed, remedy})
}

// tried is what the error of a trial of BPF means: without privilege nothing is known of the kernel, and without its types nothing of what
// needs them, which all of our programs do but that of the classic tracepoint.
func (j *judge) tried(err error) State {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, os.ErrPermission) && !j.privileged(), errors.Is(err, tracer.ErrUnsupported) && j.BTF == 0:
		return Unknown
	}
	return Lacking
}

func (j *judge) typed() bool { return j.t.Watch.Err == nil && j.t.Watch.Hook == tracer.HookTyped }

func (j *judge) kernel() {
	j.group = GroupKernel
	state := OK
	if !j.since(5, 12) && !j.typed() {
		state = Lacking
	}
	j.add("release", state, cmp.Or(j.Release, "not known"), "watch by events, trace: typed tracepoints with cookies are in Linux 5.12; some kernels of distributions have them earlier", newer)

	state = OK
	if j.t.Bits < 64 || !wide(j.t.Machine) {
		state = Lacking
	}
	j.add("64-bit", state, fmt.Sprintf("kernel %s, netlive of %d bits", cmp.Or(j.t.Machine, "not known"), j.t.Bits),
		"watch by events, trace: the programs are made for 64-bit kernels; tables from /proc need none", wider)

	state, found := OK, fmt.Sprintf("/sys/kernel/btf/vmlinux, %d bytes", j.BTF)
	if j.BTF == 0 {
		state, found = Lacking, "no /sys/kernel/btf/vmlinux"
	}
	j.add("btf", state, found, "watch by events, trace but for changes of state: typed tracepoints, iterators, socket storage",
		typeless)

	state, found, remedy := OK, j.Lockdown, unlock
	switch j.Lockdown {
	case "confidentiality":
		state = Lacking
	case "absent":
		found = "not in this kernel"
	case "":
		state, found, remedy = Unknown, "/sys/kernel/security is not mounted", "sudo mount -t securityfs securityfs /sys/kernel/security"
		if j.typed() {
			// Under confidentiality no program may read the kernel's memory (security/lockdown, LOCKDOWN_BPF_READ_KERNEL).
			state, found = OK, "not confidentiality: programs load"
		}
	}
	j.add("lockdown", state, found, "watch by events, trace: confidentiality keeps programs from reading the kernel's memory", remedy)
	j.add("container", OK, cmp.Or(j.Container, "none was seen"), "nothing: it says where limits come from", "")
}

func (j *judge) bpf() {
	j.group = GroupBPF
	ring := j.t.BPF.Ring
	state, found := OK, "there"
	switch {
	case ring == nil || j.t.Syscall == nil:
	case errors.Is(j.t.Syscall, os.ErrPermission):
		state, found = j.tried(j.t.Syscall), j.t.Syscall.Error()
	default:
		state, found = Lacking, j.t.Syscall.Error()
	}
	j.add("bpf(2)", state, found, "watch by events, trace", j.mend(j.t.Syscall, "a kernel with CONFIG_BPF_SYSCALL=y"))
	j.add("kernel.unprivileged_bpf_disabled", OK, cmp.Or(j.Sysctls["kernel/unprivileged_bpf_disabled"], "not there"),
		"nothing: netlive's programs need CAP_BPF and CAP_PERFMON whatever it says", "")
	j.trial("ring_buffer", ring, "", "watch by events, trace: events come through it", "Linux 5.8 or newer")
	j.trial("socket_cookie", j.t.BPF.Cookie, "bpf_get_socket_cookie in tracing programs", "watch by events, trace but for changes of state: it names a socket", newer)
	j.trial("socket_storage", j.t.BPF.Storage, "bpf_sk_storage_get in tracing programs", "watch by events, trace but for changes of state: owners and pasts are kept in it", newer)

	err := j.t.Watch.Err
	if err == nil && !j.typed() {
		err = tracer.ErrNoTable
	}
	const typed = "watch by events, trace but for changes of state: typed tracepoints"
	if errors.Is(err, tracer.ErrUnsupported) { // with no types as much as with old ones
		j.add("tp_btf", Lacking, oneLine(err), typed, j.remedy(err, j.self))
	} else {
		j.trial("tp_btf", err, "the hooks can be hung up", typed, newer)
	}

	const classic = "trace where there is no tp_btf: changes of state alone"
	if j.typed() {
		j.add("tracepoint", OK, "not needed: tp_btf serves", classic, "")
	} else {
		state, found := OK, "sock:inet_sock_set_state by tracefs"
		if err := j.t.Classic; err != nil {
			// It needs no types.
			if state, found = Lacking, oneLine(err); errors.Is(err, os.ErrPermission) {
				if state = j.tried(err); state == Unknown {
					found = notTried
				}
			}
		}
		remedy := "sudo mount -t tracefs tracefs /sys/kernel/tracing"
		if errors.Is(j.t.Classic, os.ErrPermission) {
			remedy = j.remedy(j.t.Classic, j.self)
		}
		j.add("tracepoint", state, found, classic, remedy)
	}
	j.iterators()
}

// trial adds what came of a trial of BPF.
func (j *judge) trial(name string, err error, found, needed, remedy string) {
	state := j.tried(err)
	switch {
	case state == Unknown:
		found = notTried
	case err != nil:
		found = oneLine(err)
	}
	j.add(name, state, cmp.Or(found, "there"), needed, j.mend(err, remedy))
}

// mend is what mends the error of a trial: where it is not for privileges it is remedy.
func (j *judge) mend(err error, remedy string) string {
	if errors.Is(err, os.ErrPermission) {
		return j.remedy(err, j.self)
	}
	if err != nil && j.BTF == 0 {
		return typeless
	}
	return remedy
}

// iterators are those that the programs hang on.
func (j *judge) iterators() {
	var there, not []string
	var worst error
	for _, kind := range []string{"tcp", "udp", "unix", "task_file"} {
		var err error
		for i := range j.t.BPF.Programs {
			if p := &j.t.BPF.Programs[i]; p.Hook == "iter/"+kind {
				err = cmp.Or(err, p.Err)
			}
		}
		if err == nil {
			there = append(there, kind)
			continue
		}
		not, worst = append(not, kind), err
	}
	state, found := j.tried(worst), strings.Join(there, " ")
	switch {
	case state == Unknown:
		found = notTried
	case len(not) > 0:
		found = "not " + strings.Join(not, " ")
	}
	j.add("iterators", state, found, "watch by events: walks over all sockets; netlive with 5,000 sockets and more", j.mend(worst, "Linux 5.15 or newer with CONFIG_DEBUG_INFO_BTF=y"))
}

// since are the versions of the kernel that have what programs hang on, where that came after typed tracepoints with cookies.
var since = map[string]string{
	"tp_btf/inet_sk_error_report": "5.14", "tp_btf/kfree_skb": "5.17", "iter/unix": "5.15",
	"tp_btf/sk_data_ready": "6.3", "tp_btf/sock_send_length": "6.3", "tp_btf/sock_recv_length": "6.3",
}

func (j *judge) programs() {
	j.group = GroupPrograms
	for i := range j.t.BPF.Programs {
		p := &j.t.BPF.Programs[i]
		state, found := j.tried(p.Err), p.Hook
		switch {
		case p.Err == nil:
		case p.Need.Classic && j.typed():
			state, found = OK, p.Hook+": not needed: tp_btf serves"
		case state == Unknown:
			found = p.Hook + ": " + notTried
		default:
			found = p.Hook + ": " + oneLine(p.Err)
		}
		remedy := ""
		if state == Lacking {
			remedy = j.hook(p.Hook, p.Err)
		}
		j.add(p.Name, state, found, NeedWords(p.Need), remedy)
	}
}

// notTried is what is found where something else is lacking that a trial needs: privileges, or the kernel's types.
const notTried = "not tried"

// hook is what mends the error of a program that hangs there.
func (j *judge) hook(name string, err error) string {
	denied := errors.Is(err, os.ErrPermission)
	switch {
	case denied && strings.HasPrefix(name, "cgroup/") && !j.Has(NetAdmin):
		return j.grant(j.self, NetAdmin)
	case denied && strings.HasPrefix(name, "tracepoint/syscalls/"):
		return j.acceptable(err)
	}
	return j.mend(err, fmt.Sprintf("Linux %s or newer", cmp.Or(since[name], "5.12")))
}

// NeedWords are the verbs and options that have use for a program.
func NeedWords(n tracer.Need) string {
	var words []string
	if n.Table {
		words = append(words, "watch by events")
	}
	switch all := tracer.AllEvents &^ sock.Events(sock.EventBind); {
	case n.Events == all:
		words = append(words, "trace")
	case n.Events != 0:
		words = append(words, "trace --event "+strings.Join(KindNames(n.Events), ","))
	}
	if n.Follow {
		words = append(words, "trace -- COMMAND")
	}
	if n.Rows {
		words = append(words, "netlive with 5,000 sockets and more")
	}
	if n.Classic {
		words = append(words, "trace where there is no tp_btf")
	}
	return strings.Join(words, "; ")
}

// KindNames are the words of --event for kinds.
func KindNames(kinds sock.EventSet) []string {
	names := []string{}
	for k := sock.EventNone + 1; k.String() != ""; k++ {
		if kinds.Has(k) {
			names = append(names, k.String())
		}
	}
	return names
}

// since reports whether the kernel is of that version or newer, by its release.
func (f *Facts) since(major, minor int) bool {
	first, rest, _ := strings.Cut(f.Release, ".")
	second := strings.FieldsFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if len(second) == 0 {
		return false
	}
	a, err1 := strconv.Atoi(first)
	b, err2 := strconv.Atoi(second[0])
	return err1 == nil && err2 == nil && (a > major || a == major && b >= minor)
}

// wide reports whether a machine of uname(2) has 64 bits.
func wide(machine string) bool {
	switch {
	case strings.HasSuffix(machine, "64"), strings.HasSuffix(machine, "64le"), strings.HasPrefix(machine, "aarch64"), machine == "s390x", machine == "":
		return true
	}
	return false
}

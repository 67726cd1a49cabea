// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"fmt"
	"strings"

	"netlive/internal/sock"
	"netlive/internal/tracer"
)

// The words of watch for its sources, and of JSON.
const (
	sourceBPF  = "ebpf"
	sourceProc = "procfs"
	sourceRtnl = "rtnetlink"
	sourceDiag = "sock_diag"
)

// uses are what the verbs make of it.
func (j *judge) uses() []Use {
	closed := j.diag("watch close", j.destroy())
	if closed.Source != "" && !j.InitialUser() {
		closed.Note = noneElse
	}
	return []Use{j.tables(), j.watch(), j.listed("watch -r"), j.listed("watch -i"), j.diag("watch rates", j.t.Diag), closed, j.trace()}
}

func (j *judge) tables() Use {
	u := Use{Verb: "netlive", Source: sourceProc}
	var err error
	for i := range j.t.BPF.Programs {
		if p := &j.t.BPF.Programs[i]; p.Need.Rows && p.Err != nil {
			err = p.Err
		}
	}
	switch {
	case j.Self == "":
		u.Source, u.Note, u.Remedy = "", "no /proc", "sudo mount -t proc proc /proc"
	case !j.t.Root:
		u.Note = "as root TCP comes from its iterator where there are 5,000 sockets and more"
	case err == nil:
		u.Note = "with 5,000 sockets and more TCP's come from its iterator"
	default:
		u.Note, u.Remedy = "TCP's iterator cannot be had: "+oneLine(err), j.remedy(err, j.self)
	}
	return u
}

// watch decides as the verb does: a table is kept by events where sockets have names.
func (j *judge) watch() Use {
	o := &j.t.Watch
	u := Use{Verb: "watch", Source: sourceBPF, Events: []string{}, NotTold: KindNames(tracer.AllEvents)}
	err := o.Err
	if err == nil && o.Hook != tracer.HookTyped {
		err = tracer.ErrNoTable
	}
	if err != nil {
		u.Source, u.Note, u.Remedy = sourceProc, "polling /proc: "+oneLine(err), j.remedy(err, j.self)
		return u
	}
	told(&u, o)
	walked := []string{}
	for _, p := range []struct {
		name   string
		protos sock.ProtoSet
	}{{"TCP", sock.ProtosTCP}, {"UDP", sock.ProtosUDP | sock.ProtosUDPLite}, {"raw", sock.ProtosRaw}, {"UNIX", sock.ProtosUnix}} {
		if o.Announced.Protos&p.protos != p.protos {
			walked = append(walked, p.name)
		}
	}
	note := strings.Join(walked, ", ") + " sockets are walked each interval"
	if !o.Announced.Owners {
		note = strings.Join(walked, ", ") + " sockets and all owners are walked each interval"
	}
	if u.Note != "" {
		note += "; " + u.Note
	}
	u.Note = note
	return u
}

func (j *judge) trace() Use {
	o := &j.t.Trace
	u := Use{Verb: "trace", Events: []string{}, NotTold: KindNames(tracer.AllEvents)}
	if o.Err != nil {
		u.Note, u.Remedy = "trace needs events, which only BPF gives: "+oneLine(o.Err), j.remedy(o.Err, j.self)
		return u
	}
	u.Source = o.Hook.String()
	told(&u, o)
	if o.Hook != tracer.HookTyped {
		u.Remedy = j.remedy(tracer.ErrNoTable, j.self)
	}
	return u
}

// told says which events are told.
func told(u *Use, o *Opened) {
	u.Events, u.NotTold = KindNames(tracer.AllEvents&^o.Lacks), KindNames(o.Lacks&tracer.AllEvents)
	if len(u.NotTold) > 0 && o.Why != nil {
		u.Note = fmt.Sprintf("not told: %s: %s", strings.Join(u.NotTold, ", "), oneLine(o.Why))
	}
}

// listed is a table that rtnetlink announces changes of.
func (j *judge) listed(verb string) Use {
	if err := j.t.Rtnl; err != nil {
		return Use{Verb: verb, Source: sourceProc, Note: "polling /proc: " + oneLine(err)}
	}
	return Use{Verb: verb, Source: sourceRtnl}
}

func (j *judge) diag(verb string, err error) Use {
	if err != nil {
		return Use{Verb: verb, Note: oneLine(err)}
	}
	return Use{Verb: verb, Source: sourceDiag}
}

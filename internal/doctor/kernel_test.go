// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"testing"

	"netlive/internal/kerneltest"
	"netlive/internal/tracer"
)

// On this machine, as root: what the doctor says is what the tracer does, and nothing stays open.
func TestExamine(t *testing.T) {
	kerneltest.RequireRoot(t)
	tr, err := tracer.Open(tracer.Options{Table: true, Events: tracer.AllEvents})
	kerneltest.RequireBPF(t, err)
	lacks, hook := tr.Lacks(), tr.Hook()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	kerneltest.NoLeaks(t)
	r, err := Examine("/bin/netlive")
	if err != nil {
		t.Fatal(err)
	}
	checkSound(t, "here", &r)
	for i := range r.Uses {
		u := &r.Uses[i]
		switch {
		case u.Verb == "watch" && (hook == tracer.HookTyped) != (u.Source == "ebpf"), u.Verb == "trace" && u.Source != hook.String():
			t.Errorf("%s by %q, the tracer by %v", u.Verb, u.Source, hook)
		case u.Verb == "trace" && len(u.NotTold) != len(KindNames(lacks)):
			t.Errorf("not told: %v, the tracer lacks %v", u.NotTold, KindNames(lacks))
		}
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Group == GroupPrograms && c.State != OK && hook == tracer.HookTyped && lacks == 0 {
			t.Errorf("%s: %v, %s; the tracer has all", c.Name, c.State, c.Found)
		}
	}
	text, err := r.JSON(moment, "1.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, compile(t), text); err != nil {
		t.Error(err)
	}
}

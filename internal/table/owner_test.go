// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"
	"testing"

	"netlive/internal/sock"
)

func by(pid uint32, how sock.How) sock.Owner { return sock.Owner{PID: pid, FD: -1, How: how} }

// news is one owner, or set of owners, as of a stamp.
type news struct {
	at     sock.Stamp
	owners []sock.Owner
}

func TestOwners(t *testing.T) {
	const exact, listener, seeded, procfs = sock.HowExact, sock.HowListener, sock.HowSeeded, sock.HowProcfs
	for _, c := range []struct {
		name string
		news []news
		want []sock.Owner
	}{
		{"unknown changes nothing", []news{
			{1, []sock.Owner{by(5, listener)}}, {2, []sock.Owner{{}}},
		}, []sock.Owner{by(5, listener)}},
		{"better replaces worse", []news{
			{1, []sock.Owner{by(5, listener)}}, {2, []sock.Owner{by(6, exact)}},
		}, []sock.Owner{by(6, exact)}},
		{"even if it is older", []news{
			{2, []sock.Owner{by(5, listener)}}, {1, []sock.Owner{by(6, exact)}},
		}, []sock.Owner{by(6, exact)}},
		{"worse does not replace better", []news{
			{1, []sock.Owner{by(5, exact)}}, {2, []sock.Owner{by(6, listener)}},
		}, []sock.Owner{by(5, exact)}},
		{"newer replaces its like", []news{
			{1, []sock.Owner{by(5, exact)}}, {2, []sock.Owner{by(6, exact)}},
		}, []sock.Owner{by(6, exact)}},
		{"older does not", []news{
			{2, []sock.Owner{by(5, exact)}}, {1, []sock.Owner{by(6, exact)}},
		}, []sock.Owner{by(5, exact)}},
		{"what is found is the truth now", []news{
			{1, []sock.Owner{by(5, exact)}}, {2, []sock.Owner{by(7, seeded), by(8, seeded)}},
		}, []sock.Owner{by(7, seeded), by(8, seeded)}},
		{"but not of later", []news{
			{2, []sock.Owner{by(5, exact)}}, {1, []sock.Owner{by(7, seeded), by(8, seeded)}},
		}, []sock.Owner{by(5, exact)}},
		{"evidence of the same process is kept", []news{
			{1, []sock.Owner{by(8, exact)}}, {2, []sock.Owner{by(7, seeded), by(8, seeded)}},
		}, []sock.Owner{by(7, seeded), by(8, exact)}},
		{"a member that is known better stays in its place", []news{
			{1, []sock.Owner{by(7, seeded), by(8, seeded)}}, {2, []sock.Owner{by(8, exact)}},
		}, []sock.Owner{by(7, seeded), by(8, exact)}},
		{"a newcomer replaces the set", []news{
			{1, []sock.Owner{by(7, seeded), by(8, seeded)}}, {2, []sock.Owner{by(9, exact)}},
		}, []sock.Owner{by(9, exact)}},
		{"an old newcomer does not", []news{
			{2, []sock.Owner{by(7, seeded), by(8, seeded)}}, {1, []sock.Owner{by(9, exact)}},
		}, []sock.Owner{by(7, seeded), by(8, seeded)}},
		{"a smaller set", []news{
			{1, []sock.Owner{by(7, procfs), by(8, procfs)}}, {2, []sock.Owner{by(8, procfs)}},
		}, []sock.Owner{by(8, procfs)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab, r := New(), new(slot)
			for _, n := range c.news {
				was := slices.Clone(owners(r))
				changed := tab.own(r, &n.owners[0], n.owners[1:], n.at)
				if changed == slices.Equal(was, owners(r)) {
					t.Errorf("own = %v from %v to %v", changed, was, owners(r))
				}
			}
			if got := owners(r); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func owners(r *slot) []sock.Owner { return append([]sock.Owner{r.Owner}, r.Others...) }

func TestOwnerKeepsWhatEventsDoNotTell(t *testing.T) {
	tab, r := New(), new(slot)
	o := sock.Owner{PID: 5, FD: 12, How: sock.HowSeeded, Comm: sock.MakeComm("java"), Program: "java"}
	tab.own(r, &o, nil, 1)
	e := sock.Owner{PID: 5, FD: -1, How: sock.HowExact, Comm: sock.MakeComm("java")}
	tab.own(r, &e, nil, 2)
	if r.Owner.Program != "java" || r.Owner.FD != 12 || r.Owner.How != sock.HowExact {
		t.Errorf("%+v", r.Owner)
	}
	e.Comm = sock.MakeComm("sh") // the process runs another program now
	tab.own(r, &e, nil, 3)
	if r.Owner.Program != "" || r.Owner.Comm != e.Comm {
		t.Errorf("%+v", r.Owner)
	}
}

func TestOwnerEvents(t *testing.T) {
	tab := New()
	e := event(1, 10, sock.Close, sock.SynSent)
	e.Kind, e.Socket.Owner = sock.EventOwner, by(5, sock.HowExact)
	if tab.Apply(e) || tab.Len() != 0 {
		t.Error("an owner makes no socket")
	}
	tab.Replace(snapshot(15, at(1, 20, sock.Established)))
	if !tab.Apply(e) || tab.Get(1).Owner.PID != 5 || tab.Get(1).State != sock.Established || tab.Get(1).At != 20 {
		t.Errorf("%+v", tab.Get(1))
	}
	if tab.Apply(e) {
		t.Error("the same owner again changes nothing")
	}
	tab.Apply(event(1, 30, sock.Established, sock.Close))
	if tab.Apply(e) || tab.Get(1) != nil {
		t.Error("an owner raised a ghost")
	}
}

// Frames hold copies of rows that share the slice of owners.
func TestOwnersAreNotChangedInPlace(t *testing.T) {
	tab := New()
	n := at(1, 11, sock.Established)
	n.Owner, n.Others = by(7, sock.HowSeeded), []sock.Owner{by(8, sock.HowSeeded)}
	tab.Replace(snapshot(10, n))
	n.Others[0].PID = 99
	row := *tab.Get(1)
	e := event(1, 20, 0, sock.Established)
	e.Kind, e.Socket.Owner = sock.EventOwner, by(8, sock.HowExact)
	tab.Apply(e)
	if row.Others[0] != by(8, sock.HowSeeded) || tab.Get(1).Others[0] != by(8, sock.HowExact) {
		t.Errorf("copy %v, row %v", row.Others, tab.Get(1).Others)
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"netlive/internal/cgroup"
	"netlive/internal/filter"
	"netlive/internal/options"
	"netlive/internal/resolve"
	"netlive/internal/sock"
	"netlive/internal/tracer"
)

var (
	// tableFields are what is known of a socket in a table: what it is, and not what happened to it or how it fared. To which
	// device it is bound neither /proc nor the iterators tell.
	tableFields = filter.AllFields &^ filter.Fields(filter.FieldOld, filter.FieldEvent, filter.FieldDev, filter.FieldAge,
		filter.FieldRTT, filter.FieldBytes, filter.FieldRx, filter.FieldTx, filter.FieldRetrans, filter.FieldReason)
	// traceFields are what is known of an event.
	traceFields = filter.AllFields
	// rowFields are what a row of /proc tells by itself. Of the owners that come row by row a filter would see one of several.
	rowFields = filter.Fields(filter.FieldState, filter.FieldSport, filter.FieldDport, filter.FieldPort, filter.FieldSrc, filter.FieldDst,
		filter.FieldAddr, filter.FieldUser, filter.FieldUID, filter.FieldInode, filter.FieldProto, filter.FieldFamily)
	// ownerFields are what comes from the processes: of cgroups too, which /proc does not tell of sockets.
	ownerFields = filter.Fields(filter.FieldProc, filter.FieldPID, filter.FieldCgroup, filter.FieldContainer, filter.FieldUnit)
)

// needsOwners reports whether the filter asks for the owners of sockets, be they shown or not.
func needsOwners(o *options.Options) bool { return o.Filter.Fields()&ownerFields != 0 }

// tableFilter checks the filter of a table of sockets. One that names states chooses among all sockets, as in ss(8), unless -l said which.
func tableFilter(o *options.Options) error {
	sel := o.Select()
	switch {
	case o.Filter.All():
		return nil
	case o.Mode != options.ModeSockets || o.Groups:
		return o.FilterError(errors.New("filters are of sockets: -r, -i, -g, -s and -M have none"))
	case sel.Explicit && len(sel.Others) > 0:
		return o.FilterError(errors.New("filters are of sockets of TCP, UDP, UDP-Lite, SCTP, raw and UNIX"))
	}
	if err := o.Filter.Require(tableFields); err != nil {
		return o.FilterError(err)
	}
	if o.Filter.Fields().Has(filter.FieldState) && !o.Listening {
		o.All = true
	}
	return nil
}

// explain says who decides what of the filter. Of tables that is netlive: they are read whole.
func explain(out io.Writer, o *options.Options, trace bool) error {
	lines := o.Filter.Explain()
	if !trace && !o.Filter.All() {
		lines = []string{"netlive: " + o.Filter.String()}
		if o.Filter.Fields().Has(filter.FieldState) && !o.Listening {
			lines = append(lines, "listening sockets are shown too (-a), since it names states")
		}
		if needsOwners(o) {
			lines = append(lines, "the owners of sockets are looked for")
		}
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

// verbMeant is the error for a first word that is nearly a verb: as a filter it would show an empty table.
func verbMeant(args []string, std streams) error {
	if len(args) == 0 || len(args[0]) < 4 || args[0][0] == '-' {
		return nil
	}
	root := newRoot(std)
	root.SuggestionsMinimumDistance = 2
	// Of a short name too many words are a slip.
	verbs := slices.DeleteFunc(root.SuggestionsFor(args[0]), func(verb string) bool { return len(verb) < 5 })
	if len(verbs) == 0 {
		return nil
	}
	return options.Usage("netlive: %q is neither a verb nor an option (did you mean %s?); --filter %s searches for the word",
		args[0], strings.Join(verbs, ", "), args[0])
}

// chosen are the sockets that are shown: those that the options ask for, and of these those that the filter matches.
type chosen struct {
	o      *options.Options
	values filter.Values
}

func newChosen(o *options.Options, p *places) *chosen {
	return &chosen{o: o, values: filter.Values{Names: p.filterNames()}}
}

// matches asks the filter alone.
func (c *chosen) matches(s *sock.Socket) bool {
	c.values.Socket = s
	return c.o.Filter.Match(&c.values)
}

func (c *chosen) shows(s *sock.Socket) bool { return c.o.Shows(s) && c.matches(s) }

// match is matches, or nil when there is no filter.
func (c *chosen) match() func(*sock.Socket) bool {
	if c.o.Filter.All() {
		return nil
	}
	return c.matches
}

// filterNames are the names of what filters ask about, for one goroutine.
func (p *places) filterNames() *filter.Names {
	r := resolve.New(resolve.Config{Users: true})
	users := map[uint32]string{}
	owners := map[string]string{} // of cgroups, by their paths
	owner := func(s *sock.Socket) string {
		path := p.cgroup(s)
		name, ok := owners[path]
		if !ok {
			if len(owners) >= programsMax {
				clear(owners)
			}
			name = cgroup.Owner(path)
			owners[path] = name
		}
		return name
	}
	programs := newPrograms()
	return &filter.Names{
		User: func(uid uint32) string {
			name, ok := users[uid]
			if !ok {
				if name = string(r.AppendUser(nil, uid)); name == strconv.FormatInt(int64(int32(uid)), 10) {
					name = "" // it has none
				}
				users[uid] = name
			}
			return name
		},
		NetNS:  p.spaces.Name,
		Cgroup: p.cgroup,
		Container: func(s *sock.Socket) string {
			if name := owner(s); !isUnit(name) {
				return name
			}
			return ""
		},
		Unit:    owner, // what the column of that name shows
		Dev:     deviceName(),
		Program: programs.argv,
	}
}

// isUnit reports whether a name of cgroup.Owner is a systemd unit, and no container.
func isUnit(name string) bool {
	return strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".scope") || strings.HasSuffix(name, ".slice")
}

// filtersHelp is the help about filters.
func filtersHelp() string {
	var b strings.Builder
	b.WriteString(filtersHelpHead)
	for _, name := range filter.AllFields.Names() {
		f, _ := filter.ParseField(name)
		where := ""
		if !tableFields.Has(f) {
			where = "trace: "
		}
		fmt.Fprintf(&b, "  %-10s %s%s\n", name, where, f.Doc())
	}
	b.WriteString(filtersHelpTail)
	return b.String()
}

// deviceName names interfaces of the namespace that we are in, which are those of its sockets alone.
func deviceName() func(*sock.Socket) string {
	own, err := tracer.NetNS()
	names := map[uint32]string{}
	return func(s *sock.Socket) string {
		if err != nil || s.Dev == 0 || s.NetNS != own {
			return ""
		}
		name, ok := names[s.Dev]
		if !ok {
			if i, err := net.InterfaceByIndex(int(s.Dev)); err == nil {
				name = i.Name
			}
			names[s.Dev] = name
		}
		return name
	}
}

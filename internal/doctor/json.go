// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"encoding/json"
	"strings"
	"time"
)

// Schema is the name of what JSON writes; docs/ has the JSON Schema. Within v1 names may be added and none changes its meaning.
const Schema = "netlive.doctor.v1"

type reportJSON struct {
	Schema  string      `json:"schema"`
	Time    string      `json:"time"`
	Version *string     `json:"version"`
	Kernel  kernelJSON  `json:"kernel"`
	Lacking int         `json:"lacking"`
	Checks  []checkJSON `json:"checks"`
	Verbs   []useJSON   `json:"verbs"`
}

type kernelJSON struct {
	Release *string `json:"release"`
	Machine *string `json:"machine"`
}

type checkJSON struct {
	Group     string  `json:"group"`
	Name      string  `json:"name"`
	State     string  `json:"state"`
	Found     string  `json:"found"`
	NeededFor string  `json:"needed_for"`
	Remedy    *string `json:"remedy"`
}

type useJSON struct {
	Verb    string   `json:"verb"`
	Source  *string  `json:"source"`
	Note    *string  `json:"note"`
	Remedy  *string  `json:"remedy"`
	Events  []string `json:"events"`
	NotTold []string `json:"not_told"`
}

// JSON is the report as one object in a line, made at t by that version of netlive.
func (r *Report) JSON(t time.Time, version string) ([]byte, error) {
	out := reportJSON{
		Schema: Schema, Time: t.UTC().Format("2006-01-02T15:04:05.000000000Z"), Version: known(version),
		Kernel: kernelJSON{known(r.Release), known(r.Machine)}, Lacking: r.Lacking(), Checks: []checkJSON{}, Verbs: []useJSON{},
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		out.Checks = append(out.Checks, checkJSON{c.Group, c.Name, c.State.String(), c.Found, c.For, known(c.Remedy)})
	}
	for i := range r.Uses {
		u := &r.Uses[i]
		out.Verbs = append(out.Verbs, useJSON{u.Verb, known(u.Source), known(u.Note), known(u.Remedy), u.Events, u.NotTold})
	}
	// Text is not for HTML: < and & stay as they are.
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(&out)
	return []byte(b.String()), err
}

// known is s, nil where that is "".
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

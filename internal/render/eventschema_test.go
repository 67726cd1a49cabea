// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"netlive/internal/sock"
	"netlive/internal/summary"
)

const schemaFile = "../../docs/" + EventSchema + ".schema.json"

func eventSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// streamLines are lines of a stream that has everything, by their kinds.
func streamLines() map[string][][]byte {
	lines := map[string][][]byte{
		"begin": {
			AppendEventBegin(nil, moment, "1.0", "tp_btf", sock.Events(sock.EventState, sock.EventClose, sock.EventLost), `proc = "\"\u202e"`),
			AppendEventBegin(nil, moment, "", "", 0, ""),
		},
	}
	all, empty := summary.Summary{}, summary.Summary{}
	var plain EventJSON
	placed := EventJSON{Places: placing(true, true)}
	for _, e := range append(ofEveryKind(), hostile(), of(sock.EventOwner, nil)) {
		if e.Kind == sock.EventOwner {
			continue // no line
		}
		all.Add(&e)
		lines[e.Kind.String()] = append(lines[e.Kind.String()], plain.Append(nil, &e), placed.Append(nil, &e))
		if e.Kind == sock.EventState {
			e.Old, e.Mini, e.Stack = sock.FinWait2, sock.TimeWait, []string{"tcp_fin+0x1"}
			e.Socket.Local = between6
			lines["state"] = append(lines["state"], plain.Append(nil, &e))
		}
	}
	lines["summary"] = [][]byte{all.AppendJSON(nil, moment), empty.AppendJSON(nil, moment)}
	return lines
}

var between6 = step(0, 0, 0, between("["+wide6+"]:1", "[::1]:2")).Socket.Local

// Every line of a stream is as docs/ says it is.
func TestEventSchema(t *testing.T) {
	schema := eventSchema(t)
	lines := streamLines()
	for k := sock.EventState; k <= sock.EventResync; k++ {
		if len(lines[k.String()]) == 0 {
			t.Errorf("no line of %v", k)
		}
	}
	for kind, all := range lines {
		for _, line := range all {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err != nil {
				t.Errorf("%s: %v: %s", kind, err, line)
				continue
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%s: %v\n%s", kind, err, line)
			}
		}
	}
}

// A line fails when any of its names is gone, when there is another, and when any value is of another type: the schema says something of each.
func TestEventSchemaFails(t *testing.T) {
	schema := eventSchema(t)
	optional := []string{"minisocket", "stack", "netns_name", "cgroup", "unit"}
	for kind, all := range streamLines() {
		for i, line := range all {
			if i > 1 && i < len(all)-1 {
				continue // they have no other names
			}
			var names map[string]any
			if err := json.Unmarshal(line, &names); err != nil {
				t.Fatal(err)
			}
			breaks := func(what string, change func(m map[string]any)) {
				m := map[string]any{}
				if err := json.Unmarshal(line, &m); err != nil {
					t.Fatal(err)
				}
				change(m)
				// Numbers as the validator knows them.
				text, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				if schema.Validate(v) == nil {
					t.Errorf("%s: %s, and it is valid: %s", kind, what, text)
				}
			}
			breaks("a new name", func(m map[string]any) { m["colour"] = "red" })
			breaks("another event", func(m map[string]any) { m["event"] = "party" })
			for name := range names {
				if !slices.Contains(optional, name) {
					breaks("no "+name, func(m map[string]any) { delete(m, name) })
				}
				breaks(name+" of another type", func(m map[string]any) { m[name] = []any{[]any{1}} })
				if _, ok := names[name].(float64); ok {
					breaks(name+" is negative", func(m map[string]any) { m[name] = -1 })
					breaks(name+" is no whole number", func(m map[string]any) { m[name] = 1.5 })
				}
			}
		}
	}
}

// The documents name each column, each kind of event, and each name of JSON.
func TestEventDocuments(t *testing.T) {
	text, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	word := func(w string) bool { return strings.Contains(doc, "`"+w+"`") }
	_, columns, _ := strings.Cut(doc, "\n## Columns\n")
	columns, _, _ = strings.Cut(columns, "\n## ")
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(columns, -1) {
		rows = append(rows, m[1])
	}
	if names := AllEventColumns().Names(); !slices.Equal(rows, names) {
		t.Errorf("the table of columns has %v, want %v", rows, names)
	}
	for k := sock.EventState; k <= sock.EventResync; k++ {
		if !word(k.String()) {
			t.Errorf("events.md has no %v", k)
		}
	}
	raw, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	for def, d := range schema.Defs {
		for name := range d.Properties {
			if !word(name) {
				t.Errorf("events.md does not say what %s of %s is", name, def)
			}
		}
	}
}

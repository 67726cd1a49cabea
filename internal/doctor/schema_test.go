// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"netlive/internal/tracer"
)

const schemaFile = "../../docs/" + Schema + ".schema.json"

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return schema.Validate(v)
}

// reports are of machines that differ.
func reports() map[string]Report {
	f, t := whole()
	all := map[string]Report{"whole": Judge(&f, &t, "/bin/netlive"), "lacking": lacking()}
	t.refuse(errDenied)
	f = Read(tree(nil))
	all["nothing"] = Judge(&f, &t, "netlive")
	return all
}

// What is printed is as docs/ says it is.
func TestSchema(t *testing.T) {
	schema := compile(t)
	for name, r := range reports() {
		text, err := r.JSON(moment, "1.0")
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// It fails when any name is gone, when there is another, and when any value is of another type: the schema says something of each.
func TestSchemaFails(t *testing.T) {
	schema := compile(t)
	for name, r := range reports() {
		text, err := r.JSON(moment, "1.0")
		if err != nil {
			t.Fatal(err)
		}
		// at are the objects of a report: each kind is at one place.
		for place, at := range map[string]func(m map[string]any) map[string]any{
			"report": func(m map[string]any) map[string]any { return m },
			"kernel": func(m map[string]any) map[string]any { return m["kernel"].(map[string]any) },
			"check":  func(m map[string]any) map[string]any { return m["checks"].([]any)[0].(map[string]any) },
			"verb":   func(m map[string]any) map[string]any { return m["verbs"].([]any)[0].(map[string]any) },
		} {
			breaks := func(what string, change func(m map[string]any)) {
				var m map[string]any
				if err := json.Unmarshal(text, &m); err != nil {
					t.Fatal(err)
				}
				change(at(m))
				changed, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				if validate(t, schema, changed) == nil {
					t.Errorf("%s: %s of %s, and it is valid", name, what, place)
				}
			}
			var m map[string]any
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			breaks("a new name", func(m map[string]any) { m["colour"] = "red" })
			for key := range at(m) {
				breaks("no "+key, func(m map[string]any) { delete(m, key) })
				breaks(key+" of another type", func(m map[string]any) { m[key] = []any{[]any{1}} })
				breaks(key+" is empty", func(m map[string]any) { m[key] = "" })
				breaks(key+" is a number", func(m map[string]any) { m[key] = -1.5 })
			}
		}
	}
}

// docs/doctor.md has a row for each check, each program and each name of JSON.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	f, trials := whole()
	if trials.BPF, err = tracer.Try(); err != nil { // for the programs' names; it may well be that none can be loaded
		t.Fatal(err)
	}
	for i := range trials.BPF.Programs {
		trials.BPF.Programs[i].Err = nil
	}
	r := Judge(&f, &trials, "netlive")
	var rows []string
	for i := range r.Checks {
		c := &r.Checks[i]
		row := fmt.Sprintf("| `%s` | %s |", c.Name, c.For)
		if c.Group == GroupPrograms {
			row = fmt.Sprintf("| `%s` | `%s` | %s |", c.Name, c.Found, c.For)
		}
		if !strings.Contains(doc, row) {
			rows = append(rows, row)
		}
	}
	if len(rows) > 0 {
		t.Errorf("doctor.md lacks these rows:\n%s", strings.Join(rows, "\n"))
	}
	for i := range r.Uses {
		if !strings.Contains(doc, "`"+r.Uses[i].Verb+"`") {
			t.Errorf("doctor.md has no %s", r.Uses[i].Verb)
		}
	}
	raw, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	type object struct{ Properties map[string]any }
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	schema.Defs["report"] = schema.object
	for def, d := range schema.Defs {
		for name := range d.Properties {
			if !strings.Contains(doc, "`"+name+"`") {
				t.Errorf("doctor.md does not say what %s of %s is", name, def)
			}
		}
	}
}

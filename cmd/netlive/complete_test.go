// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// complete asks netlive, as the scripts of the shells do, what the last of args may become: words without their descriptions, and cobra's
// number for what the shell is to do.
func complete(t *testing.T, args ...string) (words []string, directive string) {
	t.Helper()
	out, err := exec.Command("netlive", append([]string{"__complete"}, args...)...).Output()
	if err != nil {
		t.Fatalf("netlive __complete %q: %v", args, err)
	}
	for line := range strings.Lines(string(out)) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		words = append(words, word)
	}
	if len(words) == 0 || !strings.HasPrefix(words[len(words)-1], ":") {
		t.Fatalf("netlive __complete %q: %q has no directive", args, out)
	}
	return words[:len(words)-1], words[len(words)-1]
}

// cobra's directives.
const (
	completeFiles     = ":0"
	completeWords     = ":4"
	completeList      = ":6" // and no space after it
	completeExtension = ":8"
)

// Each shell's script asks netlive, so what that answers is what all of them offer.
func TestComplete(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args      string // words, of which the last is being typed
		all       string // the answer, when that is all
		some, not string // among the answer, and not among it
		directive string
	}{
		{args: "", all: "completion doctor help man trace version watch", directive: completeWords},
		{args: "w", all: "watch", directive: completeWords},
		{args: "p", all: "", directive: completeWords}, // nobody begins with a filter
		{args: "help e", all: "exit-codes", directive: completeWords},
		{args: "completion f", all: "fish", directive: completeWords},

		// Options: those that the verb takes, and old families only to those who begin to type them.
		{args: "-", some: "-t -4 -A --tcp --json --netns", not: "-d --ax25 --event --source --csv", directive: completeWords},
		{args: "--a", some: "--all --ax25 --appletalk", not: "--absolute", directive: completeWords},
		{args: "watch --", some: "--sort --source --event --tcp --route", not: "--csv --continuous --sctp --timers", directive: completeWords},
		{args: "trace --", some: "--csv --stack --for --event --tcp", not: "--interval --source --sort --udp --groups", directive: completeWords},
		{args: "trace --delta --ab", all: "--absolute", directive: completeWords},
		{args: "doctor --j", all: "--json", directive: completeWords},
		{args: "watch -tan", all: "-tan", directive: completeWords},
		{args: "watch -tQ", all: "", directive: completeWords},

		// Their arguments, apart and after =, which the scripts cut off.
		{args: "watch --source e", all: "ebpf", directive: completeWords},
		{args: "watch --source=e", all: "ebpf", directive: completeWords},
		{args: "watch --group ", all: "none process container remote listener", directive: completeWords},
		{args: "watch --sort -t", all: "-tx", directive: completeWords},
		{args: "watch --columns recv_q,se", all: "recv_q,send_q recv_q,sent", directive: completeList},
		{args: "trace --columns minr", all: "minrtt", directive: completeList},
		{args: "trace --event open,cl", all: "open,close", directive: completeList},
		{args: "trace --event open,o", all: "open,overflow", directive: completeList},
		{args: "-tA in", all: "inet inet6", directive: completeList},
		{args: "--color ", all: "auto always never", directive: completeWords},
		{args: "watch --netns h", all: "host", directive: completeWords},
		{args: "watch --config ", all: "toml", directive: completeExtension},
		{args: "watch --interval ", all: "", directive: completeWords},

		// Filters: fields, and the words of those that have some.
		{args: "-tan spo", all: "sport", directive: completeWords},
		{args: "-tan ", some: "state proc unit", not: "age event watch", directive: completeWords},
		{args: "trace a", all: "addr age", directive: completeWords},
		{args: "-tan state li", all: "listening", directive: completeWords},
		{args: "watch -t proto = udpl", all: "udplite4 udplite6 udplite", directive: completeWords},
		{args: "watch -t dport = ", all: "", directive: completeWords},
		{args: "-tan -- dpo", all: "dport", directive: completeWords},
		{args: "trace --json -- cu", all: "", directive: completeFiles}, // a command
	} {
		words, directive := complete(t, strings.Split(c.args, " ")...)
		if c.some == "" && !slices.Equal(words, strings.Fields(c.all)) || directive != c.directive {
			t.Errorf("%q completes to %q%s, not to %q%s", c.args, words, directive, strings.Fields(c.all), c.directive)
		}
		for _, word := range strings.Fields(c.some) {
			if !slices.Contains(words, word) {
				t.Errorf("%q completes to %q, without %s", c.args, words, word)
			}
		}
		for _, word := range strings.Fields(c.not) {
			if slices.Contains(words, word) {
				t.Errorf("%q completes to %q, with %s", c.args, words, word)
			}
		}
	}
}

// The help has a word for each option that is offered before anything of it is typed, and that is short enough for a column.
func TestCompleteDocs(t *testing.T) {
	t.Parallel()
	for name, doc := range optionDocs() {
		if doc == "" || len(doc) > 80 || strings.HasSuffix(doc, ",") {
			t.Errorf("%s: %q", name, doc)
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"errors"
	"strings"
	"testing"
)

// Every error has its column, what was expected and, where there is one, advice.
func TestErrors(t *testing.T) {
	terms := strings.Join(termStarts, "|")
	const after, ports = "and|or|end", "port 0 to 65535|service name|range as 8000-8999"
	const hosts = "address|prefix as 10.0.0.0/8|address:port|[IPv6 address]:port|:port|*"
	const durations = "duration as 10ms, 3s, 2m, 1h or 1d|range as 1s-5s"
	const sizes = "bytes as 1500, 1k, 10M or 4Ki|range as 1k-2k"
	const numbers = "number 0 to 4294967295|range as 10-20"
	allStates := strings.Join(stateWords.expected(), "|")
	for _, c := range []struct {
		text           string
		column         int
		problem        string
		expected, hint string
	}{
		{"(", 2, "ends too early", terms, ""},
		{"pid 1 and", 10, "ends too early", terms, ""},
		{"pid 1 or", 9, "ends too early", terms, ""},
		{"not", 4, "ends too early", terms, ""},
		{"and pid 1", 1, `unexpected "and"`, terms, ""},
		{"pid 1 or or pid 2", 10, `unexpected "or"`, terms, ""},
		{"pid 1 and and pid 2", 11, `unexpected "and"`, terms, ""},
		{"in", 1, `unexpected "in"`, terms, ""},
		{"()", 2, `unexpected ")"`, terms, ""},
		{"= 5", 1, `unexpected "="`, terms, ""},
		{"(pid 1", 7, "ends too early", "and|or|)", "for the bracket in column 1"},
		{"a (pid 1 }", 10, `unexpected "}"`, "and|or|)", "for the bracket in column 3"},
		{"pid 1)", 6, `unexpected ")"`, after, "no bracket is open"},
		{"pid 1 = 2", 7, `unexpected "="`, after, ""},
		{"port:80,443", 8, `unexpected ","`, after, "a set is written {80, 443}"},
		{`proc "abc`, 6, "a quote that is not closed", `"`, ""},
		{"pid 1 'x", 7, "a quote that is not closed", "'", ""},
		{`""`, 1, "an empty word", "a word", ""},
		{strings.Repeat("(", deepest+1), deepest + 1, "more than 100 brackets in each other", "", ""},

		{"prot = 80", 1, `unknown field "prot"`, "port|proc|proto|sport|dport", "a word that is searched for can be quoted"},
		{"pid 1 and dpotr:80", 11, `unknown field "dpotr"`, "dport|sport|port", "a word that is searched for can be quoted"},
		{"zzz eq 5", 1, `unknown field "zzz"`, strings.Join(AllFields.Names(), "|"), "a word that is searched for can be quoted"},
		{"autobound", 1, "autobound is ss's, and not known here", strings.Join(AllFields.Names(), "|"), ""},
		{"ä fwmark = 1", 3, "fwmark is ss's, and not known here", strings.Join(AllFields.Names(), "|"), ""},

		{"proc < 5", 6, "proc cannot be compared by <", "=|!=|~|!~|in|not in", ""},
		{"pid ~ 5", 5, "pid cannot be compared by ~", "=|!=|<|<=|>|>=|in|not in", ""},
		{"dst gt 10/8", 5, "dst cannot be compared by gt", "=|!=|in|not in", ""},
		{"state ~ x", 7, "state cannot be compared by ~", "=|!=|in|not in", ""},

		{"dport =", 8, "ends too early", ports, ""},
		{"dport", 6, "ends too early", ports, ""},
		{"dport = and", 9, `unexpected "and"`, ports, "a name that is a word of the language is quoted"},
		{"proc = not", 8, `unexpected "not"`, "text", "a name that is a word of the language is quoted"},
		{"dport = 65536", 9, "65536 is too great", ports, ""},
		{"dport:nosuch", 7, `unknown service "nosuch"`, ports, ""},
		{"dport = 1-nosuch", 9, `unknown service "nosuch"`, ports, ""},
		{"dport = nosuch-80", 9, `unknown service "nosuch"`, ports, ""},
		{"dport = 9-5", 9, `the range "9-5" ends before it begins`, ports, ""},
		{"dport > 5-9", 9, `"5-9" is a range, which only = and in take`, ports, ""},
		{":nosuch", 1, `unknown service "nosuch"`, ports, ""},
		{"dport in 80", 10, `unexpected "80"`, "{|(", ""},
		{"dport in", 9, "ends too early", "{|(", ""},
		{"dport in {80", 13, "ends too early", ",|}", ""},
		{"dport in {80)", 13, `unexpected ")"`, ",|}", ""},
		{"dport in (80 81)", 14, `unexpected "81"`, ",|)", ""},
		{"dport in {}", 11, `unexpected "}"`, ports, ""},
		{"dport in {80,}", 14, `unexpected "}"`, ports, ""},
		{"dport < {80}", 9, `unexpected "{"`, ports, ""},
		{"dport not 80", 7, `unexpected "not"`, ports, "a name that is a word of the language is quoted"},

		{"pid = x", 7, `"x" is not a number`, numbers, ""},
		{"pid = 4294967296", 7, "4294967296 is too great", numbers, ""},
		{"4294967296", 1, "4294967296 is no port and no PID", "a port|a PID", ""},
		{"uid -1", 5, `"-1" is not a number`, numbers, ""},

		{"dst example.org", 5, `"example.org" is not an address`, hosts, ""},
		{"dst 10.1", 5, `"10.1" is not a whole address; a prefix has a length, as 10.1/16`, hosts, ""},
		{"dst 10/33", 5, "/33 is longer than the address", hosts, ""},
		{"dst 10/x", 5, `"x" is not a prefix length`, hosts, ""},
		{"dst 10/", 5, `"" is not a prefix length`, hosts, ""},
		{"dst [::1", 5, `"[::1" has no ]`, hosts, ""},
		{"dst [10.0.0.1]:80", 5, `"[10.0.0.1]:80" is not an address`, hosts, ""},
		{"dst 10.0.0.1:", 5, `"10.0.0.1:" is not an address`, hosts, ""},
		{"dst 10.0.0.1:70000", 5, "70000 is too great", hosts, ""},
		{"dst 10.0.0.1:nosuch", 5, `unknown service "nosuch"`, hosts, ""},
		{"dst fe80::1%eth0", 5, `"fe80::1%eth0" is not an address`, hosts, ""},
		{"dst 10.0.0.1::80", 5, `"10.0.0.1::80" is not an address`, hosts, ""},
		{"dst :", 5, `":" is not an address`, hosts, ""},
		{"dst */8", 5, `"*/8" is not an address`, hosts, ""},
		{"dst 10.0.0.1]", 5, `"10.0.0.1]" is not an address`, hosts, ""},

		{"rtt > 50", 7, `"50" has no unit`, durations, ""},
		{"rtt > 50x", 7, `"50x" is not a duration`, durations, ""},
		{"rtt > ms", 7, `"ms" is not a duration`, durations, ""},
		{"rtt > 1.2.3s", 7, `"1.2.3s" is not a duration`, durations, ""},
		{"age > 999999w", 7, "999999w is too long", durations, ""},
		{"bytes > 1x", 9, `"1x" is not a number of bytes`, sizes, ""},
		{"bytes > 1.2.3", 9, `"1.2.3" is not a number of bytes`, sizes, ""},
		{"bytes > k", 9, `"k" is not a number of bytes`, sizes, ""},
		{"bytes > 99999999T", 9, "99999999T is too great", sizes, ""},

		{"state = estalbished", 9, `unknown state "estalbished"`, "established", ""},
		{"pid 1 state qqq", 13, `unknown state "qqq"`, allStates, ""},
		{"state qqq", 7, `unknown state "qqq"`, allStates, ""},
		{"exclude qqq", 9, `unknown state "qqq"`, allStates, ""},
		{"event = opne", 9, `unknown event "opne"`, "open", ""},
		{"family tcp", 8, `unknown family "tcp"`, "inet|inet6|unix|all", ""},

		{"proc ~", 7, "ends too early", "regular expression", ""},
		{"proc ~ a(b", 8, "missing closing ): `a(b`", "regular expression", ""},
		{"(proc ~ )", 9, `unexpected ")"`, "regular expression", ""},
		{`proc = ""`, 8, "an empty text", "text", ""},
		{`user = ""`, 8, "an empty text", "name|number 0 to 4294967295", ""},
		{"netns = 4294967296", 9, "4294967296 is too great", "name|number 0 to 4294967295", ""},
	} {
		f, err := Parser{Service: testServices}.Parse(c.text)
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, %v, not a SyntaxError", c.text, f, err)
			continue
		}
		if got := strings.Join(e.Expected, "|"); e.Text != c.text || e.Column != c.column || e.Problem != c.problem || got != c.expected || e.Hint != c.hint {
			t.Errorf("%s\n got column %d, %s, expected %q, hint %q\nwant column %d, %s, expected %q, hint %q",
				c.text, e.Column, e.Problem, got, e.Hint, c.column, c.problem, c.expected, c.hint)
		}
		if strings.Contains(e.Error(), "\n") {
			t.Errorf("%s: more than a line: %q", c.text, e.Error())
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := Parse("state established and\x1b dpotr = 80")
	e := err.(*SyntaxError)
	if got, want := e.Error(), `filter, column 24: unknown field "dpotr": expected dport, sport, port (a word that is searched for can be quoted)`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// The escape makes a word of and, and is not written.
	if got, want := e.Caret(), "state established and? dpotr = 80\n                       ^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	_, err = Parse("zzz = 5")
	if got := err.Error(); !strings.Contains(got, ", …") || strings.Contains(got, "family") {
		t.Errorf("a long list is not cut: %s", got)
	}
	_, err = Parse("ä\tpid = x")
	if got, want := err.(*SyntaxError).Caret(), "ä pid = x\n        ^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

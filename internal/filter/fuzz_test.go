// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever the text, the parser ends with a filter that says itself, or with an error that points into the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "state established and dport = :443", "( sport = :http or sport = :https ) dst 193.233.7/24",
		"exclude time-wait  dev eth0  cgroup = /system.slice/x", "proc = nginx and rtt > 50ms and not dst 10/8",
		"pid in {812,813} or container ~ ^edge-", "age < 5s  retrans > 0  rx > 1MB  reason = refused  netns = all  unit = sshd.service",
		"port:443 proc:firefox state=listen nginx !ssh", "dst [2001:db8::]/32:443", `proc ~ "a\"b\x00" 'c d'`, "dport not in (80, 8000-8999)",
		"not (pid 1 or (uid 2 and !inode 3))", "bytes 1.5Ki-2G age 1h30m-2d", "user '1000' user 1000", "ä = (", "\xff \"\xfe\" ~",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parser := Parser{Service: testServices}
		one, err := parser.Parse(text)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Column < 1 || e.Column > utf8.RuneCountInString(text)+1 {
				t.Fatalf("%q: %#v", text, err)
			}
			if strings.Contains(e.Error(), "\n") || strings.Count(e.Caret(), "\n") != 1 {
				t.Fatalf("%q: %q, %q", text, e.Error(), e.Caret())
			}
			return
		}
		said := one.String()
		two, err := parser.Parse(said)
		if err != nil {
			t.Fatalf("%q says %q, which is none: %v", text, said, err)
		}
		if two.String() != said {
			t.Fatalf("%q says %q, which says %q", text, said, two)
		}
		if one.Fields() != two.Fields() {
			t.Fatalf("%q looks at %v, %q at %v", text, one.Fields().Names(), said, two.Fields().Names())
		}
		k, rest := one.Kernel()
		one.Explain()
		r := rand.New(rand.NewPCG(1, 2))
		for range 10 {
			v := randomValues(r)
			match := one.Match(v)
			if match != two.Match(v) {
				t.Fatalf("%q and %q differ of %+v", text, said, v.Socket)
			}
			if match != (k.Passes(v.Socket, v.Old) && rest.Match(v)) {
				t.Fatalf("%q is split into %s and %q, which differ of %+v", text, set(k), rest, v.Socket)
			}
		}
	})
}

// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// Each table has its JSON, and language never changes it.
func TestLanguageNeverChangesJSON(t *testing.T) {
	kerneltest.RequireRoot(t)
	for _, made := range []string{"full", "families"} {
		s := treeStage(t, made, pair{}, made)
		for text := range strings.SplitSeq("-a|-anpo|-Sa|-xa|-rn|-r6|-rC|-i|-ia|-g|-s|-s6|-M|--ax25|--x25|--ipx|--netrom|--rose|-r --ax25|-r --netrom|-r --rose|-r --x25", "|") {
			line := parseLine("LC_ALL=C.UTF-8 --json " + text)
			want := s.runHere("netlive", line)
			if !json.Valid([]byte(want.out)) {
				t.Errorf("%s: netlive %s: not JSON: %s", made, line, want.out)
			}
			for _, env := range []string{"LC_ALL=de_DE.UTF-8", "LC_ALL=zh_CN.GBK", "LC_ALL=ja_JP.UTF-8", "LANGUAGE=cs"} {
				line := parseLine("LC_ALL=C.UTF-8 " + env + " --json " + text)
				got := s.runHere("netlive", line)
				if got.out != want.out || got.code != want.code {
					t.Errorf("%s: netlive %s:\n%s", made, line, got.against(want))
				}
			}
		}
	}
}

// netlive speaks what it is asked for, whether or not the C library has the locale, and Chinese, which netstat does not;
// called as netstat it speaks what netstat would.
func TestLanguages(t *testing.T) {
	kerneltest.RequireRoot(t)
	s := treeStage(t, "full", pair{}, "full")
	const (
		english, german, chinese = "Active Internet connections (w/o servers)\n", "Aktive Internetverbindungen (ohne Server)\n", "活动的 Internet 连接 (不含服务器)\n"
	)
	for _, c := range []struct{ name, line, title string }{
		{"netlive", "LC_ALL=de_DE.UTF-8 -tn", german},
		{"netlive", "LC_ALL= LC_MESSAGES=de_AT.UTF-8 LC_CTYPE=de_AT.UTF-8 -tn", german},
		{"netlive", "LC_ALL= LANG=zh_CN.UTF-8 -tn", chinese},
		{"netlive", "LC_ALL=zh_SG.UTF-8 -tn", chinese},
		{"netlive", "LC_ALL=en_GB.UTF-8 -tn", english},
		{"netlive", "LC_ALL=C LANGUAGE=de -tn", english},
		{"netlive", "LC_ALL=de_DE.UTF-8 NETLIVE_COMPAT=strict LOCPATH=/nowhere -tn", english},
		{"netstat", "LC_ALL=de_DE.UTF-8 LOCPATH=/nowhere -tn", english},
		{"netstat", "LC_ALL=C.UTF-8 LANGUAGE=de -tn", german},
		{"netstat", "LC_ALL=C.UTF-8 LANGUAGE=zh_CN -tn", english},
	} {
		if got := s.runHere(c.name, parseLine(c.line)); !strings.HasPrefix(got.out, c.title) || got.err != "" {
			t.Errorf("%s %s: %.60q, %q", c.name, c.line, got.out, got.err)
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"netlive/internal/sock"
)

// lacking is a report in which much lacks, with the words of strangers.
func lacking() Report {
	f, t := whole()
	f.drop(NetAdmin, DACReadSearch)
	f.Release, f.Container, f.Accept = "6.1.0-\x1b[2J\u202e"+strings.Repeat("x", 100), "a\nb", false
	t.program("inet_bind4").Err, t.program("watch_accept").Err = errDenied, errDenied
	t.program("watch_drop").Err = errUnsupported
	t.Watch.Lacks, t.Watch.Why, t.Watch.Announced = sock.Events(sock.EventBind, sock.EventDrop), errDenied, sock.News{Protos: sock.ProtosTCP, Owners: true}
	t.Trace.Lacks, t.Trace.Why = t.Watch.Lacks, errDenied
	t.BPF.Storage = errUnsupported
	return Judge(&f, &t, "/usr/bin/netlive")
}

var sgr = regexp.MustCompile("\x1b\\[[0-9]*m")

// The text fits 80 columns but for words that are longer, and no stranger's word does anything to a terminal.
func TestTextFits(t *testing.T) {
	f, trials := whole()
	for name, r := range map[string]Report{"whole": Judge(&f, &trials, "/usr/bin/netlive"), "lacking": lacking()} {
		text := string(r.Text(false))
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if words := strings.Fields(line); utf8.RuneCountInString(line) > width && len(words[len(words)-1]) <= width-column {
				t.Errorf("%s: more than %d columns: %q", name, width, line)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("%s: blanks at the end: %q", name, line)
			}
			for _, c := range line {
				if c < ' ' || c > '~' {
					t.Errorf("%s: %q has %q", name, line, c)
				}
			}
		}
		colored := string(r.Text(true))
		if colored == text || sgr.ReplaceAllString(colored, "") != text {
			t.Errorf("%s: in colour it says something else", name)
		}
	}
}

func TestText(t *testing.T) {
	f, trials := whole()
	r := Judge(&f, &trials, "/usr/bin/netlive")
	text := string(r.Text(false))
	for _, want := range []string{
		"Kernel\n  ok     release                  6.18.1\n", "\n  ok     cap_net_admin            effective\n",
		"\nWhat the verbs use here\n  netlive      procfs\n", "\n  trace        tp_btf\n               tells: state, listen,", "\nAll that netlive can use is there.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	r = lacking()
	text = string(r.Text(false))
	for _, want := range []string{
		"\n  LACKS  cap_net_admin            not effective\n         for     watch: news of UDP",
		"\n         remedy  run as root, or once: sudo setcap\n                 cap_bpf,cap_perfmon,cap_net_admin+ep /usr/bin/netlive\n",
		"\n         remedy  that of cap_net_admin\n",
		"  LACKS  watch_drop               tp_btf/kfree_skb: tracer: load: not supported\n                                  by this kernel: line one; line two\n",
		"UDP, raw, UNIX sockets are walked each interval; not told: drop,", "things are missing that netlive can use.\n", `6.1.0-\x1b[2J\u202ex`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	r.Checks = []Check{{GroupKernel, "x", Lacking, "f", "n", "r"}}
	if text := string(r.Text(false)); !strings.HasSuffix(text, "\n1 thing is missing that netlive can use.\n") {
		t.Errorf("one thing: %q", text)
	}
}

var moment = time.Date(2026, 11, 21, 5, 6, 22, 1, time.FixedZone("", 3600))

func TestJSON(t *testing.T) {
	r := Report{Checks: []Check{{GroupKernel, "a<b", Unknown, "\xff\n", "x & y", ""}}, Uses: []Use{{Verb: "trace", Events: []string{}, NotTold: []string{"state"}}}}
	text, err := r.JSON(moment, "")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"schema":"netlive.doctor.v1","time":"2026-11-21T04:06:22.000000001Z","version":null,"kernel":{"release":null,"machine":null},"lacking":0,` +
		`"checks":[{"group":"kernel","name":"a<b","state":"unknown","found":"\ufffd\n","needed_for":"x & y","remedy":null}],` +
		`"verbs":[{"verb":"trace","source":null,"note":null,"remedy":null,"events":[],"not_told":["state"]}]}` + "\n"
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

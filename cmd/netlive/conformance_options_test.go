// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
	"netlive/internal/options"
)

// randomLines is how many command lines TestRandomLines makes up.
const randomLines = 10_000

// linePieces are what they are made of: each may be a word of its own, and letters may be bundled.
var linePieces = struct{ letters, words []string }{
	letters: strings.Split("a C F M a c d e e e g h i l n n n N o p r s S t t u u U v V W w w 2 f x x 4 4 6 6 ? Z T I L B 0 - = : ; é", " "),
	words: strings.Fields(`--all --al --a --listening --l --li --tcp --tc --tcpip --udp --ud --udplite --raw --ra --sctp --sc --unix --un --u
		--numeric --numeric-hosts --numeric-ports --numeric-users --num --numeric- --numeric-h --symbolic --sy --extend --ex --programs
		--program --p --timers --ti --t --verbose --vers --v --wide --w --route --rou --ro --interfaces --int --i --groups --g --statistics
		--st --s --masquerade --m --fib --f --cache --ca --c --context --con --version --help --h --inet --ine --in --inet6 --ip --ip6
		--ipx --ax25 --ax --x25 --x --netrom --ne --n --rose --ros --ddp --d --appletalk --ap --bluetooth --b --l2cap --rfcomm --r
		--protocol --protocol=inet --protocol=inet6,unix --protocol= --prot=x25 --pro --unix=1 --numeric=3 --foo --bar=1 --= --tcp= --netlink
		--econet --ash --program-name --json --interval=1s --count --source -- - word eth0 5 inet unix inet,inet6 ,inet inet, INET ash
		ddp,ax25 bluetooth 'a\ b'`),
}

func randomLine(rnd *rand.Rand) []string {
	pick := func(from []string) string { return from[rnd.IntN(len(from))] }
	var args []string
	for range 1 + rnd.IntN(6) {
		switch n := rnd.IntN(20); {
		case n < 11:
			letters := ""
			for range 1 + rnd.IntN(4) {
				letters += pick(linePieces.letters)
			}
			args = append(args, "-"+letters)
		case n < 13:
			args = append(args, "-A", pick(linePieces.words))
		default:
			args = append(args, pick(linePieces.words))
		}
	}
	return args
}

// Made up of good and of bad pieces, a command line ends as netstat's does, with the same on both streams. There is nothing in /proc,
// so that what the line means shows in what is missed.
func TestRandomLines(t *testing.T) {
	kerneltest.RequireRoot(t)
	p := findPrograms(t)
	s := newStage(t, "random", p, kerneltest.NetNS(t),
		[2]string{"/proc", tree(t, filepath.Join("testdata", "conformance", "empty.txtar"))})
	rnd := rand.New(rand.NewPCG(3, 2024))
	codes := map[int]int{}
	continuous := 0
	for range randomLines {
		line := commandLine{args: randomLine(rnd)}
		o, err := options.Parse(options.Netstat, "netstat", line.args, nil)
		if err == nil && o.Continuous && !o.Help && !o.Version && o.Mode != options.ModeStatistics {
			continuous++
			continue // it may have no end; judgeContinuous compares some that have none
		}
		got, want := s.runHere("netstat", line), s.run(s.netstat, line)
		codes[want.code]++
		if got != want {
			t.Errorf("netstat %q:\n%s", line.args, got.against(want))
		}
	}
	t.Logf("%d lines, %d left out for -c; exit codes: %v", randomLines, continuous, codes)
	for _, code := range []int{0, 1, 3} {
		if codes[code] < randomLines/100 {
			t.Errorf("only %d lines end with %d", codes[code], code)
		}
	}
}

// runHere runs a command line in this process, called by a name, on the stage's thread.
func (s *stage) runHere(name string, line commandLine) outcome {
	var out, errs bytes.Buffer
	done := make(chan int)
	s.calls <- func() {
		done <- run(append([]string{name}, line.args...), streams{
			in: strings.NewReader(""), out: &out, err: &errs, env: append(line.env, "LC_ALL=C"), // the first of a name counts
		})
	}
	code := <-done
	return outcome{out.String(), errs.String(), code}
}

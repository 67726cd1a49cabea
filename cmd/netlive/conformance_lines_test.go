// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// commandLine is what netstat is called with.
type commandLine struct{ env, args []string }

// parseLine takes a line apart at its blanks. What has a capital and a '=' in front is environment; ” is an empty word.
func parseLine(text string) (l commandLine) {
	for _, word := range strings.Fields(text) {
		switch name, _, ok := strings.Cut(word, "="); {
		case ok && len(l.args) == 0 && name == strings.ToUpper(name) && name[0] != '-':
			l.env = append(l.env, word)
		case word == "''":
			l.args = append(l.args, "")
		default:
			l.args = append(l.args, word)
		}
	}
	return l
}

// strictly is l for netlive as netstat is, with its faults.
func (l commandLine) strictly() commandLine {
	return commandLine{append(slices.Clone(l.env), strictCompat), l.args}
}

const strictCompat = "NETLIVE_COMPAT=strict"

func (l commandLine) strict() bool { return slices.Contains(l.env, strictCompat) }

func (l commandLine) String() string {
	words := append(slices.Clone(l.env), l.args...)
	for i, w := range words {
		if w == "" {
			words[i] = "''"
		}
	}
	return strings.Join(words, " ")
}

// knownLines are what people type, what manuals show, and each thing that netstat is known to be odd about. Lines are
// parted by | and by newlines; the first is empty.
const knownLines = `| -n | -a | -an | -l | -ln | -al | -tulpn | -tapen | -antp | -anplt | -tan | -uan | -xan | -tanp | -uanp | -xanp
--inet -a | --inet -an | -6an | -t6n | -u4n | -46tn | -A inet,unix -n | -A ip6 | -A tcpip | -A ip | --protocol=unix | --protocol unix
-anW | -anoW -t | -ano | -aneo | -anee -u | -ap | -an --numeric-hosts | -a --numeric-hosts | -a --numeric-ports
-ae --numeric-users | -aN | -U -an | -w -an | -S -an | -San -e | -Sl | -Slan | -Snp | -Sano | -Sa --numeric-ports | -Sa --numeric-users
-S6an | -S4a | -SaN | -Sa | -Sape | -SanW | --sctp
-x | -xa | -lx | -xap | -xl | -xlp -e -o | -x4 | -x6l | -xn -W | -v | -4 -v | -v -t | -vS | -xv | -a -v -6 | -nv --ax25
--ax25 --ipx --netrom | --ax25 | --ipx | --netrom | --x25 | --rose | --x25 -a | --ipx -e | --ipx -en | --ipx -ae --numeric-users | --ipx -l
--ax25 -a | --ax25 -l | --netrom -a | --netrom -l | --rose -a | --rose -l | --ax25 -tn | --rose -c2 | --ddp | --appletalk -n | -A ash -n
-A econet -tn | -A ax25,rose,netrom,x25,ipx -n | -A ipx -v | -A ddp,ash -t
-rn | -rne | -rnee | -rneee | -rneeee | -rneeeee | -rneeeeee | -rneeeeeee | -rC | -rnCF | -rF | -rN | -6rn | -6r | -6rnC | -6rnCF
-A inet6 -re | -4 -6 -rn | -r | -re | -ree | -r -A inet,ddp | -r --ax25 | -r --netrom | -r --rose | -r --x25 | -r --ipx | -r --ddp
-r -A unix | -r -A ash | -r -A econet | -r -A bluetooth | -rx | -rCn | -rCne | -rCnee | -rCneee | -rCnF -ee | -r --numeric-hosts
-r --numeric-ports -e | -6r --numeric-hosts | -6rN | -6rCe | -6rCee | -rnt | -rnla -W | -rv | -rnp | -ro | -rx -4 | -4rx | -r6e -C
-r -A inet,inet6,ax25,netrom -n | -r -A netrom,rose -n | -r -A inet,netrom,rose,x25,ipx,ddp,ax25 -n | -4r4n | -CF | -C | -F -t | -FCn
-i | -ia | -ie | -iea | -iee | -iae -n | -in | -i eth1 | -ieth0 | --interfaces=eth1 | --interfaces | -iW | -iop | -i6 | -ix | -it | -iv | -ig
-g | -gn | -gn4 | -gn6 | -gt | -gx | -gnv | -gu | -g --numeric-hosts | -gN | -gna | -gl | -ge | -gp -n | -gw6 | -g -A ddp | -gn4x | -gan6
-M | -Mn | -Mne | -Me | -Mnee | -M --numeric-hosts | -M --numeric-ports | -M --numeric-users | -Ma | -M -6 | -Mx | -Mv
-s | -st | -su | -sw | -sS | -sU | -stu | -s -6 | -s6t | -s6u | -s6w | -s6U | -s6S | -s -4 -6 | -s -x | -sc | -s4 | -s -A ip | -se | -sn | -sa
-stw | -suw | -sStuw | -sUt | -s6tu | -s6tuw | -sv | -sp | -s -A ax25 | -s -A ddp | -s -4 -4 | -s66 | -sg | -sN | -sW -l | -so
-h | --help | -? | -V | --version | -T | -I | -L | -B | -G | -D | --foo | -A | --protocol | --numeric=3 | --protocol= | -d | -dt
--num | --u | --un | --in | --ine | --i | --program -t | --prog -tn | --a | --al -n | --c | --co | --cont | --ex -t | --tcpip | --tc | --tcp -n
--l | --li -n | --ne -n | --n | --nu | --numeric- | --numeric-p -a | --p | --pro | --r | --ro | --rou | --rout -n | --ros | --s | --st | --t | --ti -tn
--ud | --v | --vers | --verb -x | --w -t | --x | --ax | --ap -n | --netlink | --ec | --econet | --ash | --ip6 | --program-name | --ip -n | --context
-A foo | -A ,inet | -A ddp | -A inet, -n | -A '' | -A INET | -A in | -A inet,inet,inet -t | -Ainet -n | -A -t | -A inet -A foo -h
-rr | -r -i | -ss | -ii | -MM | -rs | -gr | -gi -n | -ir | -sM | -sr -6 | -rM -h | -rrV | -Z | -h -Z | -Z -h | -V -Z | -h -V | -V -h | -h -T | -T -h
-tS | -Su | -S | -tSu -n | -Uw -n | -uUw -an | -tuUSw -an | --inet --ipx | --l2cap -t | --rfcomm | -2 | -f | -2f | --bluetooth -n | -A bluetooth | -c2
-2tn | -x2 | -fxa | -2v | -r2 -n | -i2 | -g2 -n | -s2
foo -t bar -- -x | -- -t | -tn -- | -tn - | -n foo -l | POSIXLY_CORRECT=1 -tn foo -x | POSIXLY_CORRECT=1 foo -tn
-tnW6 | -taW | -uaW | -xaW | -taeW | -tnopeW | -wane | -wano | -wanpe | -Uanoe | -6ano | -6aneop | -tanoee | -te --numeric-users | -ue --numeric-hosts
-le | -lo | -lp | -leop -n | -l4 | -l6 | -lx4 -n | -la6 -n | -ltu | -lw -n | -lU -n | -twx | -tuxan | -apeno | -apeno -v | -nN -t | -tF -n | -tC -an`

// lines are the known lines and n more that are made up: the same each time.
func lines(n int) (list []commandLine) {
	for text := range strings.SplitSeq(strings.ReplaceAll(knownLines, "\n", "|"), "|") {
		list = append(list, parseLine(text))
	}
	rnd := rand.New(rand.NewPCG(2, 10))
	seen := map[string]bool{}
	for _, l := range list {
		seen[l.String()] = true
	}
	for n > 0 {
		l := madeUp(rnd)
		if text := l.String(); !seen[text] {
			seen[text] = true
			list = append(list, l)
			n--
		}
	}
	return list
}

// madeUp is a line of a few options that make sense together. None is -c, which has no end: continuousLines are those.
func madeUp(rnd *rand.Rand) commandLine {
	pick := func(from string) string {
		words := strings.Fields(from)
		return words[rnd.IntN(len(words))]
	}
	const anything = "-n -n -a -a -l -e -o -p -v -W -N --numeric-hosts --numeric-ports --numeric-users -ee -4 -6 -t -u -x"
	kinds := []struct{ always, some string }{
		{"", anything}, {"", anything}, {"", anything}, {"", anything}, {"", anything},
		{"", anything + " -w -U -S -A inet6,unix --tcp --udp --inet --inet6 --unix --listening --all --extend"},
		{"", anything + " --ax25 --ipx --netrom --rose --x25 -A ddp -S -w -U -g --groups"},
		{"-r", "-n -n -e -e -ee -C -F -N -4 -6 -v --numeric-hosts --ax25 --netrom --rose --ipx --x25 --ddp -a -W -t --route"},
		{"-i", "-a -e -e -n -v -W -4 -6 -t -o -p -N"},
		{"-g", "-n -n -4 -6 -t -u -x -a -l -e -N -v --numeric-hosts"},
		{"-s", "-t -u -w -S -U -4 -6 -n -a -e -v -x -g"},
		{"-M", "-n -e -ee --numeric-hosts --numeric-ports -a -v"},
	}
	kind := kinds[rnd.IntN(len(kinds))]
	var words []string
	if kind.always != "" {
		words = append(words, kind.always)
	}
	for range 1 + rnd.IntN(5) {
		if word := pick(kind.some); word[0] == '-' { // -A gets its argument below
			words = append(words, word)
		}
	}
	rnd.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	var l commandLine
	for _, w := range words {
		switch {
		case w == "-A":
			l.args = append(l.args, "-A", pick("inet inet6 unix inet,inet6 ip,unix inet6,inet ddp x25,unix tcpip"))
		case rnd.IntN(3) == 0 && len(l.args) > 0 && joins(l.args[len(l.args)-1]) && joins(w):
			l.args[len(l.args)-1] += w[1:]
		default:
			l.args = append(l.args, w)
		}
	}
	return l
}

// joins reports whether a word is one of letters, to which others can be added.
func joins(word string) bool {
	return len(word) >= 2 && word[0] == '-' && word[1] != '-' && word[1] != 'A'
}

func TestLines(t *testing.T) {
	list := lines(100)
	if !slices.EqualFunc(list, lines(100), func(a, b commandLine) bool { return a.String() == b.String() }) {
		t.Error("other lines each time")
	}
	if list[0].String() != "" || len(list) < 350 {
		t.Errorf("%d lines, the first is %q", len(list), list[0])
	}
	for _, l := range list {
		if again := parseLine(l.String()); !slices.Equal(again.args, l.args) || !slices.Equal(again.env, l.env) {
			t.Errorf("%q is read as %q", l, again)
		}
	}
}

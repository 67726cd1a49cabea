// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// spokenLines have something to say in each language: titles, headings, states, errors of every kind.
const spokenLines = `| -tapeno | -uan | -xa | -wan | -San -e | -rn | -rne | -rnee | -rneee | -6rn | -6rne | -rnC | -rCn -ee | -6rC | -r --numeric-hosts
-i | -ia | -ie | -iee | -g | -gn6 | -M | -Mnee | -s | -s -6 | -st | -sS | -h | --help | -V | -v | -ap | -anW -o | -le | -lx -p
--ax25 | --ipx -e | --netrom | --rose | --x25 | -r --ax25 | -r --netrom | -r --rose | -r --x25 | -r --ipx | -r --ddp | -r -A unix
-T | --num | --foo | --tcp=1 | -A | --protocol | --numeric=3 | -A foo | -A ddp -n | -2 | -Z -t | -r -i | --tcpip -h | -A ax25,rose,netrom,x25,ipx -n`

// speakers are the languages that Debian's net-tools has, one that it has not, and one of which it makes do with another.
var speakers = []string{"de", "cs", "et", "fr", "ja", "pt_BR", "zh_CN", "pt_PT:ja:de"}

// spoken are the spoken lines: all in each language, or each in one of them. C.UTF-8 is in every C library since 2.35.
func spoken(all bool) (list []commandLine) {
	for i, text := range strings.Split(strings.ReplaceAll(spokenLines, "\n", "|"), "|") {
		for n, language := range speakers {
			if all || i%len(speakers) == n {
				list = append(list, parseLine("LC_ALL=C.UTF-8 LANGUAGE="+language+" "+text))
			}
		}
	}
	return list
}

// conformLocales compares in locales as people have them, installed with their charsets, and in some that are not there.
func conformLocales(t *testing.T, p pair, tally *tally) {
	dir := t.TempDir()
	for name, charset := range map[string]string{
		"de_DE.utf8": "UTF-8", "de_DE": "ISO-8859-1", "de_DE@euro": "ISO-8859-15", "cs_CZ.iso88592": "ISO-8859-2",
		"ja_JP.eucjp": "EUC-JP", "fr_CH.utf8": "UTF-8", "zh_CN.utf8": "UTF-8", "zh_CN.gb18030": "GB18030",
	} {
		input, _, _ := strings.Cut(name, ".")
		cmd := exec.Command("localedef", "-i", input, "-f", charset, filepath.Join(dir, name))
		if text, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: made, with warnings
			t.Fatalf("%v: %v\n%s", cmd, err, text)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := treeStage(t, "locales", p, "full")
	for _, env := range []string{
		"LC_ALL=de_DE.UTF-8", "LC_ALL=de_DE.utf8", "LC_ALL=de_DE", "LC_ALL=de_DE@euro", "LC_ALL= LANG=de_DE", "LC_ALL= LC_MESSAGES=de_DE.UTF-8",
		"LC_ALL= LC_MESSAGES=de_DE.UTF-8 LC_CTYPE=C.UTF-8", "LC_ALL= LC_NUMERIC=de_DE.UTF-8", "LC_ALL= LANG=de_DE LC_NUMERIC=C",
		"LC_ALL= LC_MESSAGES=de_DE.UTF-8 LC_CTYPE=ja_JP.EUC-JP", "LC_ALL=de_DE.UTF-8 OUTPUT_CHARSET=ISO-8859-1",
		"LC_ALL=de_DE.ISO-8859-1", "LC_ALL=cs_CZ.ISO-8859-2", "LC_ALL=ja_JP.eucJP", "LC_ALL=fr_CH.UTF-8", "LC_ALL=zh_CN.UTF-8",
		"LC_ALL=zh_CN.GB18030", "LC_ALL=fr_FR.UTF-8", "LC_ALL= LANG=de_DE.UTF-8 LC_TIME=xx_XX", "LC_ALL=C LANGUAGE=de", "LC_ALL=POSIX LANGUAGE=de",
		"LC_ALL=de_DE.UTF-8 LANGUAGE=en", "LC_ALL=de_DE.UTF-8 LANGUAGE=en:cs", "LC_ALL=de_DE.UTF-8 LANGUAGE=C",
		"LC_ALL=zh_CN.UTF-8 LANGUAGE=zh_CN:de", "LC_ALL=zh_CN.UTF-8 LANGUAGE=cs", "LC_ALL= LANG=", "LC_ALL=de_DE.UTF-8 LANGUAGE=fr_CA",
	} {
		for _, text := range []string{"-tano", "-rne", "-h", "-s", "-ie", "-g", "--foo", "-A foo", "-x -p"} {
			s.judge(tally, parseLine("LOCPATH="+dir+" "+env+" "+text))
			s.compare(tally, parseLine(env+" "+text)) // as a machine has it where none of them is installed
		}
	}
}

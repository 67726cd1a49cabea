// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// harmless reports whether a message can do nothing to a terminal. Those of filters have a line with a mark.
func harmless(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }) < 0
}

// Whatever the words of a command line are, it means something that can be shown, or the error says what is wrong: in one line, or three with a filter,
// without what a terminal would act on unless netstat says it, the same twice.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"-tulpn --json --interval 1s", "--num -A inet,unix -- x", "--filter port=80 state established -- ( x", "--event open,close --for 1s --columns a", "-A", "--protocol=", "-rr",
		"-é --count 99999999999999999999", "--=", "-W=1 -c5 - --", "-2", "-g --ipx", "--\x1b[2J", "-A \u202ex", "-\xff", "--filter=\x1b[2J", "--ring 1099511627776M --for -1ns",
		"--interval 9223372036854775807ns", "--count -1", "--unit=1", "--interval 2562048h", "-A inet,inet6,unix,ax25,x25,ipx,rose,netrom,ddp,ash,ec --json",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Split(line, " ")
		for _, face := range []Face{Netstat, Netlive, Verb, Runner} {
			o, err := Parse(face, "netlive", slices.Clone(words), nil)
			again, err2 := Parse(face, "netlive", slices.Clone(words), nil)
			if o.Filter.String() != again.Filter.String() {
				t.Errorf("%q: the filter is %s, and then %s", line, o.Filter, again.Filter)
			}
			o.Filter, again.Filter, o.filters, again.filters = nil, nil, nil, nil
			if !reflect.DeepEqual(o, again) || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Errorf("%q: %+v %v, and then %+v %v", line, o, err, again, err2)
			}
			var e *Error
			switch {
			case err == nil && (o.Interval < MinInterval || o.Count < 0 || o.For < 0 || o.Ring < 0 || o.Ring > maxRing):
				t.Errorf("%q: %+v", line, o)
			case err != nil && !errors.As(err, &e):
				t.Errorf("%q: %T", line, err)
			case err != nil && (e.ExitCode < 1 || e.Message == "" && e.Help == ""):
				t.Errorf("%q: %+v", line, e)
			case err != nil && face != Netstat && (!harmless(e.Message) || !strings.Contains(e.Message, "\n  ") && strings.Contains(e.Message, "\n")):
				t.Errorf("%q: the message %q", line, e.Message)
			case err == nil && !o.Help && !o.Version && o.Mode == ModeSockets:
				if sel := o.Select(); sel.Protos == 0 && !sel.Groups && !sel.Groups6 && len(sel.Others) == 0 {
					t.Errorf("%q shows nothing", line)
				}
			}
		}
	})
}

// The message for a value that an option cannot have names the option.
func FuzzValue(f *testing.F) {
	for i := range ownOptions() {
		for _, value := range []string{"", "1", "-1", "1s", "1K", "999999999999999999999", "tcp,", "auto", "\x1b[2J\n", "\xff", "port = x", "1e9s", "+5", " 7"} {
			f.Add(uint8(i), value)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		own := ownOptions()
		option := own[int(which)%len(own)]
		for _, face := range []Face{Netlive, Verb} {
			one, err := Parse(face, "netlive", []string{"--" + option.name + "=" + value}, nil)
			if option.arg == requiredArgument { // the other way to write it is the same
				two, err2 := Parse(face, "netlive", []string{"--" + option.name, value}, nil)
				one.Filter, two.Filter, one.filters, two.filters = nil, nil, nil, nil
				if !reflect.DeepEqual(one, two) || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
					t.Errorf("--%s %q: %v, and %v", option.name, value, err, err2)
				}
			}
			if err == nil {
				continue
			}
			named := "--" + option.name
			if option.val == valFilter {
				named = "filter, column "
			}
			if !strings.Contains(err.Error(), named) || !harmless(err.Error()) {
				t.Errorf("--%s=%q: %q", option.name, value, err)
			}
		}
	})
}

// Short options mean the same together and apart, and netstat's words mean the same for each face that has them.
func FuzzBundles(f *testing.F) {
	for _, letters := range []string{"tulpn", "rn", "gx46", "aAinet", "ceeoW", "tt", "M", "s", "V", "h", "2f", "Ainet", "éx", "N-n", "t?"} {
		f.Add(letters)
	}
	f.Fuzz(func(t *testing.T, letters string) {
		if strings.ContainsAny(letters, "AZ?-\x00") || letters == "" || slices.ContainsFunc([]byte(letters), func(c byte) bool { return !strings.Contains(shortOptions, string(rune(c))) || c >= utf8.RuneSelf }) {
			return // these take a word, or end it all
		}
		var apart []string
		for i := range len(letters) {
			apart = append(apart, "-"+letters[i:i+1])
		}
		for _, face := range []Face{Netstat, Netlive, Verb} {
			one, err := Parse(face, "p", []string{"-" + letters}, nil)
			two, err2 := Parse(face, "p", apart, nil)
			if !reflect.DeepEqual(one, two) || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Errorf("-%s: %+v %v, and apart %+v %v", letters, one, err, two, err2)
			}
		}
	})
}

// netlive's messages show what a terminal would act on, and netstat's are netstat's.
func TestHostileWords(t *testing.T) {
	const evil = "\x1b[2J\u202e\xff\n"
	for _, word := range []string{"--" + evil, "-A" + evil, "-" + evil, "--tcp=" + evil, "--i" + evil} {
		for _, face := range []Face{Netstat, Netlive, Verb, Runner} {
			_, err := Parse(face, "p", []string{word}, nil)
			var e *Error
			if !errors.As(err, &e) || harmless(e.Message) != (face != Netstat || strings.HasPrefix(word, "--tcp=")) || face != Netstat && strings.Contains(e.Message, "\n") {
				t.Errorf("%q: %q", word, err)
			}
		}
	}
}

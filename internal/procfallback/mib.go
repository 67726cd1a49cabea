// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"netlive/internal/mib"
)

// Counters reads the protocol counters of the calling thread's network namespace from the
// files in want. What ails a file is in its Content: netstat has an answer for each case.
func (s *Source) Counters(ctx context.Context, want mib.FileSet) (files mib.Files, err error) {
	self := s.self()
	for f := range want.All() {
		data, err := s.read(ctx, self+f.String())
		if ctx.Err() != nil {
			return mib.Files{}, fmt.Errorf("procfallback: read %s: %w", f, ctx.Err())
		}
		c := &files[f]
		if path := (*fs.PathError)(nil); errors.As(err, &path) && path.Op == "open" {
			c.OpenErr = err
			continue
		}
		// Without data there are no tables but SCTP's, which has its title from us.
		c.ReadErr = err
		warn := warnings{file: f.String()}
		switch f {
		case mib.SNMP, mib.Netstat:
			c.Report, c.BrokenAt = parseSNMP(data, &warn)
		case mib.SCTP:
			c.Report = mib.Report{{Title: "Sctp", Counters: parseSCTP(data, &warn)}}
		case mib.SNMP6:
			c.Report = parseSNMP6(data, &warn)
		}
		c.Warnings = warn.list()
	}
	return files, nil
}

// parseSNMP reads net/snmp and net/netstat, pairs of lines (net/ipv4/proc.c, snmp_seq_show):
//
//	Title: KEY KEY ...
//	Title: VALUE VALUE ...
//
// It reads as netstat does, which goes by the first line's title and ends at a
// pair without colons: brokenAt is where that begins, or 0. Where a value is missing or no
// number, it and all that follow it on the line are 0.
func parseSNMP(data []byte, warn *warnings) (report mib.Report, brokenAt int) {
	for number := 1; len(data) > 0; number++ {
		keys, rest := cutLine(data)
		data = rest
		if len(keys) == 0 {
			continue
		}
		if len(data) == 0 {
			warn.bad(number+1, "values", nil)
			break
		}
		values, rest := cutLine(data)
		data = rest
		number++
		title, names, ok := strings.Cut(string(keys), ":")
		_, values, found := bytes.Cut(values, []byte{':'})
		if !ok || !found {
			return report, number - 1
		}
		report = append(report, mib.Table{Title: title, Counters: pairUp(names, values, number, warn)})
	}
	return report, 0
}

// pairUp joins the keys and the values of two lines.
func pairUp(names string, values []byte, number int, warn *warnings) []mib.Counter {
	// The kernel puts one blank before each key.
	counters := slices.Grow([]mib.Counter(nil), strings.Count(names, " "))
	good := true
	for key := range strings.FieldsFuncSeq(names, isSeparator) {
		value, rest, ok := cutUint(values)
		if !ok && good {
			good = false
			text, _, _ := bytes.Cut(bytes.TrimLeft(values, space), []byte{' '})
			warn.bad(number, "value of "+key, text)
		}
		values = rest
		counters = append(counters, mib.Counter{Key: key, Value: value})
	}
	return counters
}

// parseSCTP reads net/sctp/snmp, a KEY, a tab and a value a line (net/sctp/proc.c,
// sctp_snmp_seq_show). As netstat does, it takes what is no number as 0.
func parseSCTP(data []byte, warn *warnings) (counters []mib.Counter) {
	for number := 1; len(data) > 0; number++ {
		line, rest := cutLine(data)
		data = rest
		if len(line) == 0 {
			continue
		}
		at := bytes.IndexAny(line, " \t")
		if at < 0 {
			warn.bad(number, "value", nil)
			continue
		}
		value, _, ok := cutUint(line[at:])
		if !ok {
			warn.bad(number, "value", bytes.TrimLeft(line[at:], space))
		}
		counters = append(counters, mib.Counter{Key: string(line[:at]), Value: value})
	}
	return counters
}

// parseSNMP6 reads net/snmp6, a KEY and a value a line (net/ipv6/proc.c, snmp6_seq_show).
// The file has no titles; netstat finds them in the keys. A title is a key up to its first
// 6, and lasts for as long as keys contain it. Lines without a number are left out:
// netstat prints what happens to be in its memory for them.
func parseSNMP6(data []byte, warn *warnings) (report mib.Report) {
	for number := 1; len(data) > 0; number++ {
		line, rest := cutLine(data)
		data = rest
		line = bytes.TrimLeft(line, space)
		text := line
		if end := bytes.IndexAny(line, space); end >= 0 {
			text = line[:end]
		}
		value, _, ok := cutUint(line[len(text):])
		if !ok {
			field, bad := "key", text
			if len(text) > 0 {
				field, bad = "value of "+string(text[:min(len(text), maxQuoted)]), bytes.TrimLeft(line[len(text):], space)
			}
			warn.bad(number, field, bad)
			continue
		}
		key := string(text)
		if len(report) == 0 || !strings.Contains(key, report[len(report)-1].Title) {
			title, _, found := strings.Cut(key, "6")
			if found {
				title = key[:len(title)+1]
			}
			report = append(report, mib.Table{Title: title})
		}
		t := &report[len(report)-1]
		t.Counters = append(t.Counters, mib.Counter{Key: key, Value: value})
	}
	return report
}

// cutLine cuts the first line from b, without its end.
func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// space is isspace(3) in the C locale.
const space = " \t\n\v\f\r"

// isSeparator is about what parts keys, which is less than what parts numbers.
func isSeparator(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

// cutUint cuts a number from the beginning of b, as strtoul(3) does: blanks, a sign, digits. A
// negative number wraps, one that needs more than 64 bits is the largest that does not.
// Without digits nothing is cut.
func cutUint(b []byte) (n uint64, rest []byte, ok bool) {
	d := bytes.TrimLeft(b, space)
	minus := len(d) > 0 && d[0] == '-'
	if minus || len(d) > 0 && d[0] == '+' {
		d = d[1:]
	}
	if len(d) == 0 || d[0] < '0' || d[0] > '9' {
		return 0, b, false
	}
	over := false
	for len(d) > 0 && d[0] >= '0' && d[0] <= '9' {
		digit := uint64(d[0] - '0')
		over = over || n > (math.MaxUint64-digit)/10
		n = n*10 + digit
		d = d[1:]
	}
	switch {
	case over:
		n = math.MaxUint64
	case minus:
		n = -n
	}
	return n, d, true
}

// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netlive/internal/mib"
)

// Statistics is net-tools 2.10's netstat -s, byte for byte.
type Statistics struct {
	// Families are the address families asked for, as netstat joins them: "", "inet", "inet6"
	// or, which it has no report for, "unix", "inet,inet6".
	Families string
	// Raw, TCP, UDP, SCTP are the options -w -t -u -S: which known tables are shown. If none
	// of these nor -U is given, netstat has all of them on. It has no table for -U, which
	// therefore leaves nothing but the unknown tables. Those are always shown.
	Raw, TCP, UDP, SCTP bool
	Texts               Texts
}

// Wants are the files that the report is made of; none if there is no such report.
func (s *Statistics) Wants() mib.FileSet { return mib.FileSetOf(s.order()...) }

// order lists the files as netstat reads them. Without the first there is no report.
func (s *Statistics) order() []mib.File {
	switch s.Families {
	case "", "inet":
		return mibFilesIPv4
	case "inet6":
		return mibFilesIPv6
	}
	return nil
}

var (
	mibFilesIPv4 = []mib.File{mib.SNMP, mib.Netstat, mib.SCTP}
	mibFilesIPv6 = []mib.File{mib.SNMP6, mib.SNMP}
)

func (s *Statistics) ipv6() bool { return s.Families == "inet6" }

// Append appends to out what netstat prints on stdout and to errs what it prints on stderr.
func (s *Statistics) Append(out, errs []byte, files *mib.Files) (_, _ []byte, exitCode int) {
	if s.Wants() == 0 {
		return fmt.Appendf(out, s.Texts.Text("netstat: No statistics support for specified address family: %s\n"), s.Families), errs, 1
	}
	t := mibText{Statistics: s, b: out, indent: indentNormal}
	for i, f := range s.order() {
		c := &files[f]
		if c.OpenErr != nil {
			// net/netstat and net/sctp/snmp may be missing, net/snmp never, be it second.
			if i == 0 || f == mib.SNMP {
				errs = s.Texts.AppendPerror(errs, s.Texts.Text("cannot open /proc/"+f.String()), c.OpenErr)
			}
			if i == 0 {
				break
			}
			continue
		}
		for j := range c.Report {
			if s.reads(f, &c.Report[j]) {
				t.table(f, &c.Report[j])
			}
		}
		if c.BrokenAt > 0 && !s.ipv6() {
			errs = append(errs, s.Texts.Text("Problem while parsing /proc/"+f.String()+"\n")...)
		}
		if c.ReadErr != nil {
			errs = s.Texts.AppendPerror(errs, "/proc/"+f.String(), c.ReadErr)
		}
	}
	return t.b, errs, 0
}

// Report is the tables whose titles Append prints, for those who want numbers.
func (s *Statistics) Report(files *mib.Files) (r mib.Report) {
	if s.Wants() == 0 {
		return nil
	}
	for i, f := range s.order() {
		if i == 0 && files[f].OpenErr != nil {
			return nil
		}
		for _, t := range files[f].Report {
			if s.reads(f, &t) && s.shows(lookUpTable(f, t.Title)) {
				r = append(r, t)
			}
		}
	}
	return r
}

// reads reports whether netstat looks at a table at all. TCP's counters are in net/snmp for
// IPv6 too.
func (s *Statistics) reads(f mib.File, t *mib.Table) bool {
	return !s.ipv6() || f == mib.SNMP6 || strings.HasPrefix(t.Title, "Tcp")
}

// mibOption is the option that turns a table on.
type mibOption uint8

const (
	optionNone mibOption = iota // always on
	optionRaw
	optionTCP
	optionUDP
	optionSCTP
)

// mibTable is what netstat knows of a table.
type mibTable struct {
	title     string
	option    mibOption
	sentences []sentence
}

var (
	mibTablesIPv4 = []mibTable{
		{"Ip", optionRaw, sentencesIP},
		{"Icmp", optionRaw, sentencesICMP},
		{"Tcp", optionTCP, sentencesTCP},
		{"Udp", optionUDP, sentencesUDP},
		{"Sctp", optionSCTP, sentencesSCTP},
		{"TcpExt", optionTCP, sentencesTCPExt},
	}
	mibTablesIPv6 = []mibTable{
		{"Ip6", optionRaw, sentencesIP6},
		{"Icmp6", optionRaw, sentencesICMP6},
		{"Udp6", optionUDP, sentencesUDP6},
		// Its keys would begin with Tcp6, which none of TCP's sentences does.
		{"Tcp6", optionTCP, nil},
	}
)

// lookUpTable returns what netstat knows of a table; nil if nothing.
func lookUpTable(f mib.File, title string) *mibTable {
	known := mibTablesIPv4
	if f == mib.SNMP6 {
		known = mibTablesIPv6
	}
	for i := range known {
		if known[i].title == title {
			return &known[i]
		}
	}
	return nil
}

func (s *Statistics) shows(t *mibTable) bool {
	if t == nil {
		return true
	}
	return [...]bool{optionNone: true, optionRaw: s.Raw, optionTCP: s.TCP, optionUDP: s.UDP, optionSCTP: s.SCTP}[t.option]
}

// mibIndent is how far in the next line begins. netstat keeps it from one table to the next, and so
// what follows a histogram is indented as its lines are, until a line of another kind
// or a table that it knows ends that.
type mibIndent uint8

const (
	indentNormal mibIndent = iota
	indentIn               // within the histogram of ICMP input
	indentOut
)

func (i mibIndent) append(b []byte) []byte {
	if i == indentNormal {
		return append(b, "    "...)
	}
	return append(b, "        "...)
}

// mibText is a report in the making.
type mibText struct {
	*Statistics
	b      []byte
	indent mibIndent
}

func (t *mibText) table(f mib.File, table *mib.Table) {
	known := lookUpTable(f, table.Title)
	if known != nil {
		t.indent = indentNormal
	}
	if !t.shows(known) {
		return
	}
	t.b = append(append(t.b, table.Title...), ":\n"...)
	for i := range table.Counters {
		c := &table.Counters[i]
		if s := known.lookUp(c.Key); s != nil {
			t.say(s, c.Value)
		} else if c.Value != 0 {
			t.b = append(t.indent.append(t.b), c.Key...)
			t.b = strconv.AppendUint(append(t.b, ": "...), c.Value, 10)
			t.b = append(t.b, '\n')
		}
	}
}

func (t *mibTable) lookUp(key string) *sentence {
	if t == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(t.sentences, key, func(s sentence, key string) int { return strings.Compare(s.key, key) })
	if !ok {
		return nil
	}
	return &t.sentences[i]
}

const (
	histogramInTitle  = "ICMP input histogram:"
	histogramOutTitle = "ICMP output histogram:"
)

// say appends the sentence for a counter, and the title of its histogram if that begins here: even
// if every line of it is 0.
func (t *mibText) say(s *sentence, value uint64) {
	if s.text == "" {
		return
	}
	indent, title := indentNormal, ""
	switch s.rule {
	case histogramIn:
		indent, title = indentIn, histogramInTitle
	case histogramOut:
		indent, title = indentOut, histogramOutTitle
	}
	if title != "" && t.indent != indent {
		t.b = append(append(t.indent.append(t.b), t.Texts.Text(title)...), '\n')
		t.indent = indent
	}
	if s.rule != always && value == 0 {
		return
	}
	t.indent = indent
	before, after, _ := strings.Cut(t.Texts.Text(s.text), "%d")
	t.b = append(t.indent.append(t.b), before...)
	t.b = strconv.AppendUint(t.b, value, 10)
	t.b = append(append(t.b, after...), '\n')
}

// AppendReportJSON appends r as one JSON object of objects, by the kernel's own names and with its
// numbers: {"Ip":{"Forwarding":1,...},...}.
func AppendReportJSON(b []byte, r mib.Report) []byte {
	b = append(b, '{')
	for i := range r {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, []byte(r[i].Title))
		b = append(b, ':')
		b = appendTableJSON(b, &r[i])
	}
	return append(b, '}')
}

func appendTableJSON(b []byte, t *mib.Table) []byte {
	b = append(b, '{')
	for i := range t.Counters {
		c := &t.Counters[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, []byte(c.Key)), ':')
		if t.Title == "Tcp" && c.Key == "MaxConn" {
			// The one signed number of all (RFC 2012): -1 is no limit (net/ipv4/proc.c).
			b = strconv.AppendInt(b, int64(c.Value), 10)
		} else {
			b = strconv.AppendUint(b, c.Value, 10)
		}
	}
	return append(b, '}')
}

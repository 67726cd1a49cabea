// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"netlive/internal/mib"
)

// counted is a table of KEY VALUE KEY VALUE ...
func counted(title, text string) mib.Table {
	t := mib.Table{Title: title}
	for pair := range slices.Chunk(strings.Fields(text), 2) {
		n, err := strconv.ParseUint(pair[1], 10, 64)
		if err != nil {
			panic(err)
		}
		t.Counters = append(t.Counters, mib.Counter{Key: pair[0], Value: n})
	}
	return t
}

// everyRule has a counter for each rule, by which one line can move the next.
var everyRule = mib.Files{
	mib.SNMP: {Report: mib.Report{
		counted("Ip", "Forwarding 2 DefaultTTL 64 InReceives 0 InHdrErrors 0 OutNoRoutes 3 OutTransmits 0"),
		counted("Icmp", "InMsgs 5 InCsumErrors 6 InDestUnreachs 0 InEchos 7 OutRateLimitHost 8 OutMsgs 9 OutEchos 10"),
		counted("IcmpMsg", "InType8 7"),
		counted("Tcp", "RtoAlgorithm 1 MaxConn 18446744073709551615 InSegs 18446744073709551615"),
		counted("Udp", "InDatagrams 11"),
		counted("UdpLite", "InDatagrams 12"),
	}},
	mib.Netstat: {Report: mib.Report{
		counted("TcpExt", "TCPHPHits 0 DelayedACKLost 13 TCPTimeouts 14"),
	}},
	mib.SCTP: {Report: mib.Report{
		counted("Sctp", "SctpAborteds 15 SctpT1InitExpireds 16"),
	}},
	mib.SNMP6: {Report: mib.Report{
		counted("Icmp6", "Icmp6InEchos 17 Icmp6OutEchos 18"),
		counted("UdpLite6", "UdpLite6NoPorts 19"),
		counted("Udp6", "Udp6NoPorts 20"),
	}},
}

func TestStatistics(t *testing.T) {
	all := Statistics{Raw: true, TCP: true, UDP: true, SCTP: true}
	inet6 := all
	inet6.Families = "inet6"
	for _, c := range []struct {
		name  string
		s     Statistics
		wants mib.FileSet
		want  string
	}{
		{"all", all, mib.FileSetOf(mib.SNMP, mib.Netstat, mib.SCTP), `Ip:
    Forwarding: 2
    0 total packets received
    3 dropped because of missing route
Icmp:
    5 ICMP messages received
    InCsumErrors: 6
    ICMP input histogram:
        echo requests: 7
        OutRateLimitHost: 8
    9 ICMP messages sent
    ICMP output histogram:
        echo requests: 10
IcmpMsg:
        InType8: 7
Tcp:
    18446744073709551615 segments received
Udp:
    11 packets received
UdpLite:
    InDatagrams: 12
TcpExt:
    0 packet headers predicted
    Quick ack mode was activated 13 times
    TCPTimeouts: 14
Sctp:
    15 Number of Aborteds 
    SctpT1InitExpireds: 16
`},
		{"tcp", Statistics{Families: "inet", TCP: true}, mib.FileSetOf(mib.SNMP, mib.Netstat, mib.SCTP), `IcmpMsg:
    InType8: 7
Tcp:
    18446744073709551615 segments received
UdpLite:
    InDatagrams: 12
TcpExt:
    0 packet headers predicted
    Quick ack mode was activated 13 times
    TCPTimeouts: 14
`},
		{"inet6", inet6, mib.FileSetOf(mib.SNMP6, mib.SNMP), `Icmp6:
    ICMP input histogram:
        echo requests: 17
        ICMP output histogram:
        echo requests: 18
UdpLite6:
        UdpLite6NoPorts: 19
Udp6:
    20 packets to unknown port received
Tcp:
    18446744073709551615 segments received
`},
	} {
		out, errs, code := c.s.Append(nil, nil, &everyRule)
		if string(out) != c.want || len(errs) > 0 || code != 0 {
			t.Errorf("%s: exit code %d, stderr %q, stdout\n%s\nwant\n%s", c.name, code, errs, out, c.want)
		}
		if got := c.s.Wants(); got != c.wants {
			t.Errorf("%s: wants %04b, not %04b", c.name, got, c.wants)
		}
		// The report for machines has the tables that the text has.
		var titles []string
		for _, t := range c.s.Report(&everyRule) {
			titles = append(titles, t.Title+":")
		}
		lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(out)), "\n"), func(l string) bool { return l[0] == ' ' })
		if !slices.Equal(titles, lines) {
			t.Errorf("%s: report of %v, text of %v", c.name, titles, lines)
		}
	}
}

func TestStatisticsOfAnotherFamily(t *testing.T) {
	for _, f := range []string{"unix", "inet,inet6", "inet,inet"} {
		s := Statistics{Families: f, TCP: true}
		out, errs, code := s.Append([]byte("> "), nil, &everyRule)
		if string(out) != "> netstat: No statistics support for specified address family: "+f+"\n" || len(errs) > 0 || code != 1 {
			t.Errorf("%s: exit code %d, stderr %q, stdout %q", f, code, errs, out)
		}
		if s.Wants() != 0 || s.Report(&everyRule) != nil {
			t.Errorf("%s: wants %04b, reports %v", f, s.Wants(), s.Report(&everyRule))
		}
	}
}

// What fails to be read is said as netstat says it, and the rest is there.
func TestStatisticsOfBadFiles(t *testing.T) {
	ip, ext := mib.Report{counted("Ip", "")}, mib.Report{counted("TcpExt", "TW 1")}
	tcp := mib.Report{counted("Ip", ""), counted("Tcp", ""), counted("TcpNew", "")}
	path := func(op string, err error) error { return &fs.PathError{Op: op, Path: "net/snmp", Err: err} }
	const heads = "Ip:\nTcpExt:\n    1 TCP sockets finished time wait in fast timer\n"
	for _, c := range []struct {
		name, families string
		files          mib.Files
		out, errs      string
	}{
		{"no snmp", "", mib.Files{mib.SNMP: {OpenErr: path("open", syscall.ENOENT)}, mib.Netstat: {Report: ext}},
			"", "cannot open /proc/net/snmp: No such file or directory\n"},
		{"no snmp in a tree", "", mib.Files{mib.SNMP: {OpenErr: path("open", fs.ErrNotExist)}},
			"", "cannot open /proc/net/snmp: No such file or directory\n"},
		{"denied", "", mib.Files{mib.SNMP: {OpenErr: path("open", fs.ErrPermission)}},
			"", "cannot open /proc/net/snmp: Permission denied\n"},
		{"strange", "", mib.Files{mib.SNMP: {OpenErr: errors.New("no reason")}},
			"", "cannot open /proc/net/snmp: no reason\n"},
		{"snmp broken", "", mib.Files{mib.SNMP: {Report: ip, BrokenAt: 3}, mib.Netstat: {Report: ext}},
			heads, "Problem while parsing /proc/net/snmp\n"},
		{"netstat broken", "", mib.Files{mib.SNMP: {Report: ip}, mib.Netstat: {Report: ext, BrokenAt: 3}},
			heads, "Problem while parsing /proc/net/netstat\n"},
		{"snmp unreadable", "", mib.Files{mib.SNMP: {ReadErr: path("read", syscall.EISDIR)}, mib.Netstat: {Report: ext}},
			heads[4:], "/proc/net/snmp: Is a directory\n"},
		{"no netstat, no sctp", "", mib.Files{
			mib.SNMP: {Report: ip}, mib.Netstat: {OpenErr: fs.ErrNotExist}, mib.SCTP: {OpenErr: fs.ErrNotExist}},
			"Ip:\n", ""},
		{"no snmp6", "inet6", mib.Files{mib.SNMP6: {OpenErr: syscall.ENOENT}, mib.SNMP: {Report: tcp}},
			"", "cannot open /proc/net/snmp6: No such file or directory\n"},
		{"no snmp for IPv6", "inet6", mib.Files{mib.SNMP6: {Report: mib.Report{counted("Ip6", "")}}, mib.SNMP: {OpenErr: syscall.ELOOP}},
			"Ip6:\n", "cannot open /proc/net/snmp: Too many levels of symbolic links\n"},
		{"snmp broken for IPv6", "inet6", mib.Files{mib.SNMP6: {Report: mib.Report{counted("Ip6", "")}}, mib.SNMP: {Report: tcp, BrokenAt: 9}},
			"Ip6:\nTcp:\nTcpNew:\n", ""},
	} {
		s := Statistics{Families: c.families, Raw: true, TCP: true}
		out, errs, code := s.Append(nil, nil, &c.files)
		if string(out) != c.out || string(errs) != c.errs || code != 0 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q\nwant stdout %q, stderr %q", c.name, code, out, errs, c.out, c.errs)
		}
		if r := s.Report(&c.files); (len(r) == 0) != (c.out == "") {
			t.Errorf("%s: report %v", c.name, r)
		}
	}
}

// Sentences are found by halves, which netstat's tables show to need a test; and each has one place for the number.
func TestSentences(t *testing.T) {
	for _, table := range slices.Concat(mibTablesIPv4, mibTablesIPv6) {
		for i, s := range table.sentences {
			if i > 0 && table.sentences[i-1].key >= s.key {
				t.Errorf("%s: %s is not before %s", table.title, table.sentences[i-1].key, s.key)
			}
			if got := table.lookUp(s.key); got != &table.sentences[i] {
				t.Errorf("%s: %s not found", table.title, s.key)
			}
			if s.text != "" && (strings.Count(s.text, "%d") != 1 || strings.Count(s.text, "%") != 1) {
				t.Errorf("%s: %s says %q", table.title, s.key, s.text)
			}
		}
	}
}

func TestAppendReportJSON(t *testing.T) {
	r := mib.Report{
		counted("Tcp", "MaxConn 18446744073709551615 InSegs 18446744073709551615"),
		counted("Empty", ""),
		counted("\"\xff\n", "\x1b[m 1"),
	}
	got := string(AppendReportJSON([]byte("> "), r))
	want := `> {"Tcp":{"MaxConn":-1,"InSegs":18446744073709551615},"Empty":{},"\"�\u000a":{"\u001b[m":1}}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !json.Valid([]byte(got[2:])) || string(AppendReportJSON(nil, nil)) != "{}" {
		t.Errorf("%s and %s: not JSON", got, AppendReportJSON(nil, nil))
	}
}

func BenchmarkStatistics(b *testing.B) {
	s := Statistics{Raw: true, TCP: true, UDP: true, SCTP: true}
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		out, _, _ = s.Append(out[:0], nil, &everyRule)
	}
}

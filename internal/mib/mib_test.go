// SPDX-License-Identifier: GPL-2.0-or-later

package mib

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestReportGet(t *testing.T) {
	r := Report{
		{"Ip", []Counter{{"InReceives", 7}, {"InDelivers", 0}, {"InReceives", 8}}},
		{"Tcp", nil},
		{"Ip", []Counter{{"Late", 1}}},
	}
	for _, c := range []struct {
		title, key string
		want       uint64
		ok         bool
	}{
		{"Ip", "InReceives", 7, true},
		{"Ip", "InDelivers", 0, true},
		{"Ip", "Late", 0, false},
		{"Tcp", "InReceives", 0, false},
		{"Udp", "InReceives", 0, false},
	} {
		if got, ok := r.Get(c.title, c.key); got != c.want || ok != c.ok {
			t.Errorf("%s %s: %d, %t, want %d, %t", c.title, c.key, got, ok, c.want, c.ok)
		}
	}
}

func TestFileSet(t *testing.T) {
	s := FileSetOf(SNMP6, SNMP)
	if !s.Has(SNMP) || s.Has(Netstat) || s.Has(SCTP) || !s.Has(SNMP6) {
		t.Errorf("set %04b", s)
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, []File{SNMP, SNMP6}) {
		t.Errorf("files %v", got)
	}
	if got := fmt.Sprint(slices.Collect(AllFiles.All())); got != "[net/snmp net/netstat net/sctp/snmp net/snmp6]" {
		t.Errorf("all files %s", got)
	}
	for f := range AllFiles.All() {
		if f != SNMP {
			t.Errorf("%v after a break", f)
		}
		break
	}
	if got := slices.Collect(FileSet(0).All()); got != nil {
		t.Errorf("no files: %v", got)
	}
}

func TestFilesWarnings(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	f := Files{SNMP: {Warnings: []error{a}}, SNMP6: {Warnings: []error{b}}}
	if got := f.Warnings(); !slices.Equal(got, []error{a, b}) {
		t.Errorf("warnings %v", got)
	}
}

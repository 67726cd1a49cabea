// SPDX-License-Identifier: GPL-2.0-or-later

package mib

import "testing"

func TestIsGauge(t *testing.T) {
	for _, c := range []struct {
		title, key string
		want       bool
	}{
		{"Tcp", "CurrEstab", true}, {"Tcp", "MaxConn", true}, {"Sctp", "SctpCurrEstab", true}, {"MPTcpExt", "MPCurrEstab", true},
		{"Ip", "Forwarding", true}, {"Tcp", "InSegs", false}, {"TcpExt", "CurrEstab", false}, {"Foo", "Forwarding", false}, {"", "", false},
	} {
		if got := IsGauge(c.title, c.key); got != c.want {
			t.Errorf("%s %s: %v", c.title, c.key, got)
		}
	}
}

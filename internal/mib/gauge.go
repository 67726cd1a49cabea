// SPDX-License-Identifier: GPL-2.0-or-later

package mib

// gauges are the numbers that count nothing: how many there are now, and settings. The kernel shows them among the counters
// (net/ipv4/proc.c, snmp4_ipstats_list and snmp4_tcp_list; net/sctp/proc.c; net/mptcp/mib.c).
var gauges = map[string]map[string]bool{
	"Ip":       {"Forwarding": true, "DefaultTTL": true},
	"Tcp":      {"RtoAlgorithm": true, "RtoMin": true, "RtoMax": true, "MaxConn": true, "CurrEstab": true},
	"Sctp":     {"SctpCurrEstab": true},
	"MPTcpExt": {"MPCurrEstab": true},
}

// IsGauge reports whether what the kernel calls key in the table title goes up and down, so that it has no rate and a change of it
// may be negative. All else only grows, until it wraps.
func IsGauge(title, key string) bool { return gauges[title][key] }

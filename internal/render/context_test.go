// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"netlive/internal/sock"
)

// The column of contexts as net-tools 2.10 prints it with SELinux (print_selinux_context in netstat.c): 50 wide, and of those that
// do not fit the end.
func TestContext(t *testing.T) {
	contexts := map[uint32]string{1: "system_u:system_r:sshd_t:s0", 2: strings.Repeat("x", 20) + strings.Repeat("y", 48), 3: strings.Repeat("z", 49)}
	table := &Table{Names: Numeric{}, Context: func(pid uint32) string { return contexts[pid] }}
	for pid, want := range map[uint32]string{
		0: "-", 1: contexts[1], 2: strings.Repeat("y", 48), 3: contexts[3], 4: "-",
	} {
		s := sock.Socket{Proto: sock.TCP, State: sock.Listen, Local: netip.MustParseAddrPort("1.2.3.4:5"), Remote: netip.MustParseAddrPort("0.0.0.0:0")}
		if pid != 0 {
			s.Owner = sock.Owner{PID: pid, How: sock.HowProcfs, Program: "p"}
		}
		row := string(table.InetRow(nil, &s))
		plain := string((&Table{Names: Numeric{}}).InetRow(nil, &s))
		if got, ok := strings.CutPrefix(row, strings.TrimSuffix(plain, "\n")); !ok || got != " "+want+strings.Repeat(" ", 50-len(want))+"\n" {
			t.Errorf("context of %d: %q", pid, got)
		}
		var object struct{ Context *string }
		if err := json.Unmarshal(table.SocketJSON(nil, &s), &object); err != nil {
			t.Error(err)
		}
		switch full := contexts[pid]; {
		case object.Context == nil && full != "", object.Context != nil && *object.Context != full:
			t.Errorf("context of %d in JSON: %v, want %q", pid, object.Context, full)
		}
	}
	head := string(table.InetHeader(nil))
	if !strings.HasSuffix(head, " Security Context"+strings.Repeat(" ", 33)+"\n") {
		t.Errorf("head %q", head)
	}
}

func TestTimerJSON(t *testing.T) {
	s := sock.Socket{
		Proto: sock.TCP, State: sock.Established, Local: netip.MustParseAddrPort("1.2.3.4:5"), Remote: netip.MustParseAddrPort("6.7.8.9:10"),
		Timer: sock.Timer{Kind: 1, Ticks: 123, Retrans: 4, Timeout: 5},
	}
	const want = `,"timer":"on","timer_ms":1230,"retransmits":4,"probes":5}`
	if got := string((&Table{Timers: true}).SocketJSON(nil, &s)); !strings.HasSuffix(got, want) {
		t.Errorf("%s, want …%s", got, want)
	}
	s.Timer = sock.Timer{Kind: 9}
	if got := string((&Table{Timers: true}).SocketJSON(nil, &s)); !strings.Contains(got, `,"timer":null,`) {
		t.Errorf("a timer that nobody knows: %s", got)
	}
	if got := string((&Table{}).SocketJSON(nil, &s)); got != string(AppendSocketJSON(nil, &s)) {
		t.Errorf("without -o: %s", got)
	}
}

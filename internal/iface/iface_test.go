// SPDX-License-Identifier: GPL-2.0-or-later

package iface

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// inOrder is as netstat showed it when the kernel had it in another order.
var inOrder = strings.Fields(`:1 0 00 1 01x : Lo a:1 a1 abcdefghijklmn abcdefghijklmno br-ffffffffff9 br-ffffffffff10
	eth eth:1 eth0 eth01 eth1 eth1:0 eth1:1 eth1:2 eth1:10 eth2 eth10 eth0p eth1: eth1:: eth1:foo ethx lo lo:1 lo:01x
	v0000000000 v4294967296 v1 v4294967297 v2 v2147483647 w4294967295 w0 x`)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"lo", "lo", 0}, {"eth1", "eth1:1", -1}, {"eth1:2", "eth1:10", -1}, {"eth2", "eth10", -1}, {"eth10", "eth0p", -1},
		{"eth", "eth01", -1}, {"eth01", "eth1", -1}, {"eth1", "eth01", 1}, {"eth1:01", "eth1:1", -1}, {"eth0p", "eth1:foo", -1},
		{"eth1:10", "eth1:foo", -1}, {"eth1:foo", "eth2", 1}, {"lo", "Lo", 1}, {"\xff", "a", 1}, {"a:1", "a1", -1},
		{"br-0a1b2c3d", "br-0a1b2c3e", -1}, {"br-ffffffffff10", "br-ffffffffff9", 1}, {"v4294967297", "v1", 1}, {"v4294967297", "v2", -1},
		// Of aliases netstat takes the number of one that has none for -1.
		{"a", "a:4294967295", 0}, {"a:4294967295", "a:8589934591", -1},
	} {
		if got := sign(Compare(c.a, c.b)); got != c.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := sign(Compare(c.b, c.a)); got != -c.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

func sign(n int) int { return min(max(n, -1), 1) }

func TestAdd(t *testing.T) {
	for seed := range uint64(20) {
		shuffled := slices.Clone(inOrder)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		var table Table
		for i, name := range append(shuffled, shuffled...) {
			added := table.Add(name)
			if added.Name != name {
				t.Fatalf("added %q, got %q", name, added.Name)
			}
			added.MTU += int32(i/len(shuffled)) + 1
		}
		var got []string
		for _, i := range table.Interfaces {
			got = append(got, i.Name)
			if i.MTU != 3 {
				t.Errorf("%s was added anew", i.Name)
			}
		}
		if !slices.Equal(got, inOrder) {
			t.Fatalf("order %q\nwant  %q", got, inOrder)
		}
	}
}

func TestFlagNames(t *testing.T) {
	for _, c := range []struct {
		flags Flags
		want  string
	}{
		{0, ""},
		{FlagUp | FlagRunning | FlagBroadcast | FlagMulticast, "UP BROADCAST RUNNING MULTICAST"},
		{FlagMaster | FlagSlave | FlagPortSel | FlagAutoMedia | FlagDynamic, "MASTER SLAVE PORTSEL AUTOMEDIA DYNAMIC"},
		{0x10d1, "UP POINTOPOINT RUNNING NOARP MULTICAST"},
	} {
		if got := strings.Join(slices.Collect(c.flags.Names), " "); got != c.want {
			t.Errorf("%#x: %s, want %s", uint16(c.flags), got, c.want)
		}
	}
	for name := range Flags(0xffff).Names {
		if name != "UP" {
			t.Errorf("went on to %s", name)
		}
		break
	}
}

func TestIsAlias(t *testing.T) {
	for name, want := range map[string]bool{"lo": false, "lo:0": true, "eth1:foo": true} {
		if i := (Interface{Name: name}); i.IsAlias() != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

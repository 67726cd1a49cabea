// SPDX-License-Identifier: GPL-2.0-or-later

package route

import "testing"

func TestFamily(t *testing.T) {
	for f := range Family(numFamilies) {
		if got, ok := ParseFamily(f.String()); !ok || got != f || f.String() == "" {
			t.Errorf("%d is %q is %d, %t", f, f, got, ok)
		}
	}
	for _, word := range []string{"", "unix", "INET", "unknown"} {
		if f, ok := ParseFamily(word); ok {
			t.Errorf("%q is %v", word, f)
		}
	}
	if s := Family(numFamilies).String(); s != "unknown" {
		t.Errorf("no family is %q", s)
	}
}

// The bits are of the kernel's interface; a slip here would change what every letter means.
func TestFlags(t *testing.T) {
	for _, c := range []struct{ got, want Flags }{
		{FlagUp, 0x1}, {FlagReject, 0x200}, {FlagNotCached, 0x400}, {FlagDefault, 0x10000}, {FlagAllOnLink, 0x20000},
		{FlagAddrConf, 0x40000}, {FlagPrefixRt, 0x80000}, {FlagAnycast, 0x100000}, {FlagNoNextHop, 0x200000},
		{FlagExpires, 0x400000}, {FlagRouteInfo, 0x800000}, {FlagCache, 0x1000000}, {FlagFlow, 0x2000000},
		{FlagPolicy, 0x4000000}, {FlagPcpu, 0x40000000}, {FlagLocal, 0x80000000},
		{Flags(CacheNotify), 0x10000}, {Flags(CacheTProxy), 0x80000}, {Flags(CacheFast), 0x200000},
		{Flags(CacheDoRedirect), 0x1000000}, {Flags(CacheDNAT), 0x8000000}, {Flags(CacheReject), 0x40000000},
	} {
		if c.got != c.want {
			t.Errorf("%#x is not %#x", c.got, c.want)
		}
	}
	if f := FlagUp | FlagGateway; !f.Has(FlagGateway|FlagHost) || f.Has(FlagHost) {
		t.Error("Has")
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"
)

// Files as the kernel writes them, and a line of each that is not whole.
func TestOldRoutes(t *testing.T) {
	tree := fstest.MapFS{
		"net/ax25_route":  file("callsign  dev  mode digipeaters\nN0CALL-9  ax0  *\ndefault   ax12 12\nN0CALL\n"),
		"net/nr_neigh":    file("addr  callsign  dev  qual lock count failed digipeaters\n00001 N0CALL-7  ax0   192    0     1      0\nx\n"),
		"net/nr_nodes":    file("callsign  mnemonic w n qual neigh obs qual neigh obs qual neigh obs\nN0CALL-5  XYZ      2 2  192   6 00009   10   5 00001\nN0CALL-6  *        1 1   80   6 00009\nN0CALL-7  *        2 1   80   6 00009\nN\n"),
		"net/rose_neigh":  file("addr  callsign  dev  count use mode restart  t0  tf digipeaters\n00002 F6BVP-11  ax0    1   1  DTE      no   0   0\n"),
		"net/rose_nodes":  file("address    mask n neigh neigh neigh\n2080175520 0010 2 00002 00003\n2080175521 0010 1 loopback\n208\n"),
		"net/x25/route":   file("Address          Digits  Device\n123450000000000  5       x25asy0\n000000000000000  0       lapb0\n123450000000000  16      lapb0\n1\n"),
		"net/x25_routes":  file("Address          Digits  Device\n100000000000000  1       never\n"),
		"net/ipx_route":   file("Network    Router_Net   Router_Node\n00000001   Directly     Connected\n0000ABCD   00000002     0000C0123456\nx\n1\n1 2\n1 2 3g\n"),
		"net/atalk_route": file("Target        Router  Flags Dev\nDefault     00FF:01  1     eth0\n0002:00     0000:00  5     lo\n0002:00\n"),
	}
	s := New(tree)
	check := func(name string, err error, got, want string, warnings []error, wantWarnings string) {
		t.Helper()
		if w := fmt.Sprint(warnings); err != nil || got != want || w != wantWarnings {
			t.Errorf("%s: %v\n%s\nwant\n%s\nwarnings %s\nwant     %s", name, err, got, want, w, wantWarnings)
		}
	}
	ax25, err := s.AX25Routes(t.Context())
	check("ax25", err, fmt.Sprint(ax25.Routes), "[{N0CALL-9 ax0 0} {default ax12 12}]",
		ax25.Warnings, `[net/ax25_route:4: route "N0CALL"]`)

	netrom, err := s.NetROMRoutes(t.Context())
	var got string
	for _, n := range netrom.Routes {
		got += fmt.Sprintf("%s %s %d %+v\n", n.Callsign, n.Mnemonic, n.Quality, n.Neighbour)
	}
	check("netrom", errors.Join(err, netrom.NodesErr, netrom.NeighErr), got,
		"N0CALL-5 XYZ 10 &{Number:1 Callsign:N0CALL-7 Iface:ax0 }\nN0CALL-6 * 80 <nil>\n", netrom.Warnings,
		`[net/nr_neigh:3: neighbour "x" net/nr_nodes:4: node "N0CALL-7  *        2 1   80   6 00009" net/nr_nodes:5: node "N"]`)

	rose, err := s.ROSERoutes(t.Context())
	check("rose", err, fmt.Sprintf("%+v", rose.Routes), "[{Address:2080175520 Neighbours:[{Number:2 Callsign:F6BVP-11 Iface:ax0 } "+
		"{Number:3 Callsign: Iface:}]} {Address:2080175521 Neighbours:[{Number:0 Callsign: Iface:}]}]", rose.Warnings,
		`[net/rose_nodes:4: node "208"]`)

	x25, err := s.X25Routes(t.Context())
	check("x25", err, fmt.Sprint(x25.Routes), "[{12345 5 x25asy0} { 0 lapb0}]", x25.Warnings,
		`[net/x25/route:4: route "123450000000000  16      lapb0" net/x25/route:5: route "1"]`)

	ipx, err := s.IPXRoutes(t.Context())
	check("ipx", err, fmt.Sprint(ipx.Routes), "[{1 0 [0 0 0 0 0 0] true} {43981 2 [0 0 192 18 52 86] false}]", ipx.Warnings,
		`[net/ipx_route:4: network "x" net/ipx_route:5: router "1" net/ipx_route:6: router "1 2" net/ipx_route:7: router "1 2 3g"]`)

	ddp, err := s.DDPRoutes(t.Context())
	check("ddp", err, fmt.Sprint(ddp.Routes), "[{Default 00FF:01 1 eth0} {0002:00 0000:00 5 lo}]", ddp.Warnings,
		`[net/atalk_route:4: route "0002:00"]`)
}

func TestOldRoutesMissing(t *testing.T) {
	s := New(fstest.MapFS{"net/rose_nodes": file("h\n2080175520 0010 1 00002\n"), "net/nr_neigh": file("h\n")})
	missing := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.AX25Routes(t.Context())
	missing("ax25", err)
	_, err = s.X25Routes(t.Context())
	missing("x25", err)
	_, err = s.IPXRoutes(t.Context())
	missing("ipx", err)
	_, err = s.DDPRoutes(t.Context())
	missing("ddp", err)
	netrom, err := s.NetROMRoutes(t.Context())
	missing("netrom", netrom.NodesErr)
	if err != nil || netrom.NeighErr != nil {
		t.Errorf("netrom: %v, %v", err, netrom.NeighErr)
	}
	// The names of ROSE's neighbours may be missing.
	if rose, err := s.ROSERoutes(t.Context()); err != nil || fmt.Sprint(rose.Routes) != "[{2080175520 [{2  }]}]" {
		t.Errorf("rose: %v, %v", err, rose)
	}
}

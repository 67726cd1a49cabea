// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// buildNetwork makes interfaces of each kind, with addresses, aliases and flags, and routes of each type.
func buildNetwork(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	ns.Do(func() {
		for name, value := range map[string]string{
			// Nothing is to be sent by itself: counters stand still.
			"ipv6/conf/default/accept_dad":           "0",
			"ipv6/conf/default/router_solicitations": "0",
			"ipv6/conf/default/accept_ra":            "0",
		} {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
				t.Fatal(err)
			}
		}
	})
	ip(t, ns, `
link add eth1 address 02:00:00:00:00:01 type veth peer name eth10 address 02:00:00:00:00:0a
link add eth2 address 02:00:00:00:00:02 type veth peer name eth0p address 02:00:00:00:00:0b
link add eth address 02:00:00:00:00:03 type veth peer name eth01 address 02:00:00:00:00:0c
link add abcdefghijklmno address 02:00:00:00:00:04 type veth peer name abcdefghijklmn address 02:00:00:00:00:0d
link set eth1 txqueuelen 1234
link set eth1 up
link set eth10 up
addr flush dev eth1
addr add 10.1.0.1/24 brd + dev eth1
addr add 10.1.1.1/24 brd + dev eth1 label eth1:1
addr add 10.1.2.1/24 dev eth1 label eth1:10
addr add 10.1.3.1/32 dev eth1 label eth1:2
addr add 10.1.4.1/25 brd 10.1.4.99 dev eth1 label eth1:foo
addr add 2001:db8:1::1/64 dev eth1 nodad
addr add 2001:db8:1:2222:3333:4444:5555:6666/64 dev eth1 nodad
addr add fec0::1/10 dev eth1 nodad
addr add fe80::1/64 dev eth1 nodad
link set eth0p arp off allmulticast on up
link set eth2 promisc on up
link set eth multicast off up
link set eth01 dynamic on
link set eth01 trailers off
link set eth01 mtu 65535 up
link set abcdefghijklmno up
addr add 10.5.0.1/16 dev abcdefghijklmno
route add default via 10.1.0.2
route add default via 10.1.0.3 metric 4294967295
route add unreachable 10.99.0.0/16
route add prohibit 10.99.7.7
route add throw 10.95.0.0/16 metric 9
route add blackhole 10.97.0.1
route add 10.98.0.0/16 via 10.1.0.2 mtu 1400 window 5000 rtt 300ms metric 50
route add 10.96.0.0/16 nexthop via 10.1.0.2 nexthop via 10.1.0.3
route add 10.94.1.1 dev eth1 onlink via 172.16.0.1
route add 192.168.100.200 dev abcdefghijklmno metric 1000000
route add unreachable 2001:db8:99::/48
route add blackhole 2001:db8:97::1
route add prohibit 2001:db8:96::/48 metric 4294967295
route add default via 2001:db8:1::2 metric 77
route add 2001:db8:5555:6666:7777:8888:9999:aaaa via fe80::2 dev eth1
route add 2001:db8:98::/48 via 2001:db8:1::2 mtu 1300
`)
	// These depend on what the kernel was built with.
	for _, optional := range []string{
		"link add br0 address 02:00:00:00:00:05 type bridge\nlink set eth2 master br0\nlink set br0 up",
		"link add link eth1 name eth1.7 type vlan id 7\nlink set eth1.7 up\naddr add 10.7.0.1/24 dev eth1.7",
		"link add dummy0 type dummy\nlink set dummy0 up",
		"link add mv0 link eth1 address 02:00:00:00:00:06 type macvlan\nlink set mv0 mtu 1400",
		"link add ifb5 address 02:00:00:00:00:07 type ifb",
		"tuntap add tun0 mode tun\nlink set tun0 up\naddr add 10.9.0.1 peer 10.9.0.2 dev tun0\nlink set tun0 promisc on",
		"tuntap add tap0 mode tap\nlink set tap0 address 02:00:00:00:00:08",
		"link add sit9 type sit remote 10.1.0.2 local 10.1.0.1",
		"link add gre9 type gre remote 10.1.0.2 local 10.1.0.1",
		"link add vx0 address 02:00:00:00:00:09 type vxlan id 7 dstport 4789 remote 10.1.0.2 dev eth1\nlink set vx0 up",
	} {
		if text, err := tryIP(ns, optional); err != nil {
			name, _, _ := strings.Cut(optional, "\n")
			t.Logf("without: ip %s: %s", name, strings.TrimSpace(text))
		}
	}
}

// ip runs ip(8)'s commands, a line each, in ns.
func ip(t *testing.T, ns *kerneltest.NS, commands string) {
	t.Helper()
	if text, err := tryIP(ns, commands); err != nil {
		t.Fatalf("ip: %v\n%s", err, text)
	}
}

func tryIP(ns *kerneltest.NS, commands string) (string, error) {
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.TrimSpace(commands) + "\n")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := ns.Start(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return said.String(), err
}

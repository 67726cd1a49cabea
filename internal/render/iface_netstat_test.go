// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/procfallback"
)

var interfaceCommands = []string{"-i", "-ia", "-ie", "-iea", "-iee", "-iaee", "-iaW4nop"}

// asInterfaces is what a command asks for.
func asInterfaces(command string) *Interfaces {
	return &Interfaces{All: strings.Contains(command, "a"), Extend: strings.Count(command, "e"), Strict: true}
}

// sayInterfaces is what we say for a command, of the files in dir and the calling thread's namespace.
func sayInterfaces(t *testing.T, p *Interfaces, dir string) said {
	t.Helper()
	table, err := procfallback.New(os.DirFS(dir)).Interfaces(t.Context(), p.Extend > 0)
	if err != nil {
		t.Fatal(err)
	}
	out, errs, code := p.Append(nil, nil, &table)
	return said{string(out), string(errs), code}
}

// unset are the bytes of an address of four bytes, as tunnels have, that netstat shows without having set them.
var unset = regexp.MustCompile(`( unspec (?:..-){4})(?:..-){4}`)

func masked(s said) said {
	s.out = unset.ReplaceAllString(s.out, "$1")
	return s
}

// likeInterfaces compares what netstat and we say of dir, again while it changes under us.
func likeInterfaces(t *testing.T, name, command, dir string) {
	t.Helper()
	const attempts = 20
	for attempt := range attempts {
		want := masked(askNetstat(t, command))
		if got := masked(sayInterfaces(t, asInterfaces(command), dir)); got == want || got == masked(askNetstat(t, command)) {
			return
		} else if attempt == attempts-1 {
			t.Errorf("%s, netstat %s, exit code %d and %d, stderr\n%q\n%q\nfirst difference:\n%s",
				name, command, want.code, got.code, want.errs, got.errs, firstDifference(want.out, got.out))
		}
	}
}

// quietly lets nothing be sent by itself, so that counters stand still.
func quietly(t *testing.T) {
	t.Helper()
	for _, name := range []string{"accept_dad", "router_solicitations", "accept_ra"} {
		err := os.WriteFile("/proc/sys/net/ipv6/conf/default/"+name, []byte("0"), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without IPv6
			t.Fatal(err)
		}
	}
}

// manyInterfaces has names to be ordered, aliases, addresses and flags of each kind.
const manyInterfaces = `link add eth1 address 02:00:00:00:00:01 type veth peer name eth10 address 02:00:00:00:00:0a
link add eth2 address 02:00:00:00:00:02 type veth peer name eth0p address 02:00:00:00:00:0b
link add eth address 02:00:00:00:00:03 type veth peer name eth01 address 02:00:00:00:00:0c
link add abcdefghijklmno address 02:00:00:00:00:04 type veth peer name abcdefghijklmn address 02:00:00:00:00:0d
link set eth1 txqueuelen 1234
link set eth1 up
link set eth10 up
addr add 10.1.0.1/24 brd + dev eth1
addr add 10.1.0.9/24 brd + dev eth1
addr add 10.1.1.1/24 brd + dev eth1 label eth1:1
addr add 10.1.2.1/24 dev eth1 label eth1:10
addr add 10.1.3.1/32 dev eth1 label eth1:2
addr add 10.1.4.1/25 brd 10.1.4.99 dev eth1 label eth1:foo
addr add 10.1.5.1/24 dev eth2 label eth2:only
addr add 10.1.6.1/24 brd 10.1.7.1 dev eth01 label eth01:1
addr add 10.1.7.1/16 brd 10.1.6.1 dev eth01 label eth01:1
addr add 2001:db8:1::1/64 dev eth1 nodad
addr add 2001:db8:1:2222:3333:4444:5555:6666/64 dev eth1 nodad
addr add fec0::1/10 dev eth1 nodad
addr add fe80::1/64 dev eth1 nodad
addr add ::10.1.0.1/96 dev eth1 nodad
addr add ::ffff:10.1.0.1/96 dev eth1 nodad
addr add 2001:db8:2::1 peer 2001:db8:2::2 dev eth10 nodad
link set eth0p arp off allmulticast on up
link set eth2 promisc on up
link set eth multicast off up
link set eth01 dynamic on
link set eth01 trailers off
link set eth01 mtu 65535 up
link set abcdefghijklmno up
link set abcdefghijklmn up
addr add 10.5.0.1/16 dev abcdefghijklmno
link add br0 address 02:00:00:00:00:05 type bridge
link set eth2 master br0
link set br0 up
link add link eth1 name eth1.7 type vlan id 7
link add dummy0 type dummy
link add bond0 type bond
link add mv0 link eth1 address 02:00:00:00:00:06 type macvlan
link set mv0 mtu 1400
link add ifb5 address 02:00:00:00:00:07 type ifb
tuntap add tun0 mode tun
addr add 10.9.0.1 peer 10.9.0.2 brd 10.9.9.1 dev tun0
addr add 10.9.9.1 peer 10.9.9.2/24 dev tun0
link set tun0 promisc on up
tuntap add tap0 mode tap
link add sit9 type sit remote 10.1.0.2 local 10.1.0.1
link add tunl9 type ipip remote 10.1.0.2 local 10.1.0.1
link add wg0 type wireguard
link add nlmon0 type nlmon
link set nlmon0 arp on
link add vcan0 type vcan
link add vx0 address 02:00:00:00:00:09 type vxlan id 7 dstport 4789 remote 10.1.0.2 dev eth1
link set vx0 up
`

// setHardware gives a tunnel another type of hardware, and the flags that no tool sets.
func setHardware(t *testing.T, name string, hw int) {
	t.Helper()
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(tun)
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s)
	r, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	err = errors.Join(unix.IoctlIfreq(tun, unix.TUNSETIFF, r), unix.IoctlSetInt(tun, unix.TUNSETLINK, hw), unix.IoctlSetInt(tun, unix.TUNSETPERSIST, 1))
	r.SetUint16(unix.IFF_DEBUG | unix.IFF_PORTSEL | uint16(hw&1*unix.IFF_AUTOMEDIA))
	if err = errors.Join(err, unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)); err != nil {
		t.Fatalf("%s as hardware %d: %v", name, hw, err)
	}
}

// On the interfaces of a namespace.
func TestInterfacesLikeNetstatOnThisKernel(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	ns.Do(func() {
		quietly(t)
		runIP(t, manyInterfaces)
		if _, err := os.Stat("/dev/net/tun"); err != nil {
			t.Logf("only few types of hardware: %v", err)
			return
		}
		const ash = 781 // of which netstat shows what lies behind the address too
		for hw := range hardwares {
			if hw != ash {
				setHardware(t, fmt.Sprint("hw", hw), int(hw))
			}
		}
		setHardware(t, "hw65534", 65534)
		setHardware(t, "hw32", 32)
	})
	ns.Do(func() {
		for _, command := range interfaceCommands {
			likeInterfaces(t, "here", command, "/proc")
		}
		s := sayInterfaces(t, asInterfaces("-iaee"), "/proc")
		for _, want := range []string{"\neth1:10: flags=", "broadcast 10.1.4.99", "<compat,", "<site>", "inet 10.9.0.1  netmask 255.255.255.0  destination 10.9.0.2", "flags=-"} {
			if !strings.Contains(s.out, want) {
				t.Errorf("no %q:\n%s", want, s.out)
			}
		}
		if strings.Count(s.out, "\n\n") < 20 || s.errs != "" || s.code != 0 {
			t.Errorf("few interfaces:\n%+v", s)
		}
		testLongNameCounts(t)
	})
}

// testLongNameCounts has an interface whose name has 15 bytes count what it sends, of which netstat knows nothing.
func testLongNameCounts(t *testing.T) {
	const name, neighbour = "abcdefghijklmno", "10.5.0.2:9"
	conn, err := net.Dial("udp4", neighbour)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("who are you?")); err != nil { // which ARP asks first
		t.Fatal(err)
	}
	table, err := procfallback.New(os.DirFS("/proc")).Interfaces(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	i := table.Add(name)
	data, err := os.ReadFile("/proc/thread-self/net/dev")
	_, line, found := strings.Cut(string(data), name+":")
	if counted := strings.Fields(line); err != nil || !found || counted[8] == "0" || i.Stats.TxBytes == 0 {
		t.Errorf("%+v, %v\n%s", i.Stats, err, data)
	}
	lenient, strict := string((&Interfaces{}).Row(nil, i)), string((&Interfaces{Strict: true}).Row(nil, i))
	if theirs := askNetstat(t, "-i"); !strings.Contains(theirs.out, strict) || strings.Contains(theirs.out, lenient) {
		t.Errorf("netstat:\n%s\nstrict:\n%s\nlenient:\n%s", theirs.out, strict, lenient)
	}
}

// One that is in the file alone ends netstat's list, and with Strict ours.
func TestInterfacesGoneLikeNetstat(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	ns.Do(func() { runIP(t, "link add v0 type veth peer name v1\nlink set v0 up\n") })
	dir := t.TempDir()
	ns.Do(func() {
		hideProc(t, dir)
		for _, gone := range []string{"ghost0", "zz", "v0a", "v0:7x", "abcdefghijklmno"} {
			replaceTree(t, dir, map[string]string{"net/dev": "x\ncompressed\nlo: 1\nv0: 2\nv1: 3\n" + gone + ": 4\n"})
			for _, command := range interfaceCommands {
				likeInterfaces(t, gone, command, dir)
			}
			lenient := asInterfaces("-ia")
			lenient.Strict = false
			if s := sayInterfaces(t, lenient, dir); s.code != 0 || s.errs != "" || strings.Count(s.out, "\n") != 5 || strings.Contains(s.out, gone) {
				t.Errorf("without %s: %+v", gone, s)
			}
		}
	})
}

// netstat -ic shows its title once.
func TestInterfacesContinuouslyLikeNetstat(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	for _, command := range []string{"-iac", "-iaec"} {
		ns.Do(func() {
			p := asInterfaces(command)
			var out []byte
			for range 2 {
				out = append(out, sayInterfaces(t, p, "/proc").out...)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := exec.CommandContext(ctx, "netstat", command)
			cmd.Env = []string{"LC_ALL=C"}
			pipe, err := cmd.StdoutPipe()
			if err := errors.Join(err, cmd.Start()); err != nil {
				t.Fatal(err)
			}
			theirs := make([]byte, len(out))
			_, err = io.ReadFull(pipe, theirs)
			cancel()
			_ = cmd.Wait() // killed
			if err != nil || !bytes.Equal(theirs, out) || bytes.Count(out, []byte("Kernel")) != 1 {
				t.Errorf("netstat %s: %v, first difference:\n%s", command, err, firstDifference(string(theirs), string(out)))
			}
		})
	}
}

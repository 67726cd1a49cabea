// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"netlive/internal/sock"
)

// words is s in words: what is printed, in netstat's order.
func (s Selection) words() string {
	var list []string
	add := func(on bool, word string) {
		if on {
			list = append(list, word)
		}
	}
	add(s.Explicit, "explicit")
	add(s.Implied, "implied")
	add(s.Inet, "inet:")
	for p := sock.TCP; p <= sock.Raw6; p++ {
		add(s.Protos.Has(p), p.String())
	}
	add(s.Groups, "groups")
	add(s.Groups6, "groups6")
	add(s.Unix, "unix")
	return strings.Join(append(list, s.Others...), " ")
}

func TestSelect(t *testing.T) {
	const (
		v4   = "tcp sctp udp udplite raw"
		both = "tcp tcp6 sctp sctp6 udp udp6 udplite udplite6 raw raw6"
		all  = "inet: " + both + " unix ipx ax25 x25 netrom rose bluetooth"
	)
	for line, want := range map[string]string{
		"":               all,
		"-a":             all,
		"-t":             "explicit inet: tcp tcp6",
		"-tu":            "explicit inet: tcp tcp6 udp udp6",
		"-t6":            "explicit inet: tcp6",
		"-46t":           "explicit inet: tcp tcp6",
		"-4":             "explicit implied inet: " + v4 + "",
		"-6":             "explicit implied inet: tcp6 sctp6 udp6 udplite6 raw6",
		"-A ip6,inet":    "explicit implied inet: " + both,
		"-A tcpip -t":    "explicit inet: tcp",
		"--tcpip":        all,
		"-x":             "explicit unix",
		"-xt":            "explicit inet: tcp tcp6 unix",
		"-4 -x":          "explicit implied inet: " + v4 + " unix",
		"-6 -S":          "explicit inet: sctp6",
		"-g":             "explicit groups groups6",
		"-g -4":          "explicit implied inet: " + v4 + " groups",
		"-gt":            "explicit inet: tcp tcp6 groups groups6",
		"-A ddp":         all,
		"-A econet,ash":  all,
		"-A ddp -t":      "explicit inet: tcp tcp6",
		"--rose --ipx":   "explicit ipx rose",
		"--inet --ipx":   "explicit implied inet: " + v4 + " ipx",
		"-2":             "explicit bluetooth",
		"-f --bluetooth": "explicit bluetooth",
		"-s":             "explicit implied inet: " + both,
		"-s -6":          "explicit implied inet: tcp6 sctp6 udp6 udplite6 raw6",
		"-st":            "explicit inet: tcp tcp6",
	} {
		o := parse(t, Netstat, line)
		s := o.Select()
		if got := s.words(); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", line, got, want)
		}
		if o.Protos() != s.Protos {
			t.Errorf("%q: %+v", line, o)
		}
	}
}

func TestNamed(t *testing.T) {
	for line, want := range map[string]string{
		"": "false false", "-4": "false false", "-t": "true false", "-x": "false true", "-tx": "true true", "-u": "false false",
	} {
		o := parse(t, Netstat, line)
		if got := fmt.Sprint(o.Named(sock.ProtosTCP), o.Named(sock.ProtosUnix)); got != want {
			t.Errorf("%q: %s", line, got)
		}
	}
}

func TestShows(t *testing.T) {
	ends := netip.MustParseAddrPort
	none, some := ends("0.0.0.0:0"), ends("10.0.0.9:80")
	tests := []struct {
		name      string
		s         sock.Socket
		listening bool
	}{
		{"listener", sock.Socket{Proto: sock.TCP, State: sock.Listen, Remote: none}, true},
		{"connection", sock.Socket{Proto: sock.TCP, State: sock.Established, Remote: some}, false},
		{"IPv6 listener", sock.Socket{Proto: sock.TCP6, State: sock.Listen, Remote: ends("[::]:0")}, true},
		{"TCP goes by the port, not the state", sock.Socket{Proto: sock.TCP, State: sock.Close, Remote: none}, true},
		{"a port without an address", sock.Socket{Proto: sock.TCP, State: sock.Listen, Remote: ends("0.0.0.0:80")}, false},
		{"UDP goes by the address", sock.Socket{Proto: sock.UDP, State: sock.Close, Remote: ends("0.0.0.0:80")}, true},
		{"connected UDP", sock.Socket{Proto: sock.UDP, State: sock.Established, Remote: some}, false},
		{"connected UDP to port 0", sock.Socket{Proto: sock.UDP6, State: sock.Established, Remote: ends("[::1]:0")}, false},
		{"UDP-Lite", sock.Socket{Proto: sock.UDPLite6, State: sock.Close, Remote: ends("[::]:0")}, true},
		{"raw", sock.Socket{Proto: sock.Raw, State: sock.Close, Remote: none}, true},
		{"mapped 0.0.0.0 is not all zero", sock.Socket{Proto: sock.UDP6, State: sock.Close, Remote: ends("[::ffff:0.0.0.0]:0")}, false},
		{"UNIX listener", sock.Socket{Proto: sock.Unix, State: sock.UnixListening}, true},
		{"UNIX datagram", sock.Socket{Proto: sock.Unix, State: sock.UnixUnconnected}, false},
		{"UNIX connection", sock.Socket{Proto: sock.Unix, State: sock.UnixConnected}, false},
	}
	for _, test := range tests {
		for line, want := range map[string]bool{"": !test.listening, "-l": test.listening, "-a": true, "-al": true} {
			o := parse(t, Netstat, line)
			if o.Shows(&test.s) != want {
				t.Errorf("%s with %q: %v", test.name, line, !want)
			}
		}
	}
	for line, want := range map[string]bool{"-au": false, "-a6": false, "-ax": false, "-at": true, "-a4": true} {
		if o := parse(t, Netstat, line); o.Shows(&tests[0].s) != want {
			t.Errorf("%q shows an IPv4 listener: %v", line, !want)
		}
	}
}

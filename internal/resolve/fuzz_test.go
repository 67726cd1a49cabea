// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A name and a number of services(5) are found again when they are written anew, and each name is a word of the file.
func FuzzParseServices(f *testing.F) {
	f.Add(root["etc/services"].Data)
	f.Add([]byte("a 1/tcp#\r\n\x00 2/udp\nb\t-1/tcp\nc 0x10/tcp\nd 65536/tcp\ne 000000000000000000001/tcp\n\u00a0f 7/raw\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		services := parseServices(text)
		if n := bytes.Count(text, []byte("/")); len(services) > n {
			t.Errorf("%d services of %d", len(services), n)
		}
		var again []byte
		for s, name := range services {
			if name == "" || len(name) > serviceNameMax || s.db == dbNone || strings.ContainsAny(name, " \t\n#") || !bytes.Contains(text, []byte(name)) {
				t.Errorf("%v: %q", s, name)
			}
			again = fmt.Appendf(again, "%s %d/%s\n", name, s.port, []string{dbTCP: "tcp", dbUDP: "udp", dbRaw: "raw"}[s.db])
		}
		for s, name := range parseServices(again) {
			if services[s] != name {
				t.Errorf("%v is %q, and then %q", s, services[s], name)
			}
		}
	})
}

func FuzzProtocols(f *testing.F) {
	f.Add([]byte("ip 0 IP\nicmp\t1 ICMP # x\nbig 65536\nneg -1\n# tcp 6\n\x1b[2J 6\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := map[service]string{{dbTCP, 7}: "echo"}
		addProtocols(m, text)
		if m[service{dbTCP, 7}] != "echo" || len(m) > 2+bytes.Count(text, []byte("\n")) {
			t.Errorf("%v", m)
		}
		for s, name := range m {
			if s.db != dbRaw && name != "echo" || name == "" || len(name) > serviceNameMax || strings.ContainsAny(name, " \t\n#") {
				t.Errorf("%v: %q", s, name)
			}
		}
	})
}

// The first name of a network counts, and no number is cut or wrapped.
func FuzzNetworks(f *testing.F) {
	f.Add([]byte("loopback 127.0.0.0\nlink-local 169.254\nfirst 10\nsecond 10.0.0.0\nbad 256.1\nlong 1.2.3.4.5\nempty .\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		networks := parseNetworks(text)
		var again []byte
		for n, name := range networks {
			if name == "" || strings.ContainsAny(name, " \t\n#") || !bytes.Contains(text, []byte(name)) {
				t.Errorf("%v: %q", n, name)
			}
			again = fmt.Appendf(again, "%s %d.%d.%d.%d\nother %[2]d.%[3]d.%[4]d.%[5]d\n", name, n[0], n[1], n[2], n[3])
		}
		got := parseNetworks(again)
		for n, name := range networks {
			if got[n] != name {
				t.Errorf("%v is %q, and then %q", n, name, got[n])
			}
		}
	})
}

// The first name of a user counts, and none has the colon, a line feed or the switches of NIS.
func FuzzPasswd(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n+nis:x:5:5::/:\n-out:::\n#x:x:7:7::/:\nwww-data:x:33:33\nbig:x:4294967295:0\nover:x:4294967296:0\n\x1b[2J:x:9:0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		users := parsePasswd(text)
		if n := bytes.Count(text, []byte(":")) / 3; len(users) > n {
			t.Errorf("%d users of %d", len(users), n)
		}
		var again []byte
		for uid, name := range users {
			if name == "" || strings.ContainsAny(name, ":\n") || strings.ContainsAny(name[:1], "#+-") || !bytes.Contains(text, []byte(name)) {
				t.Errorf("%d: %q", uid, name)
			}
			again = fmt.Appendf(again, "%s:x:%d:0\nother:x:%[2]d:0\n", name, uid)
		}
		got := parsePasswd(again)
		for uid, name := range users {
			if got[uid] != name {
				t.Errorf("%d is %q, and then %q", uid, name, got[uid])
			}
		}
	})
}

// Words are what C's isspace parts, and no comment is a word.
func FuzzFields(f *testing.F) {
	f.Add([]byte("a b\tc\vd # e\n\n#f\ng#h\r\n\u2003i"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := 0
		for words := range fields(text) {
			lines++
			if len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return w == "" || strings.ContainsAny(w, " \t\n\v\f\r#") }) {
				t.Errorf("%q", words)
			}
		}
		if lines > bytes.Count(text, []byte("\n"))+1 {
			t.Errorf("%d lines", lines)
		}
	})
}

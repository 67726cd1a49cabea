// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"netlive/internal/legacy"
	"netlive/internal/procfallback"
)

const (
	ipxHeader    = "Local_Address               Remote_Address              Tx_Queue  Rx_Queue  State  Uid\n"
	x25Header    = "dest_addr  src_addr   dev   lci st vs vr va   t  t2 t21 t22 t23 Snd-Q Rcv-Q inode\n"
	netromHeader = "user_addr dest_node src_node  dev    my  your  st  vs  vr  va    t1     t2     t4      idle   n2  wnd Snd-Q Rcv-Q inode\n"
	roseHeader   = "dest_addr  dest_call src_addr   src_call  dev   lci neigh st vs vr va   t  t1  t2  t3  hb    idle Snd-Q Rcv-Q inode\n"
	ax25OldHead  = "dest_addr src_addr   dev  st  vs  vr  va    t1     t2     t3      idle   n2  rtt wnd paclen   Snd-Q Rcv-Q inode\n"
	ax25Timers   = " 3 0 3000 0 3000 0 3000 0 100 0 10 0 2 256"
)

// legacyFiles are made-up files below /proc of all these families.
var legacyFiles = map[string]string{
	"net/ipx/socket": ipxHeader +
		"00000001:0000C0123456:4003  Not_Connected               00000010  00000020  07     000\n" +
		"00000001:4004               0000ABCD:0000C0AAAAAA:0451  00000000  FFFFFFFF  01     033\n" +
		"00000000:4005               0000ABCD:000000000000:0451  00000000  00000000  05     1003\n" +
		"FFFFFFFF:0000C0123456:0000  00000000:0000C0123456:FFFF  7FFFFFFF  00000000  01     1000\n",
	"net/ax25": "00000000d3adbeef ax0 N0CALL-5* VK2KTJ-1,DIGI-2* 3 1 2" + ax25Timers + " 7 9 12345\n" +
		"(____ptrval____) ??? N0CALL * 0 0 0" + ax25Timers + " * * *\n" +
		"0000 ax1 N0CALL-1 VK2KTJ-15,A,B*,C 1 7 3" + ax25Timers + " 100000 9000000 12346\n" +
		"0000 ax1 N0CALL-1 VK2KTJ-15 2 0 0\n" +
		"0000 ax1 N0CALL-1 VK2KTJ-15 x\n" +
		"0000 ax1 N0CALL-1 VK2KTJ-15 4 0 0" + ax25Timers + " 0\n" +
		"0000 ax1 N0CALL-1 VK2KTJ-15 4 0 0" + ax25Timers + " 0 0 12346\n",
	"net/x25": x25Header +
		"1234567890 0987654321 x25a0 001  3  1  2  3   4   5   6   7   8    90    91 999\n" +
		"*          *          ???   000  0  0  0  0   0 200 180 180 180     0     0 998\n" +
		"1234567    *          lapb0 010  4  0  0  0   0 200 180 180 180     0     0 998\n",
	"net/nr": netromHeader +
		"N0CALL-1  N0CALL-2  N0CALL-3  nr0    00/0A 02/03  3   4   5   6   0/120  0/05   0/180   0/900  0/03   4    10    20 999\n" +
		"*         *         N0CALL-3  nr0    00/00 00/00  0   0   0   0   0/120  0/05   0/180   0/900  0/03   4     0     0 998\n" +
		"bad       *         N0CALL-3  nr0    zz                                                                       \n" +
		"N0CALL-1  N0CALL-2  N0CALL-3  nr12   00/01 02/03  2   4   5   6   0/120  0/05   0/180   0/900  0/03   4 1234567     0 999\n",
	"net/rose": roseHeader +
		"2080175520 F6BVP-9   2080175521 F6BVP-1   rose0 002 00003  3  1  2  0   0 200 180 180   5   0/000    10    20 123\n" +
		"*          *         2080175521 ??????-?  ???   000 00000  0  0  0  0   0 200 180 180   5   0/000     0     0 124\n" +
		"bad line\n" +
		"2080175520 F6BVP-9   2080175521 F6BVPA-10 rose0 010 00003  1  0  0  0   0 200 180 180   5   0/000    10    20 123\n" +
		"2080175520 F6BVPA-10 2080175521 F6BVP-1   rose10 00A 00003  1  0  0  0   0 200 180 180   5   0/000    10    20 123\n" +
		"1234567    F6BVPA-10 765        F6BVP-1   rose10 001 00003  2  0  0\n",
}

func legacySource(files map[string]string) *procfallback.Source {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return procfallback.New(root)
}

// sayLegacy is what Append says of some families by netstat's rules, of which it leaves one to its caller: of a family that
// is asked for by name and missing there are a message and an end.
func sayLegacy(t *testing.T, l *Legacy, src LegacySource, families ...legacy.Family) (s said) {
	t.Helper()
	names := map[legacy.Family]string{legacy.IPX: "IPX", legacy.AX25: "AX25", legacy.X25: "X25", legacy.NetROM: "NETROM", legacy.ROSE: "ROSE"}
	for _, f := range families {
		out, errs, code, err := l.Append(t.Context(), []byte(s.out), []byte(s.errs), f, src)
		s = said{string(out), string(errs), code}
		if errors.Is(err, fs.ErrNotExist) {
			s.errs += "netstat: no support for `AF " + names[f] + "' on this system.\n"
			s.code = 1
		} else if err != nil {
			t.Fatal(err)
		}
		if s.code != 0 {
			return s
		}
	}
	return s
}

func TestLegacy(t *testing.T) {
	users := fakeNames{users: map[uint32]string{33: "www-data"}}
	for name, c := range map[string]struct {
		l      Legacy
		family legacy.Family
		want   string
	}{
		"ipx": {Legacy{Names: Numeric{}}, legacy.IPX, `Active IPX sockets
Proto Recv-Q Send-Q Local Address              Foreign Address            State
IPX       16     32 00000001:0000C0123456:4003 -                               
IPX        0 4294967295 00000001:4004              0000ABCD:0000C0AAAAAA:0451 ESTAB
IPX        0      0 :4005                      0000ABCD:0451              UNK. 
IPX   2147483647      0 :0000                      :FFFF                      ESTAB
`},
		"ipx strict, users": {Legacy{Names: users, Extend: 1, Strict: true}, legacy.IPX, `Active IPX sockets
Proto Recv-Q Send-Q Local Address              Foreign Address            State User
IPX       16     32 00000001:0000C0123456:0340 -                                0         
IPX        0 4294967295 00000001:0440              0000ABCD:0000C0AAAAAA:5104 ESTAB www-data  
IPX        0      0 :0540                      0000ABCD:5104              UNK.  1003      
IPX   2147483647      0 :0000                      :FFFF                      ESTAB 1000      
`},
		"ax25": {Legacy{}, legacy.AX25, `Active AX.25 sockets
Dest       Source     Device  State        Vr/Vs    Send-Q  Recv-Q
VK2KTJ-1   N0CALL-5*  ax0     ESTABLISHED  002/001  7       9     
*          N0CALL     ???     LISTENING    000/000  0       0     
VK2KTJ-15  N0CALL-1   ax1     SABM SENT    003/007  100000  9000000
VK2KTJ-15  N0CALL-1   ax1     DISC SENT    000/000  0       0     
problem reading data from /proc/net/ax25
problem reading data from /proc/net/ax25
VK2KTJ-15  N0CALL-1   ax1     RECOVERY     000/000  0       0     
`},
		"x25": {Legacy{}, legacy.X25, `Active X.25 sockets
Dest         Source          Device  LCI  State        Vr/Vs  Send-Q  Recv-Q
1234567890      0987654321      x25a0   1    ESTABLISHED  02/01  90      91    
1234567         *               lapb0   10   RECOVERY     00/00  0       0     
`},
		"x25 strict, all": {Legacy{Strict: true, All: true}, legacy.X25, `Active X.25 sockets
Dest         Source          Device  LCI  State        Vr/Vs  Send-Q  Recv-Q
1234567890      098765432       x25a0   1    ESTABLISHED  02/01  90      91    
*               *               ???     0    LISTENING    00/00  0       0     
1234567         *               lapb0   10   RECOVERY     00/00  0       0     
`},
		"netrom": {Legacy{}, legacy.NetROM, `Active NET/ROM sockets
User       Dest       Source     Device  State        Vr/Vs    Send-Q  Recv-Q
N0CALL-1   N0CALL-2   N0CALL-3   nr0     ESTABLISHED  005/004  10      20    
*          *          N0CALL-3   nr0     LISTENING    000/000  0       0     
Problem reading data from /proc/net/nr
N0CALL-1   N0CALL-2   N0CALL-3   nr12    DISC SENT    005/004  1234567  0     
`},
		"rose": {Legacy{}, legacy.ROSE, `Active ROSE sockets
dest_addr   dest_call  src_addr    src_call  dev   lci neigh   state
2080175520  F6BVP-9    2080175521  F6BVP-1   rose0   2     3   ESTABLISHED
*           *          2080175521  ??????-?  ???     0     0   LISTENING
Problem reading data from /proc/net/rose
2080175520  F6BVP-9    2080175521  F6BVPA-10 rose0  10     3   CONN SENT
2080175520  F6BVPA-10  2080175521  F6BVP-1   rose10   A     3   CONN SENT
1234567     F6BVPA-10  765         F6BVP-1   rose10   1     3   DISC SENT
`},
		"rose strict": {Legacy{Strict: true}, legacy.ROSE, `Active ROSE sockets
dest_addr   dest_call  src_addr    src_call  dev   lci neigh   state
            F6BVP-9    2080175521  F6BVP-1   rose0   2     3   ESTABLISHED
            *          2080175521  ??????-?  ???     0     0   LISTENING
Problem reading data from /proc/net/rose
                       2080175521  F6BVPA-10 rose0  10     3   CONN SENT
Problem reading data from /proc/net/rose
1234567     F6BVPA-10765  765                   rose10   1     3   DISC SENT
`},
	} {
		if s := sayLegacy(t, &c.l, legacySource(legacyFiles), c.family); s != (said{out: c.want}) {
			t.Errorf("%s: %+v\n%s\nwant\n%s", name, s, visible([]byte(s.out)), visible([]byte(c.want)))
		}
	}
}

// A file of AX.25 with a header is as old as its message, which has a capital.
func TestLegacyOldAX25(t *testing.T) {
	src := legacySource(map[string]string{"net/ax25": ax25OldHead + "VK2KTJ-1  N0CALL-5  ax0 3 1 2\nbad\n"})
	want := said{out: titleAX25Sockets + headAX25Sockets + "VK2KTJ-1   N0CALL-5   ax0     ESTABLISHED  002/001  0       0     \n" +
		"Problem reading data from /proc/net/ax25\n"}
	var l Legacy
	if s := sayLegacy(t, &l, src, legacy.AX25); s != want || len(l.Warnings) != 1 {
		t.Errorf("%+v\nwant\n%+v\n%v", s, want, l.Warnings)
	}
}

// States that netstat has no words for make it read memory that is none of the words'.
func TestLegacyUnknownState(t *testing.T) {
	src := legacySource(map[string]string{
		"net/ax25": "0 ax0 A B 5 0 0\n0 ax0 A B -1 0 0\n",
		"net/x25":  x25Header + "*          *          ???   001  5  0  0  0   0 200 180 180 180     0     0 998\n",
		"net/nr":   netromHeader + "*         *         N0CALL-3  nr0    00/00 00/00  4   0   0   0   0/120  0/05   0/180   0/900  0/03   4     0     0 998\n",
		"net/rose": roseHeader + "* * A B rose0 001 00000  5\n",
	})
	for f, rows := range map[legacy.Family]int{legacy.AX25: 2, legacy.X25: 1, legacy.NetROM: 1, legacy.ROSE: 1} {
		for _, strict := range []bool{false, true} {
			l := Legacy{Strict: strict}
			if s := sayLegacy(t, &l, src, f); s.code != 0 || strings.Count(s.out, "UNKNOWN") != rows {
				t.Errorf("%v: %+v", f, s)
			}
		}
		out, _, _, err := (&Legacy{}).AppendJSON(t.Context(), nil, nil, f, src)
		if err != nil || strings.Count(string(out), `"state":null`) != rows {
			t.Errorf("%v: %s, %v", f, out, err)
		}
	}
}

// Headings, states and complaints can be translated; columns are padded by bytes.
func TestLegacyTexts(t *testing.T) {
	german := map[string]string{
		headIPXSockets: "IPX ", headIPXUser: "Benutzer", "ESTAB": "VERBUNDEN", "UNK.": "UNB.",
		titleAX25Sockets: "AX.25\n", headAX25Sockets: "Ziel\n", "LISTENING": "H\u00d6RT", "ESTABLISHED": "VERBUNDEN",
		problemReadingNew: "Problem mit %s\n", "%s: Internal Error `%s'.\n": "%s: Fehler \u00bb%s\u00ab.\n",
	}
	l := Legacy{Extend: 1, Names: Numeric{}, Texts: func(text string) string {
		if word, ok := german[text]; ok {
			return word
		}
		return text
	}}
	src := legacySource(map[string]string{
		"net/ipx/socket": ipxHeader + "1:1 2:2 0 0 1 0\n1:1 2:2 0 0 2 0\nx 2:2 0 0 2 0\n",
		"net/ax25":       "0 ax0 A B 0 0 0\n0 ax0 A B 3 0 0\nbad\n",
	})
	want := said{out: "AX.25\nZiel\n" +
		"B          A          ax0     H\u00d6RT        000/000  0       0     \nB          A          ax0     VERBUNDEN    000/000  0       0     \n" +
		"Problem mit /proc/net/ax25\nIPX Benutzer\n" +
		"IPX        0      0 00000001:0001              00000002:0002              VERBUNDEN 0         \n" +
		"IPX        0      0 00000001:0001              00000002:0002              UNB.  0         \n",
		errs: "netstat.c: Fehler \u00bbipx socket format error in source port\u00ab.\n", code: exitBroken}
	if s := sayLegacy(t, &l, src, legacy.AX25, legacy.IPX); s != want {
		t.Errorf("%+v\nwant\n%+v", s, want)
	}
}

func TestLegacyEscape(t *testing.T) {
	src := legacySource(map[string]string{
		"net/ax25": "0 ax\x1b N\xff V\x07 3 1 2\n",
		"net/x25":  x25Header + "\x1b1         *          \x1bx    001  3  1  2  3   4   5   6   7   8    90    91 999\n",
		"net/nr":   netromHeader + "\x1b         *         N0CALL-3  nr\x1b    00/00 00/00  0   0   0   0   0/120  0/05   0/180   0/900  0/03   4     0     0 998\n",
		"net/rose": roseHeader + "\x1b \x1b \x1b \x1b \x1b 1 2 3\n",
	})
	for f, want := range map[legacy.Family]string{
		legacy.AX25: `V\x07      N\xff      ax\x1b  ESTABLISHED`, legacy.X25: `\x1b1           *               \x1bx   1 `,
		legacy.NetROM: `\x1b       *          N0CALL-3   nr\x1b  LISTENING`, legacy.ROSE: `\x1b        \x1b       \x1b        \x1b      \x1b    1 `,
	} {
		l := Legacy{Escape: true}
		if s := sayLegacy(t, &l, src, f); !strings.Contains(s.out, want) || strings.ContainsAny(s.out, "\x1b\x07") || !utf8.ValidString(s.out) {
			t.Errorf("%v: %q, want %q", f, s.out, want)
		}
		l.Escape = false
		if s := sayLegacy(t, &l, src, f); strings.Contains(s.out, `\x`) || !strings.ContainsAny(s.out, "\x1b\x07") {
			t.Errorf("%v: %q", f, s.out)
		}
	}
}

func TestLegacyJSON(t *testing.T) {
	out := []byte("[")
	var errs []byte
	src := legacySource(legacyFiles)
	for f := legacy.IPX; f <= legacy.ROSE; f++ {
		var code int
		var err error
		if out, errs, code, err = (&Legacy{All: true}).AppendJSON(t.Context(), out, errs, f, src); code != 0 || err != nil {
			t.Errorf("%v: %d, %v", f, code, err)
		}
	}
	golden(t, "legacy_json", append(out, "]\n"...))
	var list []map[string]any
	if err := json.Unmarshal(append(out, ']'), &list); err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		for _, name := range []string{"proto", "local", "remote", "state", "state_raw", "recv_q", "send_q", "uid", "inode", "device"} {
			if _, ok := o[name]; !ok {
				t.Errorf("no %s in %v", name, o)
			}
		}
	}
	// Four lines are none of the families' and have no object.
	const bad = "problem reading data from /proc/net/ax25\nproblem reading data from /proc/net/ax25\n" +
		"Problem reading data from /proc/net/nr\nProblem reading data from /proc/net/rose\n"
	if len(list) != 4+5+3+3+5 || string(errs) != bad {
		t.Errorf("%d objects, stderr %q", len(list), errs)
	}
}

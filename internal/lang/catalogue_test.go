// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/leonelquinteros/gotext"
	"golang.org/x/text/encoding/ianaindex"
)

// names are those of the catalogues there are.
func names(t *testing.T) (list []string) {
	t.Helper()
	entries, err := files.ReadDir("po")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			list = append(list, strings.TrimSuffix(e.Name(), ".po"))
		}
	}
	return list
}

// entry is an entry of a catalogue as it stands in the file, which gotext does not tell: of two with one msgid it keeps the
// last.
type entry struct{ id, text string }

var poLine = regexp.MustCompile(`^(?:(msgid|msgstr) )?(".*")$`)

func entries(t *testing.T, name string) (list []entry) {
	t.Helper()
	data, err := files.ReadFile("po/" + name + ".po")
	if err != nil {
		t.Fatal(err)
	}
	var in *string
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		m := poLine.FindStringSubmatch(line)
		if m == nil || m[1] == "" && in == nil {
			t.Fatalf("%s.po:%d: %s", name, i+1, line)
		}
		switch m[1] {
		case "msgid":
			list = append(list, entry{})
			in = &list[len(list)-1].id
		case "msgstr":
			in = &list[len(list)-1].text
		}
		text, err := strconv.Unquote(m[2])
		if err != nil {
			t.Fatalf("%s.po:%d: %s: %v", name, i+1, line, err)
		}
		*in += text
	}
	return list
}

var verb = regexp.MustCompile(`%[-+ #0]*[0-9]*(?:\.[0-9]+)?(?:h|hh|l|ll)?[a-zA-Z%]?`)

// faulty are texts of net-tools' and the C library's translators that do not fit, as they are printed.
var faulty = map[string]bool{
	"fr %s: unrecognized option '%s%s'\n": true, "pt_BR off (0.00/%ld/%d)": true, "pt_BR on%d (%2.2f/%ld/%d)": true,
	"pt_BR unkn-%d (%2.2f/%ld/%d)": true,
	"pt_BR         -g, --groups             display multicast group memberships\n": true,
	"pt_BR         -o, --timers             display timers\n":                      true,
}

// The catalogues are the ones that are listed, and each text can stand for its English.
func TestCatalogues(t *testing.T) {
	listed := slices.Compact(slices.Sorted(maps.Values(catalogues)))
	if got := names(t); !slices.Equal(got, listed) {
		t.Errorf("catalogues %q, listed are %q", got, listed)
	}
	for _, name := range names(t) {
		list, parsed, seen := entries(t, name), parse(name), map[string]bool{}
		if _, err := files.Open("po/libc/" + name + ".po"); err == nil {
			list = append(list, entries(t, "libc/"+name)[1:]...)
		}
		if len(list) < 100 || list[0].id != "" || !strings.Contains(list[0].text, "Language: "+name+"\n") ||
			!strings.Contains(list[0].text, "Content-Type: text/plain; charset=UTF-8\n") {
			t.Errorf("%s: %d entries, header %q", name, len(list), list[0].text)
		}
		for _, e := range list[1:] {
			switch {
			case seen[e.id] || e.id == "":
				t.Errorf("%s: %q is there twice", name, e.id)
			case e.text == "":
				t.Errorf("%s: %q is not translated", name, e.id)
			case parsed[e.id] != e.text:
				t.Errorf("%s: %q is parsed as %q, not %q", name, e.id, parsed[e.id], e.text)
			}
			seen[e.id] = true
			if e.id == header {
				continue
			}
			if faulty[name+" "+e.id] {
				continue
			}
			if want, got := verb.FindAllString(e.id, -1), verb.FindAllString(e.text, -1); !slices.Equal(got, want) {
				t.Errorf("%s: %q has the verbs %q, not %q", name, e.text, got, want)
			}
			const lf = "\n"
			id, text := e.id, e.text
			if len(id)-len(strings.TrimLeft(id, lf)) != len(text)-len(strings.TrimLeft(text, lf)) ||
				len(id)-len(strings.TrimRight(id, lf)) != len(text)-len(strings.TrimRight(text, lf)) {
				t.Errorf("%s: line feeds around %q and %q", name, id, text)
			}
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\ufffd' }) {
				t.Errorf("%s: %q", name, text)
			}
		}
		if len(parsed) != len(seen) {
			t.Errorf("%s: %d texts of %d", name, len(parsed), len(seen))
		}
	}
}

func moFile(name, domain string) string {
	return "/usr/share/locale/" + name + "/LC_MESSAGES/" + domain + ".mo"
}

// installed is a catalogue that is installed, in UTF-8.
func installed(t *testing.T, name, domain, pkg string) map[string]string {
	t.Helper()
	path := moFile(name, domain)
	needs(t, path, pkg)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mo := gotext.NewMo()
	mo.Parse(data)
	_, charset, ok := strings.Cut(mo.GetDomain().Headers.Get("Content-Type"), "charset=")
	e, err := ianaindex.IANA.Encoding(charset)
	if !ok || err != nil || e == nil {
		t.Fatalf("%s: charset %q: %v", path, charset, err)
	}
	texts := map[string]string{}
	for id, tr := range mo.GetDomain().GetTranslations() {
		text, err := e.NewDecoder().String(tr.Get())
		if err != nil {
			t.Fatalf("%s: %q: %v", path, id, err)
		}
		texts[id] = text
	}
	if len(texts) < 100 {
		t.Fatalf("%s: %d texts", path, len(texts))
	}
	return texts
}

// same is a text of ours and what netstat has for it, where it is spelled otherwise: its arguments are there, or a line feed.
type same struct{ theirs, args, cut string }

var spelled = map[string]same{
	"Proto Recv-Q Send-Q Local Address           Foreign Address         State      ": {
		"\nProto Recv-Q Send-Q Local Address           Foreign Address         State      ", "", "\n"},
	"  <AF>=Use '-6|-4' or '-A <af>' or '--<af>'; default: inet\n": {
		"  <AF>=Use '-6|-4' or '-A <af>' or '--<af>'; default: %s\n", "inet", ""},
	"IPX routing not in file /proc/net/ipx/route or /proc/net/ipx_route found.\n": {
		"IPX routing not in file %s or %s found.\n", "/proc/net/ipx/route /proc/net/ipx_route", ""},
}

// english is netstat's spelling of a text of ours: its counters have 64 bits.
func english(id string) string {
	if s, ok := spelled[id]; ok {
		return s.theirs
	}
	return id
}

// theirs is netstat's translation of a text, as we would spell it.
func theirs(texts map[string]string, id string) (string, bool) {
	text, ok := texts[english(id)]
	s := spelled[id]
	if lf := "\n" + id; !ok { // of UNIX sockets' heads, which are spelled in both ways
		if text, ok = texts[lf]; ok {
			return strings.TrimPrefix(text, "\n"), true
		}
	}
	for _, arg := range strings.Split(s.args, " ") {
		text = strings.Replace(text, "%s", arg, min(len(s.args), 1))
	}
	return strings.Trim(text, s.cut), ok && text != ""
}

// Each text is the one that is installed, and none of those that netstat would find is missing.
func TestInstalledCatalogues(t *testing.T) {
	path := tool(t, "netstat", "net-tools")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	program := string(data)
	// asks reports whether netstat has a text to look up. The counters of statistics are %llu in netstat and %d in
	// catalogues of old, and so are not translated; a text may be the end of a longer one.
	asks := func(id string) bool { return strings.Contains(program, id+"\x00") }

	all := map[string]bool{}
	for _, name := range names(t) {
		for id := range parse(name) {
			all[id] = true
		}
	}
	for _, name := range names(t) {
		ours, tools, libc := parse(name), map[string]string{}, map[string]string{}
		if netstats(name) {
			tools = installed(t, name, "net-tools", "net-tools")
		}
		if name != "et" { // the C library has no Estonian
			libc = installed(t, name, "libc", "libc-l10n")
		}
		known := 0
		for id, text := range ours {
			if id == header {
				if text != tools[""] {
					t.Errorf("%s: header %q, installed %q", name, text, tools[""])
				}
				continue
			}
			want, ok := theirs(tools, id)
			if ok && !asks(english(id)) && !neverAsked[id] {
				t.Errorf("%s: netstat does not ask for %q", name, english(id))
			}
			if !ok && (netstats(name) || !asks(id)) {
				want, ok = libc[id]
			}
			switch {
			case ok && text != want:
				t.Errorf("%s: %q is %q, installed %q", name, id, text, want)
			case !ok && netstats(name):
				t.Errorf("%s: %q is installed nowhere", name, id)
			case ok:
				known++
			}
		}
		if least := 30; known < least {
			t.Errorf("%s: only %d texts are installed", name, known)
		}
		for id := range all {
			text, ok := theirs(tools, id)
			if ok && ours[id] == "" && text != id && asks(english(id)) && !neverAsked[id] {
				t.Errorf("%s: %q is missing, installed %q", name, id, text)
			}
		}
	}
}

// neverAsked are texts that netlive does not come to: netstat has them for what no line of options leads to, or prints them in English.
// Some catalogues have them.
var neverAsked = map[string]bool{
	"unknown": true, "Forwarding is %s": true, "RTO algorithm is %s": true, "enabled": true, "disabled": true, "UNIX Domain": true,
	"Kernel IPv6 Neighbour Cache\n": true, "Please don't supply more than one address family.\n": true,
	"Neighbour                                   HW Address        Iface    Flags Ref State\n":                                   true,
	"Neighbour                                   HW Address        Iface    Flags Ref State            Stale(sec) Delete(sec)\n": true,
	"netstat: unsupported address family %d !\n":                                                                                 true, "rresolve: unsupport address family %d !\n": true,
}

// German is whole: all that netstat has and its catalogue too.
func TestGermanIsWhole(t *testing.T) {
	data, err := os.ReadFile(tool(t, "netstat", "net-tools"))
	if err != nil {
		t.Fatal(err)
	}
	ours := parse("de")
	// Of route's and ifconfig's half of the library that netstat is linked with, and a word that it prints in English.
	others := regexp.MustCompile(`inet6_route|^Flushing|Callsign|callsign$|Ash address$|^Node address|start PPP|^route: netmask|^unknown$`)
	known := map[string]bool{}
	for id := range ours {
		known[english(id)] = true
	}
	for id, text := range installed(t, "de", "net-tools", "net-tools") {
		if id != "" && text != id && !known[id] && strings.Contains(string(data), "\x00"+id+"\x00") && !others.MatchString(id) {
			t.Errorf("%q is missing: %q", id, text)
		}
	}
}

// english words that stay in Chinese: states and flags, which have no small letters, timers, scopes, and names.
var (
	capitals = regexp.MustCompile(`^[A-Z][A-Z0-9_ ./-]*[,.]?$`)
	timers   = regexp.MustCompile(`^[a-z-]+(%d)? \((%2\.2f|0\.00)/`)
	kept     = []string{
		"compat,", "global,", "host,", "link,", "site,", "(Cisco)-HDLC", "ARCnet", "Econet", "DARPA Internet", "Appletalk DDP",
		"       netstat [-vWnNcaeol] [<Socket> ...]\n",
	}
)

func TestChineseIsWhole(t *testing.T) {
	ours := parse("zh_CN")
	for _, name := range names(t) {
		for id := range parse(name) {
			stays := capitals.MatchString(id) || timers.MatchString(id) || slices.Contains(kept, id)
			if id == header {
				continue
			}
			if text, ok := ours[id]; stays && ok {
				t.Errorf("%q is %q, and scripts look for it", id, text)
			} else if !stays && !ok && !neverAsked[id] {
				t.Errorf("%q is missing, %s has it", id, name)
			}
		}
	}
}

// columns are where the words of a line begin, counted as a terminal does.
func columns(line string) map[int]string {
	at := map[int]string{}
	for i := range line {
		if line[i] != ' ' && (i == 0 || line[i-1] == ' ') {
			word, _, _ := strings.Cut(line[i:], " ")
			at[ansi.StringWidth(line[:i])] = word
		}
	}
	return at
}

// The heads of tables in Chinese stand where the columns are, as the English do.
func TestChineseColumns(t *testing.T) {
	// The second words of heads.
	second := []string{"Address", "Hop", "Net", "Node", "callsign"}
	heads := 0
	for id, text := range parse("zh_CN") {
		switch {
		case strings.HasPrefix(id, "        -"):
			// An option and, from a column of its own, what it does.
			const column = 33
			if id[:column] != text[:column] || id[column] == ' ' || text[column] == ' ' {
				t.Errorf("%q has its column elsewhere: %q", id, text)
			}
			continue
		case id == "     - no statistics available -":
			// What is after it is padded by bytes, of which Chinese has more than columns.
			if w := ansi.StringWidth(text); w != 56 {
				t.Errorf("%q is %d wide", text, w)
			}
			continue
		case strings.Contains(id, "%") || !strings.Contains(strings.TrimSpace(id), "  "):
			if id != " User" {
				continue
			}
		case strings.HasPrefix(id, "usage:"):
			continue
		}
		heads++
		english, chinese := strings.Split(id, "\n"), strings.Split(text, "\n")
		if len(english) != len(chinese) {
			t.Errorf("%q: %d lines", text, len(chinese))
			continue
		}
		for i := range english {
			if !strings.Contains(strings.TrimSpace(english[i]), "  ") {
				continue // a title
			}
			want, got := columns(english[i]), columns(chinese[i])
			for at, word := range got {
				if want[at] == "" {
					t.Errorf("%q stands in column %d, where there is none of\n%s\n%s", word, at, english[i], chinese[i])
				}
			}
			for at, word := range want {
				if got[at] == "" && !slices.Contains(second, word) {
					t.Errorf("nothing stands in column %d for %s of\n%s\n%s", at, word, english[i], chinese[i])
				}
			}
			// Another head may follow.
			if w := ansi.StringWidth(english[i]); strings.HasSuffix(id, " ") && ansi.StringWidth(chinese[i]) != w {
				t.Errorf("%q is not %d wide", chinese[i], w)
			}
		}
	}
	if heads < 25 {
		t.Errorf("%d heads", heads)
	}
}

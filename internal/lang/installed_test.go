// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// makeLocales makes a tree of locales as localedef does, of which the look at files sees LC_CTYPE. Each is a name and a charset.
func makeLocales(t testing.TB, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, l := range names {
		name, charset, _ := strings.Cut(l, " ")
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "LC_CTYPE"), ctype(charset), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ctype is the file of a category whose value 14 is the charset.
func ctype(charset string) []byte {
	const values = 20
	b := binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, 0x20090720), values)
	for range values {
		b = binary.NativeEndian.AppendUint32(b, 2*4+values*4)
	}
	return append(append(b, charset...), 0)
}

// archive is a locale archive: a locale each name, and one that was removed.
func archive(names ...string) []byte {
	const head, free = 4 * 14, 2 // struct locarhead; entries of the hash that are not taken
	size := len(names) + 1 + free
	strings, entries := []byte{}, []byte{}
	entry := func(name string, rec uint32) {
		at := head + size*archiveEntry + len(strings)
		for _, n := range []uint32{1, uint32(at), rec} {
			entries = binary.NativeEndian.AppendUint32(entries, n)
		}
		strings = append(append(strings, name...), 0)
	}
	for _, name := range names {
		entry(name, 1)
	}
	entry("removed", 0)
	entries = append(entries, make([]byte, free*archiveEntry)...)
	var b []byte
	for _, n := range []int{archiveMagic, 1, head, len(names) + 1, size, head + len(entries), len(strings), len(strings)} {
		b = binary.NativeEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, make([]byte, head-len(b))...)
	return append(append(b, entries...), strings...)
}

func TestArchiveNames(t *testing.T) {
	want := []string{"cs_CZ.iso88592", "de_DE", "de_DE.utf8", "de_DE@euro"}
	whole := archive(want...)
	names, err := archiveNames(bytes.NewReader(whole))
	if got := slices.Sorted(maps.Keys(names)); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	// An archive that is cut off is none.
	for n := range whole {
		if names, err := archiveNames(bytes.NewReader(whole[:n])); err == nil || len(names) != 0 {
			t.Fatalf("%d of %d bytes: %v, %v", n, len(whole), names, err)
		}
	}
	for name, at := range map[string]int{"magic": 0, "entries": 4 * 4, "strings": 6 * 4} {
		b := bytes.Clone(whole)
		binary.NativeEndian.PutUint32(b[at:], 1<<31)
		if _, err := archiveNames(bytes.NewReader(b)); !errors.Is(err, errArchive) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A name outside of the strings, and one that is longer than any.
	b := bytes.Clone(whole)
	binary.NativeEndian.PutUint32(b[4*14+4:], 1<<31)
	binary.NativeEndian.PutUint32(b[4*14+archiveEntry+4:], 0)
	if names, err := archiveNames(bytes.NewReader(b)); err != nil || len(names) != len(want)-2 {
		t.Errorf("names elsewhere: %v, %v", names, err)
	}
	if names, err := archiveNames(bytes.NewReader(archive(strings.Repeat("x", archiveName+1), "de_DE"))); err != nil || len(names) != 1 {
		t.Errorf("a long name: %v, %v", names, err)
	}
}

// FuzzArchiveNames: a file that is broken, or made to break, costs little.
func FuzzArchiveNames(f *testing.F) {
	f.Add(archive("de_DE.utf8", "de_DE"))
	f.Add(archive())
	f.Add(archive("x")[:20])
	// Entries upon entries whose names lie within each other.
	const size = 1 << 12
	b := archive(strings.Repeat("x", 1<<16))
	binary.NativeEndian.PutUint32(b[4*4:], size)
	f.Add(append(b, make([]byte, size*archiveEntry)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 64 << 20 // what the numbers of the head allow: 2^16 names of 255 bytes, and their map
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		names, err := archiveNames(bytes.NewReader(data))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("%d bytes were allocated", n)
		}
		if err != nil && names != nil || len(names) > len(data)/archiveEntry {
			t.Errorf("%d names of %d bytes: %v", len(names), len(data), err)
		}
		for name := range names {
			if len(name) > archiveName || !bytes.Contains(data, append([]byte(name), 0)) {
				t.Errorf("%q", name)
			}
		}
	})
}

func TestHas(t *testing.T) {
	dir, path := makeLocales(t, "de_DE.utf8 UTF-8", "fr ISO-8859-1"), makeLocales(t, "cs_CZ ISO-8859-2", "de_DE.utf8 ISO-8859-1")
	if err := os.WriteFile(filepath.Join(dir, "locale-archive"), archive("ja_JP.eucjp", "et_EE@x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{"no_NO", "nn_NO"} {
		if err := os.Mkdir(filepath.Join(dir, broken), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "no_NO", "LC_CTYPE"), ctype("UTF-8")[:40], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		want       bool
	}{
		{"C", "", true}, {"POSIX", "", true}, {"", "", false}, {"c", "", false},
		{"de_DE.UTF-8", "", true}, {"de_DE.UTF-8@euro", "", true}, {"de_DE", "", false}, {"de_DE.ISO-8859-1", "", false},
		{"fr", "", true}, {"fr_FR", "", true}, {"fr_FR.ISO-8859-1@x", "", true}, {"fr_FR.UTF-8", "", false}, {"fr_FR.", "", false},
		{"no_NO", "", false}, {"nn_NO", "", false}, // broken
		{"../de_DE.utf8", "", false}, {"de_DE.utf8/", "", false},
		// The archive has whole names only.
		{"ja_JP.eucJP", "", true}, {"ja_JP.EUC-JP", "", true}, {"ja_JP", "", false}, {"et_EE@x", "", true}, {"et_EE", "", false},
		// LOCPATH comes first, and leaves the archive out.
		{"cs_CZ", path, true}, {"cs_CZ.ISO-8859-2", path, true}, {"cs_CZ", "", false}, {"ja_JP.eucJP", path, false}, {"fr_FR", path, true},
		{"de_DE.UTF-8", path, false}, {"de_DE.UTF-8", "/none::" + dir + ":" + path, true}, {"C", path, true},
	} {
		if got := (locales{dir: dir, path: c.path}).has(c.name); got != c.want {
			t.Errorf("%q with LOCPATH=%q: %v", c.name, c.path, got)
		}
	}
}

// needs fails, or for those who could not install it skips, where a file that the test compares with is not there.
func needs(t testing.TB, path, pkg string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	const text = "%s is missing: scripts/apt-install.sh %s"
	if os.Geteuid() == 0 {
		t.Fatalf(text, path, pkg)
	}
	t.Skipf(text, path, pkg)
}

// tool is the path of a command.
func tool(t testing.TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = filepath.Join("/usr/bin", name)
		needs(t, path, pkg)
	}
	return path
}

// run runs a command where text is all of the environment that chooses locales.
func run(t testing.TB, text string, stdin []byte, name string, args ...string) (out, errs []byte) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, strings.Fields(text)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out, stderr.Bytes()
}

// buildLocales builds locales of the C library's, in the form in which they are directories.
func buildLocales(t *testing.T) (dir string) {
	t.Helper()
	localedef := tool(t, "localedef", "locales")
	needs(t, "/usr/share/i18n/locales/de_DE", "locales")
	dir = t.TempDir()
	var wg sync.WaitGroup
	for name, charset := range map[string]string{
		"de_DE.UTF-8": "UTF-8", "de_DE": "ISO-8859-1", "de_DE@euro": "ISO-8859-15", "ja_JP.EUC-JP": "EUC-JP", "cs_CZ.UTF-8": "UTF-8",
		"cs_CZ.ISO-8859-2": "ISO-8859-2", "fr_CH.UTF-8": "UTF-8", "en_DK.ISO-8859-1": "ISO-8859-1", "ru_RU.ISO-8859-5": "ISO-8859-5",
		"pt_BR.UTF-8": "UTF-8", "zh_CN.UTF-8": "UTF-8",
	} {
		wg.Go(func() {
			input, _, _ := strings.Cut(name, ".")
			cmd := exec.Command(localedef, "--no-archive", "-i", input, "-f", charset, filepath.Join(dir, name))
			if text, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: made, with warnings
				t.Errorf("%v: %v\n%s", cmd, err, text)
			}
		})
	}
	wg.Wait()
	return dir
}

// TestRealLocales asks the real C library.
func TestRealLocales(t *testing.T) {
	dir := buildLocales(t)
	t.Run("locale", func(t *testing.T) { compareLocale(t, dir) })
	t.Run("netstat", func(t *testing.T) { compareNetstat(t, dir) })
	t.Run("iconv", func(t *testing.T) { compareIconv(t, dir) })
}

// compareLocale compares whether there is a locale, and its decimal point.
func compareLocale(t *testing.T, dir string) {
	locale := tool(t, "locale", "libc-bin")
	for _, name := range []string{
		"C", "POSIX", "C.UTF-8", "C.utf8", "de_DE.UTF-8", "de_DE.utf8", "de_DE.UTF8", "de_DE.ISO-8859-1", "de_DE.iso88591", "de_DE.ISO-8859-15@euro",
		"de_DE", "de_DE@euro", "de_DE@foo", "de_DE.UTF-8@euro", "de_DE.UTF-8@foo", "ja_JP.EUC-JP", "ja_JP.eucjp", "ja_JP.eucJP", "ja_JP.UTF-8",
		"cs_CZ.UTF-8", "cs_CZ.ISO-8859-2", "cs_CZ.iso88592", "cs_CZ.8859-2", "cs_CZ", "cs", "de", "de.UTF-8", "fr_CH.UTF-8", "en_DK.ISO-8859-1", "pt_BR.UTF-8",
		"zh_CN.UTF-8", "ru_RU.ISO-8859-5", "ru_RU.UTF-8", "xx_XX.UTF-8", "../de_DE", "de_DE/", "de_DE.", "de_DE.@euro", "_DE.UTF-8",
	} {
		env := "LOCPATH=" + dir + " LC_ALL=" + name
		out, errs := run(t, env, nil, locale, "decimal_point")
		l := strict(variables(env), localeDir)
		if got := l.DecimalPoint() + "\n"; got != string(out) {
			t.Errorf("%s: decimal point %q, C's %q", name, got, out)
		}
		has := locales{dir: localeDir, path: dir}.has(name)
		if real := !bytes.Contains(errs, []byte("Cannot set LC_ALL")); has != real {
			t.Errorf("%s: there %v, to C %v", name, has, real)
		}
	}
}

// compareNetstat compares with gettext as netstat has it: its help is texts and nothing else.
func compareNetstat(t *testing.T, dir string) {
	netstat := tool(t, "netstat", "net-tools")
	needs(t, moFile("de", "net-tools"), "net-tools")
	english, _ := run(t, "LC_ALL=C", nil, netstat, "-h")
	if bytes.Count(english, []byte("\n")) < 20 {
		t.Fatalf("netstat -h: %s", english)
	}
	spoken := map[string]bool{}
	for _, env := range []string{
		"LC_ALL=de_DE.UTF-8", "LC_ALL=de_DE.utf8", "LC_ALL=de_DE", "LC_ALL=de_DE@euro", "LC_ALL=de_DE.ISO-8859-1", "LC_ALL=de_DE.UTF-8@foo",
		"LC_ALL=cs_CZ.UTF-8", "LC_ALL=cs_CZ.ISO-8859-2", "LC_ALL=ja_JP.EUC-JP", "LC_ALL=fr_CH.UTF-8", "LC_ALL=pt_BR.UTF-8", "LC_ALL=zh_CN.UTF-8",
		"LC_ALL=ja_JP.UTF-8", "LC_ALL=xx_XX", "LC_ALL= LANG=", "LANG=C", "LANG=de_DE", "LC_MESSAGES=de_DE.UTF-8", "LC_MESSAGES=de_DE.UTF-8 LC_CTYPE=C.UTF-8",
		"LC_MESSAGES=de_DE.UTF-8 LC_CTYPE=ru_RU.ISO-8859-5", "LANG=de_DE.UTF-8 LC_TIME=xx_XX", "LANG=de_DE LC_NUMERIC=C", "LC_CTYPE=de_DE.UTF-8",
		"LANG=de_DE.UTF-8 LC_MESSAGES=C", "LC_ALL=C LANG=de_DE.UTF-8", "LC_ALL=POSIX LANGUAGE=de", "LANG=C LANGUAGE=de", "LC_ALL=C.UTF-8 LANGUAGE=de",
		"LC_ALL=C.UTF-8 LANGUAGE=et", "LC_ALL=C.UTF-8 LANGUAGE=pt_PT:ja:de", "LC_ALL=de_DE.UTF-8 LANGUAGE=en", "LC_ALL=de_DE.UTF-8 LANGUAGE=C:de",
		"LC_ALL=de_DE.UTF-8 LANGUAGE=zh_CN", "LC_ALL=de_DE.UTF-8 LANGUAGE=::cs", "LC_ALL=de_DE.UTF-8 LANGUAGE=", "LC_ALL=de_DE.UTF-8 LANGUAGE=fr_CA.ISO-8859-1",
		"LC_ALL=C.UTF-8 LANGUAGE=deutsch", "LC_ALL=de_DE.UTF-8 OUTPUT_CHARSET=ISO-8859-1", "LC_ALL=de_DE OUTPUT_CHARSET=UTF-8//TRANSLIT",
		"LC_ALL=de_DE OUTPUT_CHARSET=FOO", "LC_ALL=cs_CZ.UTF-8 OUTPUT_CHARSET=ISO8859-2", "LC_ALL=ja_JP.EUC-JP OUTPUT_CHARSET=SJIS",
		"LC_ALL=en_DK.ISO-8859-1 LANGUAGE=en_DK:de", "LC_ALL=de_DE.UTF-8 LANGUAGE=en:de",
	} {
		for _, locpath := range []string{" LOCPATH=" + dir, ""} {
			want, _ := run(t, env+locpath, nil, netstat, "-h")
			l := strict(variables(env+locpath), localeDir)
			spoken[l.Tag()] = true
			var got []byte
			for rest := string(english); rest != ""; {
				// A text is a line, with the empty one after it.
				end := strings.Index(rest, "\n") + 1
				for end < len(rest) && rest[end] == '\n' {
					end++
				}
				got, rest = append(got, l.Text(rest[:end])...), rest[end:]
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s%s: %s says\n%q\nnetstat\n%q", env, locpath, l.Tag(), got, want)
			}
		}
	}
	for _, name := range catalogues {
		if netstats(name) && !spoken[strings.ReplaceAll(name, "_", "-")] {
			t.Errorf("%s was not spoken", name)
		}
	}
}

var pointLine = regexp.MustCompile(`(?m)^LC_NUMERIC\n(?:%.*\n|\n)*(?:copy\s+"([^"]+)"|decimal_point\s+"([^"]+)")`)

// The list of decimal points is that of all locales' sources.
func TestDecimalPoints(t *testing.T) {
	const dir = "/usr/share/i18n/locales"
	needs(t, dir, "locales")
	root := os.DirFS(dir)
	var point func(name string) string
	point = func(name string) string {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		switch m := pointLine.FindSubmatch(text); {
		case m == nil:
			return ""
		case len(m[1]) > 0:
			return point(string(m[1]))
		default:
			return strings.NewReplacer("<U002C>", ",", "<U002E>", ".", "<U066B>", "٫").Replace(string(m[2]))
		}
	}
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range entries {
		name := e.Name()
		want := point(name)
		if want == "" || !regexp.MustCompile(`^[a-z]{2,3}_[A-Z]{2}(@|$)`).MatchString(name) {
			continue // a part of others
		}
		seen[want]++
		if got := variables("LC_ALL=" + name).decimalPoint(); got != want {
			t.Errorf("%s: %q, the C library's %q", name, got, want)
		}
	}
	if seen["."] < 100 || seen[","] < 100 {
		t.Errorf("%v", seen)
	}
}

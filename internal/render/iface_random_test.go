// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// interfaceGenerator makes net/dev and net/if_inet6.
type interfaceGenerator struct {
	*rand.Rand
	names []string // there are
}

func (g *interfaceGenerator) in(n int) bool { return g.IntN(n) == 0 }

func anyOf[T any](g *interfaceGenerator, of ...T) T { return of[g.IntN(len(of))] }

func (g *interfaceGenerator) number() string {
	return anyOf(g, "0", "1", "1024", "1025", "12345678", "123456789", "1099511627777", "1152921504606846976", "1152921504606846977", "18446744073709551615",
		"18446744073709551616", "-1", "+5", "010", "0x10", "1x", "x", "-", ":", "", strconv.FormatUint(g.Uint64()>>g.IntN(64), 10))
}

func (g *interfaceGenerator) dev() string {
	b := anyOf(g, "x\ncompressed bytes\n", "Inter-|\n face |bytes compressed|\n", "x\nbytes\n", "x\nx\n", "compressed\n", "\n\n", "", strings.Repeat("compressed ", 60)+"\n")
	whole := g.in(2) // as a kernel's
	for range g.IntN(8) {
		name := anyOf(g, g.names...)
		if g.in(60) {
			name = anyOf(g, "ghost0", "eth1:77", "", "eth1x", "abcdefghijklmnop")
		}
		b += anyOf(g, "", "    ", "\t") + name + anyOf(g, ":", ":", ": ")
		for range anyOf(g, 16, 16, 16, g.IntN(20)) {
			if whole {
				b += strconv.FormatUint(g.Uint64()>>g.IntN(64), 10) + " "
			} else {
				b += g.number() + anyOf(g, " ", "  ", "\t")
			}
		}
		if !whole {
			b += anyOf(g, "", "", "", "", "\x00", "\r", strings.Repeat(" ", 400))
		}
		b += "\n"
	}
	return b
}

func (g *interfaceGenerator) inet6() (b string) {
	for range g.IntN(6) {
		a := anyOf(g, fmt.Sprintf("%016x%016x", g.Uint64()>>g.IntN(64), g.Uint64()>>g.IntN(64)), "00000000000000000000ffff0a000001", "0000000000000000000000000a000001",
			"0000000000000000000000000000ffff", "00000000000000000000000000000000", "00000000000000010000000000000000")
		b += fmt.Sprintf("%s %02x %02x %02x %02x %8s\n", a, g.IntN(1000), g.IntN(256), anyOf(g, 0, 0x10, 0x20, 0x40, 0x80, g.IntN(256)), g.IntN(256), anyOf(g, append(g.names, "eth1:1", "other")...))
	}
	return b
}

// On made-up files, of interfaces that are there and some that are not.
func TestInterfacesLikeNetstatOnMadeUpFiles(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	ns.Do(func() {
		quietly(t)
		runIP(t, strings.Join(strings.SplitAfter(manyInterfaces, "\n")[:20], ""))
	})
	dir := t.TempDir()
	ns.Do(func() {
		hideProc(t, dir)
		g := &interfaceGenerator{rand.New(rand.NewPCG(1, 0)), strings.Fields("lo eth eth01 eth1 eth10 eth2 eth0p abcdefghijklmno abcdefghijklmn")}
		for round := range 150 {
			replaceTree(t, dir, map[string]string{"net/if_inet6": g.inet6()})
			dev := g.dev()
			write(t, filepath.Join(dir, "net/dev"), dev)
			if slices.ContainsFunc(strings.Split(dev, "\n"), func(line string) bool { return len(line) > 511 }) {
				continue // what netstat has no room for begins a line, and may have a name of 15 bytes without a colon
			}
			for _, command := range []string{"-ia", anyOf(g, interfaceCommands...), "-iaee"} {
				likeInterfaces(t, fmt.Sprintf("round %d, %q", round, dev), command, dir)
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		testInterfacesWhenFilesFail(t, dir)
	})
}

func testInterfacesWhenFilesFail(t *testing.T, dir string) {
	for _, file := range []string{"net/dev", "net/if_inet6"} {
		for _, bad := range []string{"missing", "loop", "directory"} {
			replaceTree(t, dir, map[string]string{"net/dev": "x\ncompressed\nlo: 1 2 3\n", "net/if_inet6": ""})
			path := filepath.Join(dir, file)
			err := os.Remove(path)
			switch bad {
			case "loop":
				err = errors.Join(err, os.Symlink(filepath.Base(path), path))
			case "directory":
				err = errors.Join(err, os.Mkdir(path, 0o755))
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, command := range interfaceCommands {
				likeInterfaces(t, bad+" "+file, command, dir)
			}
		}
	}
}

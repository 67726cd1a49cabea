// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"

	"netlive/internal/lang"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/sock"
)

// words are what is said on stderr of tables: netstat's words for netlive called as netstat, and for bad lines, of
// which netstat names neither line nor fault, netlive's own for netlive.
type words struct {
	netstat bool
	// strict is netstat 2.10 with its faults.
	strict bool
	// texts and point are the language's: point parts the seconds of timers.
	texts render.Texts
	point string
}

// newWords are the words that the environment asks for.
func newWords(std streams, netstat bool) (words, error) {
	w := words{netstat: netstat}
	switch compat := std.getenv("NETLIVE_COMPAT"); compat {
	case "":
	case "strict":
		w.strict = true
	default:
		return w, fmt.Errorf("NETLIVE_COMPAT=%s: there is only strict, netstat 2.10 with its faults", shownWord(compat))
	}
	choose := lang.Choose
	if w.netstat || w.strict {
		choose = lang.Strict
	}
	l := choose(std.getenv)
	w.point = l.DecimalPoint()
	if l.Translates() {
		w.texts = l.Text
	}
	return w, nil
}

// bogus are netstat's texts for bad lines, by file.
var bogus = map[string]string{
	"net/tcp":      "warning, got bogus tcp line.\n",
	"net/tcp6":     "warning, got bogus tcp line.\n",
	"net/udp":      "warning, got bogus udp line.\n",
	"net/udp6":     "warning, got bogus udp line.\n",
	"net/udplite":  "warning, got bogus udp line.\n",
	"net/udplite6": "warning, got bogus udp line.\n",
	"net/raw":      "warning, got bogus raw line.\n",
	"net/raw6":     "warning, got bogus raw line.\n",
	"net/unix":     "warning, got bogus unix line.\n",

	"net/sctp/eps":     "warning, got bogus sctp eps line.\n",
	"net/sctp6/eps":    "warning, got bogus sctp eps line.\n",
	"net/sctp/assocs":  "warning, got bogus sctp assoc line.\n",
	"net/sctp6/assocs": "warning, got bogus sctp assoc line.\n",
}

// appendBadLines says what was wrong with the lines of a file.
func (w words) appendBadLines(b []byte, warnings []error, file string) []byte {
	for _, err := range warnings {
		line, more := (*procfallback.LineError)(nil), (*procfallback.MoreLinesError)(nil)
		count := 0
		switch {
		case errors.As(err, &line) && line.File == file:
			count = 1
		case errors.As(err, &more) && more.File == file:
			count = more.Count
		}
		switch {
		case count == 0:
		case w.netstat:
			for range count {
				b = append(b, w.texts.Text(bogus[file])...)
			}
		default:
			b = fmt.Appendf(b, "netlive: %v\n", err)
		}
	}
	return b
}

// appendOwners says that owners are missing.
func (w words) appendOwners(b []byte, snap *sock.Snapshot) []byte {
	switch {
	case !snap.OwnersDenied:
		return b
	case snap.OwnersFound:
		return append(b, w.texts.Text("(Not all processes could be identified, non-owned process info\n"+
			" will not be shown, you would have to be root to see it all.)\n")...)
	}
	return fmt.Appendf(b, w.texts.Text("(No info could be read for \"-p\": geteuid()=%d but you should be root.)\n"), os.Geteuid())
}

// appendNoFeature says that the program was made without a table.
func (w words) appendNoFeature(b []byte, name string) []byte {
	b = fmt.Appendf(b, w.texts.Text("%s: feature `%s' not supported.\n"), "netstat", name)
	return append(b, w.texts.Text("Please recompile `net-tools' with newer kernel source or full configuration.\n")...)
}

// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// span parses a number, or two with a - between them.
func (p *parser) span(f Field, tok token) (span, error) {
	s, problem := p.parseSpan(f.kind(), tok.text)
	if problem != "" {
		return span{}, p.fail(tok.off, f.values(), "%s", problem)
	}
	return s, nil
}

// parseSpan says in problem why text is none.
func (p *parser) parseSpan(k kind, text string) (s span, problem string) {
	if k == kindPort {
		text = strings.TrimPrefix(text, ":")
		if text == "*" { // ss's any port
			return span{0, k.limit()}, ""
		}
	}
	one := func(text string) (int64, string) {
		n, problem := parseNumber(k, text)
		if problem != "" && k == kindPort && p.Service != nil && strings.Trim(text, "+-0123456789") != "" {
			if port, ok := p.Service(text); ok {
				return int64(port), ""
			}
		}
		return n, problem
	}
	n, problem := one(text) // a service's name may have a -
	if problem == "" {
		return span{n, n}, ""
	}
	from, to, ranged := strings.Cut(text, "-")
	if !ranged || from == "" || to == "" {
		return span{}, problem
	}
	lo, problem := one(from)
	if problem != "" {
		return span{}, problem
	}
	hi, problem := one(to)
	switch {
	case problem != "":
		return span{}, problem
	case lo > hi:
		return span{}, fmt.Sprintf("the range %q ends before it begins", text)
	}
	return span{lo, hi}, ""
}

func parseNumber(k kind, text string) (n int64, problem string) {
	switch k {
	case kindDuration:
		return parseDuration(text)
	case kindSize:
		return parseSize(text)
	}
	digits := isDigits(text)
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case !digits && k == kindPort:
		return 0, fmt.Sprintf("unknown service %q", text)
	case !digits:
		return 0, fmt.Sprintf("%q is not a number", text)
	case err != nil || n > k.limit():
		return 0, fmt.Sprintf("%s is too great", text)
	}
	return n, ""
}

// units of durations that time.ParseDuration does not have, in hours.
var longUnits = map[string]int64{"d": 24, "w": 7 * 24}

// parseDuration takes numbers with units, one after the other: 10ms, 1.5s, 1h30m, 2d. Only 0 needs none.
func parseDuration(text string) (int64, string) {
	bad := fmt.Sprintf("%q is not a duration", text)
	if text == "0" {
		return 0, ""
	}
	if isDecimal(text) {
		return 0, fmt.Sprintf("%q has no unit", text)
	}
	var sum time.Duration
	for rest := text; rest != "" || text == ""; {
		n := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		m := n + len(rest[n:]) - len(strings.TrimLeft(rest[n:], "abcdefghijklmnopqrstuvwxyzµμ"))
		if n == 0 || m == n {
			return 0, bad
		}
		unit, times := rest[n:m], int64(1)
		if hours, ok := longUnits[unit]; ok {
			unit, times = "h", hours
		}
		if unit == "min" {
			unit = "m"
		}
		d, err := time.ParseDuration(rest[:n] + unit)
		if err != nil {
			return 0, bad
		}
		if d > time.Duration(kindDuration.limit())/time.Duration(times) || sum > time.Duration(kindDuration.limit())-d*time.Duration(times) {
			return 0, fmt.Sprintf("%s is too long", text)
		}
		sum += d * time.Duration(times)
		rest = rest[m:]
	}
	return int64(sum), ""
}

// sizeUnits are decimal, as traffic is counted, unless an i says binary.
var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12,
	"ki": 1 << 10, "kib": 1 << 10, "mi": 1 << 20, "mib": 1 << 20, "gi": 1 << 30, "gib": 1 << 30, "ti": 1 << 40, "tib": 1 << 40,
}

// parseSize takes a number with or without a unit, in any case: 1500, 1k, 1.5MB, 4KiB.
func parseSize(text string) (int64, string) {
	bad := fmt.Sprintf("%q is not a number of bytes", text)
	n := len(text) - len(strings.TrimLeft(text, "0123456789."))
	unit, ok := sizeUnits[strings.ToLower(text[n:])]
	if !ok || !isDecimal(text[:n]) {
		return 0, bad
	}
	r, ok := new(big.Rat).SetString(text[:n])
	if !ok {
		return 0, bad
	}
	r.Mul(r, new(big.Rat).SetInt64(unit))
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	if !whole.IsInt64() || whole.Int64() > kindSize.limit() {
		return 0, fmt.Sprintf("%s is too great", text)
	}
	return whole.Int64(), ""
}

// isDecimal reports whether s is digits with or without a point and more digits. Longer ones are no sizes, and would cost.
func isDecimal(s string) bool {
	whole, part, point := strings.Cut(s, ".")
	return len(s) <= 40 && isDigits(whole) && (!point || isDigits(part))
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// parseHost takes what ss calls a HOST: an address or prefix, with or without a port. Unlike ss it asks no name server. It
// says in problem why text is none.
func (p *parser) parseHost(text string) (h *host, problem string) {
	bad := fmt.Sprintf("%q is not an address", text)
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return &host{prefix: makePrefix(a, a.BitLen())}, ""
	}
	addr, rest := "", text
	switch {
	case strings.HasPrefix(text, "["):
		var closed bool
		if addr, rest, closed = strings.Cut(text[1:], "]"); !closed {
			return nil, fmt.Sprintf("%q has no ]", text)
		}
		if !strings.Contains(addr, ":") {
			return nil, bad
		}
	case strings.Contains(text, "/"):
		addr, rest, _ = strings.Cut(text, "/")
		rest = "/" + rest
	case strings.HasPrefix(text, "*"):
		rest = text[1:]
	default:
		if i := strings.IndexByte(text, ':'); i >= 0 {
			addr, rest = text[:i], text[i:]
		} else {
			addr, rest = text, ""
		}
	}
	h = &host{}
	bits, length, problem := cutLength(rest)
	if problem != "" {
		return nil, problem
	}
	rest = rest[length:]
	if addr != "" {
		a, err := netip.ParseAddr(addr)
		if err != nil && length > 0 {
			a, err = parseShort(addr)
		}
		switch {
		case err != nil && length == 0 && isShort(addr):
			return nil, fmt.Sprintf("%q is not a whole address; a prefix has a length, as 10.1/16", addr)
		case err != nil || a.Zone() != "":
			return nil, bad
		case length == 0:
			bits = a.BitLen()
		case bits > a.BitLen():
			return nil, fmt.Sprintf("/%d is longer than the address", bits)
		}
		h.prefix = makePrefix(a, bits)
	} else if length > 0 {
		return nil, bad
	}
	switch port, ok := strings.CutPrefix(rest, ":"); {
	case rest == "" && (addr != "" || text == "*"):
	case !ok || port == "" || port[0] == ':':
		return nil, bad
	case port != "*":
		h.ported = true
		if h.ports, problem = p.parseSpan(kindPort, port); problem != "" {
			return nil, problem
		}
	}
	return h, ""
}

// cutLength takes the /LENGTH that text begins with. length is what it takes of text: 0 when there is none.
func cutLength(text string) (bits, length int, problem string) {
	if !strings.HasPrefix(text, "/") {
		return 0, 0, ""
	}
	length = len(text)
	if i := strings.IndexByte(text, ':'); i >= 0 {
		length = i
	}
	digits := text[1:length]
	n, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || len(digits) > 3 {
		return 0, 0, fmt.Sprintf("%q is not a prefix length", digits)
	}
	return int(n), length, ""
}

// isShort reports whether s is the beginning of an IPv4 address, as in 10.1.
func isShort(s string) bool {
	_, err := parseShort(s)
	return err == nil
}

// parseShort is an IPv4 address of which the last parts may be left out, as in 193.233.7/24.
func parseShort(s string) (netip.Addr, error) {
	dots := strings.Count(s, ".")
	return netip.ParseAddr(s + strings.Repeat(".0", max(3-dots, 0)))
}

// makePrefix makes the prefix of an IPv4-mapped address one of IPv4, which has both.
func makePrefix(a netip.Addr, bits int) netip.Prefix {
	if a.Is4In6() && bits >= 96 {
		a, bits = a.Unmap(), bits-96
	}
	return netip.PrefixFrom(a, bits).Masked()
}

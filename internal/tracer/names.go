// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"strconv"
	"strings"
	"sync"

	"github.com/cilium/ebpf/btf"

	"netlive/internal/sock"
)

// names are the kernel's words for numbers. They differ between kernels, so they are read from its own types (BTF), once and only when
// the first is needed.
type names struct {
	once          sync.Once
	drops, resets map[uint32]string
}

// reason is the name of a number of enum skb_drop_reason or sk_rst_reason, without its prefix; the number where the kernel has no name for it, as those
// of subsystems (include/net/dropreason.h).
func (n *names) reason(kind sock.EventKind, number uint32) string {
	const unknown = ^uint32(0)
	if number == unknown {
		return ""
	}
	n.once.Do(func() {
		n.drops = enumNames("skb_drop_reason", "SKB_DROP_REASON_")
		n.resets = enumNames("sk_rst_reason", "SK_RST_REASON_")
	})
	list := n.resets
	if kind == sock.EventDrop {
		list = n.drops
	}
	name, ok := list[number]
	switch {
	case !ok:
		name = strconv.FormatUint(uint64(number), 10)
		list[number] = name
	case name == "NOT_SPECIFIED":
		return ""
	}
	return name
}

func enumNames(enum, prefix string) map[uint32]string {
	list := map[uint32]string{}
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return list
	}
	var e *btf.Enum
	if err := kernel.TypeByName(enum, &e); err != nil {
		return list
	}
	for _, v := range e.Values {
		list[uint32(v.Value)] = strings.TrimPrefix(v.Name, prefix)
	}
	return list
}

// SPDX-License-Identifier: GPL-2.0-or-later

package netns

import (
	"sync"
	"time"
)

// Names says what namespaces are called, by their numbers. It may be used by several goroutines.
type Names struct {
	mu     sync.Mutex
	names  map[uint32]name
	looked time.Time
}

// name is that of a namespace, found at path. Its number is given to another when it has ended, so it is held to be true until checked.
type name struct {
	text, path string
	checked    time.Time
}

// lookAgain is how long a number that nothing is known of is not asked about again, and one that is known is believed.
const lookAgain = time.Second

// Set is told what a look at all namespaces found.
func (n *Names) Set(list []Space) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.set(list)
}

func (n *Names) set(list []Space) {
	if n.names == nil {
		n.names = map[uint32]name{}
	}
	n.looked = time.Now()
	for _, s := range list {
		n.names[s.inode] = name{s.name, s.path, n.looked} // and those that are gone keep theirs
	}
}

// Name is the name of a namespace, "" if it has none that can be found.
func (n *Names) Name(inode uint32) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	known, ok := n.names[inode]
	now := time.Now()
	if ok && now.Sub(known.checked) > lookAgain {
		known.checked = now
		n.names[inode] = known
		found, err := inodeOf(known.path)
		ok = err == nil && found == inode
	}
	if !ok && now.Sub(n.looked) > lookAgain {
		n.looked = now
		if list, err := All(); err == nil {
			n.set(list)
		}
		known = n.names[inode]
	}
	return known.text
}

// SPDX-License-Identifier: GPL-2.0-or-later

package netns

import (
	"sync"
	"time"
)

// Names says what namespaces are called, by their numbers. It may be used by several goroutines.
type Names struct {
	mu     sync.Mutex
	names  map[uint32]string
	looked time.Time
}

// lookAgain is how long a number that nothing is known of is not asked about again.
const lookAgain = time.Second

// Set is told what a look at all namespaces found.
func (n *Names) Set(list []Space) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.set(list)
}

func (n *Names) set(list []Space) {
	if n.names == nil {
		n.names = map[uint32]string{}
	}
	for _, s := range list {
		n.names[s.inode] = s.name // and those that are gone keep theirs
	}
	n.looked = time.Now()
}

// Name is the name of a namespace, "" if it has none that can be found.
func (n *Names) Name(inode uint32) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, ok := n.names[inode]
	if !ok && time.Since(n.looked) > lookAgain {
		if list, err := All(); err == nil {
			n.set(list)
		}
		n.looked = time.Now()
		name = n.names[inode]
	}
	return name
}

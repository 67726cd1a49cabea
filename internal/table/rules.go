// SPDX-License-Identifier: GPL-2.0-or-later

package table

// rule is one law of merging. All are in force; the model test lifts one at a
// time and must notice, which is how we know that the model tests it.
type rule uint32

const (
	// An event older than its row does not change the state.
	ruleOlderEvent rule = 1 << iota
	// A snapshot's row older than the table's does not change the state.
	ruleOlderRow
	// At equal stamps an event beats a snapshot's row: had the event come first,
	// the row would show it, so where they differ the event came second.
	ruleEventWinsTie
	// Nothing as old as a socket's close raises it again: neither a late event …
	ruleTombEvent
	// … nor a row that was walked before the close.
	ruleTombRow
	// A close is remembered even when the table did not have the socket: the
	// snapshot that has it may be on its way.
	ruleTombUnknown
	// What is newer than the close is a new life of the same socket.
	ruleNewLife
	// A socket that the table does not have and that a walk did not find is gone:
	// news from before that walk does not bring it.
	ruleFloor
	// A row that the walk did not find goes …
	ruleAbsentGoes
	// … unless it changed after the walk began: it may have opened behind the walker.
	ruleAbsentNewerStays
	// A snapshot says nothing about protocols that were not walked.
	ruleOnlyWalked
	// A minisocket keeps the row when the full socket closes.
	ruleMini
	// A known owner is never replaced by unknown.
	ruleOwnerKept
	// The processes found among descriptors are those who hold the socket; who is
	// not among them has let go of it.
	ruleOwnerSet
	// A row too old to tell the state still tells what events do not know.
	ruleOlderRowHelps
	// What belongs to an earlier life of the socket says nothing of this one.
	ruleEarlierLife
	// Where the close between two lives was lost, their ends tell them apart.
	ruleSameLife
	// A tombstone stays until a walk that began after it has come in.
	rulePruneWalked
	// How a connection ended is said of the life that ended then, and of no other.
	ruleEndingLife
)

// on reports whether r is in force.
func (t *Table) on(r rule) bool { return t.lifted&r == 0 }

// SPDX-License-Identifier: GPL-2.0-or-later

// Package mib is the vocabulary for the kernel's protocol counters, the management
// information base that netstat -s and nstat report. Values only: no I/O, and nothing
// here knows what a counter means.
package mib

import "math/bits"

// Counter is one number and the kernel's name for it.
type Counter struct {
	Key string
	// Value is unsigned as nearly all of the kernel's are. A negative number wraps modulo
	// 2^64, as netstat reads it.
	Value uint64
}

// Table is a group of counters.
type Table struct {
	// Title is the kernel's (Ip, TcpExt) where its file has titles.
	Title    string
	Counters []Counter
}

// Get returns the first counter of that name.
func (t *Table) Get(key string) (value uint64, ok bool) {
	for i := range t.Counters {
		if t.Counters[i].Key == key {
			return t.Counters[i].Value, true
		}
	}
	return 0, false
}

// Report is a list of tables in the order in which the kernel has them.
type Report []Table

// Get returns a counter of the first table with that title.
func (r Report) Get(title, key string) (value uint64, ok bool) {
	for i := range r {
		if r[i].Title == title {
			return r[i].Get(key)
		}
	}
	return 0, false
}

// File is one of the kernel's files of counters.
type File uint8

const (
	SNMP    File = iota // net/snmp: what RFC 1213 and its successors name
	Netstat             // net/netstat: Linux's own, for IPv4 and for TCP over both
	SCTP                // net/sctp/snmp: one table without a title
	SNMP6               // net/snmp6: IPv6, with the titles as parts of the keys

	numFiles = iota
)

// String is the path below /proc.
func (f File) String() string {
	return [numFiles]string{"net/snmp", "net/netstat", "net/sctp/snmp", "net/snmp6"}[f]
}

// FileSet is a set of files.
type FileSet uint8

// FileSetOf makes a set.
func FileSetOf(files ...File) (s FileSet) {
	for _, f := range files {
		s |= 1 << f
	}
	return s
}

// AllFiles has every File.
const AllFiles FileSet = 1<<numFiles - 1

// Has reports whether f is in s.
func (s FileSet) Has(f File) bool { return s>>f&1 != 0 }

// All yields the files of s in their order.
func (s FileSet) All() func(yield func(File) bool) {
	return func(yield func(File) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(File(bits.TrailingZeros8(uint8(s)))) {
				return
			}
		}
	}
}

// Content is what a file had to say.
type Content struct {
	Report Report
	// OpenErr is why the file could not be opened. A kernel that lacks a protocol lacks its
	// file: then this is an fs.ErrNotExist.
	OpenErr error
	// ReadErr is why it could not be read to its end.
	ReadErr error
	// BrokenAt is the line, counted from 1, where the file stopped making sense, so that
	// the rest is lost; 0 if it did not.
	BrokenAt int
	// Warnings are about lines that could not be used as they are.
	Warnings []error
}

// Files has the content of each file that was asked for.
type Files [numFiles]Content

// Warnings are those of all files.
func (f *Files) Warnings() []error {
	var all []error
	for i := range f {
		all = append(all, f[i].Warnings...)
	}
	return all
}

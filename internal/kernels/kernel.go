// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// kernel is one that Debian ships.
type kernel struct {
	Name string // as the table has it: 6.12, newest
	Arch string // Go's and Debian's name of it, which are one for all of these
	// Suites are where apt finds it: of each there is the machine's mirror and what its security team adds.
	Suites []string
	// Package matches the name of the package with the image. Of several the highest version is taken: they vanish with each
	// point release, and a name with all its numbers would not be found for long.
	Package string
	// CI: one of the few that -ci runs.
	CI bool
	// Lacks is what this kernel cannot do, so that tests which need it are not run.
	Lacks lack
	// NoCX16 is the machine's.
	NoCX16 bool
	short  bool // without the tests that take minutes
	quick  bool // without those that take minutes here
}

// lack is a set of features that a kernel does not have.
type lack uint

const (
	// lackTyped: no socket cookie in tracing programs (5.12), so states are heard of by the classic tracepoint and tables come from /proc.
	lackTyped lack = 1 << iota
	// lackData: none of sk_data_ready, sock_send_length and sock_recv_length (6.3).
	lackData
	// lackReply: what the kernel answers without a socket of its own does not arrive on the emulated s390x, be netlive there or not: nobody is refused by
	// a reset, and a FIN that comes for a minisocket in FIN_WAIT2 is not acknowledged. Its checksum is made by instructions that QEMU 7.2 gets wrong (Tcp
	// InCsumErrors counts them); what sockets send over loopback has none. Taking the vector instructions away is no way: Go needs them.
	lackReply
	// lackModules: its modules, without which there is no sock_diag, are not to be had any more.
	lackModules
)

func (k kernel) id() string { return k.Arch + "-" + k.Name }

var (
	bullseye  = []string{"bullseye", "bullseye-security"}
	bookworm  = []string{"bookworm", "bookworm-security"}
	trixie    = []string{"trixie", "trixie-security"}
	backports = []string{"trixie-backports"}
)

// kernels is the matrix. Cloud kernels are Debian's with fewer drivers: half the size.
var kernels = []kernel{
	{Name: "5.10", Arch: "amd64", Suites: bullseye, Package: `linux-image-5\.10\.0-\d+-cloud-amd64`, CI: true, Lacks: lackTyped | lackData},
	{Name: "6.1", Arch: "amd64", Suites: bookworm, Package: `linux-image-6\.1\.0-\d+-cloud-amd64`, CI: true, Lacks: lackData},
	{Name: "6.12", Arch: "amd64", Suites: trixie, Package: `linux-image-6\.12\.\d+\+deb13-cloud-amd64`, CI: true, NoCX16: true},
	{Name: "6.16", Arch: "amd64", Suites: backports, Package: `linux-image-6\.16\.\d+\+deb13-cloud-amd64`},
	{Name: "6.18", Arch: "amd64", Suites: backports, Package: `linux-image-6\.18\.\d+\+deb13-cloud-amd64`},
	{Name: "6.19", Arch: "amd64", Suites: backports, Package: `linux-binary-6\.19\.\d+\+deb13-cloud-amd64`},
	{Name: "7.0", Arch: "amd64", Suites: backports, Package: `linux-binary-7\.0\.\d+\+deb13-cloud-amd64`},
	{Name: "7.1", Arch: "amd64", Suites: backports, Package: `linux-binary-7\.1\.\d+\+deb13-cloud-amd64`},
	{Name: "7.2", Arch: "amd64", Suites: backports, Package: `linux-binary-7\.2\.\d+\+deb13-cloud-amd64`},
	{Name: "newest", Arch: "amd64", Suites: backports, Package: `linux-binary-\d+\.\d+\.\d+\+deb13-cloud-amd64`, CI: true},
	{Name: "5.10", Arch: "arm64", Suites: bullseye, Package: `linux-image-5\.10\.0-\d+-cloud-arm64`, Lacks: lackTyped | lackData},
	{Name: "6.1", Arch: "arm64", Suites: bookworm, Package: `linux-image-6\.1\.0-\d+-cloud-arm64`, Lacks: lackData},
	{Name: "6.12", Arch: "arm64", Suites: trixie, Package: `linux-image-6\.12\.\d+\+deb13-cloud-arm64`, CI: true},
	{Name: "newest", Arch: "arm64", Suites: backports, Package: `linux-binary-\d+\.\d+\.\d+\+deb13-cloud-arm64`},
	{Name: "6.12", Arch: "s390x", Suites: trixie, Package: `linux-image-6\.12\.\d+\+deb13-s390x`, Lacks: lackReply},
	{Name: "newest", Arch: "s390x", Suites: []string{"sid"}, Package: `linux-binary-\d+\.\d+\.\d+\+deb\d+-s390x`, CI: true, Lacks: lackReply},
}

var numbers = regexp.MustCompile(`\d+|\D+`)

// compareVersions orders names by the numbers in them, as people do: 6.9 comes before 6.10.
func compareVersions(a, b string) int {
	as, bs := numbers.FindAllString(a, -1), numbers.FindAllString(b, -1)
	for i := range min(len(as), len(bs)) {
		m, errA := strconv.Atoi(as[i])
		n, errB := strconv.Atoi(bs[i])
		c := strings.Compare(as[i], bs[i])
		if errA == nil && errB == nil {
			c = cmp.Compare(m, n)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

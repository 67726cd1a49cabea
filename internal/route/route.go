// SPDX-License-Identifier: GPL-2.0-or-later

// Package route is the vocabulary for the kernel's routes, as netstat -r and ip route
// show them. Values only: no I/O, and nothing here knows how a route is printed.
//
// Numbers are the kernel's own, unsigned and as wide as it has them. An address that
// is not there is the unspecified one, as the kernel has it: a route without a gateway
// goes via 0.0.0.0 or ::.
package route

import "net/netip"

// Family is an address family that has routes.
type Family uint8

const (
	IPv4 Family = iota
	IPv6
	AX25
	NetROM
	ROSE
	X25
	IPX
	DDP // AppleTalk

	numFamilies = iota
)

var familyNames = [numFamilies]string{"inet", "inet6", "ax25", "netrom", "rose", "x25", "ipx", "ddp"}

// String is netstat's word for f.
func (f Family) String() string {
	if f < numFamilies {
		return familyNames[f]
	}
	return "unknown"
}

// ParseFamily is the opposite of String.
func ParseFamily(word string) (f Family, ok bool) {
	for i, name := range familyNames {
		if name == word {
			return Family(i), true
		}
	}
	return 0, false
}

// Flags are the RTF_ flags of a route.
type Flags uint32

// Flags that both IPv4 and IPv6 have (include/uapi/linux/route.h).
const (
	FlagUp        Flags = 1 << 0 // can be used
	FlagGateway   Flags = 1 << 1 // the next hop is a gateway
	FlagHost      Flags = 1 << 2 // to a host, not to a network
	FlagReinstate Flags = 1 << 3 // was put back after a timeout
	FlagDynamic   Flags = 1 << 4 // made by a redirect
	FlagModified  Flags = 1 << 5 // changed by a redirect
	FlagMSS       Flags = 1 << 6 // has an MTU of its own (RTF_MTU, RTF_MSS)
	FlagWindow    Flags = 1 << 7 // has a TCP window of its own
	FlagIRTT      Flags = 1 << 8 // has an initial round trip time of its own
	FlagReject    Flags = 1 << 9 // unreachable or prohibited
	// FlagNotCached is no flag of the kernel's; netstat has a letter for it.
	FlagNotCached Flags = 1 << 10
)

// Flags that only IPv6 has (include/uapi/linux/ipv6_route.h).
const (
	FlagDefault   Flags = 1 << 16 // default route, by router discovery
	FlagAllOnLink Flags = 1 << 17 // all destinations are on the link: there is no router
	FlagAddrConf  Flags = 1 << 18 // made by router discovery
	FlagPrefixRt  Flags = 1 << 19 // prefix of an advertisement
	FlagAnycast   Flags = 1 << 20
	FlagNoNextHop Flags = 1 << 21 // to an address of this host
	FlagExpires   Flags = 1 << 22 // ends by itself
	FlagRouteInfo Flags = 1 << 23 // of an advertisement's route information option
	FlagCache     Flags = 1 << 24 // belongs to the cache, not to the table
	FlagFlow      Flags = 1 << 25
	FlagPolicy    Flags = 1 << 26
	FlagPcpu      Flags = 1 << 30 // copy that belongs to a CPU
	FlagLocal     Flags = 1 << 31 // to an address of this host
)

// Has reports whether f has any flag of set.
func (f Flags) Has(set Flags) bool { return f&set != 0 }

// Route is a route of IPv4 or IPv6.
type Route struct {
	Dst netip.Addr
	// Mask is the netmask of an IPv4 route, a plain number in the kernel's file; of IPv6 it
	// is the zero Addr.
	Mask netip.Addr
	// PrefixLen is in bits. Of IPv4 it is the number of ones that Mask begins with.
	PrefixLen uint8
	// Src and SrcLen say where packets must come from to be routed so (IPv6 with
	// CONFIG_IPV6_SUBTREES); ::/0 is from anywhere. Of an entry of the IPv4 cache Src is the address they come from.
	Src    netip.Addr
	SrcLen uint8
	// Gateway is the first next hop; /proc shows no other.
	Gateway netip.Addr
	Flags   Flags
	Metric  uint32 // the lowest wins; "priority" within the kernel
	RefCnt  uint32 // 0 for IPv4
	Use     uint32 // 0 for IPv4
	// Iface is * where there is none.
	Iface string

	// These are not shown of IPv6. 0 is the default.
	MTU    uint32 // bytes: not the metric mtu but advmss plus 40 (net/ipv4/fib_trie.c, fib_route_seq_show)
	Window uint32 // bytes
	IRTT   uint32 // ms: the metric rtt, of which the kernel keeps eighths
}

// Table is what a file of routes had to say.
type Table struct {
	Routes []Route
	// MissingColumn is a column that netstat needs and the header lacks, "" if it has all. Without it nothing was read.
	MissingColumn string
	// Empty says that there was not even a header where there has to be one.
	Empty bool
	// Warnings are about lines that could not be used.
	Warnings []error
}

// CacheFlags are the RTCF_ flags of an entry of the IPv4 cache (include/uapi/linux/in_route.h). The lower
// 16 bits are shared with Flags.
type CacheFlags uint32

const (
	CacheDead       CacheFlags = 1 << 0 // RTNH_F_DEAD
	CacheOnLink     CacheFlags = 1 << 2 // RTNH_F_ONLINK
	CacheNotify     CacheFlags = 1 << 16
	CacheDirectDst  CacheFlags = 1 << 17
	CacheRedirected CacheFlags = 1 << 18
	CacheTProxy     CacheFlags = 1 << 19
	CacheFast       CacheFlags = 1 << 21
	CacheMasq       CacheFlags = 1 << 22
	CacheSNAT       CacheFlags = 1 << 23
	CacheDoRedirect CacheFlags = 1 << 24
	CacheDirectSrc  CacheFlags = 1 << 26
	CacheDNAT       CacheFlags = 1 << 27
	CacheBroadcast  CacheFlags = 1 << 28
	CacheMulticast  CacheFlags = 1 << 29
	CacheReject     CacheFlags = 1 << 30
	CacheLocal      CacheFlags = 1 << 31
)

// CacheFormat says which kernels write a cache so.
type CacheFormat uint8

const (
	CacheUnknown CacheFormat = iota
	Cache20                  // Linux 2.0: HH, ARP
	Cache22                  // Linux 2.2 and later: TOS, HHRef, HHUptod, SpecDst. Since 3.6 always empty
)

// CacheEntry is an entry of the IPv4 route cache.
type CacheEntry struct {
	Route // has no Mask; its Flags are CacheFlags but for the lower bits
	// TOS is the type of service as netstat reads it: the kernel writes hex, netstat takes the decimal digits at
	// its beginning.
	TOS     uint32
	HHRef   uint32     // references to the cached link layer header, or -1
	HHUptod uint32     // whether that header can be used
	SpecDst netip.Addr // the address to answer from

	HH  uint32 // of Cache20: has a cached link layer header
	ARP uint32 // of Cache20: and that is up to date
}

// Cache is the IPv4 route cache.
type Cache struct {
	Format  CacheFormat
	Entries []CacheEntry
	// Columns has a bit for each column that tells the formats apart and occurs in the header: IRTT, TOS,
	// HHRef, HHUptod, SpecDst, HH, ARP, from the lowest. netstat prints it when it knows no such format.
	Columns uint8
	// MissingColumn, Empty and Warnings are as in Table.
	MissingColumn string
	Empty         bool
	Warnings      []error
}

// List is the routes of an old family.
type List[T any] struct {
	Routes []T
	// Warnings are about lines that could not be used.
	Warnings []error
}

// AX25Route is a route of AX.25 (net/ax25/ax25_route.c).
type AX25Route struct {
	Callsign string // of the destination, or "default"
	Iface    string // first 4 bytes
	// Use is the number that kernels before 2.2 had; later ones have words there, and this is 0.
	Use uint32
}

// NetROMNode is a node that NET/ROM has a route to (net/netrom/nr_route.c).
type NetROMNode struct {
	Callsign string
	Mnemonic string
	Quality  uint32 // of the best neighbour's route, at most 255
	// Neighbour is that neighbour; nil if it is not listed.
	Neighbour *Neighbour
}

// Neighbour is a station that NET/ROM or ROSE hears directly.
type Neighbour struct {
	Number   uint32 // by which nodes refer to it
	Callsign string
	Iface    string // as in the file: 4 bytes, with blanks
}

// NetROMTable is the nodes, and why their files could not be opened: both are needed.
type NetROMTable struct {
	List[NetROMNode]
	NodesErr, NeighErr error
}

// ROSENode is a destination of ROSE's (net/rose/rose_route.c).
type ROSENode struct {
	Address string // X.121, 10 digits
	// Neighbours are up to three to send by, those not listed with a number alone.
	Neighbours []Neighbour
}

// X25Route is a route of X.25 (net/x25/x25_proc.c).
type X25Route struct {
	Address string // the digits that count; the kernel pads them with zeros
	Digits  uint32 // how many digits count; with 0 all addresses match
	Iface   string
}

// IPXRoute is a route of IPX (net/ipx/ipx_proc.c).
type IPXRoute struct {
	Network    uint32
	RouterNet  uint32
	RouterNode [6]byte
	// Direct says that there is no router: the network is "Directly Connected".
	Direct bool
}

// DDPRoute is a route of AppleTalk (net/appletalk/atalk_proc.c).
type DDPRoute struct {
	Dst     string // NET:NODE in hex, or "Default"
	Gateway string
	Flags   Flags
	Iface   string
}

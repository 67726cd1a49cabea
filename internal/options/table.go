// SPDX-License-Identifier: GPL-2.0-or-later

package options

// netstat's options, in the order of its table: getopt's lists of possibilities follow it.
// A long option that has a letter has the letter's value.
const shortOptions = "A:CFMacdeghilnNoprsStuUvVWw2fx64?Z"

// Values of options that have no letter. The family words share one, as in net-tools: they are told apart by name.
const (
	valFamily = iota + 256
	valNumericHosts
	valNumericPorts
	valNumericUsers
	valJSON
	valInterval
	valCount
	valSource
	valNetNS
	valUnit
	valRing
	valColor
	valFilter
	valExplainFilter
	valEvent
	valColumns
	valCSV
	valAbsolute
	valDelta
	valFor
	valSummary
	valStack
	valConfig
	valSort
	valGroup
	valReadOnly
)

// familyWords are the long options that net-tools treats as one: the first that a word
// begins is meant, be there others.
var familyWords = []string{
	"ax25", "x25", "ip", "ipx", "appletalk", "netrom", "inet", "inet6", "ddp", "rose", "unix", "bluetooth", "tcpip",
}

func netstatOptions() []longOption {
	var long []longOption
	for _, w := range familyWords {
		long = append(long, longOption{w, noArgument, valFamily})
	}
	return append(long,
		longOption{"version", noArgument, 'V'},
		longOption{"interfaces", noArgument, 'i'},
		longOption{"help", noArgument, 'h'},
		longOption{"route", noArgument, 'r'},
		longOption{"masquerade", noArgument, 'M'},
		longOption{"protocol", requiredArgument, 'A'},
		longOption{"tcp", noArgument, 't'},
		longOption{"sctp", noArgument, 'S'},
		longOption{"udp", noArgument, 'u'},
		longOption{"udplite", noArgument, 'U'},
		longOption{"raw", noArgument, 'w'},
		longOption{"unix", noArgument, 'x'},
		longOption{"l2cap", noArgument, '2'},
		longOption{"rfcomm", noArgument, 'f'},
		longOption{"listening", noArgument, 'l'},
		longOption{"all", noArgument, 'a'},
		longOption{"timers", noArgument, 'o'},
		longOption{"continuous", noArgument, 'c'},
		longOption{"extend", noArgument, 'e'},
		longOption{"programs", noArgument, 'p'},
		longOption{"verbose", noArgument, 'v'},
		longOption{"statistics", noArgument, 's'},
		longOption{"wide", noArgument, 'W'},
		longOption{"numeric", noArgument, 'n'},
		longOption{"numeric-hosts", noArgument, valNumericHosts},
		longOption{"numeric-ports", noArgument, valNumericPorts},
		longOption{"numeric-users", noArgument, valNumericUsers},
		longOption{"symbolic", noArgument, 'N'},
		longOption{"cache", noArgument, 'C'},
		longOption{"fib", noArgument, 'F'},
		longOption{"groups", noArgument, 'g'},
		longOption{"context", noArgument, 'Z'},
	)
}

// ownOptions are netlive's. They have long names only, so that no letter ever changes its meaning, and must
// be written out, so that no shortened option of netstat's becomes ambiguous by them.
func ownOptions() []longOption {
	return []longOption{
		{"json", noArgument, valJSON},
		{"interval", requiredArgument, valInterval},
		{"count", requiredArgument, valCount},
		{"source", requiredArgument, valSource},
		{"netns", requiredArgument, valNetNS},
		{"unit", noArgument, valUnit},
		{"ring", requiredArgument, valRing},
		{"color", requiredArgument, valColor},
		{"filter", requiredArgument, valFilter},
		{"explain-filter", noArgument, valExplainFilter},
		{"event", requiredArgument, valEvent},
		{"columns", requiredArgument, valColumns},
		{"csv", noArgument, valCSV},
		{"absolute", noArgument, valAbsolute},
		{"delta", noArgument, valDelta},
		{"for", requiredArgument, valFor},
		{"summary", noArgument, valSummary},
		{"stack", noArgument, valStack},
		{"config", requiredArgument, valConfig},
		{"sort", requiredArgument, valSort},
		{"group", requiredArgument, valGroup},
		{"read-only", noArgument, valReadOnly},
	}
}

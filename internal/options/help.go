// SPDX-License-Identifier: GPL-2.0-or-later

package options

import _ "embed" // the texts are files, since their trailing blanks count

var (
	// HelpText is what netstat -h prints on stdout, HelpFamilies what it prints on stderr.
	//go:embed help.txt
	HelpText string
	//go:embed families.txt
	HelpFamilies string
	// VersionText is what netstat -V of net-tools 2.10 prints.
	//go:embed version.txt
	VersionText string
)

// helpErrors is the help after a command line that is wrong: all on stderr.
func helpErrors() string { return HelpText + HelpFamilies }

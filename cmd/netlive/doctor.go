// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"netlive/internal/doctor"
	"netlive/internal/options"
)

const doctorHelp = `Says what this kernel and these privileges allow, what each verb makes of that, and how to get the rest.

Each thing that netlive can use is ok, LACKS, or ? where that may not be looked at or only what lacks beside it would tell. Below
what lacks it says what is lost without it, and the command or setting that would mend it. Each of netlive's BPF programs is loaded on trial,
and the hooks are hung up for an instant, as when watch begins and ends at once; nothing stays in the kernel. At the end is what each
verb uses here, and which events watch and trace tell.

It looks with the privileges of who runs it: as root it says what root can do.

Exit code: 0 when nothing lacks, 5 when something is missing that netlive can use, be it of the kernel or a privilege. ? does not count.

  --json         one object a line (netlive.doctor.v1; docs/netlive.doctor.v1.schema.json is the JSON Schema)
  --color WHEN   always, never or auto: on a terminal, unless NO_COLOR is set (default)

docs/doctor.md has what each lack takes away.
Examples:
  netlive doctor
  sudo netlive doctor --json | jq -r '.checks[] | select(.state == "lacking") | .remedy'
`

// newDoctor is the verb doctor, which has no options of netstat's.
func newDoctor(std streams) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:   "doctor",
		Short: "what this kernel and these privileges allow, and how to get the rest",
		Long:  doctorHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return options.Usage("netlive doctor: it takes no words, and %q is one", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"", "always", "never", "auto"}, std.when) {
				return options.Usage("netlive doctor: --color %s: it is always, never or auto", shownWord(std.when))
			}
			return runDoctor(asJSON, std)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one object a line")
	c.Flags().StringVar(&std.when, "color", "", "always, never or auto")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return options.Usage("netlive doctor: %s", shownWord(err.Error()))
	})
	return c
}

func runDoctor(asJSON bool, std streams) error {
	report, err := doctor.Examine(self())
	if err != nil {
		return err
	}
	text := report.Text(std.color())
	if asJSON {
		if text, err = report.JSON(time.Now(), version()); err != nil {
			return err
		}
	}
	if _, err := std.out.Write(text); err != nil {
		return err
	}
	if report.Lacking() > 0 {
		return &exitError{code: exitUnsupported}
	}
	return nil
}

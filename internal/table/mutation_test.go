// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "testing"

// A model that passes whatever the rules are tests nothing: each rule, lifted,
// must make some seed fail. TestModel shows that it is the lifting that does it.
func TestModelCatchesMutations(t *testing.T) {
	for _, m := range []struct {
		name string
		rule rule
	}{
		{"older event", ruleOlderEvent},
		{"older row", ruleOlderRow},
		{"event wins tie", ruleEventWinsTie},
		{"tombstone against events", ruleTombEvent},
		{"tombstone against rows", ruleTombRow},
		{"tombstone of unknown socket", ruleTombUnknown},
		{"new life", ruleNewLife},
		{"floor", ruleFloor},
		{"absent goes", ruleAbsentGoes},
		{"absent but newer stays", ruleAbsentNewerStays},
		{"only walked protocols", ruleOnlyWalked},
		{"minisocket", ruleMini},
		{"owner kept", ruleOwnerKept},
		{"owner set", ruleOwnerSet},
		{"older row helps", ruleOlderRowHelps},
		{"earlier life", ruleEarlierLife},
		{"same life", ruleSameLife},
		{"tombstones wait for a walk", rulePruneWalked},
		{"ending of one life", ruleEndingLife},
	} {
		t.Run(m.name, func(t *testing.T) {
			for seed := range *modelSeeds {
				if err := runModel(seed, m.rule); err != nil {
					t.Logf("caught: %v", err)
					return
				}
			}
			t.Errorf("%d seeds do not notice that the rule is lifted", *modelSeeds)
		})
	}
}

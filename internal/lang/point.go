// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import "strings"

// What the C library's locales (2.36, localedata/locales) have as the decimal_point. x/text/number has CLDR's, which differ
// from them, and netstat prints the C library's.
const (
	commaLanguages = " ab agr an ast ayc az be bg br bs ca ce crh cs csb cv da de dsb el es et eu ff fi fo fr fur fy gl" +
		" hr hsb ht hu ia id is it ka kab kk kl ku ky lb li lij ln lt lv mg mhr mk mn nb nds nl nn oc os pap pl pt quz ro" +
		" ru rw sah sc se sgs sk sl sq sr sv szl tg tr tt uk vi wa wo" +
		" german deutsch " // de_DE, in locale.alias
	// otherPlaces are those which have not what their languages have.
	otherPlaces = " az_IR de_CH de_LI en_DK es_DO es_GT es_HN es_MX es_NI es_PA es_PR es_SV es_US fr_CH it_CH "
)

// decimalPoint is that of the numeric locale.
func (env environ) decimalPoint() string {
	l := parseLocale(env.category("LC_NUMERIC"))
	comma := strings.Contains(commaLanguages, " "+l.language+" ")
	if strings.Contains(otherPlaces, " "+l.place()+" ") {
		comma = !comma
	}
	switch {
	case l.place() == "ps_AF":
		return "٫" // in UTF-8, which is all it has
	case comma:
		return ","
	}
	return "."
}

// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
)

// action is what a key can do. Each has a name, by which the configuration gives it other keys and the prompt : runs it.
type action uint8

const (
	actNone action = iota
	actQuit
	actInterrupt
	actSuspend
	actRedraw
	actHelp
	actBack
	actCommand

	actConnections
	actListeners
	actEvents
	actRoutes
	actInterfaces
	actStatistics
	actMulticast
	actNext
	actPrevious

	actUp
	actDown
	actPageUp
	actPageDown
	actHalfUp
	actHalfDown
	actTop
	actBottom
	actLeft
	actRight

	actDetail
	actToggle
	actToggleAll
	actGroup
	actSort
	actReverse
	actSortLeft
	actSortRight
	actColumns
	actWide
	actClosed
	actFreeze
	actFollow
	actFilter
	actFilterUser
	actFind
	actFindNext
	actFindPrevious
	actNumeric
	actPorts
	actCopy
	actSave
	actSameProcess
	actSameHost
	actKill
	actDestroy

	actionCount
)

// bound is an action, its keys, and what it does in a few words.
type bound struct {
	name string
	keys []string
	does string
}

// bindings are the keys as they are without a configuration. Where the habit comes from: vi and less (j k g G ^d ^u ^f ^b), htop (F s <
// > t H), top (u), k9s (: ? /), snitch and netstat (n N), rustnet (c).
var bindings = [actionCount]bound{
	actQuit:      {"quit", []string{"q"}, "quit"},
	actInterrupt: {"interrupt", []string{"ctrl+c"}, "end with exit code 130"},
	actSuspend:   {"suspend", []string{"ctrl+z"}, "suspend (fg brings it back)"},
	actRedraw:    {"redraw", []string{"ctrl+l"}, "draw the screen anew"},
	actHelp:      {"help", []string{"?", "f1"}, "the keys of this screen"},
	actBack:      {"back", []string{"esc"}, "close this, clear the filter"},
	actCommand:   {"command", []string{":"}, "run an action by its name"},

	actConnections: {"connections", []string{"1"}, "connections"},
	actListeners:   {"listeners", []string{"2"}, "listeners"},
	actEvents:      {"events", []string{"3"}, "events"},
	actRoutes:      {"routes", []string{"4"}, "routes"},
	actInterfaces:  {"interfaces", []string{"5"}, "interfaces"},
	actStatistics:  {"statistics", []string{"6"}, "statistics"},
	actMulticast:   {"groups", []string{"7"}, "multicast groups"},
	actNext:        {"next", []string{"tab"}, "next screen"},
	actPrevious:    {"previous", []string{"shift+tab"}, "screen before"},

	actUp:       {"up", []string{"up", "k"}, "up"},
	actDown:     {"down", []string{"down", "j"}, "down"},
	actPageUp:   {"page_up", []string{"pgup", "ctrl+b"}, "a page up"},
	actPageDown: {"page_down", []string{"pgdown", "ctrl+f"}, "a page down"},
	actHalfUp:   {"half_up", []string{"ctrl+u"}, "half a page up"},
	actHalfDown: {"half_down", []string{"ctrl+d"}, "half a page down"},
	actTop:      {"top", []string{"home", "g"}, "first row"},
	actBottom:   {"bottom", []string{"end", "G"}, "last row"},
	actLeft:     {"left", []string{"left", "h"}, "to the left (wide)"},
	actRight:    {"right", []string{"right", "l"}, "to the right (wide)"},

	actDetail:       {"detail", []string{"enter"}, "all about this row"},
	actToggle:       {"toggle", []string{"space"}, "open or close the group"},
	actToggleAll:    {"toggle_all", []string{"*"}, "open or close all groups"},
	actGroup:        {"group", []string{"t"}, "group by process, container, remote, listener"},
	actSort:         {"sort", []string{"s"}, "sort by a column"},
	actReverse:      {"reverse", []string{"S"}, "sort the other way round"},
	actSortLeft:     {"sort_left", []string{"<"}, "sort by the column to the left"},
	actSortRight:    {"sort_right", []string{">"}, "sort by the column to the right"},
	actColumns:      {"columns", []string{"C"}, "choose columns"},
	actWide:         {"wide", []string{"w"}, "all columns, whole; left and right scroll"},
	actClosed:       {"closed", []string{"H"}, "show or hide closed rows"},
	actFreeze:       {"freeze", []string{"p"}, "freeze the order, not the numbers"},
	actFollow:       {"follow", []string{"F"}, "the bar stays on its row"},
	actFilter:       {"filter", []string{"/"}, "filter (as ss: dport = :443)"},
	actFilterUser:   {"filter_user", []string{"u"}, "filter by user"},
	actFind:         {"find", []string{"f"}, "find a row by a text"},
	actFindNext:     {"find_next", []string{"."}, "next row found"},
	actFindPrevious: {"find_previous", []string{","}, "row found before"},
	actNumeric:      {"numeric", []string{"n"}, "numbers or names (-n)"},
	actPorts:        {"ports", []string{"N"}, "numbers of ports or names (--numeric-ports)"},
	actCopy:         {"copy", []string{"c", "y"}, "copy the row (OSC 52)"},
	actSave:         {"save", []string{"e"}, "save what is shown: .txt, .json, .csv"},
	actSameProcess:  {"same_process", []string{"o"}, "all sockets of this process"},
	actSameHost:     {"same_host", []string{"r"}, "all connections with this host"},
	actKill:         {"kill", []string{"K"}, "end the process, after a question"},
	actDestroy:      {"close", []string{"X"}, "close the connection, after a question (ss -K)"},
}

// ActionNames are the names of all actions.
func ActionNames() []string {
	names := make([]string, 0, actionCount-1)
	for _, b := range bindings[1:] {
		names = append(names, b.name)
	}
	return names
}

// ActionKeys are the keys that actions have of themselves.
func ActionKeys() map[string][]string {
	keys := make(map[string][]string, actionCount-1)
	for _, b := range bindings[1:] {
		keys[b.name] = slices.Clone(b.keys)
	}
	return keys
}

func actionOf(name string) action {
	for a, b := range bindings {
		if b.name == name && name != "" {
			return action(a)
		}
	}
	return actNone
}

// keyMap says which key does what.
type keyMap struct {
	byKey map[string]action
	binds [actionCount]key.Binding
}

// newKeyMap gives the actions that are named other keys. A key that is given away is its old action's no more.
func newKeyMap(other map[string][]string) *keyMap {
	k := &keyMap{byKey: map[string]action{}}
	given := map[string]bool{}
	for _, keys := range other {
		for _, key := range keys {
			given[key] = true
		}
	}
	for a := actNone + 1; a < actionCount; a++ {
		b := &bindings[a]
		keys, named := other[b.name]
		if !named {
			keys = slices.DeleteFunc(slices.Clone(b.keys), func(key string) bool { return given[key] })
		}
		for _, key := range keys {
			k.byKey[key] = a
		}
		var shown string
		if len(keys) > 0 {
			shown = keyName(keys[0])
		}
		k.binds[a] = key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, b.does))
	}
	return k
}

// keyName is a key as a hint shows it.
func keyName(k string) string {
	switch k {
	case "enter":
		return "⏎"
	case "up":
		return "↑"
	case "down":
		return "↓"
	case "left":
		return "←"
	case "right":
		return "→"
	}
	return strings.Replace(k, "ctrl+", "^", 1)
}

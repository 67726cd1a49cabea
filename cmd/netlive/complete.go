// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netlive/internal/filter"
	"netlive/internal/netns"
	"netlive/internal/options"
	"netlive/internal/render"
	"netlive/internal/screen"
)

// completer completes the words of a verb. cobra's scripts ask it, since cobra knows neither getopt's rules nor netstat's options.
type completer struct {
	face  options.Face
	check func(*options.Options) error
}

// words is cobra's ValidArgsFunction: what word may be after args.
func (c completer) words(_ *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	next, ok := options.After(c.face, args)
	name, value, given := strings.Cut(word, "=")
	switch {
	case !ok:
		return nil, cobra.ShellCompDirectiveNoFileComp
	case next.Command:
		return nil, cobra.ShellCompDirectiveDefault // files
	case next.Argument != "":
		return c.argument(next.Argument, word)
	case c.face == options.Netlive && len(args) == 0 && !strings.HasPrefix(word, "-"):
		return nil, cobra.ShellCompDirectiveNoFileComp // a verb: those cobra knows
	case next.Operand || !strings.HasPrefix(word, "-"):
		return c.filterWords(next.Operands, word), cobra.ShellCompDirectiveNoFileComp
	case given: // the scripts put the part before = back
		return c.argument(strings.TrimPrefix(name, "--"), value)
	}
	return c.options(args, word), cobra.ShellCompDirectiveNoFileComp
}

// options are those that the verb takes: it is asked about each.
func (c completer) options(args []string, word string) (found []cobra.Completion) {
	if len(word) > 1 && word[1] != '-' { // letters in a bundle are netstat's, which people know
		if _, ok := options.After(c.face, append(slices.Clone(args), word)); ok {
			return []cobra.Completion{word}
		}
		return nil
	}
	docs := optionDocs()
	for _, o := range options.List(c.face) {
		doc := docs[o.Name]
		// What the help does not tell of (families of old, parts of -n) is not brought up before somebody has begun to type it.
		if strings.HasPrefix(o.Name, word) && (doc != "" || len(word) > len("--")) && c.takes(o) {
			found = append(found, cobra.CompletionWithDesc(o.Name, doc))
		}
	}
	return found
}

// takes reports whether the verb takes o, with an argument that is right.
func (c completer) takes(o options.Option) bool {
	args := []string{o.Name}
	if o.Argument {
		args = append(args, c.example(o.Name))
	}
	parsed, err := options.Parse(c.face, "", args, nil)
	return err == nil && len(parsed.Warnings) == 0 && c.check(&parsed) == nil
}

// example is an argument that is right for an option.
func (c completer) example(option string) string {
	switch option {
	case "-A", "--protocol":
		return "inet"
	case "--source":
		return "procfs" // auto is what there is without it, so everybody takes that
	case "--interval", "--for":
		return "1s"
	case "--ring":
		return "16M"
	case "--filter":
		return ""
	}
	if words := c.arguments(strings.TrimPrefix(option, "--")); len(words) > 0 {
		return words[0]
	}
	return "1" // a number, or any name
}

// arguments are the words that the option of that long name takes; none where it takes any.
func (c completer) arguments(option string) []string {
	switch option {
	case "protocol":
		return options.Families()
	case "source":
		return options.SourceNames
	case "color":
		return options.ColorNames
	case "group":
		return screen.GroupNames()
	case "sort":
		return screen.SortColumns()
	case "columns":
		if c.face == options.Runner {
			return render.AllEventColumns().Names()
		}
		return screen.SocketColumns()
	case "event":
		return fieldWords(filter.FieldEvent)
	}
	return nil
}

// argument completes the argument of the option of that long name.
func (c completer) argument(option, word string) (found []cobra.Completion, directive cobra.ShellCompDirective) {
	before := ""
	words := c.arguments(option)
	directive = cobra.ShellCompDirectiveNoFileComp
	switch option {
	case "config":
		return []cobra.Completion{"toml"}, cobra.ShellCompDirectiveFilterFileExt
	case "filter":
		return c.filterWords(nil, word), directive | cobra.ShellCompDirectiveNoSpace
	case "netns":
		words = append([]string{"all", "host"}, netns.Named()...)
	case "sort":
		if strings.HasPrefix(word, "-") {
			before = "-"
		}
	case "event", "columns", "protocol": // lists, which may go on
		before = word[:strings.LastIndexByte(word, ',')+1]
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	for _, w := range words {
		if strings.HasPrefix(before+w, word) && !slices.Contains(strings.Split(before, ","), w) {
			found = append(found, before+w)
		}
	}
	return found, directive
}

// filterWords are what may follow the words of a filter: fields, or the words of a field that ends them.
func (c completer) filterWords(before []string, word string) (found []cobra.Completion) {
	last := ""
	compared := false
	if n := len(before); n > 0 {
		last = before[n-1]
		if compared = strings.Trim(last, "=!<>~") == ""; compared && n > 1 {
			last = before[n-2]
		}
	}
	if field, ok := filter.ParseField(last); ok || compared {
		for _, w := range fieldWords(field) {
			if strings.HasPrefix(w, word) {
				found = append(found, w)
			}
		}
		return found
	}
	fields := tableFields
	if c.face == options.Runner {
		fields = traceFields
	}
	for _, name := range fields.Names() {
		if strings.HasPrefix(name, word) {
			field, _ := filter.ParseField(name)
			found = append(found, cobra.CompletionWithDesc(name, field.Doc()))
		}
	}
	return found
}

// fieldWords are the words that a field of a closed list is compared with, as the parser tells who writes another; none of other fields.
func fieldWords(f filter.Field) []string {
	var wrong *filter.SyntaxError
	switch f {
	case filter.FieldState, filter.FieldOld, filter.FieldEvent, filter.FieldProto, filter.FieldFamily:
		_, err := filter.Parse(f.String() + " = '????????'")
		errors.As(err, &wrong)
	}
	if wrong == nil {
		return nil
	}
	return wrong.Expected
}

// optionDocs is what the help says of each option in a few words: the one list of them that people read.
func optionDocs() map[string]string {
	docs := map[string]string{"--help": "help", "--version": "the version of this program"}
	for line := range strings.Lines(longHelp) {
		head, doc, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok || !strings.HasPrefix(head, "-") {
			continue
		}
		doc = strings.TrimSpace(doc)
		for _, verbs := range []string{"watch, trace: ", "watch: ", "trace: "} {
			doc = strings.TrimPrefix(doc, verbs)
		}
		// The rest of a line is details.
		for _, sign := range []string{": ", "; ", " ("} {
			doc, _, _ = strings.Cut(doc, sign)
		}
		names := strings.Split(head, ", ")
		each := strings.Split(doc, ", ")
		for i, name := range names {
			name, _, _ = strings.Cut(name, " ")
			docs[name] = doc
			if len(names) > 1 && len(each) == len(names) && !strings.HasPrefix(names[1], "--") { // -4, -6, -A FAMILY are three options, -a, --all is one
				docs[name] = each[i]
			}
		}
	}
	return docs
}

// completing makes root answer for netlive without a verb too, when a shell asks (by cobra's __complete): else that never gets to cobra. The topics of help
// are no commands to cobra, which leaves them out.
func completing(root *cobra.Command) {
	root.Args = cobra.ArbitraryArgs
	root.DisableFlagParsing = true
	root.ValidArgsFunction = completer{options.Netlive, tableOptions}.words
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		return
	}
	verbs := help.ValidArgsFunction
	help.ValidArgsFunction = func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		found, directive := verbs(cmd, args, word)
		for _, topic := range root.Commands() {
			if len(args) == 0 && topic.IsAdditionalHelpTopicCommand() && strings.HasPrefix(topic.Name(), word) {
				found = append(found, cobra.CompletionWithDesc(topic.Name(), topic.Short))
			}
		}
		return found, directive
	}
}

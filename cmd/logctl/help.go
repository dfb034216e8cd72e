package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The headings under which help lists the flags that commands share, in this
// order; a command's own flags come before them.
const (
	inputSection     = "Input"
	outputSection    = "Output"
	readingSection   = "Reading Kafka"
	handlerSection   = "Handlers"
	writingSection   = "Writing Kafka"
	receivingSection = "Receiving over HTTP"
	loadSection      = "Made-up records"
	kafkaSection     = "Connecting to Kafka"
	runningSection   = "Running"
	everySection     = "Every command"
	sectionKey       = "logctl_section" // annotates a flag with its heading
	helpWidth        = 100
	widestFlag       = 28 // columns; what is wider has its text on the next line
	indentOfSection  = "  "
)

var sections = []string{
	"", inputSection, outputSection, readingSection, handlerSection, writingSection, receivingSection, loadSection,
	kafkaSection, runningSection, everySection,
}

// section adds the flags that declare declares, under a heading of the help.
func section(fs *pflag.FlagSet, heading string, declare func(*pflag.FlagSet)) {
	own := pflag.NewFlagSet(heading, pflag.ContinueOnError)
	own.SortFlags = false
	declare(own)
	own.VisitAll(func(f *pflag.Flag) {
		f.Annotations = map[string][]string{sectionKey: {heading}}
		fs.AddFlag(f)
	})
}

// orderFlags has the flags of all commands listed as they are declared.
func orderFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.PersistentFlags().SortFlags = false
	for _, c := range cmd.Commands() {
		orderFlags(c)
	}
}

// groups reports whether a command only holds others and does nothing itself: it
// is written without anything behind its name.
func groups(cmd *cobra.Command) bool {
	return cmd.HasSubCommands() && !strings.Contains(cmd.Use, " ")
}

// usage prints everything of a command's help but its description.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	fmt.Fprint(&b, "Usage:\n")
	if !groups(cmd) {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", cmd.CommandPath())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(&b, "\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s  %s\n", cmd.NamePadding(), c.Name(), c.Short)
			}
		}
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	printFlags(&b, cmd)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help says more.\n", cmd.CommandPath())
	}
	_, err := io.WriteString(cmd.OutOrStderr(), b.String())
	return err
}

// flagsBySection returns the flags of a command, a list for each of sections.
func flagsBySection(cmd *cobra.Command) [][]*pflag.Flag {
	lists := make([][]*pflag.Flag, len(sections))
	cmd.Flags().AddFlagSet(cmd.InheritedFlags())
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		at := 0
		switch s := f.Annotations[sectionKey]; {
		case f.Hidden:
			return
		case len(s) > 0:
			at = max(slices.Index(sections, s[0]), 0)
		case !groups(cmd) && cmd.InheritedFlags().Lookup(f.Name) != nil:
			at = len(sections) - 1
		}
		lists[at] = append(lists[at], f)
	})
	return lists
}

// printFlags lists the flags of a command by section.
func printFlags(b *strings.Builder, cmd *cobra.Command) {
	lists := flagsBySection(cmd)
	column := 0
	for _, f := range slices.Concat(lists...) {
		if n := utf8.RuneCountInString(flagName(f)); n <= widestFlag {
			column = max(column, n)
		}
	}
	for i, list := range lists {
		if len(list) > 0 {
			fmt.Fprintf(b, "\n%s:\n", cmp.Or(sections[i], "Flags"))
		}
		for _, f := range list {
			printFlag(b, f, column)
		}
	}
}

// printFlag prints a flag with its text in a column of its own.
func printFlag(b *strings.Builder, f *pflag.Flag, column int) {
	name := flagName(f)
	text := flagText(f)
	margin := strings.Repeat(" ", len(indentOfSection)+column+2)
	gap := column + 2 - utf8.RuneCountInString(name)
	b.WriteString(indentOfSection + name)
	if gap < 2 {
		b.WriteString("\n" + margin)
	} else {
		b.WriteString(strings.Repeat(" ", gap))
	}
	used := len(margin)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > helpWidth:
			b.WriteString("\n" + margin)
			used = len(margin)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	b.WriteByte('\n')
}

// flagName is how a flag is written: -o, --output FORM.
func flagName(f *pflag.Flag) string {
	name := "    --" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", --" + f.Name
	}
	value, _ := pflag.UnquoteUsage(f)
	switch value {
	case "":
		return name
	case "int", "uint", "float":
		value = "N"
	case "string":
		value = "TEXT"
	case "duration", "size":
		value = strings.ToUpper(value)
	}
	return name + " " + value
}

// flagText is what help says of a flag: its usage and its default, unless it
// is nothing or the usage says it.
func flagText(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	value := strings.Trim(f.DefValue, "[]")
	if slices.Contains([]string{"", "0", "false", "-1"}, value) || strings.Contains(text, "(default ") {
		return text
	}
	return text + " (default " + value + ")"
}

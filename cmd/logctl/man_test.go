package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// manPage returns a command's help as a page for man, without a date so that
// it changes with the command only.
func manPage(cmd *cobra.Command) string {
	var b strings.Builder
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" logctl \"logctl manual\"\n", strings.ToUpper(name))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n%s\n.SH DESCRIPTION\n", roff(cmd.UseLine()))
	manText(&b, cmp.Or(cmd.Long, cmd.Short+"."))
	if cmd.HasExample() {
		b.WriteString(".SH EXAMPLES\n.nf\n")
		manLines(&b, cmd.Example)
		b.WriteString(".fi\n")
	}
	b.WriteString(".SH OPTIONS\n")
	for i, list := range flagsBySection(cmd) {
		if len(list) > 0 && sections[i] != "" {
			fmt.Fprintf(&b, ".SS %s\n", sections[i])
		}
		for _, f := range list {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(flagName(f))), roff(flagText(f)))
		}
	}
	b.WriteString(".SH SEE ALSO\n" + strings.Join(manRelatives(cmd), ", ") + "\n")
	return b.String()
}

// manText writes paragraphs; lines that are indented stay as they are.
func manText(b *strings.Builder, text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if strings.HasPrefix(paragraph, " ") {
			b.WriteString(".nf\n")
			manLines(b, paragraph)
			b.WriteString(".fi\n")
			continue
		}
		manLines(b, paragraph)
	}
}

func manLines(b *strings.Builder, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(roff(line) + "\n")
	}
}

// manRelatives names the pages of the command above and those below.
func manRelatives(cmd *cobra.Command) []string {
	var names []string
	if cmd.HasParent() {
		names = append(names, cmd.Parent().CommandPath())
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.CommandPath())
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = `\fB` + roff(strings.ReplaceAll(name, " ", "-")) + `\fR(1)`
	}
	return names
}

// roff escapes a line of text for troff.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\[u2026]`).Replace(line)
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}

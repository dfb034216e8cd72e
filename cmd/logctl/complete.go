package main

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
)

// values are those of flags that take one of a few, or something else.
var values = map[string][]string{
	"auto":        slices.Concat(retry.Kinds, retry.Classes),
	"class":       slices.Concat(retry.Kinds, retry.Classes),
	"format":      codec.Formats,
	"linger":      {"auto"},
	"partitioner": {"murmur2", "sticky", "round-robin"},
	"priority":    {"strict", "weighted="},
	"retry-on":    slices.Concat(retry.Kinds, retry.Classes),
	"start":       {"beginning", "end"},
	"stop":        {"end"},
}

// completers are the flags whose values depend on what there is.
var completers = map[string]cobra.CompletionFunc{
	"from": completeEndpoint, "to": completeEndpoint, "dlq": completeEndpoint, "late": completeEndpoint,
	"abandoned": completeEndpoint, "fallback": completeEndpoint, "shed-to": completeEndpoint,
	"rules": completeEndpoint, "classify": completeClasses, "sink": completeEndpoint,
	"group": completeGroupFlag, "share-group": completeShareGroup,
	"topics": completeTopicsFlag, "source": completeTopicsFlag, "retry-topic": completeTopicsFlag,
	"by": completeField, "key": completeField, "select": completeField, "time-field": completeField,
	"unique": completeField, "dedup": completeField, "type": completeField, "page": completeField,
	"keep": completeField,
}

// completeFlags tells the shell what the flags of all commands take. Flags that
// name a file are left to the shell.
func completeFlags(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if _, done := cmd.GetFlagCompletionFunc(f.Name); done {
			return
		}
		value, _ := pflag.UnquoteUsage(f)
		switch {
		case choices(f) != nil:
			_ = cmd.RegisterFlagCompletionFunc(f.Name,
				cobra.FixedCompletions(choices(f), cobra.ShellCompDirectiveNoFileComp))
		case completers[f.Name] != nil:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, completers[f.Name])
		case values[f.Name] != nil:
			_ = cmd.RegisterFlagCompletionFunc(f.Name,
				cobra.FixedCompletions(values[f.Name], cobra.ShellCompDirectiveNoFileComp))
		case value != "" && value != "FILE" && value != "DIR":
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
		}
	})
	if cmd.ValidArgsFunction == nil && !strings.Contains(cmd.Use, "FILE") {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, c := range cmd.Commands() {
		completeFlags(c)
	}
}

// completeClasses offers what needs no file.
func completeClasses(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"default"}, cobra.ShellCompDirectiveDefault
}

// choices returns what a flag takes one of, nil where it takes more.
func choices(f *pflag.Flag) []string {
	c, _ := f.Value.(choiceFlag)
	return c.known
}

// completeField offers the fields of the first file that is to be read.
func completeField(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	from, _ := cmd.Flags().GetStringArray("from")
	format, _ := cmd.Flags().GetString("format")
	before := typed[:strings.LastIndexAny(typed, ",=")+1]
	var found []string
	for _, name := range append(from, args...) {
		if found = fieldsOf(name, format); found != nil {
			break
		}
	}
	for i, field := range found {
		found[i] = before + field
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// fieldsOf returns the names of fields at the beginning of a file.
func fieldsOf(path, format string) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	dec, err := codec.New(codec.Options{Format: format})
	if err != nil {
		return nil
	}
	sample, _ := io.ReadAll(io.LimitReader(file, 64<<10))
	batch := &record.Batch{Origin: new(record.Origin)}
	batch.Data = sample[dec.Begin(sample, batch.Origin):]
	dec.Framer(batch.Origin).Frame(batch)
	return codec.FieldNames(batch)
}

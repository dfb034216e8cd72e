package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
	"github.com/logctl/logctl/pkg/stream"
)

// completeWithin bounds how long the shell waits for names of topics.
const completeWithin = 800 * time.Millisecond

// values are those of flags that take one of a few.
var values = map[string][]string{
	"ack-mode":    {"durable", "accept"},
	"auto":        slices.Concat(retry.Kinds, retry.Classes),
	"balancer":    {"cooperative-sticky", "sticky", "range", "roundrobin", "kip848"},
	"class":       slices.Concat(retry.Kinds, retry.Classes),
	"compression": {"none", "gzip", "snappy", "lz4", "zstd"},
	"acks":        {"all", "1", "0"},
	"delivery":    {atMostOnce, atLeastOnce, exactlyOnce},
	"emit":        {"final", "update"},
	"format":      codec.Formats,
	"generate":    profiles(),
	"isolation":   {"read_committed", "read_uncommitted"},
	"fanout":      {fanoutAll, fanoutTxn, fanoutBestEffort},
	"linger":      {"auto"},
	"match":       {matchAll, matchFirst},
	"on-open":     policies,
	"order":       orders,
	"output":      codec.Encodings,
	"partitioner": {"murmur2", "sticky", "round-robin"},
	"sasl":        {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"},
	"start":       {"beginning", "end"},
	"stop":        {"end"},
}

// completers are the flags whose values depend on what there is.
var completers = map[string]cobra.CompletionFunc{
	"from": completeEndpoint, "to": completeEndpoint, "dlq": completeEndpoint, "late": completeEndpoint,
	"by": completeField, "key": completeField, "select": completeField, "time-field": completeField,
	"unique": completeField,
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
		case isForm(f):
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
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

// isForm reports whether a flag takes one of forms.
func isForm(f *pflag.Flag) bool {
	_, ok := f.Value.(*formFlag)
	return ok
}

// completeEndpoint offers the kinds of endpoints, the topics behind kafka:, and
// else files.
func completeEndpoint(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if !strings.Contains(typed, ":") {
		var kinds []string
		for _, kind := range []string{"kafka:", "sqlite:", "postgres://", "null:"} {
			if typed != "" && strings.HasPrefix(kind, typed) {
				kinds = append(kinds, kind)
			}
		}
		return kinds, cobra.ShellCompDirectiveNoSpace
	}
	e, err := stream.ParseEndpoint(typed + "x")
	if err != nil || e.Scheme != stream.Kafka {
		return nil, cobra.ShellCompDirectiveDefault
	}
	before := typed[:strings.LastIndexAny(typed, ":,/")+1]
	var found []string
	for _, topic := range topicNames(cmd, e) {
		found = append(found, before+topic)
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completeTopic offers the topics that are not named yet.
func completeTopic(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return topicNames(cmd, stream.Endpoint{}), cobra.ShellCompDirectiveNoFileComp
}

// completeGroup offers the groups that are not named yet.
func completeGroup(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	names := namesOf(cmd, stream.Endpoint{}, func(ctx context.Context, a *kafka.Admin) (names []string) {
		groups, _ := a.Groups(ctx)
		for _, g := range groups {
			names = append(names, g.Name)
		}
		return names
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

func topicNames(cmd *cobra.Command, e stream.Endpoint) []string {
	return namesOf(cmd, e, func(ctx context.Context, a *kafka.Admin) (names []string) {
		topics, _ := a.Topics(ctx, false)
		for i := range topics {
			names = append(names, topics[i].Name)
		}
		return names
	})
}

// namesOf asks the cluster that cmd is to use; one that does not answer soon
// has no names.
func namesOf(
	cmd *cobra.Command, e stream.Endpoint, ask func(context.Context, *kafka.Admin) []string,
) []string {
	if configure(cmd) != nil {
		return nil
	}
	fs := cmd.Flags()
	text := func(name string) string { s, _ := fs.GetString(name); return s }
	f := kafkaFlags{
		tlsCA: text("tls-ca"), tlsCert: text("tls-cert"), tlsKey: text("tls-key"),
		sasl: text("sasl"), user: text("user"), passwordFile: text("password-file"),
	}
	f.brokers, _ = fs.GetStringSlice("brokers")
	f.tls, _ = fs.GetBool("tls")
	cfg, err := f.config(e)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeWithin)
	defer cancel()
	admin, err := kafka.OpenAdmin(ctx, cfg)
	if err != nil {
		return nil
	}
	defer admin.Close()
	return ask(ctx, admin)
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
	sample = sample[dec.Begin(sample, batch.Origin):]
	line, _, _ := strings.Cut(string(sample), "\n")
	batch.Add([]byte(line))
	return codec.FieldNames(batch)
}

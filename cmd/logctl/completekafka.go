package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

// completeWithin bounds how long the shell waits for names of topics and groups. Tests are
// more patient.
var completeWithin = 800 * time.Millisecond

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

// completeTopic offers the topics that are not named yet as operands.
func completeTopic(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if full(cmd, args) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return unnamed(topicNames(cmd, stream.Endpoint{}), args), cobra.ShellCompDirectiveNoFileComp
}

// completeGroup offers the groups that are not named yet as operands.
func completeGroup(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if full(cmd, args) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return unnamed(groupNames(cmd, false), args), cobra.ShellCompDirectiveNoFileComp
}

// full reports whether a command takes no more operands: those that take any number
// are written with an ellipsis.
func full(cmd *cobra.Command, args []string) bool {
	return len(args) > 0 && !strings.Contains(cmd.Use, "…")
}

// unnamed returns the names that are not among named.
func unnamed(names, named []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(named, name) })
}

// completeGroupFlag offers consumer groups.
func completeGroupFlag(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return groupNames(cmd, false), cobra.ShellCompDirectiveNoFileComp
}

// completeShareGroup offers share groups.
func completeShareGroup(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return groupNames(cmd, true), cobra.ShellCompDirectiveNoFileComp
}

// completeTopicsFlag offers the topics behind those that a flag has already.
func completeTopicsFlag(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	names := unnamed(topicNames(cmd, stream.Endpoint{}), strings.Split(before, ","))
	for i, name := range names {
		names[i] = before + name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// groupNames returns the share groups of the cluster, or the others.
func groupNames(cmd *cobra.Command, share bool) []string {
	return namesOf(cmd, stream.Endpoint{}, func(ctx context.Context, a *kafka.Admin) (names []string) {
		groups, _ := a.Groups(ctx)
		for _, g := range groups {
			if g.Share == share {
				names = append(names, g.Name)
			}
		}
		return names
	})
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

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
)

// groupFlags are those of the subcommands of group; each declares what it takes.
type groupFlags struct {
	topicFlags
	to     string
	topics []string
	every  time.Duration
	maxLag int64
}

func newGroup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group",
		Short: "List, describe, watch, reset and remove consumer groups",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newGroupList(), newGroupDescribe(), newGroupLag(), newGroupHot(), newGroupReset(), newGroupRemove())
	return cmd
}

func newGroupList() *cobra.Command {
	var f groupFlags
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List groups with their state",
		Example: "  logctl group ls -o table",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				groups, err := a.Groups(ctx)
				if err != nil {
					return err
				}
				out := listing{head: []string{"group", "state", "coordinator"}}
				for _, g := range groups {
					out.add(struct {
						Group       string `json:"group"`
						State       string `json:"state"`
						Coordinator int32  `json:"coordinator"`
					}{g.Name, g.State, g.Coordinator}, g.Name, g.State, strconv.Itoa(int(g.Coordinator)))
				}
				return out.print(cmd.OutOrStdout(), f.format)
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	f.addForm(cmd)
	return cmd
}

func newGroupDescribe() *cobra.Command {
	var f groupFlags
	cmd := &cobra.Command{
		Use:     "describe GROUP",
		Short:   "Show members with host and how many partitions are theirs; the idle ones too",
		Example: "  logctl group describe archive -o table",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeGroup,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				g, err := a.DescribeGroup(ctx, args[0])
				if err != nil {
					return err
				}
				state := strings.ToLower(g.State)
				if g.Protocol != "" {
					state += " (" + g.Protocol + ")"
				}
				note(cmd, "group %q is %s, %s members, %s records behind", g.Name, state,
					human.Count(int64(len(g.Members))), human.Count(g.Lag()))
				return memberListing(g).print(cmd.OutOrStdout(), f.format)
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	f.addForm(cmd)
	return cmd
}

func memberListing(g *kafka.Group) *listing {
	out := &listing{head: []string{"member", "client", "host", "partitions"}}
	for _, m := range g.Members {
		name := m.Instance
		if name == "" {
			name = m.ID
		}
		parts := strconv.Itoa(m.Partitions)
		if m.Partitions == 0 {
			parts = "0 (idle: more members than partitions)"
		}
		out.add(struct {
			Group      string `json:"group"`
			State      string `json:"state"`
			Member     string `json:"member"`
			Instance   string `json:"instance,omitempty"`
			Client     string `json:"client"`
			Host       string `json:"host"`
			Partitions int    `json:"partitions"`
		}{g.Name, g.State, m.ID, m.Instance, m.ClientID, m.Host, m.Partitions}, name, m.ClientID, m.Host, parts)
	}
	return out
}

func newGroupLag() *cobra.Command {
	var f groupFlags
	cmd := &cobra.Command{
		Use:   "lag GROUP",
		Short: "Show how far a group is behind in each partition",
		Example: `  logctl group lag archive -o table

  # As a check in a script: status 1 when it is more than 10,000 records behind
  logctl group lag archive --max-lag 10000 -q

  # Every five seconds, until interrupted
  logctl group lag archive --every 5s -o table`,
		Aliases: []string{"watch"},
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeGroup,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.lag(cmd, args[0]) },
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	f.addForm(cmd)
	durationVar(cmd.Flags(), &f.every, "every", 0, "show it again and again (0: once; as `watch`: every 2s)")
	cmd.Flags().Int64Var(&f.maxLag, "max-lag", -1, "how many records a group may be behind (-1: any)")
	return cmd
}

// lag shows a group's lag, once or again and again. As `group watch` it repeats.
func (f *groupFlags) lag(cmd *cobra.Command, name string) error {
	if f.every == 0 && cmd.CalledAs() == "watch" {
		f.every = 2 * time.Second
	}
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		for {
			g, err := a.DescribeGroup(ctx, name)
			if err != nil {
				return err
			}
			if err := lagListing(g).print(cmd.OutOrStdout(), f.format); err != nil {
				return err
			}
			if f.every == 0 {
				return f.checkLag(g)
			}
			select {
			case <-time.After(f.every):
			case <-ctx.Done():
				return nil
			}
		}
	})
}

// checkLag is an error where the group is further behind than --max-lag allows.
func (f *groupFlags) checkLag(g *kafka.Group) error {
	if f.maxLag < 0 || g.Lag() <= f.maxLag {
		return nil
	}
	return fmt.Errorf("group %q is %s records behind, %s are allowed", g.Name, human.Count(g.Lag()), human.Count(f.maxLag))
}

func lagListing(g *kafka.Group) *listing {
	out := &listing{head: []string{"topic", "partition", "committed", "end", "lag", "member"}}
	for i := range g.Partitions {
		b := &g.Partitions[i]
		var committed *int64
		shown := "-"
		if b.Committed >= 0 {
			committed, shown = &b.Committed, strconv.FormatInt(b.Committed, 10)
		}
		out.add(struct {
			Group     string `json:"group"`
			Topic     string `json:"topic"`
			Partition int32  `json:"partition"`
			Committed *int64 `json:"committed"`
			End       int64  `json:"end"`
			Lag       int64  `json:"lag"`
			Member    string `json:"member,omitempty"`
		}{g.Name, b.Topic, b.Partition, committed, b.End, b.Lag(), b.Member},
			b.Topic, strconv.Itoa(int(b.Partition)), shown, strconv.FormatInt(b.End, 10),
			strconv.FormatInt(b.Lag(), 10), b.Member)
	}
	return out
}

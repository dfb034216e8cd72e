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
	"github.com/logctl/logctl/pkg/listing"
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
				out := listing.List{Head: []string{"group", "state", "kind", "coordinator"}}
				for _, g := range groups {
					out.Add(struct {
						Group       string `json:"group"`
						State       string `json:"state"`
						Kind        string `json:"kind"`
						Coordinator int32  `json:"coordinator"`
					}{g.Name, g.State, g.Kind(), g.Coordinator}, g.Name, g.State, g.Kind(), strconv.Itoa(int(g.Coordinator)))
				}
				return out.Print(cmd.OutOrStdout(), f.format)
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	addForm(cmd.Flags(), &f.format, forms...)
	return cmd
}

func newGroupDescribe() *cobra.Command {
	var f groupFlags
	cmd := &cobra.Command{
		Use:     "describe GROUP",
		Short:   "Show members with host and partitions; the idle ones too",
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
				note(cmd, "%s group %q is %s, %s members, %s records behind", g.Kind(), g.Name, state,
					human.Count(int64(len(g.Members))), human.Count(g.Lag()))
				return memberListing(g).Print(cmd.OutOrStdout(), f.format)
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	addForm(cmd.Flags(), &f.format, forms...)
	return cmd
}

func memberListing(g *kafka.Group) *listing.List {
	out := &listing.List{Head: []string{"member", "client", "host", "partitions", "assigned"}}
	for _, m := range g.Members {
		name := m.Instance
		if name == "" {
			name = m.ID
		}
		parts := strconv.Itoa(m.Partitions())
		if m.Partitions() == 0 {
			parts = "0 (idle: more members than partitions)"
		}
		out.Add(struct {
			Group      string  `json:"group"`
			State      string  `json:"state"`
			Member     string  `json:"member"`
			Instance   *string `json:"instance"`
			Client     string  `json:"client"`
			Host       string  `json:"host"`
			Partitions int     `json:"partitions"`

			Assigned []kafka.Assigned `json:"assigned"`
		}{g.Name, g.State, m.ID, orNull(m.Instance), m.ClientID, m.Host, m.Partitions(), m.Assigned},
			name, m.ClientID, m.Host, parts, assigned(m.Assigned))
	}
	return out
}

// assigned writes partitions as people read them: app 0 1 2, web 0.
func assigned(all []kafka.Assigned) string {
	parts := make([]string, len(all))
	for i, a := range all {
		parts[i] = a.Topic + " " + strings.Trim(fmt.Sprint(a.Partitions), "[]")
	}
	return strings.Join(parts, ", ")
}

// orNull returns a text as machines read it: null for none. Every row has all columns.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// offsetOrNone returns what a group has committed as machines and as people read it:
// null and a dash where it has not.
func offsetOrNone(at int64) (*int64, string) {
	if at < 0 {
		return nil, "-"
	}
	return &at, strconv.FormatInt(at, 10)
}

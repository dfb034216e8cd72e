package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
)

func newGroupReset() *cobra.Command {
	var f groupFlags
	cmd := &cobra.Command{
		Use:   "reset GROUP --to WHERE",
		Short: "Have a group without members go on somewhere else",
		Example: `  logctl group reset archive --to beginning --dry-run -o table

  # Read the last hour again
  logctl group reset archive --to -1h`,
		Args: cobra.ExactArgs(1),

		ValidArgsFunction: completeGroup,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.reset(cmd, args[0]) },
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	addForm(cmd.Flags(), &f.format, forms...)
	fs := cmd.Flags()
	fs.StringVar(&f.to, "to", "", "`WHERE` it goes on: beginning, end, -1h, -10, a time or an offset")
	_ = cmd.RegisterFlagCompletionFunc("to",
		cobra.FixedCompletions([]string{"beginning", "end"}, cobra.ShellCompDirectiveNoFileComp))
	fs.StringSliceVar(&f.topics, "topics", nil, "only these `TOPICS` (default those of the group)")
	fs.BoolVar(&f.dryRun, "dry-run", false, "only say what would be done")
	return cmd
}

func (f *groupFlags) reset(cmd *cobra.Command, name string) error {
	if f.to == "" {
		return fault.Usagef("as in --to beginning", "group reset needs a place to go on at")
	}
	to, err := kafka.ParseStart(f.to, time.Now())
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		moves, err := a.ResetGroup(ctx, name, f.topics, to, f.dryRun)
		if err != nil {
			return err
		}
		out := listing.List{Head: []string{"topic", "partition", "from", "to"}}
		for _, m := range moves {
			from, shown := offsetOrNone(m.From)
			out.Add(struct {
				Group     string `json:"group"`
				Topic     string `json:"topic"`
				Partition int32  `json:"partition"`
				From      *int64 `json:"from"`
				To        int64  `json:"to"`
			}{name, m.Topic, m.Partition, from, m.To},
				m.Topic, strconv.Itoa(int(m.Partition)), shown, strconv.FormatInt(m.To, 10))
		}
		return out.Print(cmd.OutOrStdout(), f.format)
	})
}

func newGroupRemove() *cobra.Command {
	var f groupFlags
	cmd := &cobra.Command{
		Use:        "rm GROUP…",
		SuggestFor: []string{"delete", "remove"},
		Short:      "Remove groups that have no members, and what they have committed",
		Example:    "  logctl group rm archive",
		Args:       cobra.MinimumNArgs(1),

		ValidArgsFunction: completeGroup,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error { return a.RemoveGroups(ctx, args...) })
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	return cmd
}

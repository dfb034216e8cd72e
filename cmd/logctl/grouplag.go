package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
)

func newGroupLag() *cobra.Command {
	var f groupFlags
	cmd := &cobra.Command{
		Use:   "lag GROUP",
		Short: "Show how far a group is behind in each partition; as watch, every two seconds",
		Example: `  logctl group lag archive -o table

  # As a check in a script: status 1 when it is more than 10,000 records behind
  logctl group lag archive --max-lag 10000 -q

  # Again and again, until interrupted
  logctl group watch archive -o table`,
		Aliases: []string{"watch"},
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeGroup,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.lag(cmd, args[0]) },
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	addForm(cmd.Flags(), &f.format, forms...)
	durationVar(cmd.Flags(), &f.every, "every", 0,
		"show it again and again, until interrupted (0: once; as watch: every 2s)")
	cmd.Flags().Int64Var(&f.maxLag, "max-lag", -1, "how many records a group may be behind (-1: any)")
	return cmd
}

// lag shows a group's lag, once or again and again. As `group watch` it repeats.
func (f *groupFlags) lag(cmd *cobra.Command, name string) error {
	if f.every == 0 && cmd.CalledAs() == "watch" {
		f.every = 2 * time.Second
	}
	if err := checkMaxLag(f.maxLag); err != nil {
		return err
	}
	if f.every > 0 && f.maxLag >= 0 {
		return fault.Usagef("ask once: logctl group lag "+name+" --max-lag "+strconv.FormatInt(f.maxLag, 10),
			"--max-lag is the status of one answer, and is asked for again and again")
	}
	out := listing.NewPrinter(cmd.OutOrStdout(), f.format)
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		for {
			g, err := a.DescribeGroup(ctx, name)
			switch {
			case f.every > 0 && ctx.Err() != nil:
				return nil //nolint:nilerr // no answer is needed any more
			case err != nil:
				return err
			}
			if err := out.Print(lagListing(g)); err != nil {
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

// checkMaxLag refuses a --max-lag that says nothing.
func checkMaxLag(n int64) error {
	if n < -1 {
		return fault.Usagef("", "--max-lag %d: want -1, which is any, or more", n)
	}
	return nil
}

// checkLag is an error where the group is further behind than --max-lag allows.
func (f *groupFlags) checkLag(g *kafka.Group) error {
	if f.maxLag < 0 || g.Lag() <= f.maxLag {
		return nil
	}
	return fmt.Errorf("group %q is %s records behind, %s are allowed", g.Name, human.Count(g.Lag()), human.Count(f.maxLag))
}

func lagListing(g *kafka.Group) *listing.List {
	out := &listing.List{Head: []string{"topic", "partition", "committed", "end", "lag", "member"}}
	for i := range g.Partitions {
		b := &g.Partitions[i]
		committed, shown := offsetOrNone(b.Committed)
		out.Add(struct {
			Group     string  `json:"group"`
			Topic     string  `json:"topic"`
			Partition int32   `json:"partition"`
			Committed *int64  `json:"committed"`
			End       int64   `json:"end"`
			Lag       int64   `json:"lag"`
			Member    *string `json:"member"`
		}{g.Name, b.Topic, b.Partition, committed, b.End, b.Lag(), orNull(b.Member)},
			b.Topic, strconv.Itoa(int(b.Partition)), shown, strconv.FormatInt(b.End, 10),
			strconv.FormatInt(b.Lag(), 10), b.Member)
	}
	return out
}

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/hot"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
)

// hotFlags say how hot partitions and keys are looked for.
type hotFlags struct {
	groupFlags
	sample int64
	limit  int
}

func newGroupHot() *cobra.Command {
	var f hotFlags
	cmd := &cobra.Command{
		Use:   "hot GROUP",
		Short: "Find partitions with more than their share, the keys that cause it, and a salt",
		Long: `Hot compares the partitions of the topics that a group reads. One is hot that has more
than 1.5 times its fair share of the records. It samples the last records of each partition
for the keys that are frequent: one that alone has more than the fair share of a partition
is hot, and as many partitions are suggested for it as its share fills. Produce spreads it
so with --partitioner salt:KEY=N; records of the key are then not in order any more.`,
		Example: `  logctl group hot archive -o table

  # The last 100,000 records of each partition, and of one topic alone
  logctl group hot archive --topics app-logs --sample 100000`,
		Args: cobra.ExactArgs(1),

		ValidArgsFunction: completeGroup,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	addForm(cmd.Flags(), &f.format, forms...)
	fs := cmd.Flags()
	fs.StringSliceVar(&f.topics, "topics", nil, "only these `TOPICS` (default those of the group)")
	fs.Int64Var(&f.sample, "sample", 10_000, "how many records of each partition are looked at, the last ones")
	fs.IntVar(&f.limit, "limit", 10, "how many keys of a topic are shown")
	return cmd
}

func (f *hotFlags) run(cmd *cobra.Command, name string) error {
	if f.sample < 1 || f.limit < 1 {
		return fault.Usagef("", "--sample %d --limit %d: want at least 1", f.sample, f.limit)
	}
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		g, err := a.DescribeGroup(ctx, name)
		if err != nil {
			return err
		}
		topics := f.topics
		if len(topics) == 0 {
			for i := range g.Partitions {
				topics = append(topics, g.Partitions[i].Topic)
			}
			slices.Sort(topics)
			topics = slices.Compact(topics)
		}
		found, err := a.Describe(ctx, topics...)
		if err != nil {
			return err
		}
		for i := range found {
			if err := f.topic(cmd, g, &found[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// topic samples a topic and prints what it finds.
func (f *hotFlags) topic(cmd *cobra.Command, g *kafka.Group, t *kafka.Topic) error {
	s := &streamFlags{kafka: f.kafka}
	s.input = inputFlags{from: []string{"kafka:" + t.Name}, format: "plain", maxRecord: longLetter, idle: time.Second}
	s.output.format, s.daemon.drain = "json", 30*time.Second
	p, err := s.newPipeline(cmd, nil)
	if err != nil {
		return err
	}
	var sample hot.Sample
	last := kafkaInput{start: "-" + strconv.FormatInt(f.sample, 10), stop: "end", isolation: "read_committed"}
	if err := p.read(&sample, last); err != nil {
		return err
	}
	r := sample.Report(partsOf(g, t), f.limit)
	for _, k := range r.Keys {
		if k.Hot && k.Key != nil {
			note(cmd, "topic %q: key %q has %s of the records, more than a partition's share: --partitioner salt:%s=%d",
				t.Name, *k.Key, percent(k.Share), *k.Key, k.Salt)
		}
	}
	if f.format == "table" {
		return printHot(cmd.OutOrStdout(), t.Name, r)
	}
	return listing.Objects(cmd.OutOrStdout(), f.format, []any{struct {
		Group string `json:"group"`
		Topic string `json:"topic"`
		hot.Report
	}{g.Name, t.Name, r}})
}

// partsOf returns the partitions of a topic with the lag of a group; what it has not
// committed is behind as a whole.
func partsOf(g *kafka.Group, t *kafka.Topic) []hot.Partition {
	var parts []hot.Partition
	for _, p := range t.Partitions {
		one := hot.Partition{Partition: p.Number, Records: p.End - p.First, Lag: p.End - p.First}
		for i := range g.Partitions {
			if b := &g.Partitions[i]; b.Topic == t.Name && b.Partition == p.Number {
				one.Lag = b.Lag()
			}
		}
		parts = append(parts, one)
	}
	return parts
}

// printHot writes a table of partitions and, where there are keys, one of them.
func printHot(out io.Writer, topic string, r hot.Report) error {
	type partition struct {
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Records   string `json:"records"`
		Lag       string `json:"lag"`
		Share     string `json:"share"`
		Times     string `json:"times_fair"`
		Hot       string `json:"hot"`
	}
	mark := map[bool]string{true: "hot"}
	var rows []partition
	for _, p := range r.Partitions {
		rows = append(rows, partition{
			topic, p.Partition, human.Count(p.Records), human.Count(p.Lag), percent(p.Share),
			strconv.FormatFloat(p.Times, 'f', 2, 64), mark[p.Hot],
		})
	}
	if err := listing.Objects(out, "table", rows); err != nil || len(r.Keys) == 0 {
		return err
	}
	type key struct {
		Key   string `json:"key"`
		Share string `json:"share"`
		Hot   string `json:"hot"`
		Salt  string `json:"salt"`
	}
	var keys []key
	for _, k := range r.Keys {
		row := key{Key: k.Base64, Share: percent(k.Share), Hot: mark[k.Hot]}
		if k.Key != nil {
			row.Key = *k.Key
		}
		if k.Salt > 0 {
			row.Salt = fmt.Sprint(k.Salt)
		}
		keys = append(keys, row)
	}
	return listing.NextTable(out, keys)
}

package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
)

func newTopicList() *cobra.Command {
	var f topicFlags
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List topics with partitions, copies and size",
		Example: "  logctl topic ls -o table",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				topics, err := a.Topics(ctx, f.internal)
				if err != nil {
					return err
				}
				return f.print(cmd, topics, topicRow)
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	addForm(cmd.Flags(), &f.format, forms...)
	cmd.Flags().BoolVar(&f.internal, "internal", false, "Kafka's own topics too")
	return cmd
}

func newTopicDescribe() *cobra.Command {
	var f topicFlags
	cmd := &cobra.Command{
		Use:     "describe TOPIC…",
		Short:   "Show partitions with leader, copies, offsets and size, and the settings that differ",
		Example: "  logctl topic describe app-logs -o table",
		Args:    cobra.MinimumNArgs(1),

		ValidArgsFunction: completeTopic,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				topics, err := a.Describe(ctx, args...)
				if err != nil {
					return err
				}
				return f.print(cmd, topics, partitionRows)
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	addForm(cmd.Flags(), &f.format, forms...)
	return cmd
}

// print writes topics, for people as the rows that row makes.
func (f *topicFlags) print(cmd *cobra.Command, topics []kafka.Topic, row func(*kafka.Topic) [][]string) error {
	out := listing.List{Head: row(nil)[0]}
	for i := range topics {
		out.Objects = append(out.Objects, topicJSON(&topics[i]))
		out.Rows = append(out.Rows, row(&topics[i])...)
	}
	return out.Print(cmd.OutOrStdout(), f.format)
}

// topicRow is the row of a topic in a list; of none, the head.
func topicRow(t *kafka.Topic) [][]string {
	if t == nil {
		return [][]string{{"topic", "partitions", "copies", "under-replicated", "records", "size"}}
	}
	return [][]string{{
		t.Name, strconv.Itoa(len(t.Partitions)), strconv.Itoa(t.Replication()), strconv.Itoa(t.UnderReplicated()),
		human.Count(records(t)), size(t.Size),
	}}
}

// partitionRows are the rows of a topic's partitions; of none, the head.
func partitionRows(t *kafka.Topic) [][]string {
	if t == nil {
		return [][]string{{"topic", "partition", "leader", "replicas", "isr", "first", "end", "size"}}
	}
	var rows [][]string
	for _, p := range t.Partitions {
		rows = append(rows, []string{
			t.Name, strconv.Itoa(int(p.Number)), strconv.Itoa(int(p.Leader)), fmt.Sprint(p.Replicas), fmt.Sprint(p.ISR),
			strconv.FormatInt(p.First, 10), strconv.FormatInt(p.End, 10), size(p.Size),
		})
	}
	return rows
}

func records(t *kafka.Topic) (n int64) {
	for _, p := range t.Partitions {
		n += p.End - p.First
	}
	return n
}

func size(n int64) string {
	if n < 0 {
		return "unknown"
	}
	return human.Bytes(n)
}

// topicJSON is a topic as programs read it. What is unknown is null.
func topicJSON(t *kafka.Topic) any {
	known := func(n int64) *int64 {
		if n < 0 {
			return nil
		}
		return &n
	}
	type partition struct {
		Partition int32   `json:"partition"`
		Leader    int32   `json:"leader"`
		Replicas  []int32 `json:"replicas"`
		ISR       []int32 `json:"isr"`
		First     int64   `json:"first"`
		End       int64   `json:"end"`
		Size      *int64  `json:"size"`
	}
	var parts []partition
	for _, p := range t.Partitions {
		parts = append(parts, partition{p.Number, p.Leader, p.Replicas, p.ISR, p.First, p.End, known(p.Size)})
	}
	return struct {
		Topic           string            `json:"topic"`
		Replication     int               `json:"replication"`
		UnderReplicated int               `json:"under_replicated"`
		Size            *int64            `json:"size"`
		Partitions      []partition       `json:"partitions"`
		Configs         map[string]string `json:"configs,omitempty"`
	}{t.Name, t.Replication(), t.UnderReplicated(), known(t.Size), parts, t.Configs}
}

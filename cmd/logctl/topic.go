package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

// topicFlags are those of the subcommands of topic; each declares what it takes.
type topicFlags struct {
	kafka       kafkaFlags
	format      string
	internal    bool
	partitions  int
	replication int
	configs     []string
	dryRun      bool
}

func newTopic() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "topic",
		Short: "List, describe, create, alter and remove topics",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTopicList(), newTopicDescribe(), newTopicCreate(), newTopicAlter(), newTopicRemove(),
		newTopicApply())
	return cmd
}

// with runs f with a connection.
func (f *topicFlags) with(cmd *cobra.Command, do func(context.Context, *kafka.Admin) error) error {
	cfg, err := f.kafka.config(stream.Endpoint{})
	if err != nil {
		return err
	}
	admin, err := kafka.OpenAdmin(cmd.Context(), cfg)
	if err == nil {
		defer admin.Close()
		err = do(cmd.Context(), admin)
	}
	if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
		return errNoAnswer
	}
	return err
}

// errNoAnswer is the error of a question that was interrupted. Nobody must take silence
// for an answer.
var errNoAnswer = errors.New("interrupted before the cluster had answered")

func (f *topicFlags) addSpec(fs *pflag.FlagSet) {
	fs.IntVar(&f.partitions, "partitions", 0, "how many partitions a topic has (0: the broker's default, or as it is)")
	fs.StringArrayVar(&f.configs, "topic-config", nil, "a setting of the topic: `KEY=VALUE` (repeatable)")
}

func (f *topicFlags) spec(name string) (kafka.TopicSpec, error) {
	spec := kafka.TopicSpec{Name: name, Partitions: f.partitions, Replication: f.replication, Configs: map[string]string{}}
	for _, c := range f.configs {
		key, value, ok := strings.Cut(c, "=")
		if !ok || key == "" {
			return spec, fault.Usagef("as in --topic-config retention.ms=86400000", "--topic-config %q: want KEY=VALUE", c)
		}
		spec.Configs[key] = value
	}
	return spec, spec.Check()
}

func newTopicCreate() *cobra.Command {
	var f topicFlags
	cmd := &cobra.Command{
		Use:     "create TOPIC…",
		Short:   "Create topics; those that exist are left as they are",
		Example: "  logctl topic create app-logs --partitions 12 --topic-config retention.ms=604800000",
		Args:    cobra.MinimumNArgs(1),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			var specs []kafka.TopicSpec
			for _, name := range args {
				spec, err := f.spec(name)
				if err != nil {
					return err
				}
				specs = append(specs, spec)
			}
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				for _, spec := range specs {
					made, err := a.Create(ctx, spec)
					if err != nil {
						return err
					}
					if !made {
						note(cmd, "topic %q exists already", spec.Name)
					}
				}
				return nil
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	f.addSpec(cmd.Flags())
	cmd.Flags().IntVar(&f.replication, "replication", 0, "how many copies of it (0: the broker's default)")
	return cmd
}

func newTopicAlter() *cobra.Command {
	var f topicFlags
	cmd := &cobra.Command{
		Use:     "alter TOPIC",
		Short:   "Add partitions to a topic, or change its settings",
		Example: "  logctl topic alter app-logs --partitions 24 --topic-config retention.ms=86400000",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeTopic,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := f.spec(args[0])
			if err == nil && spec.Partitions == 0 && len(spec.Configs) == 0 {
				err = fault.Usagef("as in --partitions 24 or --topic-config retention.ms=86400000", "nothing is to be altered")
			}
			if err != nil {
				return err
			}
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				_, err := a.Alter(ctx, spec)
				return err
			})
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	f.addSpec(cmd.Flags())
	return cmd
}

func newTopicRemove() *cobra.Command {
	var f topicFlags
	cmd := &cobra.Command{
		Use:        "rm TOPIC…",
		SuggestFor: []string{"delete", "remove"},
		Short:      "Remove topics and all their records",
		Example:    "  logctl topic rm app-logs-old",
		Args:       cobra.MinimumNArgs(1),

		ValidArgsFunction: completeTopic,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error { return a.Remove(ctx, args...) })
		},
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	return cmd
}

package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
	"github.com/logctl/logctl/pkg/stream"
)

func newDLQStats() *cobra.Command {
	var f dlqFlags
	var daemon daemonFlags
	cmd := &cobra.Command{
		Use:   "stats --from ENDPOINT",
		Short: "Count dead letters by class, error, source and age; say what is alarming",
		Long: `Stats counts what is not done with. Errors that differ only in numbers, ids and
addresses are one signature. What is alarming is under "alerts": more than 5 % of a
topic's records of the last hour, one class more than half of all letters, the oldest
older than a day, fewer than 80 % of the replayed ones dealt with.

With --listen it goes on, and answers /api/dlq/stats, /api/dlq/letters?class=&page= and
/api/dlq/letter?id= with what there is then.`,
		Example: `  logctl dlq stats --from kafka:app-logs-dlq

  # For people: a table of each kind
  logctl dlq stats --from kafka:app-logs-dlq -o table`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if daemon.listen != "" {
				return f.listen(cmd, &daemon)
			}
			s, err := f.stats(cmd)
			if err != nil {
				return err
			}
			if f.form == "table" {
				return printStats(cmd.OutOrStdout(), &s)
			}
			return listing.Objects(cmd.OutOrStdout(), "json", []dlq.Stats{s})
		},
	}
	f.add(cmd)
	f.addFilter(cmd.Flags())
	addForm(cmd.Flags(), &f.form, "json", "table")
	section(cmd.Flags(), runningSection, daemon.add)
	return cmd
}

func (f *dlqFlags) stats(cmd *cobra.Command) (dlq.Stats, error) {
	now := time.Now()
	x, err := f.letters(cmd)
	if err != nil {
		return dlq.Stats{}, err
	}
	admin := f.admin(cmd)
	if admin != nil {
		defer admin.Close()
	}
	return x.Stats(now.UnixNano(), func(topic string) (int64, bool) {
		if admin == nil {
			return 0, false
		}
		n, err := admin.CountSince(cmd.Context(), topic, now.Add(-time.Hour))
		return n, err == nil
	}), nil
}

// admin returns a connection that can count the records of the topics which the
// letters came from; nil where they are in a file, or no broker answers.
func (f *dlqFlags) admin(cmd *cobra.Command) *kafka.Admin {
	e, err := f.endpoint()
	if err != nil || e.Scheme != stream.Kafka {
		return nil
	}
	cfg, err := f.kafka.config(e)
	if err != nil {
		return nil
	}
	a, err := kafka.OpenAdmin(cmd.Context(), cfg)
	if err != nil {
		return nil
	}
	return a
}

// listen answers questions until it is interrupted.
func (f *dlqFlags) listen(cmd *cobra.Command, daemon *daemonFlags) error {
	stop, err := daemon.serve(cmd, nil, f.routes(cmd))
	if err != nil {
		return err
	}
	defer stop()
	<-cmd.Context().Done()
	return nil
}

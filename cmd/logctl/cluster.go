package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
	"github.com/logctl/logctl/pkg/stream"
)

// healthFlags is everything that can be said to logctl cluster health.
type healthFlags struct {
	kafka    kafkaFlags
	want     kafka.HealthConfig
	maxLag   int64
	every    time.Duration
	exitCode bool
	format   string
}

func newCluster() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Ask a cluster how it is",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newClusterHealth())
	return cmd
}

func newClusterHealth() *cobra.Command {
	var f healthFlags
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Say whether a cluster is HEALTHY, DEGRADED or CRITICAL, and why",
		Long: `Health asks every broker of a cluster by itself, now, and says whether the cluster
is HEALTHY, DEGRADED (it works, but not all of it) or CRITICAL (some of it does
not), with the reasons. Unless it is HEALTHY the status is 1.`,
		Example: `  # Three brokers, no partition without all its copies, no group far behind
  logctl cluster health --expect-brokers 3 --max-urp 0 --max-lag 10000

  # Every half minute, a line each
  logctl cluster health --every 30s -o table`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fs := cmd.Flags()
	section(fs, kafkaSection, f.kafka.add)
	fs.IntVar(&f.want.Brokers, "expect-brokers", 0, "how many brokers have to answer (0: those that there are)")
	fs.IntVar(&f.want.UnderReplicated, "max-urp", 0, "how many partitions may lack a copy")
	fs.Int64Var(&f.maxLag, "max-lag", -1, "how many records a group may be behind (-1: any)")
	durationVar(fs, &f.every, "every", 0, "ask again and again, until interrupted (0: once)")
	fs.BoolVar(&f.exitCode, "exit-code", true, "status 1 unless HEALTHY, where it is asked once")
	addForm(fs, &f.format, forms...)
	return cmd
}

func (f *healthFlags) run(cmd *cobra.Command) error {
	if f.want.Brokers < 0 || f.want.UnderReplicated < 0 {
		return fault.Usagef("", "--expect-brokers %d --max-urp %d: want 0 or more", f.want.Brokers, f.want.UnderReplicated)
	}
	if err := checkMaxLag(f.maxLag); err != nil {
		return err
	}
	cfg, err := f.kafka.config(stream.Endpoint{})
	if err != nil {
		return err
	}
	f.want.MaxLag, f.want.Lagging = f.maxLag, f.maxLag >= 0
	list := listing.NewPrinter(cmd.OutOrStdout(), f.format)
	for {
		h := kafka.CheckHealth(cmd.Context(), cfg, f.want)
		if cmd.Context().Err() != nil {
			return f.interrupted() // what was found out is of this program, not of the cluster
		}
		if err := f.print(cmd.OutOrStdout(), list, h); err != nil {
			return err
		}
		if f.every == 0 {
			if f.exitCode && h.Status != kafka.Healthy {
				return fault.No("not healthy")
			}
			return nil
		}
		select {
		case <-time.After(f.every):
		case <-cmd.Context().Done():
			return nil
		}
	}
}

// interrupted returns what it means that there is no answer: none was needed any more
// where it asks again and again, else nobody must take it for a good one.
func (f *healthFlags) interrupted() error {
	if f.every > 0 {
		return nil
	}
	return errNoAnswer
}

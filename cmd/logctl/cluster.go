package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
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
	fs.IntVar(&f.want.Brokers, "expect-brokers", 0, "how many brokers have to answer")
	fs.IntVar(&f.want.UnderReplicated, "max-urp", 0, "how many partitions may lack a copy")
	fs.Int64Var(&f.maxLag, "max-lag", -1, "how many records a group may be behind (-1: any)")
	durationVar(fs, &f.every, "every", 0, "ask again and again (0: once)")
	fs.BoolVar(&f.exitCode, "exit-code", true, "status 1 unless HEALTHY")
	fs.StringVarP(&f.format, "output", "o", "json", "`FORM` of the output: json or table")
	return cmd
}

func (f *healthFlags) run(cmd *cobra.Command) error {
	if f.format != "json" && f.format != "table" {
		return fault.Usagef("json or table", "unknown output %q", f.format)
	}
	cfg, err := f.kafka.config(stream.Endpoint{})
	if err != nil {
		return err
	}
	f.want.MaxLag, f.want.Lagging = f.maxLag, f.maxLag >= 0
	for {
		h := kafka.CheckHealth(cmd.Context(), cfg, f.want)
		if err := f.print(cmd, h); err != nil {
			return err
		}
		if f.every == 0 {
			if f.exitCode && h.Status != kafka.Healthy {
				return &fault.Error{Err: errors.New("not healthy"), Status: fault.Failed, Quiet: true}
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

func (f *healthFlags) print(cmd *cobra.Command, h *kafka.Health) error {
	if f.format == "json" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(healthJSON(h))
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", h.Status, strings.Join(h.Reasons, "; "))
	for _, b := range h.Brokers {
		state := "answers"
		if !b.Up {
			state = "does not answer"
		}
		fmt.Fprintf(w, "broker %d\t%s\t%s\n", b.ID, b.Addr, state)
	}
	return w.Flush()
}

// healthJSON is the health of a cluster as programs read it.
func healthJSON(h *kafka.Health) any {
	type broker struct {
		ID   int32  `json:"id"`
		Addr string `json:"addr"`
		Up   bool   `json:"up"`
	}
	brokers := []broker{}
	for _, b := range h.Brokers {
		brokers = append(brokers, broker(b))
	}
	return struct {
		Time            time.Time        `json:"time"`
		Status          string           `json:"status"`
		Reasons         []string         `json:"reasons,omitempty"`
		Brokers         []broker         `json:"brokers"`
		Controller      int32            `json:"controller"`
		Topics          int              `json:"topics"`
		Partitions      int              `json:"partitions"`
		Leaderless      int              `json:"leaderless"`
		UnderReplicated int              `json:"under_replicated"`
		Lags            map[string]int64 `json:"lags,omitempty"`
	}{
		time.Now().UTC().Truncate(time.Millisecond), h.Status, h.Reasons, brokers, h.Controller, h.Topics, h.Partitions,
		h.Leaderless, h.UnderReplicated, h.Lags,
	}
}

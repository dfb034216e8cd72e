package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stamp"
)

// print writes what was found out; for people, where it is asked again and again, a
// line each time.
func (f *healthFlags) print(cmd *cobra.Command, h *kafka.Health) error {
	now := stamp.AppendRFC3339(nil, time.Now().UnixNano())
	if f.format != "table" {
		one := listing{objects: []any{healthJSON(string(now), h)}}
		return one.print(cmd, f.format)
	}
	if f.every > 0 {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %-8s  %s\n", now, h.Status, strings.Join(h.Reasons, "; "))
		return err
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
func healthJSON(now string, h *kafka.Health) any {
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
		Time            string           `json:"time"`
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
		now, h.Status, h.Reasons, brokers, h.Controller, h.Topics, h.Partitions,
		h.Leaderless, h.UnderReplicated, h.Lags,
	}
}

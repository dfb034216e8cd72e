package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
	"github.com/logctl/logctl/pkg/stamp"
)

// print writes what was found out; for people, where it is asked again and again, a
// line each time.
func (f *healthFlags) print(out io.Writer, list *listing.Printer, h *kafka.Health) error {
	now := stamp.AppendRFC3339(nil, time.Now().UnixNano())
	if f.format != "table" {
		return list.Print(&listing.List{Objects: []any{healthJSON(string(now), h)}})
	}
	if f.every > 0 {
		_, err := fmt.Fprintf(out, "%s  %-8s  %s\n", now, h.Status, strings.Join(h.Reasons, "; "))
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
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
		Reasons         []string         `json:"reasons"`
		Brokers         []broker         `json:"brokers"`
		Controller      int32            `json:"controller"`
		Topics          int              `json:"topics"`
		Partitions      int              `json:"partitions"`
		Leaderless      int              `json:"leaderless"`
		UnderReplicated int              `json:"under_replicated"`
		Lags            map[string]int64 `json:"lags"`
	}{
		now, h.Status, append([]string{}, h.Reasons...), brokers, h.Controller, h.Topics, h.Partitions,
		h.Leaderless, h.UnderReplicated, h.Lags,
	}
}

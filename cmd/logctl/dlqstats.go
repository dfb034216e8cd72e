package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
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

// routes are the command's queries. Each looks through the letters anew.
func (f *dlqFlags) routes(cmd *cobra.Command) []httpapi.Route {
	return []httpapi.Route{
		{Pattern: "GET /api/dlq/stats", Do: func(r *httpapi.Request) (any, error) {
			asked := f.asked(r)
			return asked.stats(cmd)
		}},
		{Pattern: "GET /api/dlq/letters", Do: func(r *httpapi.Request) (any, error) {
			asked := f.asked(r)
			page, err1 := numberOr(r.Query("page"), 1)
			limit, err2 := numberOr(r.Query("limit"), 50)
			if err1 != nil || err2 != nil || page < 1 || limit < 0 {
				return nil, fault.Usagef("", "page %q, limit %q: want numbers from 1", r.Query("page"), r.Query("limit"))
			}
			x, err := asked.index(cmd, asked.filter(time.Now()))
			if err != nil {
				return nil, err
			}
			return rowsOf(x.Letters(), page, limit), nil
		}},
		{Pattern: "GET /api/dlq/letter", Do: func(r *httpapi.Request) (any, error) {
			if r.Query("id") == "" {
				return nil, fault.Usagef("as in /api/dlq/letter?id=app-logs/0@3", "which letter? want an id")
			}
			chosen := dlq.Filter{IDs: []string{r.Query("id")}}
			x, err := f.index(cmd, chosen)
			if err != nil {
				return nil, err
			}
			found, err := f.look(cmd, x, chosen, false)
			list := []json.RawMessage{}
			for _, text := range found {
				list = append(list, text)
			}
			if err == nil && len(list) == 0 {
				err = httpapi.NotFound("there is no dead letter %q", r.Query("id"))
			}
			return list, err
		}},
	}
}

// asked returns the flags with the choice of a request.
func (f *dlqFlags) asked(r *httpapi.Request) *dlqFlags {
	asked := *f
	for _, x := range []struct {
		name string
		to   *[]string
	}{{"class", &asked.classes}, {"source", &asked.sources}, {"signature", &asked.signatures}} {
		if v := r.Query(x.name); v != "" {
			*x.to = strings.Split(v, ",")
		}
	}
	return &asked
}

func numberOr(s string, otherwise int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	return strconv.Atoi(s)
}

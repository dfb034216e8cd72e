package api

import (
	"math"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// A sessionStats is the answer to /api/sessions/stats: of sessions that were closed
// and ended in the last hours, of event time; 0: of all that are kept.
type sessionStats struct {
	*fleet.Standing
	Hours          int          `json:"hours"`
	Sessions       uint64       `json:"sessions"`
	Open           int64        `json:"open"`
	Events         uint64       `json:"events"`
	AvgEvents      *float64     `json:"avg_events"`
	AvgDuration    *float64     `json:"avg_duration_ms"`
	P50            *float64     `json:"p50_duration_ms"`
	P95            *float64     `json:"p95_duration_ms"`
	P99            *float64     `json:"p99_duration_ms"`
	Converted      *uint64      `json:"converted"` // null where it is not known
	ConversionRate *float64     `json:"conversion_rate"`
	Abandoned      *uint64      `json:"abandoned"`
	Funnel         []funnelStep `json:"funnel,omitempty"`
}

// A funnelStep is how many sessions reached a step, and the share of those at the
// step before that did not.
type funnelStep struct {
	Step    string   `json:"step"`
	Reached uint64   `json:"reached"`
	DropOff *float64 `json:"drop_off"`
}

// A sessionTally is what one instance has counted.
type sessionTally struct {
	Newest  int64 // event time
	Open    int64
	Summary *session.Summary // nil where since when was not asked
}

// stats sums up the past sessions. Its hours are before the newest event that any
// instance has seen, so that this is asked first.
func (a *Sessions) stats(r *httpapi.Request) (any, error) {
	hours, err := queryNumber(r, "hours", 24)
	if err != nil {
		return nil, err
	}
	if fleet.Local(r) {
		return fleet.Answer(a.Fleet, r, fleet.Question[sessionTally]{Look: tallySince(r.Query("since"))})
	}
	said, _, err := fleet.Survey(a.Fleet, r, tallySince(""))
	if err != nil {
		return nil, err
	}
	since := record.NoTime
	for _, t := range said {
		since = max(since, t.Newest)
	}
	switch {
	case hours == 0:
		since = record.NoTime // all
	case since != record.NoTime:
		since -= int64(hours) * int64(time.Hour)
	}
	text := strconv.FormatInt(since, 10)
	return fleet.Answer(a.Fleet, r, fleet.Question[sessionTally]{
		Look: tallySince(text),
		More: []string{"since", text},
		Merge: func(said []sessionTally, how *fleet.Standing) (any, error) {
			var sum session.Summary
			answer := sessionStats{Standing: how, Hours: hours}
			for _, t := range said {
				sum.Merge(t.Summary)
				answer.Open += t.Open
			}
			answer.fill(&sum, a)
			return answer, nil
		},
	})
}

// tallySince counts the sessions that ended at a time or later, none where it is "".
func tallySince(text string) func(v engine.View) (sessionTally, error) {
	return func(v engine.View) (t sessionTally, _ error) {
		ops := fleet.Operators[*session.Op](v)
		t.Newest = newestOf(ops)
		if text == "" {
			return t, nil
		}
		since, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return t, fault.Usagef("", "since=%q: want ns since 1970", text)
		}
		t.Summary = new(session.Summary)
		for _, op := range ops {
			op.Summarize(t.Summary, since)
			t.Open = op.Stats().Open // of all operators of the run
		}
		return t, nil
	}
}

func (s *sessionStats) fill(sum *session.Summary, a *Sessions) {
	n := float64(sum.Sessions)
	s.Sessions, s.Events = sum.Sessions, sum.Events
	s.AvgEvents = known(float64(sum.Events) / n)
	s.AvgDuration = known(float64(sum.Total.Nanoseconds()) / 1e6 / n)
	s.P50, s.P95 = known(sum.Durations.Quantile(0.5)), known(sum.Durations.Quantile(0.95))
	s.P99 = known(sum.Durations.Quantile(0.99))
	if a.Convert {
		s.Converted, s.ConversionRate = &sum.Converted, known(float64(sum.Converted)/n)
	}
	if a.Abandon {
		s.Abandoned = &sum.Abandoned
	}
	before := sum.Sessions
	for _, step := range sum.Steps {
		drop := known(1 - float64(step.Reached)/float64(before))
		s.Funnel = append(s.Funnel, funnelStep{step.Name, step.Reached, drop})
		before = step.Reached
	}
}

// known returns a number, nil where there is none.
func known(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

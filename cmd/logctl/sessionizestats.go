package main

import (
	"math"
	"time"

	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/session"
)

// A sessionStats is the answer to /api/sessions/stats: of sessions that were closed
// and ended in the last hours, of event time.
type sessionStats struct {
	*sessionsView
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

// stats sums up the past sessions.
func (a *sessionAPI) stats(r *httpapi.Request) (any, error) {
	hours, err := queryNumber(r, "hours", 24)
	if err != nil {
		return nil, err
	}
	var sum session.Summary
	answer := sessionStats{Hours: hours}
	err = a.look(func(v *sessionsView) {
		answer.sessionsView = v
		for _, op := range v.ops {
			op.Summarize(&sum, v.newest-int64(hours)*int64(time.Hour))
		}
		if len(v.ops) > 0 {
			answer.Open = v.ops[0].Stats().Open // of all operators of the run
		}
	})
	answer.fill(&sum, a)
	return answer, err
}

func (s *sessionStats) fill(sum *session.Summary, a *sessionAPI) {
	n := float64(sum.Sessions)
	s.Sessions, s.Events = sum.Sessions, sum.Events
	s.AvgEvents = known(float64(sum.Events) / n)
	s.AvgDuration = known(float64(sum.Total.Nanoseconds()) / 1e6 / n)
	s.P50, s.P95 = known(sum.Durations.Quantile(0.5)), known(sum.Durations.Quantile(0.95))
	s.P99 = known(sum.Durations.Quantile(0.99))
	if a.convert {
		s.Converted, s.ConversionRate = &sum.Converted, known(float64(sum.Converted)/n)
	}
	if a.abandon {
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

package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/session"
)

// sessionCounts are the metrics, each with where it is read.
var sessionCounts = []figure[session.Stats]{
	{
		sessionMetric("open", "Sessions that are open."), prometheus.GaugeValue,
		func(s session.Stats) float64 { return float64(s.Open) },
	},
	{
		sessionMetric("users", "Keys that have open sessions or events that wait."), prometheus.GaugeValue,
		func(s session.Stats) float64 { return float64(s.Users) },
	},
	{
		sessionMetric("held_events", "Events that wait until no earlier one can come."), prometheus.GaugeValue,
		func(s session.Stats) float64 { return float64(s.Held) },
	},
	{
		sessionMetric("spilled_bytes", "Bytes of sessions and events that are on disk."), prometheus.GaugeValue,
		func(s session.Stats) float64 { return float64(s.Spilled) },
	},
	{
		sessionMetric("closed_total", "Sessions that were closed."), prometheus.CounterValue,
		func(s session.Stats) float64 { return float64(s.Closed) },
	},
	{
		sessionMetric("rows_total", "Rows written, updates and retractions included."), prometheus.CounterValue,
		func(s session.Stats) float64 { return float64(s.Rows) },
	},
	{
		sessionMetric("cut_total", "Sessions that were cut by their number of events."), prometheus.CounterValue,
		func(s session.Stats) float64 { return float64(s.Cut) },
	},
	{
		sessionMetric("late_total", "Records that came too late."), prometheus.CounterValue,
		func(s session.Stats) float64 { return float64(s.Late) },
	},
	{
		sessionMetric("ahead_total", "Records set aside for being stamped in the future."), prometheus.CounterValue,
		func(s session.Stats) float64 { return float64(s.Ahead) },
	},
	{
		sessionMetric("grace_needed_seconds", "The grace that would have kept all late records."), prometheus.GaugeValue,
		func(s session.Stats) float64 { return s.GraceNeeded.Seconds() },
	},
}

func sessionMetric(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("logctl_sessionize_"+name, help, nil, nil)
}

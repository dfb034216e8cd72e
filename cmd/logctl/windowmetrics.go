package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/window"
)

// windowCounts are the metrics, each with where it is read.
var windowCounts = []figure[window.Stats]{
	{
		windowMetric("open", "Windows that are open, or the panes that they share."), prometheus.GaugeValue,
		func(s window.Stats) float64 { return float64(s.Open) },
	},
	{
		windowMetric("groups", "Groups in them."), prometheus.GaugeValue,
		func(s window.Stats) float64 { return float64(s.Groups) },
	},
	{
		windowMetric("spilled_bytes", "Bytes of windows that are on disk."), prometheus.GaugeValue,
		func(s window.Stats) float64 { return float64(s.Spilled) },
	},
	{
		windowMetric("closed_total", "Windows with records that were closed."), prometheus.CounterValue,
		func(s window.Stats) float64 { return float64(s.Closed) },
	},
	{
		windowMetric("rows_total", "Rows written, updates included."), prometheus.CounterValue,
		func(s window.Stats) float64 { return float64(s.Rows) },
	},
	{
		windowMetric("late_total", "Records that came too late for every window of theirs."), prometheus.CounterValue,
		func(s window.Stats) float64 { return float64(s.Late) },
	},
	{
		windowMetric("partly_late_total", "Records that came too late for some windows of theirs."), prometheus.CounterValue,
		func(s window.Stats) float64 { return float64(s.Partly) },
	},
	{
		windowMetric("ahead_total", "Records set aside for being stamped in the future."), prometheus.CounterValue,
		func(s window.Stats) float64 { return float64(s.Ahead) },
	},
	{
		windowMetric("grace_needed_seconds", "The grace that would have kept all late records."), prometheus.GaugeValue,
		func(s window.Stats) float64 { return s.GraceNeeded.Seconds() },
	},
}

func windowMetric(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("logctl_window_"+name, help, nil, nil)
}

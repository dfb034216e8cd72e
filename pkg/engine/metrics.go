package engine

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/record"
)

// counters are the metrics of a run, each with its name, its help and where it
// is read.
var counters = []struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*Stats) (float64, bool)
}{
	{
		metric("records_in_total", "Records read."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.In.Load()), true },
	},
	{
		metric("bytes_in_total", "Bytes of the records read."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.Bytes.Load()), true },
	},
	{
		metric("records_out_total", "Records written."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.Out.Load()), true },
	},
	{
		metric("records_bad_total", "Records that did not parse."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.Bad.Load()), true },
	},
	{
		metric("records_filtered_total", "Records that a filter took out."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.Dropped.Load()), true },
	},
	{
		metric("commit_seconds", "How long the last commit took."), prometheus.GaugeValue,
		func(s *Stats) (float64, bool) { return float64(s.CommitNanos.Load()) / 1e9, s.CommitNanos.Load() > 0 },
	},
	{
		metric("commit_stalls_total", "How often records waited for a commit."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.Stalls.Load()), s.StallNanos.Load() > 0 },
	},
	{
		metric("commit_stall_seconds_total", "How long records waited for commits."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.StallNanos.Load()) / 1e9, s.StallNanos.Load() > 0 },
	},
	{
		metric("commit_stall_max_seconds", "The longest that records waited for one commit."), prometheus.GaugeValue,
		func(s *Stats) (float64, bool) { return float64(s.StallMost.Load()) / 1e9, s.StallNanos.Load() > 0 },
	},
	{
		metric("tasks_restoring", "Tasks whose state is not there yet."), prometheus.GaugeValue,
		func(s *Stats) (float64, bool) { return float64(s.Restoring.Load()), s.Restoring.Load() > 0 },
	},
	{
		metric("restored_entries_total", "Entries of state that were taken back."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.Restored.Load()), s.Restored.Load() > 0 },
	},
	{
		metric("restored_bytes_total", "Bytes of the state that was taken back."), prometheus.CounterValue,
		func(s *Stats) (float64, bool) { return float64(s.RestoredBytes.Load()), s.Restored.Load() > 0 },
	},
	{
		metric("restore_seconds", "How long it took to restore the state of the last task."), prometheus.GaugeValue,
		func(s *Stats) (float64, bool) { return float64(s.RestoreNanos.Load()) / 1e9, s.RestoreNanos.Load() > 0 },
	},
	{
		metric("state_saved_bytes", "Bytes of state that the last commit saved."), prometheus.GaugeValue,
		func(s *Stats) (float64, bool) { return float64(s.StateBytes.Load()), s.StateBytes.Load() > 0 },
	},
	{
		metric("watermark_seconds", "Event time that every partition has reached, since 1970."), prometheus.GaugeValue,
		func(s *Stats) (float64, bool) {
			w := s.Watermark.Load()
			return float64(w) / 1e9, w != 0 && w != record.NoTime
		},
	},
	{
		metric("behind_seconds", "Age of the newest record when it was read."), prometheus.GaugeValue,
		func(s *Stats) (float64, bool) { return float64(s.Behind.Load()) / 1e9, s.In.Load() > 0 },
	},
}

func metric(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("logctl_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector.
func (s *Stats) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range counters {
		ch <- c.desc
	}
}

// Collect implements prometheus.Collector. What is not known yet is left out.
func (s *Stats) Collect(ch chan<- prometheus.Metric) {
	for _, c := range counters {
		if v, ok := c.read(s); ok {
			ch <- prometheus.MustNewConstMetric(c.desc, c.kind, v)
		}
	}
}

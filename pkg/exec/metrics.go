package exec

import (
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/human"
)

// Stats count what handlers do. They may be read at any time.
type Stats struct {
	Handled  atomic.Int64 // records that were answered with success
	Retried  atomic.Int64 // attempts that failed and are made again
	Later    atomic.Int64 // of those, through the retry topic
	Dead     atomic.Int64 // dead letters
	Returned atomic.Int64 // records that Dead gave back, to be delivered again
	Output   atomic.Int64 // records that handlers wrote
	Started  atomic.Int64 // processes of handlers that stay
	Failures atomic.Int64 // of those, that ended or were ended before they had answered everything
	Waiting  atomic.Int64 // records that wait for another attempt, or behind one that does
}

// figures are the metrics of handlers.
var figures = []struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*Stats) *atomic.Int64
}{
	{
		figure("handled_total", "Records that a handler was done with."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Handled },
	},
	{
		figure("retries_total", "Attempts that failed and are made again."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Retried },
	},
	{
		figure("postponed_total", "Retries that wait in the retry topic."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Later },
	},
	{
		figure("dead_letters_total", "Records that handlers failed with for good."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Dead },
	},
	{
		figure("released_total", "Records of a share group that failed and are delivered again."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Returned },
	},
	{
		figure("output_records_total", "Records that handlers wrote."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Output },
	},
	{
		figure("started_total", "Handlers that were started."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Started },
	},
	{
		figure("failures_total", "Handlers that ended before they had answered everything."), prometheus.CounterValue,
		func(s *Stats) *atomic.Int64 { return &s.Failures },
	},
	{
		figure("waiting_records", "Records that wait for another attempt, or behind one."), prometheus.GaugeValue,
		func(s *Stats) *atomic.Int64 { return &s.Waiting },
	},
}

func figure(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("logctl_handler_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector.
func (s *Stats) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range figures {
		ch <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (s *Stats) Collect(ch chan<- prometheus.Metric) {
	for _, f := range figures {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, float64(f.read(s).Load()))
	}
}

// Summary says in a few words what handlers did; letters is the word for dead letters.
func (s *Stats) Summary(letters string) string {
	parts := []string{"handled " + human.Count(s.Handled.Load())}
	for _, x := range []struct {
		what string
		n    int64
	}{
		{"retried", s.Retried.Load()},
		{"released", s.Returned.Load()},
		{letters, s.Dead.Load()},
		{"handler failures", s.Failures.Load()},
	} {
		if x.n > 0 {
			parts = append(parts, x.what+" "+human.Count(x.n))
		}
	}
	return strings.Join(parts, ", ")
}

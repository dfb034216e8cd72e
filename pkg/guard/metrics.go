package guard

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/limit"
)

var (
	stateDesc = prometheus.NewDesc("logctl_breaker_state",
		"Whether the breaker is closed (0), open (1) or half open (2).", nil, nil)
	openedDesc   = prometheus.NewDesc("logctl_breaker_opened_total", "How often the breaker was opened.", nil, nil)
	spooledDesc  = prometheus.NewDesc("logctl_spooled_records_total", "Records that went into the spool.", nil, nil)
	replayedDesc = prometheus.NewDesc("logctl_replayed_records_total", "Records of the spool that were sent.", nil, nil)
	expiredDesc  = prometheus.NewDesc("logctl_spool_expired_records_total",
		"Records of the spool that were dropped because they were too old.", nil, nil)
	missingDesc = prometheus.NewDesc("logctl_spool_missing_records_total",
		"Records of the spool that are not there any more: a file of it was cut off or removed.", nil, nil)
	waitingDesc = prometheus.NewDesc("logctl_spool_records", "Records that wait in the spool.", nil, nil)
	sizeDesc    = prometheus.NewDesc("logctl_spool_bytes", "Bytes that the spool takes on disk.", nil, nil)
	droppedDesc = prometheus.NewDesc("logctl_breaker_dropped_records_total",
		"Records that were dropped while the breaker was open.", nil, nil)
	divertedDesc = prometheus.NewDesc("logctl_fallback_records_total",
		"Records that went to the fallback while the breaker was open.", nil, nil)
)

// Metrics returns the metrics of a breaker that is not part of a Sink.
func Metrics(b *limit.Breaker) prometheus.Collector { return breakerMetrics{b} }

type breakerMetrics struct{ *limit.Breaker }

func (m breakerMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- stateDesc
	ch <- openedDesc
}

func (m breakerMetrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, float64(m.State(now())))
	ch <- prometheus.MustNewConstMetric(openedDesc, prometheus.CounterValue, float64(m.Opened()))
}

// Describe implements prometheus.Collector.
func (s *Sink) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		stateDesc, openedDesc, spooledDesc, replayedDesc, expiredDesc, missingDesc, waitingDesc, sizeDesc, droppedDesc,
		divertedDesc,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Sink) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, n int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	count := func(d *prometheus.Desc, n int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	gauge(stateDesc, int64(s.cfg.Breaker.State(now())))
	count(openedDesc, s.cfg.Breaker.Opened())
	count(spooledDesc, s.counts.spooled.Load())
	count(replayedDesc, s.counts.replayed.Load())
	count(expiredDesc, s.counts.expired.Load())
	count(missingDesc, s.missing())
	gauge(waitingDesc, s.spooledNow())
	if s.cfg.Spool != nil {
		gauge(sizeDesc, s.cfg.Spool.Bytes())
	}
	count(droppedDesc, s.counts.dropped.Load())
	count(divertedDesc, s.counts.diverted.Load())
}

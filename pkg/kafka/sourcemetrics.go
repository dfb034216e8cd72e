package kafka

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	lagDesc = prometheus.NewDesc("logctl_kafka_lag_records", "Records of a partition that are not read yet.",
		[]string{"topic", "partition"}, nil)
	deletedDesc = prometheus.NewDesc("logctl_kafka_deleted_unread_total",
		"Records, by their offsets, that were deleted before they were read.", nil, nil)
	rebalanceDesc = prometheus.NewDesc("logctl_kafka_rebalances_total", "How often partitions were given or taken.",
		nil, nil)
)

// Metrics returns the counts of the source's connections, and how far it is behind.
func (s *Source) Metrics() prometheus.Collector { return sourceMetrics{s} }

type sourceMetrics struct{ *Source }

// Describe implements prometheus.Collector.
func (s sourceMetrics) Describe(ch chan<- *prometheus.Desc) {
	s.metrics.Describe(ch)
	ch <- lagDesc
	ch <- deletedDesc
	ch <- rebalanceDesc
}

// Collect implements prometheus.Collector.
func (s sourceMetrics) Collect(ch chan<- prometheus.Metric) {
	s.metrics.Collect(ch)
	for _, l := range s.Lags() {
		ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(l.End-l.Next), l.Topic,
			strconv.Itoa(int(l.Partition)))
	}
	ch <- prometheus.MustNewConstMetric(deletedDesc, prometheus.CounterValue, float64(s.Deleted()))
	ch <- prometheus.MustNewConstMetric(rebalanceDesc, prometheus.CounterValue, float64(s.Rebalances()))
}

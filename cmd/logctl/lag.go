package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/kafka"
)

var (
	lagDesc = prometheus.NewDesc("logctl_kafka_lag_records", "Records of a partition that are not read yet.",
		[]string{"topic", "partition"}, nil)
	rebalanceDesc = prometheus.NewDesc("logctl_kafka_rebalances_total", "How often partitions were given or taken.",
		nil, nil)
)

// A lagCollector tells how far a reader of topics is behind.
type lagCollector struct{ src *kafka.Source }

func newLagCollector(src *kafka.Source) prometheus.Collector { return lagCollector{src} }

func (c lagCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- lagDesc
	ch <- rebalanceDesc
}

func (c lagCollector) Collect(ch chan<- prometheus.Metric) {
	for _, l := range c.src.Lags() {
		ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(l.End-l.Next), l.Topic,
			strconv.Itoa(int(l.Partition)))
	}
	ch <- prometheus.MustNewConstMetric(rebalanceDesc, prometheus.CounterValue, float64(c.src.Rebalances()))
}

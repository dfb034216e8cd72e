package main

import "github.com/prometheus/client_golang/prometheus"

// A figure is a metric, with where it is read in the counts of an operator.
type figure[S any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(S) float64
}

// figures collect the metrics of an operator from its present counts.
type figures[S any] struct {
	list  []figure[S]
	stats func() S
}

// Describe implements prometheus.Collector.
func (f figures[S]) Describe(ch chan<- *prometheus.Desc) {
	for _, x := range f.list {
		ch <- x.desc
	}
}

// Collect implements prometheus.Collector.
func (f figures[S]) Collect(ch chan<- prometheus.Metric) {
	stats := f.stats()
	for _, x := range f.list {
		ch <- prometheus.MustNewConstMetric(x.desc, x.kind, x.read(stats))
	}
}

package main

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/priority"
)

var (
	classTaken   = classDesc("records_total", "Records of a class that the output was given.")
	classDepth   = classDesc("depth_records", "Records of a class that the output was not given yet.")
	classMissed  = classDesc("slo_missed_total", "Records of a class that took longer than --slo.")
	classLatency = classDesc("latency_seconds", "From the time of a record of a class to the output.", "quantile")
)

func classDesc(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("logctl_class_"+name, help, append([]string{"class"}, more...), nil)
}

// A classCollector tells what becomes of each class.
type classCollector struct {
	*priority.Scheduler
	p *pipeline // its sources are those of the classes
}

func (c *classCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{classTaken, classDepth, classMissed, classLatency} {
		ch <- d
	}
}

func (c *classCollector) Collect(ch chan<- prometheus.Metric) {
	for i, f := range c.Figures() {
		depth := f.Waiting
		if src, ok := c.p.Sources[i].(*kafka.Source); ok {
			lag, _ := src.Lag()
			depth += lag
		}
		ch <- prometheus.MustNewConstMetric(classTaken, prometheus.CounterValue, float64(f.Taken), f.Class)
		ch <- prometheus.MustNewConstMetric(classDepth, prometheus.GaugeValue, float64(depth), f.Class)
		ch <- prometheus.MustNewConstMetric(classMissed, prometheus.CounterValue, float64(f.Missed), f.Class)
		if !math.IsNaN(f.P50) {
			ch <- prometheus.MustNewConstMetric(classLatency, prometheus.GaugeValue, f.P50, f.Class, "0.5")
			ch <- prometheus.MustNewConstMetric(classLatency, prometheus.GaugeValue, f.P99, f.Class, "0.99")
		}
	}
}

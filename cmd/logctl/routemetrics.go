package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/route"
)

// A routeCollector tells what was decided and sent.
type routeCollector struct{ *routing }

func routeDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("logctl_route_"+name, help, labels, nil)
}

var (
	decisionDesc = routeDesc("decision_seconds", "From the arrival of a batch until it was decided where its records go.")
	sentDesc     = routeDesc("records_total", "Records given to a destination.", "destination")
	sentByteDesc = routeDesc("bytes_total", "Bytes of the records given to a destination.", "destination")
	hitsDesc     = routeDesc("rule_hits_total", "Records that a rule matched.", "rule")
	limitedDesc  = routeDesc("rule_limited_total", "Matches that the limit of a rule left out.", "rule")
	defaultDesc  = routeDesc("default_total", "Records that no rule matched.")
	sampledDesc  = routeDesc("sampled_total", "Matches that the sample of a rule left out.")
	rulesDesc    = routeDesc("rules", "Rules that are in force.")
	reloadDesc   = routeDesc("reloads_total", "How often changed rules came into force.")
	rejectDesc   = routeDesc("rejected_rules_total", "How often changed rules were wrong and the last good ones stayed.")
	lostDesc     = routeDesc("lost_total", "Records that a destination did not take which nobody waits for.",
		"destination")
	shedDesc    = routeDesc("sheds_total", "How often load was shed.")
	shedLagDesc = routeDesc("shed_lag_records", "Records that wait for the readers that decide whether load is shed.")
	abortDesc   = routeDesc("aborts_total", "Transactions that were given up.")
)

// Describe describes nothing: the metrics of destinations come and go with them.
func (c routeCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c routeCollector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	if q := c.stats.Latency(); q.Count() > 0 {
		quantiles := map[float64]float64{}
		for _, p := range []float64{0.5, 0.99, 0.999} {
			quantiles[p] = q.Quantile(p)
		}
		ch <- prometheus.MustNewConstSummary(decisionDesc, q.Count(), c.stats.LatencySum(), quantiles)
	}
	for _, d := range c.dests.set.All() {
		counter(sentDesc, d.Sent.Load(), d.Name)
		counter(sentByteDesc, d.Bytes.Load(), d.Name)
	}
	c.stats.Rules(func(name string, s *route.RuleStats) {
		counter(hitsDesc, s.Hits.Load(), name)
		counter(limitedDesc, s.Limited.Load(), name)
	})
	counter(defaultDesc, c.stats.Default.Load())
	counter(sampledDesc, c.stats.Sampled.Load())
	counter(reloadDesc, c.stats.Reloads.Load())
	counter(rejectDesc, c.stats.Rejected.Load())
	ch <- prometheus.MustNewConstMetric(rulesDesc, prometheus.GaugeValue, float64(len(c.live.Table().File.Rules)))
	if c.book.shed != nil {
		counter(shedDesc, c.stats.Sheds.Load())
		ch <- prometheus.MustNewConstMetric(shedLagDesc, prometheus.GaugeValue, float64(c.stats.Lag.Load()))
	}
	if c.p.txn != nil {
		counter(abortDesc, c.p.txn.Aborts())
	}
	for _, s := range c.dests.lossy() {
		counter(lostDesc, s.Lost(), s.name)
	}
	c.dests.collect(ch)
}

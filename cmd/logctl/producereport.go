package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
)

// reports says what each topic has acknowledged.
func (p *pipeline) reports() string {
	switch {
	case len(p.topics) == 0 && p.Held:
		return "sent 0: the cluster was not reached"
	case len(p.topics) == 0:
		return p.writeReport(time.Since(p.started))
	}
	var all []string
	for _, t := range p.topics {
		all = append(all, ackReport(t.Report(), time.Since(p.started)))
	}
	return strings.Join(all, "; ")
}

// ackReport says what was acknowledged and how fast, measured at the
// acknowledgements, where there were some.
func ackReport(r kafka.Report, took time.Duration) string {
	q := func(p float64) string {
		return human.Duration(time.Duration(r.Latency.Quantile(p) * float64(time.Second)))
	}
	seconds := max(took.Seconds(), 1e-9)
	said := fmt.Sprintf("sent %s, acked %s, failed %s", human.Count(r.Sent), human.Count(r.Acked), human.Count(r.Failed))
	if r.Latency.Count() == 0 {
		return said
	}
	return fmt.Sprintf("%s, %s/s (%s records/s), ack latency p50 %s p95 %s p99 %s max %s", said,
		human.Bytes(int64(float64(r.Bytes)/seconds)), human.Count(int64(float64(r.Acked)/seconds)),
		q(0.5), q(0.95), q(0.99), q(1))
}

// writeReport says how fast records were written to what acknowledges none.
func (p *pipeline) writeReport(took time.Duration) string {
	seconds := max(took.Seconds(), 1e-9)
	out := p.Stats.Out.Load()
	return fmt.Sprintf("written %s (%s records/s), read %s/s; only topics acknowledge records", human.Count(out),
		human.Count(int64(float64(out)/seconds)), human.Bytes(int64(float64(p.Stats.Bytes.Load())/seconds)))
}

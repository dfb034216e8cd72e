package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A lateTopic is a topic of which no broker answered when the run began. Each time
// that its breaker lets something be tried, it is opened beside the run, until that
// succeeds or fails for good. It is a guard.Target, whose spool holds what comes
// meanwhile, and a prometheus.Collector.
type lateTopic struct {
	p       *pipeline
	cfg     kafka.SinkConfig
	breaker *limit.Breaker

	sink   *kafka.Sink // nil until it is there
	failed error       // for good
	trying bool
	opened chan attempt
	shown  atomic.Pointer[kafka.Sink] // for metrics
}

// An attempt is what became of opening a topic; neither: it may be tried again.
type attempt struct {
	sink   *kafka.Sink
	failed error
}

// later returns the topic of a configuration, to be opened when it can be reached.
func (p *pipeline) later(cfg kafka.SinkConfig) *lateTopic {
	l := &lateTopic{p: p, cfg: cfg, breaker: cfg.Breaker, opened: make(chan attempt, 1)}
	l.breaker.Break(time.Now().UnixNano())
	p.metrics = append(p.metrics, p.ofOutput(cfg.Topic, l))
	p.closers = append(p.closers, l.close)
	return l
}

// look takes in what became of an attempt.
func (l *lateTopic) look() error {
	select {
	case got := <-l.opened:
		l.trying, l.sink, l.failed = false, got.sink, got.failed
		if l.sink != nil {
			l.p.topics = append(l.p.topics, l.sink)
			l.shown.Store(l.sink)
		}
	default:
	}
	return l.failed
}

// try opens the topic, and tells the breaker whether it could.
func (l *lateTopic) try() {
	s, err := kafka.OpenSink(l.p.cmd.Context(), l.cfg)
	switch {
	case err == nil:
		l.opened <- attempt{sink: s}
	case kafka.Unreachable(err), l.p.cmd.Context().Err() != nil: // or the run is over
		l.opened <- attempt{}
	default:
		l.opened <- attempt{failed: err}
	}
	l.breaker.Done(time.Now().UnixNano(), err == nil)
}

// Write writes rows where the topic is open. Else it has it opened, and holds them.
func (l *lateTopic) Write(rows record.Rows) error {
	if err := l.look(); err != nil {
		return err
	}
	if l.sink != nil {
		return l.sink.Write(rows)
	}
	if !l.trying {
		l.trying = true
		go l.try()
	}
	return stream.ErrHeld
}

// Flush is that of the topic; before it is open nothing is in flight.
func (l *lateTopic) Flush(ctx context.Context) error {
	if err := l.look(); err != nil || l.sink == nil {
		return err
	}
	return l.sink.Flush(ctx)
}

// InFlight reports whether anything that was written is not settled yet.
func (l *lateTopic) InFlight() bool { return l.sink != nil && l.sink.InFlight() }

// GiveUp ends the topic and says what is lost.
func (l *lateTopic) GiveUp() error {
	if l.sink == nil {
		return nil
	}
	return l.sink.GiveUp()
}

func (l *lateTopic) close() error {
	if _ = l.look(); l.sink == nil {
		return nil
	}
	return l.sink.Close()
}

// Describe leaves open which metrics there will be.
func (l *lateTopic) Describe(chan<- *prometheus.Desc) {}

// Collect gives the metrics of the topic, once it is open.
func (l *lateTopic) Collect(to chan<- prometheus.Metric) {
	if s := l.shown.Load(); s != nil {
		s.Metrics().Collect(to)
	}
}

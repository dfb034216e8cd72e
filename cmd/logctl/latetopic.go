package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A lateTopic is a topic of which no broker answered when the run began. Beside the
// run it is tried to open it, whenever its breaker has been open for its time, until
// that succeeds or fails for good. It is a guard.Target, of whose records the guard
// does meanwhile what it does while a breaker is open, and a prometheus.Collector.
type lateTopic struct {
	p       *pipeline
	cfg     kafka.SinkConfig
	breaker *limit.Breaker

	sink   *kafka.Sink // nil until it is there
	failed error       // for good
	opened chan attempt
	shown  atomic.Pointer[kafka.Sink] // for metrics, and those who ask whether it is there

	stop   context.CancelFunc
	trying sync.WaitGroup
}

// An attempt is what became of opening a topic, in the end.
type attempt struct {
	sink   *kafka.Sink
	failed error
}

// openGuarded opens a topic with a breaker: at once or, where no broker answers, as
// soon as one does.
func (p *pipeline) openGuarded(
	e stream.Endpoint, openFor time.Duration, edit func(*kafka.SinkConfig),
) (guard.Target, error) {
	s, err := p.openTopic(e, edit)
	if err == nil {
		return s, nil
	}
	if !kafka.Unreachable(err) {
		return nil, err
	}
	note(p.cmd, "%v: it is tried again every %s", err, human.Span(openFor))
	cfg, err := p.topicConfig(e, edit)
	if err != nil {
		return nil, err
	}
	return p.later(cfg, cfg.Breaker), nil
}

// later returns the topic of a configuration, to be opened when it can be reached. The
// breaker says when that is tried.
func (p *pipeline) later(cfg kafka.SinkConfig, breaker *limit.Breaker) *lateTopic {
	l := &lateTopic{p: p, cfg: cfg, breaker: breaker, opened: make(chan attempt, 1)}
	l.breaker.Break(time.Now().UnixNano())
	p.show(cfg.Topic, l)
	p.atEnd(l.close)
	ctx, stop := context.WithCancel(p.cmd.Context())
	l.stop = stop
	l.trying.Go(func() { l.try(ctx) })
	return l
}

// try opens the topic, and tells the breaker whether it could.
func (l *lateTopic) try(ctx context.Context) {
	for {
		select {
		case <-time.After(l.breaker.Wait(time.Now().UnixNano())):
		case <-ctx.Done():
			return
		}
		s, err := kafka.OpenSink(ctx, l.cfg)
		switch {
		case err == nil:
			l.opened <- attempt{sink: s}
			l.shown.Store(s)
			l.breaker.Done(time.Now().UnixNano(), true)
			return
		case ctx.Err() != nil: // the run is over
			return
		case !kafka.Unreachable(err):
			l.opened <- attempt{failed: err}
			return
		}
		l.breaker.Break(time.Now().UnixNano())
	}
}

// there reports whether the topic is open. It may be called at any time.
func (l *lateTopic) there() bool { return l.shown.Load() != nil }

// look takes in what became of opening the topic.
func (l *lateTopic) look() error {
	select {
	case got := <-l.opened:
		l.sink, l.failed = got.sink, got.failed
		if l.sink != nil {
			l.p.topics = append(l.p.topics, l.sink)
		}
	default:
	}
	return l.failed
}

// Write writes rows where the topic is open. Else it holds them.
func (l *lateTopic) Write(rows record.Rows) error {
	if err := l.look(); err != nil {
		return err
	}
	if l.sink == nil {
		return stream.ErrHeld
	}
	return l.sink.Write(rows)
}

// Flush is that of the topic; before it is open nothing is in flight.
func (l *lateTopic) Flush(ctx context.Context) error {
	if err := l.look(); err != nil || l.sink == nil {
		return err
	}
	return l.sink.Flush(ctx)
}

// Push says that the topic cannot be opened for good: there may be nothing to write
// that would.
func (l *lateTopic) Push() error { return l.look() }

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
	l.stop()
	l.trying.Wait()
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

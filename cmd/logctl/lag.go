package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/peers"
)

var (
	lagDesc = prometheus.NewDesc("logctl_kafka_lag_records", "Records of a partition that are not read yet.",
		[]string{"topic", "partition"}, nil)
	deletedDesc = prometheus.NewDesc("logctl_kafka_deleted_unread_total",
		"Records, by their offsets, that were deleted before they were read.", nil, nil)
	rebalanceDesc = prometheus.NewDesc("logctl_kafka_rebalances_total", "How often partitions were given or taken.",
		nil, nil)
)

// A lagCollector tells how far a reader of topics is behind.
type lagCollector struct{ src *kafka.Source }

func newLagCollector(src *kafka.Source) prometheus.Collector { return lagCollector{src} }

func (c lagCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- lagDesc
	ch <- deletedDesc
	ch <- rebalanceDesc
}

func (c lagCollector) Collect(ch chan<- prometheus.Metric) {
	for _, l := range c.src.Lags() {
		ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(l.End-l.Next), l.Topic,
			strconv.Itoa(int(l.Partition)))
	}
	ch <- prometheus.MustNewConstMetric(deletedDesc, prometheus.CounterValue, float64(c.src.Deleted()))
	ch <- prometheus.MustNewConstMetric(rebalanceDesc, prometheus.CounterValue, float64(c.src.Rebalances()))
}

// deletedUnread says in the summary what retention was faster with than the reader.
func deletedUnread(src *kafka.Source) string {
	if n := src.Deleted(); n > 0 {
		return "deleted unread " + human.Count(n)
	}
	return ""
}

// lagEvery is how often the lag is looked at.
const lagEvery = 5 * time.Second

// watchLag says when more than most records are not read yet, and when there are
// fewer again, until the returned function is called.
func watchLag(most int64, src *kafka.Source, say func(string)) (stop func() error) {
	quit := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		clock := time.NewTicker(lagEvery)
		defer clock.Stop()
		behind := false
		for {
			select {
			case <-clock.C:
			case <-quit:
				return
			}
			lag := sumOf(src.Lags())
			switch {
			case !behind && lag > most:
				behind = true
				say(fmt.Sprintf("%s records are not read yet, more than --warn-lag %d", human.Count(lag), most))
			case behind && lag <= most/2:
				behind = false
				say(human.Count(lag) + " records are not read yet: it catches up")
			}
		}
	})
	return func() error {
		close(quit)
		watching.Wait()
		return nil
	}
}

func sumOf(lags []kafka.Lag) (n int64) {
	for _, l := range lags {
		n += max(l.End-l.Next, 0)
	}
	return n
}

// A lagSum is how many records of all topics that are read are not read yet. It may
// be used from any goroutine.
type lagSum struct {
	mu      sync.Mutex
	sources []*kafka.Source
	recent  peers.Recent[int64]
}

func newLagSum() *lagSum {
	l := new(lagSum)
	l.recent.Get = l.ask
	return l
}

func (l *lagSum) add(src *kafka.Source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sources = append(l.sources, src)
}

// ask asks where the topics end.
func (l *lagSum) ask(context.Context) (n int64, _ error) {
	l.mu.Lock()
	sources := slices.Clone(l.sources)
	l.mu.Unlock()
	for _, src := range sources {
		n += sumOf(src.Lags())
	}
	return n, nil
}

// sum returns the sum as it was lately, -1 where it is not known.
func (l *lagSum) sum(ctx context.Context) int64 {
	l.mu.Lock()
	none := len(l.sources) == 0
	l.mu.Unlock()
	if none {
		return -1
	}
	n, err := l.recent.Value(ctx)
	if err != nil {
		return -1
	}
	return n
}

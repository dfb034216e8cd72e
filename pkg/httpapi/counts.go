package httpapi

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// intakeCounts are what an Intake knows of its requests.
type intakeCounts struct {
	throttled atomic.Int64 // records

	mu    sync.Mutex
	codes map[int]int64
}

func (c *intakeCounts) answer(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.codes == nil {
		c.codes = map[int]int64{}
	}
	c.codes[code]++
}

// Throttled returns how many records were refused for coming too fast.
func (s *Intake) Throttled() int64 { return s.counts.throttled.Load() }

// Refused returns how many requests were not answered with 202.
func (s *Intake) Refused() (n int64) {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	for code, k := range s.counts.codes {
		if code >= 300 {
			n += k
		}
	}
	return n
}

var (
	requestsDesc = prometheus.NewDesc("logctl_http_requests_total",
		"Requests with records, by the status that they were answered with.", []string{"code"}, nil)
	throttledDesc = prometheus.NewDesc("logctl_throttled_records_total",
		"Records that were refused for coming faster than the rate.", nil, nil)
	heldDesc = prometheus.NewDesc("logctl_http_held_bytes", "Bytes of requests that wait.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *Intake) Describe(ch chan<- *prometheus.Desc) {
	ch <- requestsDesc
	ch <- throttledDesc
	ch <- heldDesc
}

// Collect implements prometheus.Collector.
func (s *Intake) Collect(ch chan<- prometheus.Metric) {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	for code, n := range s.counts.codes {
		ch <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, float64(n), strconv.Itoa(code))
	}
	ch <- prometheus.MustNewConstMetric(throttledDesc, prometheus.CounterValue, float64(s.Throttled()))
	ch <- prometheus.MustNewConstMetric(heldDesc, prometheus.GaugeValue, float64(s.held.Load()))
}

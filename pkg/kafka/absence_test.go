package kafka

import (
	"context"
	"testing"
	"time"
)

// Somebody looks four times a second, and nothing is acknowledged; the process itself is
// stopped at times, or its clock is set. Only what the cluster was silent counts.
func TestSilenceIsOfTheCluster(t *testing.T) {
	const second = int64(time.Second)
	for name, c := range map[string]struct {
		jumps map[int64]int64 // in which second the clock goes by how much more
		notes int
		fails bool
	}{
		"an outage":               {nil, 1, true},
		"stopped for a minute":    {map[int64]int64{3: 60 * second}, 1, false},
		"stopped again and again": {map[int64]int64{3: 60 * second, 6: 60 * second}, 0, false},
		"the clock goes back":     {map[int64]int64{3: -60 * second}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			var notes []string
			s := &Sink{cfg: SinkConfig{Topic: "t", Timeout: 9 * time.Second, Note: func(n string) { notes = append(notes, n) }}}
			s.ctx, s.fail = context.WithCancelCause(context.Background())
			s.inflight.Store(1)
			now := time.Now().UnixNano()
			s.counts.progress.Store(now)
			for i := range 10 * int64(4) {
				now += second / 4
				if i%4 == 0 {
					now += c.jumps[i/4]
				}
				s.noteSilence(now)
			}
			if len(notes) != c.notes || (s.failure() != nil) != c.fails {
				t.Errorf("told %q, failed: %v", notes, s.failure())
			}
		})
	}
}

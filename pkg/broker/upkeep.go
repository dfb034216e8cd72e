package broker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/human"
)

// neverMillis puts kfake's own timer for compaction off by a century: it would
// compact implicitly.
const neverMillis = int64(100 * 365 * 24 * time.Hour / time.Millisecond)

// upkeepEvery is the period of the upkeep; 0 means 30 s.
type upkeepEvery time.Duration

func (e upkeepEvery) duration() time.Duration {
	if e == 0 {
		return 30 * time.Second
	}
	return time.Duration(e)
}

// upkeep creates topics, applies retention and measures the data until ctx is
// done, or the data is gone.
func (b *Broker) upkeep(ctx context.Context, every time.Duration) {
	defer close(b.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case names := <-b.creator.wanted:
			b.create(names)
		case <-tick.C:
			if !b.present() {
				return
			}
			b.cluster.ApplyRetention()
			if err := b.measure(); err != nil {
				b.log.Warn("upkeep", "err", err)
			}
		}
	}
}

// measure sets what the quota holds to what is on disk.
func (b *Broker) measure() error {
	size, err := b.dir.size()
	if err != nil {
		return fmt.Errorf("measuring data directory %q: %w", b.dir.path, err)
	}
	b.quota.stored.Store(size)
	return nil
}

// A quota refuses producers while more is stored than its limit.
type quota struct {
	limit  int64 // less than 0 for none
	stored atomic.Int64
}

func newQuota(limit int64) *quota { return &quota{limit: limit} }

func (q *quota) full() bool { return q.limit >= 0 && q.stored.Load() > q.limit }

// fault is what fails the requests of producers while the quota is full. They
// must not try again: POLICY_VIOLATION is final.
func (q *quota) fault() kfake.Fault {
	return kfake.Fault{
		Keys:  []kmsg.Key{kmsg.Produce},
		Count: -1,
		When:  func(kmsg.Request) bool { return q.full() },
		Err: &kerr.Error{
			Code:    kerr.PolicyViolation.Code,
			Message: fmt.Sprintf("the broker holds more than its limit of %s", human.Size(q.limit)),
		},
	}
}

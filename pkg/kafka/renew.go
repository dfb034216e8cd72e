package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A renewal is when the leases of a round are to be renewed.
type renewal struct {
	at   time.Time // zero where there is nothing to renew
	half time.Duration
}

// cover has a record that was fetched now renewed in time: when half of its lease is over.
func (r *renewal) cover(rec *kgo.Record, now time.Time) {
	half := max(rec.AcquisitionDeadline().Sub(now)/2, renewEvery)
	if r.at.IsZero() || half < r.half {
		r.at, r.half = now.Add(half), half
	}
}

// renewEvery is how often it is looked whether leases are to be renewed; the
// shortest one is of a second.
const renewEvery = 250 * time.Millisecond

// renewVersion is the version of ShareAcknowledge that knows of it.
const renewVersion = 2

// canRenew reports whether all brokers can.
func canRenew(ctx context.Context, client *kgo.Client) bool {
	all, err := kadm.NewClient(client).ApiVersions(ctx)
	if err != nil {
		return false
	}
	for _, v := range all {
		if most, ok := v.KeyMaxVersion(int16(kmsg.ShareAcknowledge)); v.Err != nil || !ok || most < renewVersion {
			return false
		}
	}
	return len(all) > 0
}

// startRenewing renews the leases of rounds until stop is called.
func (s *ShareSource) startRenewing() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	s.stop = func() { cancel(); wg.Wait() }
	wg.Go(func() {
		clock := time.NewTicker(renewEvery)
		defer clock.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-clock.C:
				if s.renewRound(now) {
					// What could not be sent is sent with the next one.
					sending, done := context.WithTimeout(ctx, renewWithin)
					_ = s.client.FlushAcks(sending)
					done()
				}
			}
		}
	})
}

// renewWithin is how long a broker may take before the next try.
const renewWithin = 5 * time.Second

// renewRound renews what is not told of yet, where it is time to, and reports
// whether it did.
func (s *ShareSource) renewRound(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == 0 || s.renew.at.IsZero() || now.Before(s.renew.at) {
		return false
	}
	s.renew.at = now.Add(s.renew.half)
	for _, l := range s.round {
		for _, r := range l.records[l.told:] {
			r.Ack(kgo.AckRenew)
		}
	}
	return true
}

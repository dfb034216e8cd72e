package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestLingering: batches go every shortLinger while much comes, and are left to
// the client's longLinger while little does; each begins as soon as it is so.
// Over a long link they are left to longLinger, too.
func TestLingering(t *testing.T) {
	var l lingering
	now := int64(time.Hour)
	run := func(every time.Duration, n int64, writes int) (nudges int) {
		for range writes {
			now += int64(every)
			if l.wrote(now, n) {
				nudges++
			}
		}
		return nudges
	}
	run(time.Millisecond, 1, 1)
	if got := run(time.Millisecond, 100, 1000); got < 95 || got > 101 {
		t.Errorf("busy: %d nudges in a second, want one each %v", got, shortLinger)
	}
	if got := run(20*time.Millisecond, 1, 50); got > 1 {
		t.Errorf("50 records a second: %d nudges", got)
	}
	if got := run(time.Minute, 500, 10); got != 0 {
		t.Errorf("500 records a minute: %d nudges", got)
	}
	if got := run(time.Millisecond, 100, 100); got < 5 {
		t.Errorf("busy again: %d nudges in 100 ms", got)
	}
	answered := func(key kmsg.Key, after time.Duration) {
		l.OnBrokerE2E(kgo.BrokerMetadata{}, int16(key), kgo.BrokerE2E{TimeToRead: after})
	}
	answered(kmsg.Produce, 200*time.Millisecond)
	answered(kmsg.Metadata, time.Millisecond)
	if got := run(time.Millisecond, 100, 100); got != 0 {
		t.Errorf("far away: %d nudges", got)
	}
	answered(kmsg.Produce, 2*time.Millisecond)
	answered(kmsg.Metadata, 200*time.Millisecond)
	if got := run(time.Millisecond, 100, 100); got < 5 {
		t.Errorf("near again: %d nudges in 100 ms", got)
	}
}

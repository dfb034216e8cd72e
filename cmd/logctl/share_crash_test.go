package main

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestKilledInShareGroup: of two members of a share group one is killed at random
// moments, again and again, while records keep coming. None is lost; those that it
// had are delivered again when their lease is over, with their count.
func TestKilledInShareGroup(t *testing.T) {
	t.Parallel()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{
		"group.share.record.lock.duration.ms": "1000", "share.record.lock.sweep.interval.ms": "100",
		"group.share.session.timeout.ms": "3000", "group.share.heartbeat.interval.ms": "500",
		"group.share.delivery.count.limit": "10", // with each kill one is used up
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c := client{home: t.TempDir(), addrs: broker.ListenAddrs()}
	topic, out := c.topic(t, 3), new(text)
	f := c.feed(t, topic, 2_000)
	args := []string{
		"consume", "--from", "kafka:" + topic, "--share-group", topic, "--exec", "while read -r x; do echo \"$x\"; done",
		"--template", `%v`,
	}
	stays := c.start(t, nil, out, args...)
	for range crashes(t) {
		p := c.start(t, nil, out, args...)
		time.Sleep(500*time.Millisecond + randomMoment())
		p.crash(t)
	}
	n := f.end(t)
	seen := new(tally)
	eventually(t, "all were delivered", func() bool {
		seen = new(tally)
		seen.count(t, []byte(out.String()))
		missing, _ := seen.sum(n)
		return missing == 0
	})
	stays.interrupt(t)
	_, again := seen.sum(n)
	t.Logf("%d records, %d delivered again", n, again)
}

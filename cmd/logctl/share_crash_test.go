package main

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

func TestKilledInShareGroup(t *testing.T) {
	t.Parallel()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{
		"group.share.record.lock.duration.ms": "10000", "share.record.lock.sweep.interval.ms": "100",
		"group.share.session.timeout.ms": "10000", "group.share.heartbeat.interval.ms": "500",
		"group.share.delivery.count.limit": "10", // with each kill one is used up
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	shareKilled(t, &client{home: t.TempDir(), addrs: broker.ListenAddrs()}, crashes(t))
}

var deliveries = regexp.MustCompile(`\{"n":(\d+)\} logctl-deliveries=(\d+)\n`)

// shareKilled: of three members of a share group one is killed at random moments,
// again and again, while records keep coming. None is lost; those that it had are
// delivered again, with their count: once more for each kill at most.
func shareKilled(t *testing.T, c *client, kills int) {
	t.Helper()
	topic := c.topic(t, 3)
	f := c.feed(t, topic, 2_000)
	var outs []*text // a shared one would be torn
	start := func() *process {
		outs = append(outs, new(text))
		return c.start(t, nil, outs[len(outs)-1], "consume", "--from", "kafka:"+topic, "--share-group", topic,
			"--exec", "while read -r x; do echo \"$x\"; done", "--template", `%v %h\n`)
	}
	members := []*process{start(), start(), start()}
	for k := range kills {
		time.Sleep(500*time.Millisecond + randomMoment())
		members[k%3].crash(t)
		members[k%3] = start()
	}
	n := f.end(t)
	seen, most := new(tally), 0
	eventually(t, "all were delivered", func() bool {
		seen, most = new(tally), 0
		for _, out := range outs {
			seen.count(t, []byte(out.String()))
			for _, m := range deliveries.FindAllStringSubmatch(out.String(), -1) {
				count, err := strconv.Atoi(m[2])
				if err != nil {
					t.Fatal(err)
				}
				most = max(most, count)
			}
		}
		missing, _ := seen.sum(n)
		return missing == 0
	})
	for _, m := range members {
		m.interrupt(t)
	}
	_, again := seen.sum(n)
	said := fmt.Sprintf("%d records, %d kills: %d came again, delivered up to %d times", n, kills, again, most)
	t.Log(said)
	if most < 1 || most > kills+1 {
		t.Error(said)
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
)

func TestRouteKilled(t *testing.T) {
	t.Parallel()
	routeKilled(t, &embed(t).client, crashes(t))
}

// routeKilled: a router that fans each record out to three topics in one
// transaction is killed at random moments, between the sends among others, while
// records keep coming. Whenever it is dead, readers of committed records see all
// three copies of a record or none; in the end each record is in each topic once.
func routeKilled(t *testing.T, c *client, crashes int) {
	t.Helper()
	in := c.topic(t, 6)
	out := []string{c.topic(t, 3), c.topic(t, 2), c.topic(t, 1)}
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := fmt.Sprintf("rules: [{name: all, match: has(n), to: ['kafka:%s', 'kafka:%s', 'kafka:%s']}]\ndefault: 'null:'\n",
		out[0], out[1], out[2])
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := c.feed(t, in, proof.Some(5_000))
	args := []string{"route", "--from", "kafka:" + in, "--group", in, "--fanout", "txn", "--rules", rules}
	read := func(topic string) *tally {
		seen := new(tally)
		seen.count(t, []byte(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")))
		return seen
	}
	copies := 0
	for i := range crashes {
		p := c.start(t, nil, nil, args...)
		if i%4 == 1 { // some are killed at work for certain, however slow the machine
			eventually(t, "records are routed", func() bool { return len(read(out[0]).seen) > copies })
		}
		time.Sleep(3 * randomMoment() / 2)
		p.crash(t)
		all := []*tally{read(out[0]), read(out[1]), read(out[2])}
		for k := range all[1:] {
			if !slices.Equal(all[0].seen, all[k+1].seen) {
				t.Fatalf("after a kill %d records are in the first topic, %d in another", len(all[0].seen), len(all[k+1].seen))
			}
		}
		copies = len(all[0].seen)
	}
	n := f.end(t)
	c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	t.Logf("%d records, %d of them routed by %d processes that were killed", n, copies, crashes)
	for _, topic := range out {
		if missing, again := read(topic).sum(n); missing > 0 || again > 0 {
			t.Errorf("%s: of %d records %d are missing, %d are there twice", topic, n, missing, again)
		}
	}
}

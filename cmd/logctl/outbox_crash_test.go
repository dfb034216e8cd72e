package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
)

func TestOutboxKilled(t *testing.T) {
	t.Parallel()
	outboxKilled(t, &embed(t).client, crashes(t))
}

// outboxKilled: a produce through an outbox is killed at random moments, while it
// writes the table and while it sends it. In the end every record is in the topic,
// once, and the outbox knows that it was sent.
func outboxKilled(t *testing.T, c *client, crashes int) {
	t.Helper()
	topic := c.topic(t, 3)
	dir := t.TempDir()
	in, db := filepath.Join(dir, "in.ndjson"), filepath.Join(dir, "outbox.db")
	n := proof.Some(100_000)
	if err := os.WriteFile(in, numbers(0, n), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"produce", "--to", "kafka:" + topic, "--outbox", "sqlite:" + db + "#t", in}
	count := func() int64 { return sqliteRow(t, db, "SELECT count(sent) FROM t")[0] }
	killed := 0
	for i := range crashes {
		before := count()
		p := c.start(t, nil, nil, args...)
		if i%2 == 1 {
			eventually(t, "it sends", func() bool { return before == int64(n) || count() > before })
		}
		time.Sleep(randomMoment() / 4)
		if err := p.Process.Kill(); err == nil { // it may be done
			killed++
		}
		_ = p.Wait()
	}
	sent := sqliteRow(t, db, "SELECT count(sent), count(*) FROM t")
	r := c.run(t, nil, nil, args...)
	if r.status != 0 {
		t.Fatalf("status %d: %s", r.status, r.errs)
	}
	got := sqliteRow(t, db, "SELECT count(*), count(sent), count(error), count(DISTINCT value) FROM t")
	if got != [4]int64{int64(n), int64(n), 0, int64(n)} {
		t.Errorf("rows, sent, refused and different ones are %v; want %d", got, n)
	}
	read := new(tally)
	read.count(t, []byte(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")))
	missing, again := read.sum(n)
	t.Logf("%d processes were killed; by then %d of %d rows were marked as sent", killed, sent[0], sent[1])
	if missing > 0 || again > 0 {
		t.Errorf("of %d records %d are missing, %d came again", n, missing, again)
	}
}

package main

import (
	"path/filepath"
	"testing"
	"time"
)

// TestWindowKilledIntoTable: windows of a group, exactly once into SQLite, are
// killed at random moments while records keep coming. Every record counts once in
// the rows, be it that the groups are in their partitions or have to be taken
// there.
func TestWindowKilledIntoTable(t *testing.T) {
	t.Parallel()
	for name, partitions := range map[string]int{"in place": 1, "taken": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "out.db")
			windowKilled(t, &embed(t).client, crashes(t), partitions, database{
				to: "sqlite:" + file + "#t", row: func(statement string) [4]int64 { return sqliteRow(t, file, statement) },
			})
		})
	}
}

func windowKilled(t *testing.T, c *client, crashes, partitions int, db database) {
	t.Helper()
	topic := c.topic(t, partitions)
	f := c.feed(t, topic, 5_000)
	args := []string{
		"window", "--from", "kafka:" + topic, "--group", topic, "--size", "1s", "--grace", "5s", "--by", "k=n % 7",
		"--agg", "count(),sum(n)", "--delivery", "exactly-once", "--to", db.to,
	}
	count := func() int64 { return db.row("SELECT sum(count) FROM t")[0] }
	counted := int64(0)
	for i := range crashes {
		p := c.start(t, nil, nil, args...)
		if i%2 == 1 {
			eventually(t, "it commits windows", func() bool { return count() > counted })
		}
		time.Sleep(randomMoment())
		p.crash(t)
		counted = count()
	}
	n := int64(f.end(t))
	c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	got := db.row("SELECT sum(count), CAST(sum(sum_n) AS BIGINT), count(*) FROM t")
	t.Logf("%d records in %d windows, %d of them in windows of %d processes that were killed", n, got[2], counted, crashes)
	if got[0] != n || got[1] != n*(n-1)/2 {
		t.Errorf("the windows count %d records with the sum %d; want %d with %d", got[0], got[1], n, n*(n-1)/2)
	}
}

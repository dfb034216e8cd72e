package main

import (
	"bytes"
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
)

// TestRepairKilled: a repair is killed while it writes, again and again. Each run finds
// what is missing still; in the end every record is there once, and no row was written
// that had been there.
func TestRepairKilled(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, n := e.topic(t, 4), proof.Some(30_000)
	e.logctl(t, bytes.NewReader(numbers(0, n)), "produce", "-q", "--to", "kafka:"+topic)
	path := filepath.Join(t.TempDir(), "out.db")
	e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end", "--to", "sqlite:"+path+"#t")
	alter(t, path, `DELETE FROM t WHERE n % 3 <> 0; UPDATE t SET _extra = '{"old":true}'`)
	repair := []string{"consume", "reconcile", "--from", "kafka:" + topic, "--sink", "sqlite:" + path + "#t", "--repair"}
	for range crashes(t) {
		p := e.start(t, nil, nil, repair...)
		eventually(t, "it begins to repair", func() bool { return strings.Contains(p.errs.String(), "missing ") })
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		if p.killed(t); strings.Contains(p.errs.String(), "after the repair") {
			alter(t, path, `DELETE FROM t WHERE n % 3 = 1`) // it was done before: there is more to do
		}
		if got := sqliteRow(t, path, "SELECT count(*) - count(DISTINCT n), count(_extra) FROM t"); got != [4]int64{0, int64(n+2) / 3} {
			t.Fatalf("more than once, and left alone: %v of %d records", got[:2], n)
		}
	}
	e.start(t, nil, nil, repair...).end(t)
	got := sqliteRow(t, path, "SELECT count(*), count(DISTINCT n), count(_extra) FROM t")
	if want := [4]int64{int64(n), int64(n), int64(n+2) / 3}; got != want {
		t.Errorf("rows, distinct, left alone: %v, want %v", got, want)
	}
}

// killed kills a process that may have ended.
func (p *process) killed(t *testing.T) {
	t.Helper()
	_ = p.Process.Kill()
	if err := p.Wait(); err != nil && p.ProcessState.ExitCode() != -1 {
		t.Fatalf("logctl %q: %v\n%s", p.args, err, p.errs.String())
	}
}

// alter changes a table behind the back of whoever wrote it.
func alter(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

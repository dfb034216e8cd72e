package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
)

// sessionsOf numbers the events e(user, at, …), at in ms, of the oracle: a session
// begins where there was none for the gap.
const sessionsOf = `
	l AS (SELECT *, coalesce(at - lag(at) OVER w > %d, 1) AS first FROM e WINDOW w AS (PARTITION BY user ORDER BY at, n)),
	s AS (SELECT *, sum(first) OVER (PARTITION BY user ORDER BY at, n ROWS UNBOUNDED PRECEDING) AS session FROM l)`

// TestSessionsEqualSQLite compares sessionize over shuffled NDJSON with window
// functions of SQLite over the same lines, sorted.
func TestSessionsEqualSQLite(t *testing.T) {
	t.Parallel()
	lines := command(t, "", "produce", "-q", "--to", "-", "--generate", "http", "--limit", strconv.Itoa(proof.Some(20_000)), "--seed", "7",
		"--event-step", "1s", "--disorder-share", "0.4", "--late-share", "0.1")
	var rows [][]any
	for line := range strings.Lines(lines) {
		rows = append(rows, []any{strings.TrimSuffix(line, "\n"), len(rows)})
	}
	const gap = 20 * time.Minute
	want := query(t, "line TEXT, n INTEGER", rows, fmt.Sprintf(`
		WITH e AS (SELECT line ->> 'user_id' AS user, n, line ->> 'latency_ms' AS ms, line ->> 'status' AS status, line ->> 'path' AS path,
			CAST(round((julianday(line ->> 'timestamp') - 2440587.5) * 86400000) AS INTEGER) AS at FROM log), `+sessionsOf+`
		SELECT user, strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', min(at) / 1000.0, 'unixepoch'), strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', max(at) / 1000.0, 'unixepoch'),
			max(at) - min(at), count(*), sum(ms), sum(status >= 500), count(DISTINCT path)
		FROM s GROUP BY user, session ORDER BY max(at), min(at), user`, gap.Milliseconds()))
	names := []string{"user_id", "session_start", "session_end", "duration_ms", "events", "ms", "errors", "paths"}
	args := []string{
		"sessionize", "-q", "--key", "user_id", "--gap", "20m", "--agg",
		"ms=sum(latency_ms), errors=count(status >= 500), paths=distinct(path)",
	}
	same(t, command(t, lines, append(args, "--grace", "24h")...), names, want)
	same(t, command(t, lines, append(args, "--grace", "24h", "--max-length", "300d")...), names, want) // in order
}

func TestSessionsEqualSQLiteOnARealLog(t *testing.T) {
	t.Parallel()
	var rows [][]any
	for i, r := range requests(t) {
		rows = append(rows, []any{r.client, r.at.UnixMilli(), i, r.path})
	}
	const gap = 30 * time.Minute
	want := query(t, "user TEXT, at INTEGER, n INTEGER, path TEXT", rows, fmt.Sprintf(`WITH e AS (SELECT * FROM log), `+sessionsOf+`
		SELECT user, max(at) - min(at), count(*), min(entry), max(leave) FROM (SELECT *,
			first_value(path) OVER v AS entry, last_value(path) OVER v AS leave FROM s
			WINDOW v AS (PARTITION BY user, session ORDER BY at, n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
		GROUP BY user, session ORDER BY max(at), min(at), '"' || user`, gap.Milliseconds()))
	got := command(t, "", "sessionize", "-q", "--key", "client", "--gap", "30m", "--page", "path", accessLog)
	same(t, got, []string{"client", "duration_ms", "events", "entry_page", "exit_page"}, want)
}

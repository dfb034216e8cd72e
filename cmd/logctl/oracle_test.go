package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the oracle

	"github.com/logctl/logctl/pkg/proof"
)

// command runs a command line in this process and returns what it prints.
func command(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(args, strings.NewReader(stdin), &out, &errs); status != 0 {
		t.Fatalf("logctl %s: status %d\n%s", strings.Join(args, " "), status, errs.String())
	}
	return out.String()
}

// query runs a statement on a database of its own, whose table log holds the
// columns of rows.
func query(t *testing.T, columns string, rows [][]any, statement string) [][]any {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE log (" + columns + ")"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	insert := "INSERT INTO log VALUES (" + strings.TrimSuffix(strings.Repeat("?,", len(rows[0])), ",") + ")"
	for _, r := range rows {
		if _, err := tx.Exec(insert, r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return fetch(t, db, statement)
}

func fetch(t *testing.T, db *sql.DB, statement string) (all [][]any) {
	t.Helper()
	rows, err := db.Query(statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	for rows.Next() {
		row, to := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// same compares rows of window with those of the oracle: columns by name, a
// quantile within its bound.
func same(t *testing.T, got string, names []string, want [][]any) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != len(want) || len(want) == 0 {
		t.Fatalf("%d rows, the oracle has %d", len(lines), len(want))
	}
	for i, line := range lines {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		for k, name := range names {
			tolerance := 1e-12
			if strings.HasPrefix(name, "p") {
				tolerance = 0.0079
			}
			if !near(row[name], want[i][k], tolerance) {
				t.Fatalf("row %d: %s is %v, the oracle says %v\n%s", i, name, row[name], want[i][k], line)
			}
		}
	}
}

func near(got, want any, tolerance float64) bool {
	g, ok := got.(float64)
	if !ok {
		return got == want
	}
	var w float64
	switch x := want.(type) {
	case int64:
		w = float64(x)
	case float64:
		w = x
	default:
		return false
	}
	return math.Abs(g-w) <= tolerance*math.Abs(w)
}

// TestWindowEqualsSQLite compares window over generated NDJSON with SQLite's
// own JSON functions over the same lines.
func TestWindowEqualsSQLite(t *testing.T) {
	t.Parallel()
	lines := command(t, "", "produce", "-q", "--to", "-", "--generate", "http", "--limit", strconv.Itoa(proof.Some(20_000)), "--seed", "5",
		"--event-step", "37ms", "--disorder-share", "0.3", "--late-share", "0.05")
	var rows [][]any
	for line := range strings.Lines(lines) {
		rows = append(rows, []any{strings.TrimSuffix(line, "\n")})
	}
	want := query(t, "line TEXT", rows, `
		WITH r AS (SELECT substr(line ->> 'timestamp', 1, 16) AS minute, line ->> 'service' AS service,
			line ->> 'latency_ms' AS ms, line ->> 'status' AS status, line ->> 'user_id' AS user,
			row_number() OVER (PARTITION BY substr(line ->> 'timestamp', 1, 16), line ->> 'service' ORDER BY line ->> 'latency_ms') AS nth,
			count(*) OVER (PARTITION BY substr(line ->> 'timestamp', 1, 16), line ->> 'service') AS n FROM log)
		SELECT minute || ':00.000Z', service, count(*), avg(ms), sum(status >= 500) * 1.0 / count(*), count(DISTINCT user),
			min(ms), max(ms), max(CASE WHEN nth = (n * 99 + 99) / 100 THEN ms END)
		FROM r GROUP BY minute, service ORDER BY minute, service`)
	got := command(t, lines, "window", "-q", "--size", "1m", "--grace", "1h", "--by", "service", "--agg",
		"count(), avg(latency_ms), ratio=ratio(status >= 500), users=distinct(user), min(latency_ms), max(latency_ms), p99(latency_ms)")
	same(t, got, []string{"window_start", "service", "count", "avg_latency_ms", "ratio", "users", "min_latency_ms", "max_latency_ms", "p99_latency_ms"}, want)
}

// accessLog is a real log. Its requests are told apart by a regular expression that
// logctl does not have.
const accessLog = "../../testdata/logs/apache_access.log"

var accessLine = regexp.MustCompile(
	`^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) ([^ ?"]+)[^"]*" (\d+) (\d+|-) "[^"]*" "[^"]*"$`)

// A request is a line of the access log.
type request struct {
	client, method, path, status, bytes string
	at                                  time.Time
}

func requests(t *testing.T) (list []request) {
	t.Helper()
	f, err := os.Open(accessLog)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		m := accessLine.FindStringSubmatch(scan.Text())
		if m == nil {
			continue // the one line whose user agent is cut off
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, request{client: m[1], at: at.UTC(), method: m[3], path: m[4], status: m[5], bytes: m[6]})
	}
	return list
}

func TestWindowEqualsSQLiteOnARealLog(t *testing.T) {
	t.Parallel()
	var rows [][]any
	for _, r := range requests(t) {
		var size any = r.bytes
		if r.bytes == "-" {
			size = nil
		}
		rows = append(rows, []any{r.at.Format("2006-01-02T15:00:00.000Z"), r.client, r.method, r.status, size})
	}
	want := query(t, "hour TEXT, client TEXT, method TEXT, status INTEGER, bytes INTEGER", rows, `
		SELECT hour, method, count(*), count(DISTINCT client), sum(status >= 400) * 1.0 / count(*), sum(bytes), count(bytes)
		FROM log GROUP BY hour, method ORDER BY hour, method`)
	got := command(t, "", "window", "-q", "--size", "1h", "--by", "method", accessLog, "--agg",
		"n=count(), clients=distinct(client), errors=ratio(status >= 400), bytes=sum(bytes), sized=count(has(bytes))")
	same(t, got, []string{"window_start", "method", "n", "clients", "errors", "bytes", "sized"}, want)
}

package main

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A naiveHour is what a loop over the lines of an access log gathers.
type naiveHour struct {
	n, errors int
	clients   map[string]bool
	bytes     []float64 // of the records that have a size
	sum       float64
}

// naiveHours reads an access log with a regular expression, a map and a loop.
func naiveHours(t *testing.T, path string) (hours map[string]*naiveHour, bad int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	access := regexp.MustCompile(`^(\S+) \S+ \S+ \[([^\]]+)\] "(?:[^"\\]|\\.)*" (\d{3}) (\d+|-) "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"`)
	hours = map[string]*naiveHour{}
	for line := range strings.Lines(string(text)) {
		m := access.FindStringSubmatch(line)
		if m == nil {
			bad++
			continue
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
		if err != nil {
			t.Fatal(err)
		}
		start := at.UTC().Truncate(time.Hour).Format("2006-01-02T15:04:05.000Z")
		h := hours[start]
		if h == nil {
			h = &naiveHour{clients: map[string]bool{}}
			hours[start] = h
		}
		h.n++
		h.clients[m[1]] = true
		if m[3] >= "400" {
			h.errors++
		}
		if size, err := strconv.ParseFloat(m[4], 64); err == nil {
			h.bytes = append(h.bytes, size)
			h.sum += size
		}
	}
	return hours, bad
}

// quantile returns the exact one: the least value that a share of q is not above.
func (h *naiveHour) quantile(q float64) float64 {
	slices.Sort(h.bytes)
	return h.bytes[max(0, int(math.Ceil(q*float64(len(h.bytes))))-1)]
}

// TestWindowEqualsALoop compares window over a real log with a naive loop: all
// is equal but quantiles, which are within 0.8 %.
func TestWindowEqualsALoop(t *testing.T) {
	t.Parallel()
	for path, broken := range map[string]int{
		"../../testdata/logs/apache_access.log": 1, // a user agent that is cut off
		"../../testdata/logs/nginx_access.log":  0,
	} {
		hours, bad := naiveHours(t, path)
		if bad != broken {
			t.Fatalf("the loop does not know %d lines of %s, want %d", bad, path, broken)
		}
		out := command(t, "", "window", "-q", "--format", "combined", "--size", "1h", path, "--agg",
			"n=count(), clients=distinct(client), errors=ratio(status >= 400), sum(bytes), avg(bytes), min(bytes), max(bytes), "+
				"p50(bytes), p90(bytes), p99(bytes)")
		rows := 0
		for line := range strings.Lines(out) {
			rows++
			var row map[string]any
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			h := hours[row["window_start"].(string)]
			if h == nil {
				t.Fatalf("%s: the loop has no such hour: %s", path, line)
			}
			for name, want := range map[string]float64{
				"n": float64(h.n), "clients": float64(len(h.clients)), "errors": float64(h.errors) / float64(h.n),
				"sum_bytes": h.sum, "avg_bytes": h.sum / float64(len(h.bytes)), "min_bytes": h.quantile(0), "max_bytes": h.quantile(1),
				"p50_bytes": h.quantile(0.5), "p90_bytes": h.quantile(0.9), "p99_bytes": h.quantile(0.99),
			} {
				tolerance := 1e-12
				if name[0] == 'p' {
					tolerance = 0.008
				}
				if !near(row[name], want, tolerance) {
					t.Errorf("%s: %s is %v, want %v\n%s", path, name, row[name], want, line)
				}
			}
		}
		if rows != len(hours) || rows == 0 {
			t.Errorf("%s: %d rows, the loop has %d hours", path, rows, len(hours))
		}
	}
}

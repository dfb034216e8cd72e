package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A reply is what an instance answers to a question.
type reply struct {
	status   int
	Error    string
	Partial  bool
	Missing  []struct{ Instance, Address, Reason string }
	Lag      *int64 `json:"lag_records"`
	Rows     any    // a number in statistics
	Sessions any
	Events   float64
	Session  map[string]any
	Before   []map[string]any `json:"open_as_yet"`
	Groups   float64
	Open     float64
	P50      *float64 `json:"p50_duration_ms"`
	Behind   *float64 `json:"behind_ms"`
}

func askFleet(t *testing.T, base, path string) (r reply) {
	t.Helper()
	var body string
	r.status, body = get(t, base+path)
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%s%s: %s: %v", base, path, body, err)
	}
	return r
}

// serving starts a command line and returns it with the address where it listens.
func (c *client) serving(t *testing.T, args ...string) (*process, string) {
	t.Helper()
	p := c.start(t, nil, nil, append(args, "--listen", "127.0.0.1:0")...)
	return p, listensAt(t, p)
}

// Every instance of a group answers for all of them: about each key, and about all
// keys as one run over the file does. When one is killed, what is missing is said
// until the others have its state. The group is once that of the topic's key, once
// one that records are taken to another partition for.
func TestFleet(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	file := filepath.Join(t.TempDir(), "in.ndjson")
	if err := os.WriteFile(file, keyedRecords(2000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string][]string{
		"shuffled": nil, "keyed": {"--keyed"}, "closed": {"--keyed", "--size", "10s", "--grace", "10s", "--retention", "1d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := c.topic(t, 6)
			c.logctl(t, nil, "produce", "-q", "--to", "kafka:"+in, "--key", "k", file)
			args := []string{
				"window", "--size", "1h", "--by", "k", "--agg", "count(),sum(v)", "--grace", "1d",
				"--from", "kafka:" + in, "--group", in, "--to", "null:",
			}
			fleetAnswers(t, c, append(args, more...), windowsAnswer)
		})
	}
	t.Run("sessions", func(t *testing.T) {
		t.Parallel()
		in := c.topic(t, 6)
		c.logctl(t, nil, "produce", "-q", "--to", "kafka:"+in, "--key", "k", file)
		fleetAnswers(t, c, []string{
			"sessionize", "--key", "k", "--gap", "5s", "--convert", "v % 100 == 0", "--grace", "1m", "--idle", "2s",
			"--from", "kafka:" + in, "--group", in, "--to", "null:",
		}, sessionsAnswer)
	})
}

// fleetAnswers has three instances asked, of which one is killed. whole reports
// whether what an instance answers is all there is.
func fleetAnswers(t *testing.T, c *client, args []string, whole func(t *testing.T, base string) bool) {
	t.Helper()
	var members []*process
	var bases []string
	for range 3 {
		m, base := c.serving(t, args...)
		members, bases = append(members, m), append(bases, base)
	}
	for k, base := range bases {
		eventually(t, fmt.Sprint("instance ", k, " answers for all"), func() bool { return whole(t, base) })
	}
	eventually(t, "the third has a part of it", func() bool {
		_, body := get(t, bases[2]+statsPath(args)+"?local=true")
		return !strings.Contains(body, `"here":null`)
	})
	members[2].crash(t)
	seen := false
	eventually(t, "the others answer for the one that is gone", func() bool {
		r := askFleet(t, bases[0], statsPath(args))
		switch {
		case r.status == http.StatusOK && r.Partial:
			seen = true
			if len(r.Missing) == 0 || r.Missing[0].Reason == "" {
				t.Fatalf("it is not said what is missing: %+v", r)
			}
		case r.status != http.StatusOK && (r.status != http.StatusServiceUnavailable || r.Error == ""):
			t.Fatalf("%+v", r)
		case r.status == http.StatusOK:
			return whole(t, bases[0]) && whole(t, bases[1])
		}
		return false
	})
	if !seen {
		t.Error("nothing was missing while an instance was dead")
	}
	again, base := c.serving(t, args...)
	eventually(t, "one that takes its place answers for all", func() bool { return whole(t, base) && whole(t, bases[0]) })
	for _, m := range []*process{members[0], members[1], again} {
		m.crash(t)
	}
}

// statsPath is where a command tells its counts.
func statsPath(args []string) string {
	return map[string]string{"window": "/api/windows/stats", "sessionize": "/api/sessions/stats"}[args[0]]
}

// keysOf are those of keyedRecords.
var keysOf = func() (keys []string) {
	for n := range 19 {
		keys = append(keys, fmt.Sprint("key ", n))
	}
	return keys
}()

// windowsAnswer: all records are in the rows, of all keys together and of each one,
// in order.
func windowsAnswer(t *testing.T, base string) bool {
	t.Helper()
	all := askFleet(t, base, "/api/windows?limit=10000")
	rows := rowsSaid(all)
	if all.status != http.StatusOK || all.Partial || countOf(rows) != 2000 || all.Lag == nil || all.Behind == nil {
		return false
	}
	if !slices.IsSortedFunc(rows, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["window_end"], a["k"]), fmt.Sprint(b["window_end"], b["k"]))
	}) {
		t.Errorf("rows are out of order: %v", rows)
	}
	some := askFleet(t, base, "/api/windows?limit=3")
	if some.status != http.StatusOK || some.Partial {
		return false // an instance has not answered this time
	}
	if last := rowsSaid(some); len(last) != 3 || fmt.Sprint(last) != fmt.Sprint(rows[len(rows)-3:]) {
		t.Errorf("the last three are %v of %v", last, rows)
	}
	open := 0
	for _, row := range rows {
		if row["final"] == false {
			open++
		}
	}
	if stats := askFleet(t, base, "/api/windows/stats"); int(stats.Groups) != open {
		return false // a partition has moved between the questions, or what was restored is not counted yet
	}
	sum := 0
	for _, key := range keysOf {
		r := askFleet(t, base, "/api/windows?key="+url.QueryEscape(key))
		if r.status != http.StatusOK {
			return false
		}
		sum += countOf(rowsSaid(r))
	}
	return sum == 2000
}

func rowsSaid(r reply) (rows []map[string]any) {
	list, _ := r.Rows.([]any)
	for _, row := range list {
		rows = append(rows, row.(map[string]any))
	}
	return rows
}

func countOf(rows []map[string]any) (n int) {
	for _, r := range rows {
		n += int(r["count"].(float64))
	}
	return n
}

// sessionsAnswer: all events are in sessions, those that are over and those that are
// not.
func sessionsAnswer(t *testing.T, base string) bool {
	t.Helper()
	stats := askFleet(t, base, "/api/sessions/stats?hours=100")
	past := askFleet(t, base, "/api/sessions/recent?limit=1000")
	if stats.status != http.StatusOK || stats.Partial || stats.P50 == nil || past.status != http.StatusOK || past.Partial {
		return false
	}
	list, _ := past.Sessions.([]any)
	closed, sum, open, before := 0, 0, 0, "9"
	for _, s := range list {
		row := s.(map[string]any)
		closed += int(row["events"].(float64))
		if end := row["session_end"].(string); end > before {
			t.Errorf("a session that ended at %s comes behind %s", end, before)
		} else {
			before = end
		}
	}
	for _, key := range keysOf {
		active := askFleet(t, base, "/api/sessions/active/"+url.PathEscape(key))
		history := askFleet(t, base, "/api/sessions/history/"+url.PathEscape(key)+"?limit=1000")
		if active.status != http.StatusOK || history.status != http.StatusOK {
			return false
		}
		for _, row := range append(active.Before, active.Session) {
			if row != nil {
				open++
				sum += int(row["events"].(float64))
			}
		}
		of, _ := history.Sessions.([]any)
		for _, s := range of {
			sum += int(s.(map[string]any)["events"].(float64))
		}
	}
	return sum == 2000 && closed == int(stats.Events) && len(list) == int(stats.Sessions.(float64)) && open == int(stats.Open)
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestHistoryIsKept: what was closed is there for questions however often a run over a
// file with a checkpoint is killed: each time a minute is over, of a window and of
// sessions.
func TestHistoryIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		ask  string
	}{
		"window": {[]string{"window", "--by", "user", "--retention", "1d"}, "/api/windows?key=ann&open=false&limit=1000"},
		"sessionize": {
			[]string{"sessionize", "--gap", "50s", "--convert", "true", "--max-length", "30s"},
			"/api/sessions/history/ann?limit=1000",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in := filepath.Join(dir, "in.ndjson")
			m := &client{home: t.TempDir(), addrs: []string{"none:1"}}
			args := append(c.args, "--grace", "0s", "--follow", "--checkpoint", filepath.Join(dir, "k"),
				"--to", filepath.Join(dir, "out.ndjson"), in)
			killed := crashes(t)
			for minute := range killed {
				appendVisits(t, in, minute)
				p, base := m.serving(t, args...)
				want := ""
				for k := range minute {
					want += fmt.Sprintf("%02d:%02d:00 ", 10+k/60, k%60)
				}
				eventually(t, "it answers with what was closed: "+want, func() bool { return startsOf(t, base+c.ask) == want })
				time.Sleep(randomMoment())
				p.crash(t)
			}
		})
	}
}

// appendVisits has one record of a user at the beginning of a minute.
func appendVisits(t *testing.T, path string, minute int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 10, minute, 0, 0, time.UTC)
	if _, err := fmt.Fprintf(f, "{\"ts\":%q,\"user\":\"ann\"}\n", at.Format(time.RFC3339)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// startsOf returns when what an answer has began, in order; "" while there is none.
func startsOf(t *testing.T, url string) (starts string) {
	t.Helper()
	status, body := get(t, url)
	var said struct {
		Rows []struct {
			Start time.Time `json:"window_start"`
		}
		Sessions []struct {
			Start time.Time `json:"session_start"`
		}
	}
	if err := json.Unmarshal([]byte(body), &said); status == 200 && err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, r := range said.Rows {
		starts += r.Start.Format("15:04:05 ")
	}
	for _, s := range said.Sessions {
		starts = s.Start.Format("15:04:05 ") + starts
	}
	return starts
}

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// routeOutage routes numbered records to a topic while its broker is killed and started
// again, and returns how many there were and what is in the topic then. during is
// called while the broker is down.
func routeOutage(t *testing.T, e *embedded, args []string, during func(p *process)) (int, *tally) {
	t.Helper()
	topic := e.topic(t, 2)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	writeFile(t, rules, fmt.Sprintf("rules: [{name: all, match: has(n), to: 'kafka:%s'}]\ndefault: 'null:'\n", topic))
	r, w := io.Pipe()
	p := e.start(t, r, nil, append([]string{
		"route", "--rules", rules, "--breaker", "3", "--breaker-open", "500ms", "--timeout", "1m",
	}, args...)...)
	quit, done := make(chan struct{}), make(chan struct{})
	var sent atomic.Int64
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-time.After(10 * time.Millisecond):
			}
			n := int(sent.Load())
			if _, err := w.Write(numbers(n, n+20)); err != nil {
				return
			}
			sent.Add(20)
		}
	}()
	count := func() *tally {
		seen := new(tally)
		seen.count(t, []byte(e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")))
		return seen
	}
	eventually(t, "records arrive", func() bool { return len(count().seen) > 100 })
	e.broker.crash(t)
	during(p)
	e.restart(t)
	before := int(sent.Load())
	eventually(t, "what comes now arrives", func() bool { return len(count().seen) > before+100 })
	close(quit)
	<-done
	n := int(sent.Load())
	_ = w.Close() // of a pipe in memory
	p.end(t)
	return n, count()
}

// While the breaker of a topic is open its records go to the fallback: none is
// lost, and the others are not held up.
func TestRouteFallback(t *testing.T) {
	t.Parallel()
	e := embed(t)
	path := filepath.Join(t.TempDir(), "fallback.log")
	n, seen := routeOutage(t, e, []string{"--fallback", path, "--listen", ":0"}, func(p *process) {
		eventually(t, "records go to the fallback", func() bool {
			text, _ := os.ReadFile(path)
			return strings.Count(string(text), "\n") > 100
		})
		asked := &liveRouter{process: p, url: listening.FindStringSubmatch(p.errs.String())[1]}
		got := asked.ask(t, http.MethodGet, "/metrics", "")
		diverted := regexp.MustCompile(`logctl_fallback_records_total{destination="[^"]*"} [1-9]`)
		dropped := regexp.MustCompile(`logctl_breaker_dropped_records_total{destination="[^"]*"} [1-9]`)
		if !diverted.MatchString(got) || dropped.MatchString(got) {
			t.Errorf("what is in the fallback is not lost; the metrics say\n%s", got)
		}
	})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	there := len(seen.seen)
	seen.count(t, text)
	missing, again := seen.sum(n)
	t.Logf("%d records, up to number %d in the topic, %d lines in the fallback, %d in both", n, there,
		strings.Count(string(text), "\n"), again)
	if missing > 0 {
		t.Errorf("of %d records %d are neither in the topic nor in the fallback", n, missing)
	}
}

// With a spool they wait on disk, and all of them are in the topic in the end.
func TestRouteSpool(t *testing.T) {
	t.Parallel()
	e := embed(t)
	dir := t.TempDir()
	n, seen := routeOutage(t, e, []string{"--spool", dir}, func(*process) {
		eventually(t, "records wait in the spool", func() bool {
			size := int64(0)
			_ = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
				if err == nil && !info.IsDir() {
					size += info.Size()
				}
				return nil
			})
			return size > 2000
		})
	})
	missing, again := seen.sum(n)
	t.Logf("%d records, %d of them twice", n, again)
	if missing > 0 {
		t.Errorf("of %d records %d are missing", n, missing)
	}
}

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestGatewayBeforeTheBroker: a gateway begins while the cluster is down. It refuses
// what is posted with 503, and takes it when the cluster is there: what was answered
// 202 is in the topic.
func TestGatewayBeforeTheBroker(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 1)
	e.broker.interrupt(t)
	p := e.start(t, nil, nil, "produce", "--to", "kafka:"+topic, "--from", "http::0", "--breaker-open", "200ms")
	missing := e.start(t, nil, nil, "produce", "--to", "kafka:missing", "--from", "http::0", "--breaker-open", "200ms")
	posts := startPosts(t, p)
	eventually(t, "records are refused", func() bool { return posts.count(503) > 200 })
	if n := posts.count(202); n > 0 || !strings.Contains(p.errs.String(), "it is tried again every 200ms") {
		t.Errorf("%d requests were answered 202 without a broker; it said\n%s", n, p.errs.String())
	}
	e.restart(t)
	eventually(t, "records are taken", func() bool { return posts.count(202) > 100 })
	stored := posts.end()
	p.interrupt(t)
	read := new(tally)
	read.count(t, []byte(e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")))
	for _, n := range stored {
		if n >= len(read.seen) || read.seen[n] != 1 {
			t.Fatalf("record %d was answered 202 and is not in the topic once", n)
		}
	}
	if err := missing.Wait(); err == nil || !strings.Contains(missing.errs.String(), `topic "missing" does not exist`) {
		t.Errorf("without its topic it ended with %v and said\n%s", err, missing.errs.String())
	}
}

// TestRouteBeforeTheBroker: route begins while the cluster is down. What waits in the
// spool is sent by this run or the next one.
func TestRouteBeforeTheBroker(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, dir := e.topic(t, 1), t.TempDir()
	rules := filepath.Join(dir, "rules.yaml")
	writeFile(t, rules, fmt.Sprintf("rules: [{name: all, match: has(n), to: 'kafka:%s'}]\ndefault: 'null:'\n", topic))
	args := []string{"route", "--rules", rules, "--spool", filepath.Join(dir, "spool"), "--breaker-open", "200ms"}
	e.broker.interrupt(t)
	r := e.run(t, strings.NewReader(string(numbers(0, 10))), nil, args...)
	if r.status != 0 || counted(r.errs, "waiting in the spool") != 10 {
		t.Fatalf("status %d: %s", r.status, r.errs)
	}
	e.restart(t)
	r = e.run(t, strings.NewReader(string(numbers(10, 20))), nil, args...)
	read := e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")
	if r.status != 0 || read != string(numbers(0, 20)) {
		t.Errorf("status %d, read %q after %s", r.status, read, r.errs)
	}
}

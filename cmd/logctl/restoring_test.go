package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestAskedWhileRestoring: while state is being restored questions are answered with
// 503 and the reason, and then with what there is. It waits for a transaction in the
// changelog that someone has left open, as a member does that dies in the midst of
// one.
func TestAskedWhileRestoring(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	in := c.topic(t, 1)
	file := filepath.Join(t.TempDir(), "in.ndjson")
	if err := os.WriteFile(file, keyedRecords(100), 0o600); err != nil {
		t.Fatal(err)
	}
	c.logctl(t, nil, "produce", "-q", "--to", "kafka:"+in, file)
	args := []string{
		"window", "--size", "1m", "--by", "k", "--grace", "1d", "--from", "kafka:" + in, "--group", in, "--to", "null:",
	}
	const all, one = "/api/windows?limit=1000", "/api/windows?key=key+0"
	answers := func(base string) func() bool {
		return func() bool {
			r := askFleet(t, base, all)
			return r.status == http.StatusOK && countOf(rowsSaid(r)) == 100
		}
	}
	before, base := c.serving(t, args...)
	eventually(t, "it answers", answers(base))
	before.crash(t)

	open, err := kgo.NewClient(kgo.SeedBrokers(c.addrs[0]), kgo.TransactionalID(in),
		kgo.TransactionTimeout(10*time.Minute), kgo.DefaultProduceTopic(in+"-state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(open.Close)
	if err := open.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	left := &kgo.Record{Key: []byte("e1"), Value: []byte("never committed")}
	if err := open.ProduceSync(t.Context(), left).FirstErr(); err != nil {
		t.Fatal(err)
	}

	again, base := c.serving(t, args...)
	eventually(t, "a question finds it restoring", func() bool {
		return strings.Contains(askFleet(t, base, all).Error, "is being restored")
	})
	for _, path := range []string{all, one, "/api/windows/stats", "/readyz"} {
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		var said struct{ Error string }
		err = json.NewDecoder(resp.Body).Decode(&said)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d while state is restored", path, resp.StatusCode)
		}
		if path != "/readyz" && (err != nil || resp.Header.Get("Retry-After") == "" || said.Error == "") {
			t.Errorf("%s: Retry-After %q, %+v, %v", path, resp.Header.Get("Retry-After"), said, err)
		}
	}
	if err := open.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was restored is answered", answers(base))
	if status, body := get(t, base+"/readyz"); status != http.StatusOK {
		t.Errorf("it is not ready: %d %s", status, body)
	}
	again.crash(t)
}

package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
)

func TestTableFollowsATopic(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(3, "rules"))
	open := func() *kafka.Table {
		t.Helper()
		table, err := kafka.OpenTable(t.Context(), cfg, "rules")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = table.Close() })
		return table
	}
	put := func(on *kafka.Table, key string, value []byte) {
		t.Helper()
		if err := on.Put(t.Context(), map[string][]byte{key: value}); err != nil {
			t.Fatal(err)
		}
	}
	first := open()
	if got := first.Values(); len(got) != 0 {
		t.Errorf("an empty topic says %v", got)
	}
	for k := range 10 {
		put(first, fmt.Sprint("k", k), []byte("v"))
	}
	put(first, "k3", nil)
	put(first, "k4", []byte("w"))
	second := open()
	if got := second.Values(); len(got) != 9 || string(got["k4"]) != "w" {
		t.Errorf("%d values, k4 %q", len(got), got["k4"])
	}
	ctx, cancel := context.WithCancel(t.Context())
	put(first, "again", []byte("old"))
	put(first, "again", nil)
	if _, there := first.Values()["again"]; there || string(first.Values()["k4"]) != "w" {
		t.Errorf("what was put is known at once; values are %q", first.Values())
	}
	following := make(chan error, 1)
	stop, end := context.WithCancel(t.Context())
	go func() {
		following <- first.Follow(stop, func() {
			if value, there := first.Values()["again"]; there {
				t.Errorf("what is gone comes back as %q", value)
			}
		})
	}()
	changed, done := make(chan struct{}, 100), make(chan error, 1)
	go func() { done <- second.Follow(ctx, func() { changed <- struct{}{} }) }()
	put(first, "k5", []byte("x"))
	put(second, "k6", []byte("y"))
	for deadline := time.After(time.Minute); string(first.Values()["k6"]) != "y"; {
		select {
		case <-time.After(time.Millisecond):
		case <-deadline:
			t.Fatal("what another one put is not followed")
		}
	}
	end()
	if err := <-following; err != nil {
		t.Error(err)
	}
	for deadline := time.After(time.Minute); string(second.Values()["k5"]) != "x"; {
		select {
		case <-changed:
		case <-deadline:
			t.Fatal("what another one put is not seen")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestTableWithoutBrokers: a change does not wait for longer than it may.
func TestTableWithoutBrokers(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "rules"))
	table, err := kafka.OpenTable(t.Context(), cfg, "rules")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for _, last := range []string{"before", ""} { // one that was in flight before, too
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if last != "" {
			c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.SleepControl(func() { <-ctx.Done() })
				return nil, nil, false
			})
		} else {
			c.Close()
		}
		if err := table.Put(ctx, map[string][]byte{"a": []byte("b")}); !kafka.Unreachable(err) {
			t.Errorf("got %v, want that no broker answers", err)
		}
		cancel()
	}
}

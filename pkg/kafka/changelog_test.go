package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

func openChangelog(t *testing.T, cfg kafka.ChangelogConfig) *kafka.Changelog {
	t.Helper()
	cfg.Topic, cfg.Partitions = "state", 3
	c, err := kafka.OpenChangelog(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func load(t *testing.T, c *kafka.Changelog, task stream.Task) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := c.Load(t.Context(), task, func(key, value []byte) error {
		if _, twice := got[string(key)]; twice {
			t.Errorf("key %q comes twice", key)
		}
		got[string(key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// entries returns pairs of key and value; "" is a value that is gone.
func entries(pairs ...string) (e stream.Entries) {
	for i := 0; i < len(pairs); i += 2 {
		value := []byte(pairs[i+1])
		if len(value) == 0 {
			value = nil
		}
		e.Append([]byte(pairs[i]), value)
	}
	return e
}

func save(t *testing.T, c *kafka.Changelog, task stream.Task, e stream.Entries) {
	t.Helper()
	if err := c.Save(task, e, false); err != nil {
		t.Fatal(err)
	}
	clear(e) // the caller's memory is used again
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// copies keeps local copies in memory.
type copies struct {
	state map[stream.Task]map[string]string
	next  map[stream.Task]int64
	at    int64 // of the last copy
}

func newCopies() *copies {
	return &copies{state: map[stream.Task]map[string]string{}, next: map[stream.Task]int64{}}
}

func (l *copies) Load(_ context.Context, task stream.Task, since int64) (*stream.Image, int64, error) {
	m := &stream.Image{}
	if l.at < since {
		return m, 0, nil
	}
	for k, v := range l.state[task] {
		m.Add([]byte(k), []byte(v))
	}
	return m, l.next[task], nil
}

func (l *copies) Save(_ context.Context, c stream.Copy) error {
	if l.state[c.Task] == nil || c.All {
		l.state[c.Task] = map[string]string{}
	}
	l.next[c.Task], l.at = c.Next, c.At
	put := func(key, value []byte) error {
		l.state[c.Task][string(key)] = string(value)
		if value == nil {
			delete(l.state[c.Task], string(key))
		}
		return nil
	}
	return errors.Join(c.Base.Each(put), c.Changes.Each(put))
}

func local(l *copies) func(string) (kafka.Local, error) {
	return func(string) (kafka.Local, error) {
		if l == nil {
			return nil, nil
		}
		return l, nil
	}
}

func TestChangelog(t *testing.T) {
	conn, _ := cluster(t)
	kept := newCopies()
	cfg := kafka.ChangelogConfig{Config: conn, Signature: "window 1m", Local: local(kept)}
	c := openChangelog(t, cfg)
	one, two := stream.Task{Source: "in", Partition: 1}, stream.Task{Source: "in", Partition: 2}
	save(t, c, one, entries("", "time", "a", "1", "b", "1"))
	save(t, c, two, entries("a", "other"))
	save(t, c, one, entries("a", "2", "b", "", "c", "3"))
	want := map[string]string{"": "time", "a": "2", "c": "3"}
	for _, at := range []*copies{nil, kept, newCopies()} {
		cfg.Local = local(at)
		again := openChangelog(t, cfg)
		if d := cmp.Diff(want, load(t, again, one)); d != "" {
			t.Errorf("local %v: %s", at, d)
		}
		if got := again.Restored(); at == kept && got > 0 {
			t.Errorf("%d entries were read although the copy is up to date", got)
		}
	}
	// A copy that lags is completed from the topic.
	cfg.Local = nil
	save(t, openChangelog(t, cfg), one, entries("d", "4"))
	want["d"] = "4"
	cfg.Local = local(kept)
	c = openChangelog(t, cfg)
	if d := cmp.Diff(want, load(t, c, one)); d != "" {
		t.Error(d)
	}
	// And it has that from then on.
	save(t, c, one, entries("e", "5"))
	want["e"] = "5"
	if d := cmp.Diff(want, kept.state[one]); d != "" {
		t.Errorf("the copy: %s", d)
	}
}

// What a compacted topic has forgotten to be gone would come back from an old copy.
func TestChangelogWithAnOldCopy(t *testing.T) {
	conn, _ := cluster(t)
	kept, task := newCopies(), stream.Task{Source: "in", Partition: 1}
	cfg := kafka.ChangelogConfig{Config: conn, Signature: "window 1m", Local: local(kept)}
	c := openChangelog(t, cfg)
	load(t, c, task)
	save(t, c, task, entries("a", "1"))
	kept.state[task]["gone"] = "1" // and nothing in the topic says so
	if got := load(t, openChangelog(t, cfg), task); len(got) != 2 {
		t.Errorf("a young copy gives %v", got)
	}
	kept.at -= int64(13 * time.Hour)
	c = openChangelog(t, cfg)
	if got := load(t, c, task); len(got) != 1 {
		t.Errorf("an old copy gives %v", got)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := kept.state[task]; len(got) != 1 {
		t.Errorf("the copy is not made anew: %v", got)
	}
}

// A partition leaves while its state is loaded, is another member's for a while, and
// comes back: the local copy has what that one has written.
func TestChangelogLoadedTwice(t *testing.T) {
	conn, _ := cluster(t)
	kept, task := newCopies(), stream.Task{Source: "in", Partition: 1}
	cfg := kafka.ChangelogConfig{Config: conn, Signature: "window 1m"}
	other := openChangelog(t, cfg)
	save(t, other, task, entries("a", "1"))
	cfg.Local = local(kept)
	c := openChangelog(t, cfg)
	err := c.Load(t.Context(), task, func(_, _ []byte) error {
		save(t, other, task, entries("b", "2"))
		load(t, c, task)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	save(t, c, task, entries("c", "3"))
	if d := cmp.Diff(map[string]string{"a": "1", "b": "2", "c": "3"}, kept.state[task]); d != "" {
		t.Error(d)
	}
}

func TestChangelogOfAnotherOperator(t *testing.T) {
	conn, _ := cluster(t)
	cfg := kafka.ChangelogConfig{Config: conn, Signature: "window 1m"}
	task := stream.Task{Source: "in"}
	save(t, openChangelog(t, cfg), task, entries("a", "1"))
	cfg.Signature = "window 5m"
	err := openChangelog(t, cfg).Load(t.Context(), task, nil)
	if err == nil || !strings.Contains(err.Error(), "state of another command") {
		t.Errorf("got %v", err)
	}
	cfg.Reset = true
	if got := load(t, openChangelog(t, cfg), task); len(got) > 0 {
		t.Errorf("after a reset there is %v", got)
	}
}

// The state of a member that died in the middle of a transaction is what it had
// committed last, also while that transaction is still open: it holds back the
// last stable offset, up to which a naive reader would read.
func TestChangelogBehindAnOpenTransaction(t *testing.T) {
	t.Parallel()
	conn, _ := cluster(t)
	task := stream.Task{Source: "in"}
	open := func(id string, timeout time.Duration) (*kafka.Txn, *kafka.Changelog) {
		txn, err := kafka.OpenTxn(t.Context(), kafka.TxnConfig{Config: conn, ID: id, Timeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(txn.Close)
		c, err := txn.OpenChangelog(t.Context(), kafka.ChangelogConfig{Topic: "state", Partitions: 1, Signature: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return txn, c
	}
	commit := func(txn *kafka.Txn, c *kafka.Changelog, e stream.Entries) {
		if err := c.Save(task, e, false); err != nil {
			t.Fatal(err)
		}
		if err := txn.Commit(t.Context(), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	first, a := open("first", time.Minute)
	commit(first, a, entries("a", "1", "b", "1"))
	_, b := open("second", 2*time.Second) // it has had the partition for a moment, and dies
	if err := b.Save(task, entries("b", "never committed"), false); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	commit(first, a, entries("a", "2")) // lies behind the open transaction
	_, c := open("third", time.Minute)
	want := map[string]string{"a": "2", "b": "1"}
	if got := load(t, c, task); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The memory of entries is used again when they are acknowledged, not before.
func TestChangelogKeepsWhatIsUnderWay(t *testing.T) {
	conn, _ := cluster(t)
	c := openChangelog(t, kafka.ChangelogConfig{Config: conn, Signature: "window 1m"})
	tasks := []stream.Task{{Source: "in", Partition: 0}, {Source: "in", Partition: 1}, {Source: "in", Partition: 2}}
	want := make([]map[string]string, len(tasks))
	for i, task := range tasks {
		load(t, c, task)
		want[i] = map[string]string{}
	}
	for round := range 8 {
		for i, task := range tasks {
			var e stream.Entries
			for k := range 700 + 100*i {
				key, value := fmt.Sprintf("%d", k*k%1000), strings.Repeat(string(rune('a'+round)), 1+(k*7+round)%40)
				if want[i][key] = value; (k+round)%11 == 0 {
					value = ""
					delete(want[i], key)
				}
				e = append(e, entries(key, value)...)
			}
			if err := c.Save(task, e, false); err != nil {
				t.Fatal(err)
			}
			clear(e)
		}
		if round%3 == 0 {
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, task := range tasks {
		if diff := cmp.Diff(want[i], load(t, c, task)); diff != "" {
			t.Errorf("partition %d (-want +got):\n%s", i, diff)
		}
	}
}

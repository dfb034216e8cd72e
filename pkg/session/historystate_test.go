package session_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// answers are what an operator says about past sessions.
func answers(t *testing.T, op *session.Op) string {
	t.Helper()
	var sum session.Summary
	op.Summarize(&sum, record.NoTime)
	all := []any{op.Past(session.Search{}), op.Past(session.Search{Converted: true}), sum}
	for _, user := range []string{"ann", "a key that is longer than twelve bytes", "7", "true", "null"} {
		all = append(all, op.Past(session.Search{Key: new(user)}))
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A run that is interrupted anywhere answers about past sessions as an unbroken one,
// and its state has no entries of sessions that it has dropped.
func TestPastIsRestored(t *testing.T) {
	cfg := session.Config{Gap: gap, Grace: 10 * time.Minute, Details: details, Cuts: cuts["all"]}
	const retention = 5 * time.Hour
	begin := func() *driver {
		d := newDriver(t, cfg)
		d.Op.KeepHistory(retention)
		return d
	}
	for seed := range uint64(proof.Some(6)) {
		r := rand.New(rand.NewPCG(seed, 31))
		events := disordered(r, randomEvents(r, 800), cfg.Grace)
		d, whole := begin(), begin()
		store := map[string]string{}
		dropped := 0
		for chunk := range slices.Chunk(events, 20) {
			whole.Feed(chunk)
			d.Feed(chunk)
			if r.IntN(2) == 0 {
				continue
			}
			before := pastEntries(store)
			save(t, d.Op, store, r.IntN(6) == 0)
			dropped += max(before-pastEntries(store), 0)
			if n := len(d.Op.Past(session.Search{})); pastEntries(store) != n {
				t.Fatalf("seed %d: %d entries of %d past sessions", seed, pastEntries(store), n)
			}
			if r.IntN(3) == 0 {
				mark, now := d.Mark, d.Now
				d = begin()
				for key, value := range store {
					d.Must(d.Op.Restore([]byte(key), []byte(value)))
				}
				d.Mark, d.Now = mark, now
				save(t, d.Op, store, false)
			}
			if got, want := answers(t, d.Op), answers(t, whole.Op); got != want {
				t.Fatalf("seed %d: answers are\n%.2000s\nof an unbroken run\n%.2000s", seed, got, want)
			}
		}
		if n := len(d.Op.Past(session.Search{})); n < 10 || dropped == 0 {
			t.Errorf("seed %d: %d past sessions, %d dropped", seed, n, dropped)
		}
		again := restored(t, cfg, store)
		if save(t, again.Op, store, false); pastEntries(store) != 0 {
			t.Errorf("seed %d: a run that nobody asks keeps %d past sessions", seed, pastEntries(store))
		}
	}
}

// past is the first byte of the key of a past session's entry.
const past = 5

const day = 24 * time.Hour

func pastEntries(store map[string]string) (n int) {
	for key := range store {
		if key[0] == past {
			n++
		}
	}
	return n
}

// An entry that was cut off, or goes on, is refused.
func TestPastOfOthersIsRefused(t *testing.T) {
	cfg := session.Config{Gap: gap}
	d := newDriver(t, cfg)
	d.Op.KeepHistory(day)
	d.Feed([]event{visit("ann", 0), visit("bob", 2*time.Hour)})
	store := map[string]string{}
	if save(t, d.Op, store, false); pastEntries(store) != 1 {
		t.Fatalf("%d entries of past sessions", pastEntries(store))
	}
	for key, value := range store {
		if key[0] != past {
			continue
		}
		for n := range len(value) {
			again := newDriver(t, cfg)
			again.Op.KeepHistory(day)
			if again.Op.Restore([]byte(key), []byte(value[:n])) == nil {
				t.Errorf("%d of %d bytes are taken", n, len(value))
			}
		}
	}
}

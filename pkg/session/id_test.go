package session_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/session"
)

// ids returns the ids of rows.
func ids(t *testing.T, rows []string) (list []string) {
	t.Helper()
	for _, r := range proof.Parsed(t, rows) {
		list = append(list, r["session_id"].(string))
	}
	return list
}

// typed is an event of ann with a type.
func typed(kind string, after time.Duration) event {
	e := visit("ann", after)
	e.Fields["type"] = kind
	return e
}

// Sessions of one user that begin at the same instant have different ids. The
// first one has that of a session which is alone there.
func TestSessionsOfAnInstantHaveTheirOwnIDs(t *testing.T) {
	alone := ids(t, newDriver(t, session.Config{Gap: gap}).Run([]event{typed("view", 0)}, 1))[0]
	events := []event{typed("buy", 0), typed("buy", 0), typed("view", 0), typed("buy", time.Second), typed("view", time.Second)}
	for i := range events {
		events[i].Offset = int64(i)
	}
	for name, c := range map[string]session.Cuts{
		"end":    {EndWhen: `type == "buy"`},
		"start":  {StartWhen: `type == "buy"`},
		"events": {MaxEvents: 1},
	} {
		for _, size := range []int{1, 2, 5} {
			d := newDriver(t, session.Config{Gap: gap, Cuts: c, Grace: time.Minute})
			for chunk := range slices.Chunk(events, size) {
				d.Feed(chunk)
			}
			foreseen, _ := d.Op.Active("ann")
			got := ids(t, d.Run(nil, 1))
			if n := len(slices.Compact(slices.Sorted(slices.Values(got)))); n != len(got) || n < 3 {
				t.Errorf("%s: %d ids of %d sessions\n%s", name, n, len(got), lines(d.Out.Rows))
			}
			var before []string
			for _, row := range foreseen {
				before = append(before, ids(t, []string{string(row)})...)
			}
			if !slices.Equal(before, got) {
				t.Errorf("%s: ids are foreseen as %s, then they are %s", name, before, got)
			}
			if got[0] != alone || got[1] == alone {
				t.Errorf("%s: the first ids are %s, alone it is %s", name, got[:2], alone)
			}
		}
	}
}

// A session that begins when one did that a silence has closed has its own id, also
// where the run is another one by then. One that begins later has that of every run.
func TestIDsBehindASilence(t *testing.T) {
	for name, c := range map[string]session.Cuts{"merged": {}, "in order": {MaxEvents: 100}} {
		cfg := session.Config{Gap: gap, Cuts: c}
		idOf := func(d *driver, after time.Duration) string {
			d.Feed([]event{visit("ann", after)})
			foreseen, _ := d.Op.Active("ann")
			for range 3 { // the last one finds nothing more
				d.Tick()
				d.Now += int64(gap + time.Second)
			}
			got := ids(t, d.Out.Rows)
			if len(got) != 1 || len(foreseen) != 1 || ids(t, []string{string(foreseen[0])})[0] != got[0] {
				t.Fatalf("%s: a silence closes sessions %s, foreseen %s", name, got, foreseen)
			}
			return got[0]
		}
		anew := func() *driver {
			d := newDriver(t, cfg)
			d.Now = start
			return d
		}
		first, later, store := idOf(anew(), 0), idOf(anew(), time.Second), map[string]string{}
		seen := map[string]bool{}
		for range 3 {
			d := restored(t, cfg, store)
			d.Mark, d.Now = start, start
			seen[idOf(d, 0)] = true
			save(t, d.Op, store, false)
		}
		if len(seen) != 3 || !seen[first] {
			t.Errorf("%s: three sessions of an instant have the ids %v, alone it is %s", name, seen, first)
		}
		d := restored(t, cfg, store)
		d.Mark, d.Now = start, start
		if got := idOf(d, time.Second); got != later {
			t.Errorf("%s: behind the silences an id is %s, in another run %s", name, got, later)
		}
	}
}

// An id is of one session and the same for any order, for updates, and for a run
// that is interrupted or short of memory.
func TestIDsAreThoseOfSortedInput(t *testing.T) {
	for name, c := range cuts {
		shared := 0
		for seed := range uint64(proof.Some(6)) {
			r := rand.New(rand.NewPCG(seed, 41))
			events := randomEvents(r, 50+r.IntN(500))
			for i := range events {
				events[i].At -= events[i].At % int64(5*time.Minute)
			}
			cfg := session.Config{Gap: gap, Cuts: c, Grace: time.Hour}
			cfg.MaxEvents = min(c.MaxEvents, 2) // few are of the same instant
			rows := newDriver(t, cfg).Run(events, 100)
			shared += checkIDs(t, rows)
			want := lines(slices.Sorted(slices.Values(rows)))
			mixed := disordered(r, events, cfg.Grace)
			little := cfg
			little.MaxMemory, little.Spill = 1<<10, &proof.Blobs{}
			for how, got := range map[string][]string{
				"disordered":      newDriver(t, cfg).Run(mixed, 1+r.IntN(100)),
				"interrupted":     interrupted(t, r, cfg, mixed),
				"short of memory": interrupted(t, r, little, mixed),
				"updated":         lastRows(t, cfg, mixed),
			} {
				if slices.Sort(got); lines(got) != want {
					t.Fatalf("%s, seed %d, %s: got\n%s\nwant\n%s", name, seed, how, lines(got), want)
				}
			}
		}
		if shared == 0 && c != (session.Cuts{}) && name != "length" {
			t.Errorf("%s: no sessions of a user begin at the same instant", name)
		}
	}
}

// checkIDs makes sure that no two rows have an id and returns how many have key
// and start of another one.
func checkIDs(t *testing.T, rows []string) (shared int) {
	t.Helper()
	seen, starts := map[any]bool{}, map[string]bool{}
	for _, r := range proof.Parsed(t, rows) {
		if seen[r["session_id"]] {
			t.Fatalf("two sessions have the id %v\n%s", r["session_id"], lines(rows))
		}
		seen[r["session_id"]] = true
		start := fmt.Sprintf("%T %v %v", r["user"], r["user"], r["session_start"])
		if starts[start] {
			shared++
		}
		starts[start] = true
	}
	return shared
}

// interrupted runs events in operators that go on from the state of each other.
func interrupted(t *testing.T, r *rand.Rand, cfg session.Config, events []event) (rows []string) {
	t.Helper()
	d, store := newDriver(t, cfg), map[string]string{}
	for chunk := range slices.Chunk(events, 20) {
		d.Feed(chunk)
		if save(t, d.Op, store, false); r.IntN(2) == 0 {
			rows = append(rows, d.Out.Rows...)
			again := restored(t, cfg, store)
			again.Mark, again.Now, d = d.Mark, d.Now, again
		}
	}
	return append(rows, d.Run(nil, 1)...)
}

// lastRows returns the last row of each id where updates are written, as if they
// were not.
func lastRows(t *testing.T, cfg session.Config, events []event) (rows []string) {
	t.Helper()
	cfg.Update = true
	d, kept := newDriver(t, cfg), map[string]string{}
	for chunk := range slices.Chunk(events, 20) {
		d.Now++
		d.Feed(chunk)
	}
	d.Run(nil, 1)
	for i, r := range proof.Parsed(t, d.Out.Rows) {
		id := r["session_id"].(string)
		if kept[id] = d.Out.Rows[i]; r["op"] == "retract" {
			delete(kept, id)
		}
	}
	for _, row := range kept {
		rows = append(rows, closedOnly(row))
	}
	return rows
}

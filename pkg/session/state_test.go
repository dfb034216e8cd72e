package session_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// save takes changes into a store as a vault does.
func save(t testing.TB, op *session.Op, store map[string]string, all bool) {
	t.Helper()
	if all {
		clear(store)
	}
	err := op.Changes(all, func(key, value []byte) error {
		if len(key) == 0 {
			t.Error("an empty key")
		}
		if value == nil {
			delete(store, string(key))
		} else {
			store[string(key)] = string(value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// savePiece takes some changes into a store and refuses the others: they are for later
// calls, by the last of which the store is what one call would have made it.
func savePiece(t testing.TB, op *session.Op, store map[string]string, all bool, some int) {
	t.Helper()
	if all {
		clear(store)
	}
	err := op.Changes(all, func(key, value []byte) error {
		if some--; some < 0 {
			return errEnough
		}
		if delete(store, string(key)); value != nil {
			store[string(key)] = string(value)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
}

var errEnough = errors.New("enough")

// restored returns a driver whose operator has the state of a store.
func restored(t testing.TB, cfg session.Config, store map[string]string) *driver {
	t.Helper()
	d := newDriver(t, cfg)
	for key, value := range store {
		if err := d.Op.Restore([]byte(key), []byte(value)); err != nil {
			t.Fatalf("restoring %q: %v", key, err)
		}
	}
	return d
}

var stateful = map[string]session.Config{
	"plain":     {},
	"aggregate": {Details: session.Details{Aggs: "b=sum(bytes), p50(bytes), last(page)", Type: "type", Page: "page"}},
	"update":    {Update: true},
	"ordered":   {Details: details, Cuts: cuts["all"]},
	"events":    {Details: session.Details{Events: true}, Cuts: session.Cuts{MaxLength: 25 * time.Minute}},
	"abandoned": {Details: session.Details{Abandon: "cart and not buy", Funnel: "view, buy"}},
}

// A run that is interrupted anywhere, and goes on in another operator from what
// was saved, writes what an unbroken one writes.
func TestSavedAndRestoredAnywhere(t *testing.T) {
	for name, cfg := range stateful {
		t.Run(name, func(t *testing.T) {
			cfg.Gap, cfg.Grace = gap, 30*time.Minute
			for seed := range uint64(proof.Some(10)) {
				r := rand.New(rand.NewPCG(seed, 11))
				events := disordered(r, randomEvents(r, 600), cfg.Grace)
				d := newDriver(t, cfg)
				want := d.Run(events, 10)
				store := map[string]string{}
				var got []string
				d = newDriver(t, cfg)
				for k, chunk := range slices.Collect(slices.Chunk(events, 10)) {
					d.Feed(chunk)
					switch r.IntN(4) {
					case 0:
						continue
					case 1:
						savePiece(t, d.Op, store, r.IntN(8) == 0, r.IntN(20))
						continue
					}
					save(t, d.Op, store, r.IntN(8) == 0)
					if r.IntN(4) == 0 {
						got = append(got, d.Out.Rows...)
						mark, now := d.Mark, d.Now
						d = restored(t, cfg, store)
						d.Mark, d.Now = mark, now
						again := map[string]string{}
						save(t, d.Op, again, true)
						if !maps.Equal(store, again) {
							t.Fatalf("seed %d, chunk %d: %d entries were restored, now there are %d others", seed, k, len(store), len(again))
						}
					}
				}
				got = append(got, d.Run(nil, 1)...)
				if lines(got) != lines(want) {
					t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, lines(got), lines(want))
				}
				save(t, d.Op, store, false)
				if len(store) != 1 {
					t.Errorf("at the end there are %d entries, want the clock", len(store))
				}
			}
		})
	}
}

// What has not changed is not mentioned again.
func TestChangesAreOfWhatChanged(t *testing.T) {
	d := newDriver(t, session.Config{Gap: gap, Grace: time.Hour})
	d.Feed([]event{visit("a", 0), visit("b", 0), visit("c", 0)})
	store := map[string]string{}
	save(t, d.Op, store, false)
	if len(store) != 4 {
		t.Errorf("%d entries, want 3 sessions and the clock", len(store))
	}
	d.Feed([]event{visit("b", 0)})
	changed := map[string]string{}
	save(t, d.Op, changed, false)
	if len(changed) != 1 || !strings.Contains(slices.Collect(maps.Keys(changed))[0], "b") {
		t.Errorf("changed %q, want b's session", changed)
	}
}

func TestStateOfOthersIsRefused(t *testing.T) {
	cfg := session.Config{Gap: gap, Details: session.Details{Aggs: "sum(bytes)"}}
	d := newDriver(t, cfg)
	d.Feed([]event{visit("ann", 0)})
	store := map[string]string{}
	save(t, d.Op, store, true)
	for key, value := range store {
		for n := range len(value) {
			if err := newDriver(t, cfg).Op.Restore([]byte(key), []byte(value[:n])); err == nil {
				t.Errorf("%d of %d bytes of the entry %q are taken", n, len(value), key)
			}
		}
		if err := newDriver(t, cfg).Op.Restore([]byte(key), []byte(value+"x")); err == nil {
			t.Errorf("a longer entry %q is taken", key)
		}
	}
	again := restored(t, cfg, store)
	for key, value := range store {
		if key[0] == 2 && again.Op.Restore([]byte(key), []byte(value)) == nil {
			t.Error("two sessions that touch are taken")
		}
	}
	seen := map[string]string{}
	for name, cfg := range stateful {
		cfg.Gap = gap
		s := newDriver(t, cfg).Op.Signature()
		if other, ok := seen[s]; ok && name != "update" && other != "update" {
			t.Errorf("%s and %s have the signature %s", name, other, s)
		}
		seen[s] = name
	}
}

// FuzzRestore restores what nobody has saved: an error, or an operator that works.
func FuzzRestore(f *testing.F) {
	var all []session.Config
	for _, name := range slices.Sorted(maps.Keys(stateful)) {
		cfg := stateful[name]
		cfg.Gap, cfg.Grace = gap, 10*time.Minute
		all = append(all, cfg)
		d := newDriver(f, cfg)
		d.Op.KeepHistory(day)
		d.Feed(disordered(rand.New(rand.NewPCG(1, 1)), randomEvents(rand.New(rand.NewPCG(2, 2)), 40), cfg.Grace))
		store := map[string]string{}
		save(f, d.Op, store, true)
		for key, value := range store {
			f.Add(uint8(len(all)-1), []byte(key), []byte(value), []byte(key), []byte(value))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, key, value, key2, value2 []byte) {
		d := newDriver(t, all[int(which)%len(all)])
		d.Op.KeepHistory(day)
		if d.Op.Restore(key, value) != nil || d.Op.Restore(key2, value2) != nil {
			return
		}
		d.Feed([]event{visit("ann", 0), visit("bob", time.Hour), visit("ann", 50*time.Minute)})
		d.Must(d.Op.Finish(&d.Out))
		if s := d.Op.Stats(); s.Open != 0 || s.Held != 0 || s.Users != 0 {
			t.Errorf("at the end %+v", s)
		}
		for _, p := range d.Op.Past(session.Search{}) {
			if !json.Valid(p.Row) {
				t.Errorf("past session %s", p.Row)
			}
		}
	})
}

// FuzzFunnel compiles funnels: an error with a place, or steps.
func FuzzFunnel(f *testing.F) {
	for _, s := range []string{"view, cart", "a=x > 1, b", "a b", "'q'", "x=(", strings.Repeat("a,", 40) + "a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		_, err := session.New(session.Config{Gap: gap, Details: session.Details{Funnel: src}}, record.NewPlan())
		if err != nil && (fault.Status(err) != fault.Usage || err.Error() == "") {
			t.Errorf("%q: %v", src, err)
		}
	})
}

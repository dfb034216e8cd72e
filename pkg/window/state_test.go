package window_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/window"
)

// stateConfigs are kinds of windows whose state differs.
func stateConfigs() map[string]window.Config {
	by := []string{"service"}
	return map[string]window.Config{
		"tumbling":    {Sizes: sizes(20 * time.Second), By: by, Grace: 5 * time.Second},
		"hopping":     {Sizes: sizes(25 * time.Second), Hop: fixed(10 * time.Second), By: []string{"service", "status"}, Grace: 2 * time.Second},
		"no keys":     {Sizes: sizes(10 * time.Second), Grace: time.Second},
		"updates":     {Sizes: sizes(20 * time.Second), By: by, Grace: 5 * time.Second, Emit: window.Both},
		"update only": {Sizes: sizes(20 * time.Second), By: by, Grace: 5 * time.Second, Emit: window.Update},
		"several sizes": {
			Sizes: sizes(10*time.Second, 30*time.Second, time.Minute), Hop: fixed(5 * time.Second), By: by,
			Grace: 10 * time.Second,
		},
		"calendar":      {Sizes: []window.Size{{Months: 1, Zone: time.UTC}, {Days: 1, Zone: time.UTC}}, By: by, Grace: time.Second},
		"sessions":      {Gap: 4 * time.Second, By: by, Grace: 2 * time.Second},
		"one session":   {Gap: 400 * time.Millisecond, Grace: 9 * time.Second, Emit: window.Both},
		"sliding":       {Sizes: sizes(15 * time.Second), Slide: true, By: by, Grace: 3 * time.Second},
		"sliding, said": {Sizes: sizes(5 * time.Second), Slide: true, By: by, Grace: 8 * time.Second, Emit: window.Update},
		"trend":         {Sizes: sizes(10*time.Second, 30*time.Second), Hop: fixed(10 * time.Second), By: by, Grace: 2 * time.Second, Trend: []string{"previous"}},
		"filled":        {Sizes: sizes(time.Second), By: by, Grace: 2 * time.Second, Fill: window.FillZero},
		"all kept":      {Sizes: sizes(time.Minute), By: by, GraceUnlimited: true},
	}
}

// An operator that is taken up again from its state, at any moment and by whole
// or partial snapshots, goes on as if nothing had happened.
func TestStateIsAllThatMatters(t *testing.T) {
	t.Parallel()
	for name, cfg := range stateConfigs() {
		cfg.Aggs = everyAggregate
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(proof.Some(4)) {
				r := rand.New(rand.NewPCG(seed, 77))
				events := randomEvents(r, 800)
				want := newDriver(t, cfg)
				want.Run(events, 50)

				d, kept := newDriver(t, cfg), vault{}
				var out, late []string
				for chunk := range slices.Chunk(events, 50) {
					d.Feed(chunk)
					switch r.IntN(4) {
					case 0:
						continue
					case 1:
						kept.piece(t, d.Op, r.IntN(4) == 0, math.MaxInt)
						continue
					case 2:
						kept.piece(t, d.Op, r.IntN(4) == 0, r.IntN(12))
						continue
					}
					kept.piece(t, d.Op, false, math.MaxInt)
					again := newDriver(t, cfg)
					kept.restore(t, r, again.Op)
					sameState(t, kept, again.Op)
					out, late = append(out, d.Out.Rows...), append(late, d.Out.Late...)
					again.Mark, d = d.Mark, again
				}
				d.Must(d.Op.Finish(&d.Out))
				kept.piece(t, d.Op, false, math.MaxInt)
				if n := len(kept); n != 1 && cfg.Fill == window.FillNone && cfg.Trend == nil {
					t.Fatalf("seed %d: %d entries are left when all windows are closed, want that of the clock", seed, n)
				}
				out, late = append(out, d.Out.Rows...), append(late, d.Out.Late...)
				if lines(out) != lines(want.Out.Rows) || lines(late) != lines(want.Out.Late) {
					t.Fatalf("seed %d: rows or late records differ from those of an unbroken run", seed)
				}
			}
		})
	}
}

// memory is a Spill.
type memory map[int64][]byte

func (m memory) Put(blob []byte) (int64, error) {
	id := int64(len(m)) + 1
	for m[id] != nil {
		id++
	}
	m[id] = append([]byte{}, blob...)
	return id, nil
}

func (m memory) ReadAt(p []byte, id, off int64) error {
	if off+int64(len(p)) > int64(len(m[id])) {
		return errors.New("no such bytes")
	}
	copy(p, m[id][off:])
	return nil
}

func (m memory) Delete(id int64) error { delete(m, id); return nil }

// sameState checks that a restored operator has the state that it was given, and
// that none of it counts as changed.
func sameState(t *testing.T, kept vault, op *window.Op) {
	t.Helper()
	if err := op.Changes(false, func(key, value []byte) error { return fmt.Errorf("%q has changed", key) }); err != nil {
		t.Error(err)
	}
	all := vault{}
	all.save(t, op, true)
	if !maps.EqualFunc(all, kept, bytes.Equal) {
		t.Errorf("%d entries were restored, %d or others are there", len(kept), len(all))
	}
}

// What nobody asks for is not kept: closed panes leave nothing behind.
func TestClosedPanesLeaveNothing(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Second), By: []string{"service"}})
	kept := vault{}
	for range 3 {
		d.Feed(randomEvents(rand.New(rand.NewPCG(1, 1)), 100))
	}
	kept.save(t, d.Op, false)
	d.Must(d.Op.Finish(&d.Out))
	kept.save(t, d.Op, false)
	if len(kept) != 1 {
		t.Errorf("%d entries are left", len(kept))
	}
}

func TestSignatureTellsSettingsApart(t *testing.T) {
	seen := map[string]string{}
	for name, cfg := range stateConfigs() {
		op := newDriver(t, cfg).Op
		told := fmt.Sprint(cfg.Sizes, cfg.Hop, cfg.Gap, cfg.Slide, cfg.Trend, cfg.Fill)
		if other, ok := seen[op.Signature()]; ok && told != other {
			t.Errorf("%s has the signature of %s", name, other)
		}
		seen[op.Signature()] = told
	}
}

// TestStateOfOtherColumns: state with other columns than the operator has, as of a build
// that kept them in another way, is refused with what to do.
func TestStateOfOtherColumns(t *testing.T) {
	cfg := window.Config{Sizes: sizes(time.Second), By: []string{"service"}}
	cfg.Aggs = "first(latency), last(latency)"
	d := newDriver(t, cfg)
	d.Feed(randomEvents(rand.New(rand.NewPCG(1, 1)), 100))
	cfg.Aggs = "first(latency), delta(latency)"
	other := newDriver(t, cfg).Op
	if err := d.Op.Changes(true, other.Restore); err == nil || !strings.Contains(fault.HintOf(err), "--reset") {
		t.Errorf("got %v (%q)", err, fault.HintOf(err))
	}
}

// FuzzRestore gives an operator what nobody has written: an error, or state that
// it can work with.
func FuzzRestore(f *testing.F) {
	names := slices.Sorted(maps.Keys(stateConfigs()))
	for i, name := range names {
		cfg := stateConfigs()[name]
		cfg.Aggs = everyAggregate
		d := newDriver(f, cfg)
		d.Feed(randomEvents(rand.New(rand.NewPCG(9, 9)), 60))
		n := 0
		_ = d.Op.Changes(true, func(key, value []byte) error {
			if n++; n < 6 {
				f.Add(uint8(i), bytes.Clone(key), bytes.Clone(value))
			}
			return nil
		})
	}
	f.Fuzz(func(t *testing.T, which uint8, key, value []byte) {
		cfg := stateConfigs()[names[int(which)%len(names)]]
		cfg.Aggs = everyAggregate
		d := newDriver(t, cfg)
		if d.Op.Restore(key, value) != nil {
			return
		}
		d.Feed(randomEvents(rand.New(rand.NewPCG(9, 9)), 20))
		kept := vault{}
		kept.save(t, d.Op, true)
		d.Must(d.Op.Finish(&d.Out))
	})
}

// manyGroups returns an operator with a million groups, and the batch of the last ones.
func manyGroups(b *testing.B, perBatch int) (*window.Op, *record.Batch) {
	b.Helper()
	op := countingOp(b)
	var out discard
	var last *record.Batch
	for lo := 0; lo < groups; lo += perBatch {
		events := make([]event, perBatch)
		for i := range events {
			events[i] = event{At: start, Fields: map[string]any{"k": fmt.Sprint("user-", lo+i), "v": i % 100}}
		}
		last = proof.Batch(op.plan, proof.File, events)
		op.Prepare(last)
		if err := op.Process(last.All(), &out); err != nil {
			b.Fatal(err)
		}
	}
	return op.Op, last
}

const groups = 1_000_000

type planned struct {
	*window.Op
	plan *record.Plan
}

func countingOp(b *testing.B) planned {
	b.Helper()
	plan := record.NewPlan()
	op, err := window.New(window.Config{Sizes: sizes(time.Minute), By: []string{"k"}, Aggs: "count(), sum(v), avg(v)"}, plan)
	if err != nil {
		b.Fatal(err)
	}
	return planned{op, plan}
}

// BenchmarkRestore measures how a million groups come back.
func BenchmarkRestore(b *testing.B) {
	op, _ := manyGroups(b, 50_000)
	var state stream.Entries
	err := op.Changes(true, func(key, value []byte) error { state.Append(key, value); return nil })
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := state.Each(countingOp(b).Restore); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(groups*float64(b.N)/b.Elapsed().Seconds(), "groups/s")
}

// BenchmarkChanges measures snapshots of a million groups, in ms.
func BenchmarkChanges(b *testing.B) {
	const perBatch = 50_000
	op, last := manyGroups(b, perBatch)
	var out discard
	for _, c := range []struct {
		name  string
		all   bool
		dirty int
	}{{"all", true, 0}, {"50000 dirty", false, perBatch}, {"none dirty", false, 0}} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			put := func(key, value []byte) error { size += len(key) + len(value); return nil }
			if err := op.Changes(true, put); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if c.dirty > 0 {
					b.StopTimer()
					if err := op.Process(record.Rows{Batch: last, Lo: 0, Hi: c.dirty}, &out); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				size = 0
				if err := op.Changes(c.all, put); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/snapshot")
			b.ReportMetric(float64(size), "B/snapshot")
		})
	}
}

// Signatures name every setting that the entries depend on.
func TestSignatureIsReadable(t *testing.T) {
	op := newDriver(t, window.Config{Sizes: sizes(time.Minute), By: []string{"service"}, Aggs: "count()"}).Op
	for _, part := range []string{"window", "sizes=[1m]", "service", "count()"} {
		if !strings.Contains(op.Signature(), part) {
			t.Errorf("%q is not in %q", part, op.Signature())
		}
	}
}

package window_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
)

// manyKeys are events of many keys, one of which has most of them.
func manyKeys(r *rand.Rand, n, keys int) []event {
	events := make([]event, n)
	for i := range events {
		k := "heavy"
		if r.IntN(5) == 0 {
			k = fmt.Sprint("key-", r.IntN(keys))
		}
		events[i] = event{
			At: start + int64(i)*int64(5*time.Minute)/int64(n) + r.Int64N(int64(time.Second)), Offset: int64(i),
			Fields: map[string]any{"k": k, "latency": float64(r.IntN(10_000)) / 100, "user": fmt.Sprint("u", r.IntN(50)), "status": 200},
		}
	}
	return events
}

// A few long keys take as much memory as many short ones: it is looked at for their bytes.
func TestLongKeysAreSpilled(t *testing.T) {
	t.Parallel()
	const n, size = 40, 100_000
	events := make([]event, n)
	for i := range events {
		events[i] = event{
			At: start + int64(i)*int64(time.Second), Offset: int64(i),
			Fields: map[string]any{"k": fmt.Sprintf("%02d", i%(n/2)) + strings.Repeat("x", size)},
		}
	}
	for name, cfg := range map[string]window.Config{
		"aligned": {Sizes: sizes(time.Minute)}, "sessions": {Gap: time.Minute}, "sliding": {Sizes: sizes(time.Minute), Slide: true},
	} {
		cfg.By, cfg.Aggs, cfg.GraceUnlimited = []string{"k"}, "count()", name != "sliding"
		plenty := newDriver(t, cfg)
		blobs := &counted{memory: memory{}}
		cfg.MaxMemory, cfg.Spill = 4*size, blobs
		spilled := newDriver(t, cfg)
		for i := range events {
			plenty.Feed(events[i : i+1])
			spilled.Feed(events[i : i+1])
		}
		if blobs.puts == 0 {
			t.Errorf("%s: nothing was spilled", name)
		}
		plenty.Must(plenty.Op.Finish(&plenty.Out))
		spilled.Must(spilled.Op.Finish(&spilled.Out))
		if got, want := lines(final(spilled.Out.Rows)), lines(final(plenty.Out.Rows)); got != want {
			t.Errorf("%s: %d rows differ from the %d with enough memory", name, len(spilled.Out.Rows), len(plenty.Out.Rows))
		}
	}
}

// With little memory the rows are those with much, queries and updates, too.
func TestSpilledRowsAreTheSame(t *testing.T) {
	t.Parallel()
	const n = 30_000 // with fewer groups their memory is not looked at
	events := manyKeys(rand.New(rand.NewPCG(4, 2)), n, n/3)
	for name, cfg := range map[string]window.Config{
		"tumbling": {Sizes: sizes(time.Minute), Grace: time.Minute},
		"hopping":  {Sizes: sizes(2*time.Minute, 10*time.Minute), Hop: fixed(30 * time.Second), Grace: time.Second},
		"filled":   {Sizes: sizes(2 * time.Minute), Grace: time.Second, Fill: window.FillZero},
		"both":     {Sizes: sizes(2 * time.Minute), GraceUnlimited: true, Emit: window.Both, Every: time.Hour},
	} {
		if proof.Racing && name != "tumbling" {
			continue // nothing here is done beside anything else
		}
		cfg.By, cfg.Aggs = []string{"k"}, "count(), sum(latency), p90(latency), distinct(user), first(user), last(user)"
		plenty := newDriver(t, cfg)
		little := cfg
		blobs := &counted{memory: memory{}}
		little.MaxMemory, little.Spill = int64(n)*16, blobs
		spilled := newDriver(t, little)
		for lo := 0; lo < len(events); lo += n / 10 {
			plenty.Feed(events[lo : lo+n/10])
			spilled.Feed(events[lo : lo+n/10])
		}
		if blobs.puts == 0 {
			t.Fatalf("%s: nothing was spilled", name)
		}
		for _, key := range []*string{new("heavy"), new("key-7"), new("nobody"), nil} {
			if key == nil && (proof.Racing || cfg.Fill != window.FillNone) {
				continue // it is most of the work
			}
			q := everything
			q.Key = key
			if fmt.Sprint(ask(t, plenty.Op, q)) != fmt.Sprint(ask(t, spilled.Op, q)) {
				t.Fatalf("%s: a query shows other rows", name)
			}
		}
		plenty.Must(plenty.Op.Finish(&plenty.Out))
		spilled.Must(spilled.Op.Finish(&spilled.Out))
		if lines(final(plenty.Out.Rows)) != lines(final(spilled.Out.Rows)) {
			t.Errorf("%s: %d rows differ from the %d with enough memory", name, len(spilled.Out.Rows), len(plenty.Out.Rows))
		}
		if len(blobs.memory) != 0 || spilled.Op.Stats().Spilled != 0 {
			t.Errorf("%s: %d blobs are left", name, len(blobs.memory))
		}
	}
}

// TestSpilledStateIsAllThatMatters: so is what is saved while groups are on the disk, as
// a whole, by what has changed or in pieces, and taken up by another operator.
func TestSpilledStateIsAllThatMatters(t *testing.T) {
	t.Parallel()
	if proof.Racing {
		t.Skip("nothing here is done beside anything else")
	}
	const n = 30_000
	r := rand.New(rand.NewPCG(6, 2))
	events := manyKeys(r, n, n/3)
	for name, cfg := range map[string]window.Config{
		"tumbling": {Sizes: sizes(2 * time.Minute), Grace: time.Minute},
		"hopping":  {Sizes: sizes(2*time.Minute, 10*time.Minute), Hop: fixed(30 * time.Second), Grace: time.Second},
	} {
		cfg.By, cfg.Aggs = []string{"k"}, "count(), sum(latency), first(user)"
		plenty := newDriver(t, cfg)
		plenty.Run(events, n/10)
		blobs := &counted{memory: memory{}}
		cfg.MaxMemory, cfg.Spill = n*16, blobs
		d, kept := newDriver(t, cfg), vault{}
		var out []string
		for chunk := range slices.Chunk(events, n/10) {
			if len(kept) > 0 && r.IntN(2) == 0 {
				again := newDriver(t, cfg)
				kept.restore(t, r, again.Op)
				out = append(out, d.Out.Rows...)
				again.Mark, d = d.Mark, again
			}
			d.Feed(chunk)
			kept.piece(t, d.Op, r.IntN(2) == 0, r.IntN(n/4))
			kept.piece(t, d.Op, r.IntN(2) == 0, math.MaxInt)
		}
		if blobs.puts == 0 {
			t.Errorf("%s: nothing was spilled", name)
		}
		d.Must(d.Op.Finish(&d.Out))
		if out = append(out, d.Out.Rows...); lines(out) != lines(plenty.Out.Rows) {
			t.Errorf("%s: %d rows differ from the %d of an unbroken run", name, len(out), len(plenty.Out.Rows))
		}
		if kept.piece(t, d.Op, false, math.MaxInt); len(kept) != 1 {
			t.Errorf("%s: at the end there are %d entries, want the clock", name, len(kept))
		}
	}
}

// counted counts what is put.
type counted struct {
	memory
	puts int
}

func (c *counted) Put(blob []byte) (int64, error) { c.puts++; return c.memory.Put(blob) }

// final leaves out updates.
func final(rows []string) (all []string) {
	for _, row := range rows {
		if row[len(row)-len(`"final":false}`):] != `"final":false}` {
			all = append(all, row)
		}
	}
	return all
}

// A million keys in one window stay within the bound, and somewhat more for what is
// at hand.
func TestMemoryIsBounded(t *testing.T) {
	if proof.Racing {
		t.Skip("it measures memory")
	}
	plan := record.NewPlan()
	blobs := memory{}
	op, err := window.New(window.Config{
		Sizes: sizes(time.Hour), By: []string{"k"}, Aggs: "count(), sum(v), p99(v)", MaxMemory: 32 << 20, Spill: blobs,
	}, plan)
	if err != nil {
		t.Fatal(err)
	}
	var out discard
	most, base := int64(0), inUse(blobs)
	for lo := 0; lo < 1_000_000; lo += 20_000 {
		events := make([]event, 20_000)
		for i := range events {
			events[i] = event{At: start, Fields: map[string]any{"k": fmt.Sprint("user-", lo+i), "v": float64(i % 100)}}
		}
		b := proof.Batch(plan, proof.File, events)
		op.Prepare(b)
		if err := op.Process(b.All(), &out); err != nil {
			t.Fatal(err)
		}
		if err := op.Tick(start, 0, &out); err != nil {
			t.Fatal(err)
		}
		if lo%100_000 == 0 {
			most = max(most, inUse(blobs)-base)
		}
	}
	if most > 64<<20 {
		t.Errorf("%d MiB were in use, bound 32", most>>20)
	}
	if err := op.Finish(&out); err != nil || op.Stats().Rows != 1_000_000 {
		t.Errorf("%d rows, %v", op.Stats().Rows, err)
	}
}

// inUse returns the memory in use but for the blobs.
func inUse(blobs memory) int64 {
	runtime.GC()
	runtime.GC() // of what pools have kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, b := range blobs {
		m.HeapAlloc -= uint64(cap(b))
	}
	return int64(m.HeapAlloc)
}

// 300,000 open windows of count, sum and avg take 30 MB at most, however they are
// spread over keys and time.
func TestBytesOfOpenWindows(t *testing.T) {
	if proof.Racing {
		t.Skip("it measures memory")
	}
	for _, c := range []struct{ keys, windows int }{{300_000, 1}, {30_000, 10}, {1000, 300}} {
		plan := record.NewPlan()
		op, err := window.New(window.Config{
			Sizes: sizes(time.Minute), By: []string{"k"}, Aggs: "count(), sum(v), avg(v)", GraceUnlimited: true,
		}, plan)
		if err != nil {
			t.Fatal(err)
		}
		events := make([]event, min(c.keys, 10_000))
		base := inUse(nil)
		for w := range c.windows {
			for lo := 0; lo < c.keys; lo += len(events) {
				for i := range events {
					events[i] = event{
						At:     start + int64(w)*int64(time.Minute),
						Fields: map[string]any{"k": fmt.Sprintf("user-%06d", lo+i), "v": 1.25},
					}
				}
				b := proof.Batch(plan, proof.File, events)
				op.Prepare(b)
				if err := op.Process(b.All(), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		clear(events)
		used := inUse(nil) - base
		t.Logf("%d keys in %d windows: %.1f MB, %d bytes each", c.keys, c.windows, float64(used)/1e6, used/300_000)
		if used > 30_000_000 {
			t.Errorf("%d keys in %d windows take %d bytes", c.keys, c.windows, used)
		}
		runtime.KeepAlive(op)
	}
}

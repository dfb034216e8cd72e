package window_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/window"
)

// Where memory is short the rows of sessions and of sliding windows are those of
// plenty, and so are answers to questions, whenever state is saved and the run goes on
// in another operator.
func TestSpilledWindowsThatEndAnywhereAreTheSame(t *testing.T) {
	for _, cfg := range []window.Config{
		{Gap: 300 * time.Millisecond},
		{Gap: 4 * time.Second},
		{Slide: true, Sizes: sizes(300 * time.Millisecond)},
		{Slide: true, Sizes: sizes(20 * time.Second)},
	} {
		for _, grace := range []time.Duration{-1, 10 * time.Second, time.Minute} {
			cfg.By, cfg.Aggs, cfg.Grace, cfg.GraceUnlimited = []string{"service", "user"}, everyAggregate, max(grace, 0), grace < 0
			for seed := range uint64(proof.Some(2)) {
				spilledLikePlenty(t, rand.New(rand.NewPCG(seed, 41)), cfg)
			}
		}
	}
}

func spilledLikePlenty(t *testing.T, r *rand.Rand, cfg window.Config) {
	t.Helper()
	events := randomEvents(r, 1000)
	blobs := &proof.Blobs{}
	little := cfg
	little.MaxMemory, little.Spill = 1<<10, blobs
	plenty, d, kept := newDriver(t, cfg), newDriver(t, little), vault{}
	var rows, late []string
	for chunk := range slices.Chunk(events, 100) {
		plenty.Feed(chunk)
		d.Feed(chunk)
		q := everything
		q.Key = new("api,u7")
		if fmt.Sprint(ask(t, plenty.Op, q)) != fmt.Sprint(ask(t, d.Op, q)) {
			t.Fatal("a query shows other rows")
		}
		if r.IntN(3) > 0 {
			continue
		}
		kept.piece(t, d.Op, r.IntN(4) == 0, r.IntN(10))
		kept.piece(t, d.Op, false, math.MaxInt)
		if r.IntN(3) == 0 {
			rows, late = append(rows, d.Out.Rows...), append(late, d.Out.Late...)
			again := newDriver(t, little)
			kept.restore(t, r, again.Op)
			again.Mark, d = d.Mark, again
		}
	}
	plenty.Must(plenty.Op.Finish(&plenty.Out))
	d.Must(d.Op.Finish(&d.Out))
	rows, late = append(rows, d.Out.Rows...), append(late, d.Out.Late...)
	if lines(rows) != lines(plenty.Out.Rows) || lines(late) != lines(plenty.Out.Late) {
		t.Fatalf("%s, grace %v: %d rows and %d late ones differ from %d and %d", d.Op.Signature(), cfg.Grace, len(rows), len(late),
			len(plenty.Out.Rows), len(plenty.Out.Late))
	}
	if blobs.Puts == 0 {
		t.Fatalf("%s, grace %v: nothing was spilled", d.Op.Signature(), cfg.Grace)
	}
	if kept.piece(t, d.Op, false, math.MaxInt); len(kept) != 1 || d.Op.Stats().Spilled > 0 {
		t.Errorf("%d entries are left, %+v", len(kept), d.Op.Stats())
	}
}

// Of a partition that goes to another member nothing stays, on disk and in counts.
func TestWhatLeavesIsSpilledNoMore(t *testing.T) {
	for name, cfg := range map[string]window.Config{
		"sessions": {Gap: time.Minute, By: []string{"user"}, GraceUnlimited: true, MaxMemory: 1 << 10},
		"sliding":  {Sizes: sizes(time.Minute), Slide: true, By: []string{"user"}, GraceUnlimited: true, MaxMemory: 1 << 10},
		"windows":  {Sizes: sizes(time.Minute), By: []string{"k"}, GraceUnlimited: true, MaxMemory: 1 << 10},
	} {
		blobs := &proof.Blobs{}
		cfg.Aggs, cfg.Spill = "count(), sum(latency)", blobs
		d, r := newDriver(t, cfg), rand.New(rand.NewPCG(4, 2))
		d.Feed(manyKeys(r, 10_000, 5000))
		d.Feed(randomEvents(r, 1000))
		if s := d.Op.Stats(); s.Spilled == 0 || len(blobs.Kept) == 0 {
			t.Fatalf("%s: nothing was spilled: %+v", name, s)
		}
		d.Op.Leave()
		if s := d.Op.Stats(); s.Spilled != 0 || s.Open != 0 || len(blobs.Kept) != 0 {
			t.Errorf("%s: %d blobs are left, %+v", name, len(blobs.Kept), s)
		}
	}
}

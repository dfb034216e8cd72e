package session_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// Where memory is short the rows are those of plenty, and so are answers to
// questions, whenever state is saved and the run goes on in another operator.
func TestSpilledSessionsAreTheSame(t *testing.T) {
	t.Parallel()
	for name, cfg := range stateful {
		if cfg.Update {
			continue
		}
		for _, grace := range []time.Duration{-1, 20 * time.Minute, 6 * time.Hour} {
			cfg.Gap, cfg.Grace, cfg.GraceUnlimited = gap, max(grace, 0), grace < 0
			t.Run(fmt.Sprint(name, grace), func(t *testing.T) {
				for seed := range uint64(proof.Some(3)) {
					r := rand.New(rand.NewPCG(seed, 31))
					spilledLikePlenty(t, r, cfg, disordered(r, randomEvents(r, max(proof.Some(2000), 700)), 20*time.Minute))
				}
			})
		}
	}
}

func spilledLikePlenty(t *testing.T, r *rand.Rand, cfg session.Config, events []event) {
	t.Helper()
	blobs := &proof.Blobs{}
	little := cfg
	little.MaxMemory, little.Spill = 1<<10, blobs
	plenty, d := newDriver(t, cfg), newDriver(t, little)
	store := map[string]string{}
	var rows []string
	for chunk := range slices.Chunk(events, 50) {
		plenty.Feed(chunk)
		d.Feed(chunk)
		for _, key := range []string{"ann", "7", "nobody"} {
			want, active := plenty.Op.Active(key)
			got, still := d.Op.Active(key)
			if fmt.Sprintf("%s", got) != fmt.Sprintf("%s", want) || active != still {
				t.Fatalf("sessions of %s are\n%s\nwant\n%s", key, got, want)
			}
		}
		if r.IntN(3) > 0 {
			continue
		}
		savePiece(t, d.Op, store, r.IntN(4) == 0, r.IntN(10))
		save(t, d.Op, store, false)
		if r.IntN(3) == 0 {
			rows = append(rows, d.Out.Rows...)
			again := restored(t, little, store)
			again.Mark, again.Now, d = d.Mark, d.Now, again
		}
	}
	rows = append(rows, d.Run(nil, 1)...)
	if want := plenty.Run(nil, 1); lines(rows) != lines(want) {
		for i := range min(len(rows), len(want)) {
			if rows[i] != want[i] {
				t.Fatalf("row %d of %d is\n%s\nwith enough memory, of %d\n%s", i, len(rows), rows[i], len(want), want[i])
			}
		}
		t.Fatalf("%d rows, %d with enough memory", len(rows), len(want))
	}
	if blobs.Puts == 0 && cfg.Grace != 20*time.Minute {
		t.Error("nothing was spilled")
	}
	if s := d.Op.Stats(); s.Spilled != 0 {
		t.Errorf("at the end %+v", s)
	}
	if save(t, d.Op, store, false); len(store) != 1 {
		t.Errorf("at the end there are %d entries, want the clock", len(store))
	}
}

// A day of late events is held in little memory.
func TestADayOfGraceInLittleMemory(t *testing.T) {
	if proof.Racing {
		t.Skip("it measures memory")
	}
	for name, c := range map[string]session.Cuts{"sessions": {}, "events in order": {MaxLength: 12 * time.Hour}} {
		blobs := &proof.Blobs{}
		plan := record.NewPlan()
		op, err := session.New(session.Config{
			Gap: gap, Cuts: c, Grace: 24 * time.Hour, MaxMemory: 2 << 20, Spill: blobs,
		}, plan)
		if err != nil {
			t.Fatal(err)
		}
		d := proof.NewDriver(t, op, plan)
		most, base, n := int64(0), inUse(blobs), 0
		for minute := range 30 * 60 {
			var events []event
			for k := range 200 {
				n++
				events = append(events, visit(fmt.Sprint("user-", minute*200+k-k%3*40_000), time.Duration(minute)*time.Minute))
			}
			d.Feed(events)
			d.Out.Rows, d.Out.Keys, d.Out.Recs = nil, nil, nil
			if minute%300 == 299 {
				most = max(most, inUse(blobs)-base)
			}
		}
		t.Logf("%s: %d bytes at most, %d spilled", name, most, op.Stats().Spilled)
		if most > 5<<20 {
			t.Errorf("%s: %d bytes in use, bound 2 MiB", name, most)
		}
	}
}

// inUse returns the memory in use but for the blobs.
func inUse(blobs *proof.Blobs) int64 {
	runtime.GC()
	runtime.GC() // of what pools have kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, b := range blobs.Kept {
		m.HeapAlloc -= uint64(cap(b))
	}
	return int64(m.HeapAlloc)
}

func TestMemoryThatCannotBeBounded(t *testing.T) {
	for want, cfg := range map[string]session.Config{
		"want at least 1024":     {MaxMemory: 10, Spill: &proof.Blobs{}},
		"not with --emit update": {MaxMemory: 1 << 20, Spill: &proof.Blobs{}, Update: true},
		"nowhere to spill":       {MaxMemory: 1 << 20},
	} {
		cfg.Gap = gap
		if _, err := session.New(cfg, record.NewPlan()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Of a partition that goes to another member nothing stays, on disk and in counts.
func TestWhatLeavesIsSpilledNoMore(t *testing.T) {
	blobs := &proof.Blobs{}
	d := newDriver(t, session.Config{Gap: gap, Grace: 24 * time.Hour, MaxMemory: 1 << 10, Spill: blobs})
	op := d.Op
	r := rand.New(rand.NewPCG(3, 31))
	d.Feed(randomEvents(r, 1000))
	if s := op.Stats(); s.Spilled == 0 || len(blobs.Kept) == 0 {
		t.Fatalf("nothing was spilled: %+v", s)
	}
	op.Leave()
	if s := op.Stats(); s.Spilled != 0 || s.Open != 0 || len(blobs.Kept) != 0 {
		t.Errorf("%d blobs are left, %+v", len(blobs.Kept), s)
	}
}

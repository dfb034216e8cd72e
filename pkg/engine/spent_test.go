package engine

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// TestSpentHoldsTheLeast compares the time at which lanes that have ended hold the
// watermark with that of a search through all of them.
func TestSpentHoldsTheLeast(t *testing.T) {
	const idle = 20
	rnd := rand.New(rand.NewPCG(7, 7))
	for round := range 300 {
		var s spent
		var all []seen
		for now := int64(0); now < 200; now += rnd.Int64N(4) {
			if rnd.IntN(3) > 0 {
				last := seen{max: now/2 + rnd.Int64N(30), active: now - rnd.Int64N(15)}
				s.add(last)
				all = append(all, last)
			}
			want := int64(forever)
			for _, a := range all {
				if now-a.active < idle {
					want = min(want, a.max)
				}
			}
			if got := s.least(now, idle); got != want {
				t.Fatalf("round %d, at %d: held at %d, want %d", round, now, got, want)
			}
		}
	}
}

// few is a file of three records.
type few struct{ number, at int }

func (f *few) record(b *record.Batch) {
	b.Origin = &record.Origin{Source: fmt.Sprint("f", f.number), Partition: int32(f.number + 1)}
	rec := b.Add([]byte("r"))
	rec.Time = int64(10*f.number + f.at)
	b.Next = int64(f.at + 1)
}

func (f *few) Peek(b *record.Batch) error {
	f.record(b)
	return nil
}

func (f *few) Read(_ context.Context, b *record.Batch) error {
	if f.at == 3 {
		return io.EOF
	}
	f.record(b)
	f.at++
	return nil
}

// newest is an operator whose state is in the engine's hands alone.
type newest struct {
	watermark int64
	look      func()
}

func (n *newest) Process(record.Rows, stream.Output) error {
	n.look()
	return nil
}

func (n *newest) Tick(watermark, _ int64, _ stream.Output) error {
	n.watermark = watermark
	return nil
}

func (*newest) Changes(bool, func(key, value []byte) error) error { return nil }
func (*newest) Restore([]byte, []byte) error                      { return nil }
func (*newest) Signature() string                                 { return "" }

// kept is a vault that has what was saved, and a sink that takes nothing.
type kept struct {
	state stream.Image
	bytes int  // of all that was saved
	stale bool // it wants all there is, each time
}

func (*kept) Write(record.Rows) error { return nil }

func (k *kept) Load(_ context.Context, _ stream.Task, put func(key, value []byte) error) error {
	return k.state.Each(put)
}

func (k *kept) Save(_ stream.Task, entries stream.Entries, all bool) error {
	k.bytes += len(entries)
	if all {
		k.state.Reset()
	}
	return k.state.AddAll(entries)
}

func (k *kept) Stale(stream.Task) bool { return k.stale }

// TestLanesThatHaveEndedAreLetGo counts the lanes that a run has of many files, which is
// what its work for each record grows with, and checks that their times are kept.
func TestLanesThatHaveEndedAreLetGo(t *testing.T) {
	const files = 500
	for _, continues := range []bool{false, true} {
		p := Pipeline{Order: InTime, Continues: continues, Now: func() int64 { return 1 }}
		for i := range files {
			p.Sources = append(p.Sources, &few{number: i})
		}
		most := 0
		op, vault := new(newest), new(kept)
		p.Operator, p.Sink, p.Vault = op, vault, vault
		r := newRun(p)
		op.look = func() { most = max(most, len(r.tasks[0].mine)) }
		if err := r.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most > 5 || len(r.all)+len(r.byKey) > 0 {
			t.Errorf("continues %v: up to %d lanes at a time, %d at the end", continues, most, len(r.all))
		}
		want := int64(10*files - 8) // the greatest time of the last file
		if continues {
			want = 2 // that of the first one, which has not been silent for long
		}
		if op.watermark != want {
			t.Errorf("continues %v: watermark %d, want %d", continues, op.watermark, want)
		}
		checkTimes(t, &vault.state, files)
	}
}

// TestCommitsCostWhatHasEnded counts the bytes that are saved where each commit follows
// a file that has ended: they grow with the files, not with their square. The times are
// there for the next run, also after all of the state was wanted.
func TestCommitsCostWhatHasEnded(t *testing.T) {
	const files = 300
	vault := new(kept)
	saveFiles(t, vault, 0, files/2)
	saveFiles(t, vault, files/2, files)
	if most := 200 * files; vault.bytes > most {
		t.Errorf("%d bytes of state were saved for %d files, want %d at most", vault.bytes, files, most)
	}
	vault.stale = true
	saveFiles(t, vault, files, files+10)
	if vault.bytes < 100*files {
		t.Errorf("%d bytes were saved, which is not all there is", vault.bytes)
	}
}

// saveFiles has a run read files of which an earlier one has read some, and commits
// after each batch.
func saveFiles(t *testing.T, vault *kept, read, files int) {
	t.Helper()
	now := int64(0)
	p := Pipeline{
		Order: InTime, Continues: true, CommitEvery: 1, Now: func() int64 { now++; return now },
		Operator: &newest{look: func() {}}, Sink: vault, Vault: vault,
	}
	for i := range files {
		f := &few{number: i}
		if i < read {
			f.at = 3
		}
		p.Sources = append(p.Sources, f)
	}
	if err := newRun(p).run(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkTimes(t, &vault.state, files)
}

func checkTimes(t *testing.T, saved *stream.Image, files int) {
	t.Helper()
	c := clock{times: map[place]seen{}, marks: marks{}}
	err := saved.Each(c.restore)
	if err != nil || len(c.times) != files {
		t.Fatalf("the times of %d partitions are kept, want %d (%v)", len(c.times), files, err)
	}
	for at, last := range c.times {
		if want := int64(10*(at.partition-1) + 2); last.max != want {
			t.Errorf("%s: %d is kept, want %d", at.source, last.max, want)
		}
	}
}

// The number of a partition may be that of several files: what was seen of one is
// another's only where that is what it was called before.
func TestTimesAreRecalledByName(t *testing.T) {
	for _, c := range []struct {
		origin record.Origin
		want   int64
	}{
		{record.Origin{Source: "a", Partition: 7}, 5},
		{record.Origin{Source: "b", Partition: 7}, record.NoTime},
		{record.Origin{Source: "b", Partition: 7, Was: "a"}, 5},
		{record.Origin{Source: "a", Partition: 8}, record.NoTime},
	} {
		l := &lane{task: &task{times: map[place]seen{{"a", 7}: {max: 5}}}, max: record.NoTime}
		if l.recall(&c.origin); l.max != c.want {
			t.Errorf("%+v: time %d, want %d", c.origin, l.max, c.want)
		}
		if left := len(l.task.times); (left == 0) != (c.want == 5) {
			t.Errorf("%+v: %d times are left", c.origin, left)
		}
	}
}

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

func TestLeast(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var tree least
	for range 300 {
		n := 1 + rng.IntN(20)
		all := make([]int64, n)
		tree.reset(n)
		for i := range all {
			all[i] = forever
		}
		for range 3 * n {
			i := rng.IntN(n)
			if all[i] = rng.Int64N(8); all[i] == 7 {
				all[i] = forever
			}
			tree.set(i, all[i])
			first := 0
			for k, v := range all {
				if v < all[first] {
					first = k
				}
			}
			but, limit := int64(forever), int64(forever)
			for k, v := range all {
				if k != i {
					but = min(but, v)
				}
				if k > first {
					limit = min(limit, v)
				} else if k < first && v < forever {
					limit = min(limit, v-1)
				}
			}
			if tree.all() != all[first] || tree.but(i) != but {
				t.Fatalf("%v: the least is %d, but for %d it is %d", all, tree.all(), i, tree.but(i))
			}
			if all[first] < forever && (tree.first() != first || tree.limit(first) != limit) {
				t.Fatalf("%v: %d is the first, up to %d", all, tree.first(), tree.limit(first))
			}
		}
	}
}

// A quiet source is read by nobody: the test adds its batches. A shared one has several
// partitions.
type (
	quiet  struct{}
	shared struct{ quiet }
)

func (quiet) Read(context.Context, *record.Batch) error { return io.EOF }
func (shared) Pause(*record.Origin, bool)               {}

// A dueAt is an operator that is to be told of one time.
type dueAt struct {
	stream.Operator
	at int64
}

func (d *dueAt) Due() int64 { return d.at }

func (*dueAt) Tick(int64, int64, stream.Output) error { return nil }

// crossing is a task with lanes of n sources, the last of which has several partitions.
func crossing(n int, now *int64) (*task, *dueAt) {
	op := &dueAt{}
	p := &Pipeline{Operator: op, Order: InTime, Idle: 50, Now: func() int64 { return *now }}
	for range n - 1 {
		p.Sources = append(p.Sources, quiet{})
	}
	p.Sources = append(p.Sources, shared{})
	ls := newLanes(newReaders(p))
	ls.opened = n
	ls.tasks[0].ready = true
	return ls.tasks[0], op
}

// give adds a batch of records with the given times to a lane.
func give(t *task, source int, partition int32, atEnd bool, now int64, times ...int64) {
	b := record.NewBatch()
	b.Origin, b.AtEnd = &record.Origin{Source: fmt.Sprint(source), Partition: partition}, atEnd
	for i, at := range times {
		rec := b.Add([]byte("x"))
		rec.Time, rec.Offset = at, int64(i)
		if at%5 == 0 {
			rec.Flags |= record.Dropped
		}
	}
	j := &job{Batch: b, source: source}
	l := t.laneOf(j)
	t.attach(l)
	t.lanes.add(l, j, now)
}

// What follows looks at each lane.

func (t *task) leastOfAll() (best *lane, limit int64) {
	var first int64
	limit = forever
	for _, l := range t.mine {
		at, ok := l.head(t.release)
		switch {
		case !ok:
		case best == nil:
			best, first = l, at
		case at < first:
			best, first, limit = l, at, first-1
		default:
			limit = min(limit, at)
		}
	}
	return best, limit
}

func (t *task) reachedByAll(now int64) int64 {
	least, most := t.spent.least(now, int64(t.Idle)), t.spent.most
	for _, l := range t.mine {
		most = max(most, l.max)
		if t.holdsBack(l, now) {
			least = min(least, l.reached())
		}
	}
	if least == forever {
		return most
	}
	return least
}

func (t *task) dueAmongAll(l *lane, due, now int64) int64 {
	if l.max >= due {
		return forever
	}
	for _, other := range t.mine {
		if other != l && other.reached() < due && t.holdsBack(other, now) {
			return forever
		}
	}
	if t.spent.least(now, int64(t.Idle)) < due {
		return forever
	}
	return due
}

// TestStanding: what a task knows of its lanes is what looking at each of them tells, whatever
// was added, taken, ended, or has been silent for long.
func TestStanding(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n, now := 1+rng.IntN(12), int64(1000)
		task, op := crossing(n, &now)
		ended := make([]bool, n)
		for step := range 400 {
			op.at = rng.Int64N(200)
			switch source := rng.IntN(n); {
			case rng.IntN(3) == 0 && !ended[source]:
				var times []int64
				for range rng.IntN(6) {
					times = append(times, int64(step/4)+rng.Int64N(30))
				}
				partition := int32(0)
				if source == n-1 {
					partition = rng.Int32N(3)
				}
				give(task, source, partition, rng.IntN(2) == 0, now, times...)
			case rng.IntN(60) == 0 && !ended[source] && (source == n-1 || task.byKey[laneKey{source: source}] != nil):
				ended[source] = true
				task.end(source)
			case rng.IntN(4) == 0:
				now += rng.Int64N(40)
			}
			if err := task.tell(now, false, nil); err != nil {
				t.Fatal(err)
			}
			if got, want := task.reached(now), task.reachedByAll(now); got != want {
				t.Fatalf("seed %d, step %d: reached %d, want %d", seed, step, got, want)
			}
			best, limit := task.least(task.release)
			if l, most := task.leastOfAll(); l != best || best != nil && limit != most {
				t.Fatalf("seed %d, step %d: the least is %p up to %d, want %p up to %d", seed, step, best, limit, l, most)
			}
			waits := false
			for _, l := range task.mine {
				waits = waits || l.waits()
				if task.exhausted(l) {
					t.Fatalf("seed %d, step %d: a lane is kept that has ended", seed, step)
				}
			}
			if waits != (task.waits > 0) {
				t.Fatalf("seed %d, step %d: %d lanes are waited for", seed, step, task.waits)
			}
			if best == nil {
				continue
			}
			if got, want := task.dueWith(best), task.dueAmongAll(best, op.at, now); got != want {
				t.Fatalf("seed %d, step %d: due at %d, want %d", seed, step, got, want)
			}
			task.take(best, limit, 1+rng.IntN(3))
		}
	}
}

// BenchmarkLanes takes single rows of lanes in turn.
func BenchmarkLanes(b *testing.B) {
	for _, n := range []int{1, 2, 8, 100, 2500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var now int64
			t, op := crossing(n+1, &now)
			op.at = forever - 1
			rows := 0
			for b.Loop() {
				if rows == 0 {
					for i := range n {
						times := make([]int64, 1000)
						for k := range times {
							times[k] = int64(k*n+i)*5 + 1
						}
						give(t, i, 0, true, now, times...)
					}
					rows = 1000 * n
				}
				if err := t.tell(now, false, nil); err != nil {
					b.Fatal(err)
				}
				taken, ok := t.pick(t.release)
				if !ok {
					b.Fatal("there are no rows")
				}
				rows -= taken.Hi - taken.Lo
			}
		})
	}
}

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// numbered is a source of records that are numbers, each of a size.
type numbered struct {
	total, size int
	at          int
	parts       []*record.Origin // that take turns
	next        []int64          // offsets in them
}

func newNumbered(total, size, parts int) *numbered {
	s := &numbered{total: total, size: size, next: make([]int64, parts)}
	for i := range parts {
		s.parts = append(s.parts, &record.Origin{Source: "n", Partition: int32(i)})
	}
	return s
}

func (s *numbered) Seek([]stream.Position) error { return nil }

func (s *numbered) Pause(*record.Origin, bool) {}

func (s *numbered) Read(_ context.Context, b *record.Batch) error {
	if s.at == s.total {
		return io.EOF
	}
	part := s.at / 20 % len(s.parts)
	b.Origin = s.parts[part]
	for range min(20, s.total-s.at) {
		rec := b.Add(fmt.Appendf(nil, "%0*d", s.size, s.at))
		rec.Offset, rec.Time = s.next[part], int64(s.at)
		s.next[part]++
		s.at++
	}
	b.Next = s.next[part]
	return nil
}

// slowly is numbered, and reads on when there has been another commit.
type slowly struct {
	*numbered
	every   int // records
	commits *atomic.Int64
}

func (s slowly) Read(ctx context.Context, b *record.Batch) error {
	for s.commits.Load() < int64(s.at/s.every) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	return s.numbered.Read(ctx, b)
}

// sorter is an operator that counts records and hands them on: some as they came,
// some in batches of its own, some to a side.
type sorter struct {
	count int64
	done  *atomic.Int64 // by all of them
	side  stream.Sink
}

func (o *sorter) Process(rows record.Rows, out stream.Output) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		if err := o.pass(rows, i, out); err != nil {
			return err
		}
		o.count++
		o.done.Add(1)
	}
	return nil
}

func (o *sorter) pass(rows record.Rows, i int, out stream.Output) error {
	one := record.Rows{Batch: rows.Batch, Lo: i, Hi: i + 1}
	switch n := rows.Recs[i].Offset; {
	case n%5 == 0:
		return o.side.Write(one)
	case n/500%2 == 0:
		return out.Emit(one)
	}
	b, err := out.Batch()
	if err != nil {
		return err
	}
	b.Add(rows.Value(i))
	return out.Emit(b.All())
}

func (*sorter) Signature() string { return "sorter" }

func (o *sorter) Changes(_ bool, put func(key, value []byte) error) error {
	return put([]byte("n"), strconv.AppendInt(nil, o.count, 10))
}

func (*sorter) Restore(_, _ []byte) error { return nil }

// account is a sink that keeps positions and state with its rows, and checks at
// every commit that they are of one moment.
type account struct {
	t          *testing.T
	total      int64
	done       atomic.Int64 // records that were processed
	dead, side text
	out        []string
	at, count  map[int32]int64 // of each partition
	committing atomic.Bool
	commits    atomic.Int64           // that have begun
	wait       func(a *account) error // during a commit
}

func (a *account) Write(rows record.Rows) error {
	if a.committing.Load() {
		a.t.Error("a row is written in the midst of a commit")
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			a.out = append(a.out, string(rows.Value(i)))
		}
	}
	return nil
}

func (*account) Positions(context.Context) ([]stream.Position, error) { return nil, nil }

func (a *account) Keep(at []stream.Position) {
	for _, p := range at {
		a.at[p.Partition] = p.Next
	}
}

func (*account) Load(context.Context, stream.Task, func(key, value []byte) error) error { return nil }

func (a *account) Save(task stream.Task, entries stream.Entries, _ bool) (err error) {
	return entries.Each(func(key, value []byte) error {
		if string(key) == "n" {
			a.count[task.Partition], err = strconv.ParseInt(string(value), 10, 64)
		}
		return err
	})
}

func (a *account) Flush(context.Context) error {
	a.committing.Store(true)
	defer a.committing.Store(false)
	commit := a.commits.Add(1)
	err := a.wait(a)
	side, dead := int64(words(&a.side)), int64(words(&a.dead))
	if n := int64(len(a.out)) + side; n+dead != sum(a.at) || n != sum(a.count) {
		a.t.Errorf("commit %d: %d rows, %d of them aside, and %d dead letters, at %v with counts of %v",
			commit, n, side, dead, a.at, a.count)
	}
	if dead == 0 && !maps.Equal(a.at, a.count) {
		a.t.Errorf("commit %d: at %v with counts of %v", commit, a.at, a.count)
	}
	return err
}

func sum(of map[int32]int64) (n int64) {
	for _, m := range of {
		n += m
	}
	return n
}

func words(t *text) (n int) {
	for _, c := range t.Bytes() {
		if c == ' ' {
			n++
		}
	}
	return n
}

// pipeline returns one of numbered records through a sorter into a, with at least two
// commits on the way.
func (a *account) pipeline(size, parts int) engine.Pipeline {
	a.at, a.count = map[int32]int64{}, map[int32]int64{}
	side := engine.NewGate(&a.side)
	p := engine.Pipeline{
		Sources: []stream.Source{slowly{newNumbered(int(a.total), size, parts), int(a.total)/3 + 1, &a.commits}}, Operator: &sorter{done: &a.done, side: side},
		Sink: a, Vault: a, Dead: &a.dead, Sides: []*engine.Gate{side}, Exactly: true, CommitEvery: time.Millisecond,
	}
	if parts > 1 {
		p.New = func(stream.Task) stream.Operator { return &sorter{done: &a.done, side: side} }
	} else {
		p.Parser = newMarker
	}
	return p
}

// further waits until the operator has come some records further than the commit,
// or to the end.
func further(a *account) error {
	for began := time.Now(); a.done.Load() < min(sum(a.count)+200, a.total*9/10); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			a.t.Error("nothing is processed during a commit")
			return io.ErrNoProgress
		}
	}
	return nil
}

// TestCommitsGoThroughBesideTheOperators: records are processed during a commit,
// and what comes of them is not part of it.
func TestCommitsGoThroughBesideTheOperators(t *testing.T) {
	a := &account{t: t, total: 5000, wait: further}
	if err := runSoon(t.Context(), t, a.pipeline(1, 1)); err != nil {
		t.Fatal(err)
	}
	if sum(a.at) != a.total || a.commits.Load() < 3 {
		t.Errorf("%d commits, the last one at %v, want some up to %d", a.commits.Load(), a.at, a.total)
	}
	before := -1
	for _, s := range a.out {
		n, err := strconv.Atoi(s)
		if err != nil || n <= before {
			t.Fatalf("%s comes behind %d (%v)", s, before, err)
		}
		before = n
	}
}

// TestTasksAreGatheredOneByOne: what was gathered of a partition before the cut is
// made up to it.
func TestTasksAreGatheredOneByOne(t *testing.T) {
	a := &account{t: t, total: 20_000, wait: further}
	if err := runSoon(t.Context(), t, a.pipeline(1, 5)); err != nil {
		t.Fatal(err)
	}
	if sum(a.at) != a.total || a.commits.Load() < 3 {
		t.Errorf("%d commits, the last one at %v, want some up to %d", a.commits.Load(), a.at, a.total)
	}
}

// TestCommitThatTakesLong: what there is no room for waits for the commit.
func TestCommitThatTakesLong(t *testing.T) {
	const size, room = 32 << 10, 32 << 20
	most := int64(0)
	a := &account{t: t, total: 500, wait: func(a *account) error {
		for last := int64(-1); last != a.done.Load() || last == sum(a.count) && sum(a.at) < a.total; time.Sleep(20 * time.Millisecond) {
			last = a.done.Load()
		}
		most = max(most, a.done.Load()-sum(a.count))
		return nil
	}}
	if err := runSoon(t.Context(), t, a.pipeline(size, 1)); err != nil {
		t.Fatal(err)
	}
	if sum(a.at) != a.total || most == 0 || most*size > room {
		t.Errorf("it ends at %v, %d records of %d bytes were processed during a commit", a.at, most, size)
	}
}

// TestCommitThatFails: the run ends with the error, also where an operator waits
// for the commit.
func TestCommitThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, size := range []int{1, 32 << 10} {
		a := &account{t: t, total: 4000, wait: func(a *account) error {
			if size == 1 {
				return errors.Join(broken, further(a))
			}
			time.Sleep(20 * time.Millisecond)
			return broken
		}}
		if err := runSoon(t.Context(), t, a.pipeline(size, 1)); !errors.Is(err, broken) {
			t.Errorf("records of %d bytes: got %v, want %v", size, err, broken)
		}
	}
}

// TestWhoGivesWay: what reads and parses does, and commits beside operators; one that
// operators wait for does not.
func TestWhoGivesWay(t *testing.T) {
	for _, beside := range []bool{true, false} {
		a := &account{t: t, total: 2000, wait: func(*account) error { return nil }}
		if beside {
			a.wait = further
		}
		p := a.pipeline(1, 1)
		p.Parsers = 3
		if !beside {
			p.Sources = []stream.Source{newNumbered(2000, 1, 1)}
			p.Now = func() int64 { return 0 } // there is the last one alone, however long it takes
		}
		var gives atomic.Int64
		p.GiveWay = func() { gives.Add(1) }
		if err := runSoon(t.Context(), t, p); err != nil {
			t.Fatal(err)
		}
		const ahead = 4
		if n := gives.Load(); n < ahead || (n > ahead) != beside {
			t.Errorf("beside %v: %d give way, want %d ahead and commits beside", beside, n, ahead)
		}
	}
}

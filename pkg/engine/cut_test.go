package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// numbered is a source of records that are their offsets, each of a size.
type numbered struct {
	total, size int
	at          int
	origin      *record.Origin
}

func (s *numbered) Seek([]stream.Position) error { return nil }

func (s *numbered) Read(_ context.Context, b *record.Batch) error {
	if s.at == s.total {
		return io.EOF
	}
	if s.origin == nil {
		s.origin = &record.Origin{Source: "n"}
	}
	b.Origin = s.origin
	for range min(20, s.total-s.at) {
		rec := b.Add(fmt.Appendf(nil, "%0*d", s.size, s.at))
		rec.Offset, rec.Time = int64(s.at), int64(s.at)
		s.at++
	}
	b.Next = int64(s.at)
	return nil
}

// sorter is an operator that counts records and hands them on: some as they came,
// some in batches of its own, some to a side.
type sorter struct {
	count atomic.Int64
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
		o.count.Add(1)
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
	return put([]byte("n"), strconv.AppendInt(nil, o.count.Load(), 10))
}

func (*sorter) Restore(_, _ []byte) error { return nil }

// account is a sink that keeps positions and state with its rows, and checks at
// every commit that they are of one moment.
type account struct {
	t          *testing.T
	op         *sorter
	total      int64
	dead, side text
	out        []string
	at, count  int64
	committing atomic.Bool
	commits    int
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
		a.at = p.Next
	}
}

func (*account) Load(context.Context, stream.Task, func(key, value []byte) error) error { return nil }

func (a *account) Save(_ stream.Task, entries stream.Entries, _ bool) (err error) {
	return entries.Each(func(key, value []byte) error {
		if string(key) == "n" {
			a.count, err = strconv.ParseInt(string(value), 10, 64)
		}
		return err
	})
}

func (a *account) Flush(context.Context) error {
	a.committing.Store(true)
	defer a.committing.Store(false)
	err := a.wait(a)
	a.commits++
	side, dead := int64(words(&a.side)), int64(words(&a.dead))
	if n := int64(len(a.out)) + side; n+dead != a.at || n != a.count {
		a.t.Errorf("commit %d: %d rows, %d of them aside, and %d dead letters, at %d with a count of %d",
			a.commits, n, side, dead, a.at, a.count)
	}
	return err
}

func words(t *text) (n int) {
	for _, c := range t.Bytes() {
		if c == ' ' {
			n++
		}
	}
	return n
}

// pipeline returns one of numbered records through a sorter into a.
func (a *account) pipeline(size int) engine.Pipeline {
	side := engine.NewGate(&a.side)
	a.op = &sorter{side: side}
	return engine.Pipeline{
		Sources: []stream.Source{&numbered{total: int(a.total), size: size}}, Parser: newMarker, Operator: a.op,
		Sink: a, Vault: a, Dead: &a.dead, Sides: []*engine.Gate{side}, Exactly: true, CommitEvery: time.Millisecond,
	}
}

// further waits until the operator has come some records further than the commit,
// or to the end.
func further(a *account) error {
	for began := time.Now(); a.op.count.Load() < min(a.count+200, a.total*9/10); time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
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
	if err := runSoon(t.Context(), t, a.pipeline(1)); err != nil {
		t.Fatal(err)
	}
	if a.at != a.total || a.commits < 3 {
		t.Errorf("%d commits, the last one at %d, want some up to %d", a.commits, a.at, a.total)
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

// TestCommitThatTakesLong: what there is no room for waits for the commit.
func TestCommitThatTakesLong(t *testing.T) {
	const size, room = 32 << 10, 32 << 20
	most := int64(0)
	a := &account{t: t, total: 500, wait: func(a *account) error {
		for last := int64(-1); last != a.op.count.Load(); time.Sleep(20 * time.Millisecond) {
			last = a.op.count.Load()
		}
		most = max(most, a.op.count.Load()-a.count)
		return nil
	}}
	if err := runSoon(t.Context(), t, a.pipeline(size)); err != nil {
		t.Fatal(err)
	}
	if a.at != a.total || most == 0 || most*size > room {
		t.Errorf("it ends at %d, %d records of %d bytes were processed during a commit", a.at, most, size)
	}
}

// TestCommitThatFails: the run ends with the error, also where an operator waits
// for the commit.
func TestCommitThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, size := range []int{1, 32 << 10} {
		a := &account{t: t, total: 4000, wait: func(a *account) error {
			if a.commits < 2 {
				return nil
			}
			return errors.Join(broken, further(a))
		}}
		if size > 1 {
			a.wait = func(a *account) error { time.Sleep(20 * time.Millisecond); return broken }
		}
		if err := runSoon(t.Context(), t, a.pipeline(size)); !errors.Is(err, broken) {
			t.Errorf("records of %d bytes: got %v, want %v", size, err, broken)
		}
	}
}

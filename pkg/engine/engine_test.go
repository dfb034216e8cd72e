package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// lines is a source of one partition: texts with times, in batches of size n.
type lines struct {
	name  string
	times []int64
	n     int
	at    int
	err   error // instead of io.EOF
	fresh *record.Origin
}

func (s *lines) fill(b *record.Batch, n int) {
	if s.fresh == nil {
		s.fresh = &record.Origin{Source: s.name}
	}
	b.Origin = s.fresh
	for range min(n, len(s.times)-s.at) {
		rec := b.Add(fmt.Appendf(nil, "%s%d", s.name, s.at))
		rec.Time, rec.Offset = s.times[s.at], int64(s.at)
		s.at++
	}
	b.Next = int64(s.at)
}

func (s *lines) Read(_ context.Context, b *record.Batch) error {
	if s.at == len(s.times) {
		if s.err != nil {
			return s.err
		}
		return io.EOF
	}
	s.fill(b, s.n)
	return nil
}

func (s *lines) Peek(b *record.Batch) error {
	if len(s.times) == 0 {
		return io.EOF
	}
	s.fill(b, 1)
	s.at = 0
	return nil
}

// text is a sink that keeps what it is given.
type text struct {
	bytes.Buffer
	flushed int
	err     error
}

func (s *text) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			fmt.Fprintf(&s.Buffer, "%s ", rows.Value(i))
		}
	}
	return s.err
}

func (s *text) Flush(context.Context) error {
	s.flushed = s.Len()
	return nil
}

// marker makes records whose text ends in 7 bad, as a parser does.
type marker struct{}

func (marker) Parse(b *record.Batch) {
	for i := range b.Recs {
		if bytes.HasSuffix(b.Value(i), []byte("7")) {
			b.SetBad(i, "a seven")
		}
	}
}

func newMarker() engine.Parser { return marker{} }

func TestSequenceKeepsOrderWhateverTheParsers(t *testing.T) {
	var want string
	for i := range 1000 {
		want += fmt.Sprintf("a%d ", i)
	}
	for i := range 10 {
		want += fmt.Sprintf("b%d ", i)
	}
	for _, parsers := range []int{1, 2, 7} {
		for _, n := range []int{1, 3, 500} {
			var got text
			src := []stream.Source{
				&lines{name: "a", times: make([]int64, 1000), n: n},
				&lines{name: "b", times: make([]int64, 10), n: n},
			}
			if err := engine.Run(t.Context(), engine.Pipeline{Sources: src, Sink: &got, Parsers: parsers}); err != nil {
				t.Fatal(err)
			}
			if got.String() != want {
				t.Fatalf("%d parsers, batches of %d: wrong order", parsers, n)
			}
			if got.flushed != got.Len() {
				t.Errorf("flushed %d of %d bytes", got.flushed, got.Len())
			}
		}
	}
}

// TestTimeOrder checks that reading in time order is a merge whose result does
// not depend on where batches end.
func TestTimeOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var times [3][]int64
		for s := range times {
			at := int64(rnd.IntN(100))
			for range rnd.IntN(60) {
				at += int64(rnd.IntN(9)) - 2 // slightly out of order
				times[s] = append(times[s], at)
			}
		}
		var first string
		for _, n := range []int{1, 2, 5, 100} {
			var got text
			var src []stream.Source
			for s, name := range []string{"a", "b", "c"} {
				src = append(src, &lines{name: name, times: times[s], n: n})
			}
			p := engine.Pipeline{Sources: src, Sink: &got, Order: engine.InTime, Parsers: 2}
			if err := engine.Run(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if total := len(times[0]) + len(times[1]) + len(times[2]); strings.Count(got.String(), " ") != total {
				t.Fatalf("%d of %d records", strings.Count(got.String(), " "), total)
			}
			if first == "" {
				first = got.String()
			}
			if d := cmp.Diff(first, got.String()); d != "" {
				t.Fatalf("batches of %d change the order:\n%s", n, d)
			}
		}
	}
}

func TestTimeOrderSorts(t *testing.T) {
	var got text
	src := []stream.Source{
		&lines{name: "late", times: []int64{50, 60}, n: 1},
		&lines{name: "a", times: []int64{10, 40, 55}, n: 2},
		&lines{name: "b", times: []int64{10, 20, 70}, n: 3},
	}
	if err := engine.Run(t.Context(), engine.Pipeline{Sources: src, Sink: &got, Order: engine.InTime}); err != nil {
		t.Fatal(err)
	}
	if want := "a0 b0 b1 a1 late0 a2 late1 b2 "; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

// watch is an operator that notes the watermarks it is told.
type watch struct {
	marks    []int64
	finished bool
}

func (w *watch) Process(rows record.Rows, out stream.Output) error { return out.Emit(rows) }

func (w *watch) Tick(mark, _ int64, _ stream.Output) error {
	if n := len(w.marks); n == 0 || w.marks[n-1] != mark {
		w.marks = append(w.marks, mark)
	}
	return nil
}

func (w *watch) Finish(out stream.Output) error {
	w.finished = true
	b, err := out.Batch()
	if err != nil {
		return err
	}
	b.Add([]byte("end"))
	return out.Emit(b.All())
}

func TestWatermarkIsTheLeast(t *testing.T) {
	var got text
	w := new(watch)
	src := []stream.Source{
		&lines{name: "a", times: []int64{10, 30, 90}, n: 1},
		&lines{name: "b", times: []int64{20, 25, 40}, n: 1},
	}
	p := engine.Pipeline{Sources: src, Sink: &got, Operator: w, Order: engine.InTime}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if want := "a0 b0 b1 a1 b2 a2 end "; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
	for i, m := range w.marks[1:] {
		if m < w.marks[i] {
			t.Errorf("the watermark falls: %v", w.marks)
		}
	}
	if last := w.marks[len(w.marks)-1]; last != 90 {
		t.Errorf("the last watermark is %d, want 90: %v", last, w.marks)
	}
}

// TestTimeGoesOnWithFiltered has a partition of which nothing is left, which holds the
// watermark no less and no longer than others do.
func TestTimeGoesOnWithFiltered(t *testing.T) {
	for n := 1; n <= 5; n++ {
		var got text
		w := new(watch)
		src := []stream.Source{
			&lines{name: "a", times: []int64{10, 30, 71}, n: n},
			&lines{name: "b", times: []int64{21, 25, 41, 91}, n: n},
		}
		p := engine.Pipeline{
			Sources: src, Sink: &got, Operator: w, Order: engine.InTime, Prepare: []stream.Preparer{odd{}},
		}
		if err := engine.Run(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if want := "a0 a1 end "; got.String() != want {
			t.Errorf("batches of %d: got %s, want %s", n, got.String(), want)
		}
		if last := w.marks[len(w.marks)-1]; last != 91 {
			t.Errorf("batches of %d: the last watermark is %d, want 91: %v", n, last, w.marks)
		}
	}
}

func TestBadRecords(t *testing.T) {
	var got, dead text
	var stats engine.Stats
	src := []stream.Source{&lines{name: "x", times: make([]int64, 20), n: 6}}
	p := engine.Pipeline{Sources: src, Sink: &got, Dead: &dead, Parser: newMarker, Stats: &stats}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if want := "x7 x17 "; dead.String() != want || dead.flushed != dead.Len() {
		t.Errorf("dead letters %q (flushed %d), want %q", dead.String(), dead.flushed, want)
	}
	if want := "in 20 (50 B), out 18, bad 2"; stats.Summary() != want {
		t.Errorf("summary %q, want %q", stats.Summary(), want)
	}
	src = []stream.Source{&lines{name: "x", times: make([]int64, 20), n: 6}}
	err := engine.Run(t.Context(), engine.Pipeline{Sources: src, Sink: &got, Parser: newMarker, Strict: true})
	if want := "x@7: a seven"; err == nil || err.Error() != want {
		t.Errorf("strict: %v, want %s", err, want)
	}
}

func TestLimit(t *testing.T) {
	for _, n := range []int{1, 4, 100} {
		var got text
		g := &group{lines: lines{name: "x", times: make([]int64, 50), n: n}}
		if err := engine.Run(t.Context(), engine.Pipeline{Sources: []stream.Source{g}, Sink: &got, Limit: 3}); err != nil {
			t.Fatal(err)
		}
		if want := "x0 x1 x2 "; got.String() != want {
			t.Errorf("got %q, want %q", got.String(), want)
		}
		if g.committed != 3 {
			t.Errorf("batches of %d: committed %d, want 3", n, g.committed)
		}
	}
}

// enough is a sink that takes three records and then no more.
type enough struct{ text }

func (e *enough) Write(rows record.Rows) error {
	left := 3 - strings.Count(e.String(), " ")
	stop := rows.Lo + left
	if rows.Hi <= stop {
		return e.text.Write(rows)
	}
	rows.Hi = stop
	if err := e.text.Write(rows); err != nil {
		return err
	}
	return stream.Stopped{At: stop}
}

// TestSinkThatHasEnough checks that what it did not take is not committed.
func TestSinkThatHasEnough(t *testing.T) {
	for _, n := range []int{1, 3, 4, 100} {
		var got enough
		g := &group{lines: lines{name: "x", times: make([]int64, 50), n: n}}
		stats := new(engine.Stats)
		p := engine.Pipeline{Sources: []stream.Source{g}, Sink: &got, Stats: stats}
		if err := engine.Run(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if want := "x0 x1 x2 "; got.String() != want || stats.Out.Load() != 3 || g.committed != 3 {
			t.Errorf("batches of %d: got %q, out %d, committed %d", n, got.String(), stats.Out.Load(), g.committed)
		}
	}
}

// group is a source that remembers positions and can be stopped by a barrier.
type group struct {
	lines
	mu        sync.Mutex
	committed int64
	seen      *text // commits are checked against what was flushed to it
	early     error
	barrier   chan error // closed by the barrier that follows the records
	live      bool       // wait at the end until interrupted
	waits     func()     // called before that
}

func (g *group) Read(ctx context.Context, b *record.Batch) error {
	if g.at < len(g.times) {
		return g.lines.Read(ctx, b)
	}
	if g.barrier != nil {
		done := g.barrier
		g.barrier = nil
		b.Barrier = func(err error) { done <- err }
		return nil
	}
	if g.live {
		if g.waits != nil {
			g.waits()
		}
		<-ctx.Done()
		return ctx.Err()
	}
	return g.lines.Read(ctx, b)
}

func (g *group) Commit(_ context.Context, at []stream.Position) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.committed = at[0].Next
	if g.seen != nil && g.seen.flushed != g.seen.Len() {
		g.early = errors.New("committed before the output was flushed")
	}
	return nil
}

func TestBarrierFlushesAndCommits(t *testing.T) {
	var got text
	reached := make(chan error, 1)
	g := &group{lines: lines{name: "x", times: make([]int64, 50), n: 7}, seen: &got, barrier: reached, live: true}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- engine.Run(ctx, engine.Pipeline{Sources: []stream.Source{g}, Sink: &got, CommitEvery: time.Hour})
	}()
	if err := <-reached; err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	if g.committed != 50 || g.early != nil {
		t.Errorf("at the barrier %d are committed, want 50; %v", g.committed, g.early)
	}
	g.mu.Unlock()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("an interrupted run ends with %v", err)
	}
}

func TestInterruptFinishesWhatIsInFlight(t *testing.T) {
	var got text
	w := new(watch)
	g := &group{lines: lines{name: "x", times: make([]int64, 500), n: 7}, seen: &got, live: true}
	ctx, cancel := context.WithCancel(t.Context())
	g.waits = cancel
	if err := engine.Run(ctx, engine.Pipeline{Sources: []stream.Source{g}, Sink: &got, Operator: w}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got.String(), " "); n != int(g.committed) || n != 500 {
		t.Errorf("%d written, %d committed, want 500", n, g.committed)
	}
	if w.finished {
		t.Error("an interrupted run must not end its operator: the input has not ended")
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("unexpected end of gzip data")
	var got text
	src := []stream.Source{
		&lines{name: "a", times: make([]int64, 3), n: 1, err: broken},
		&lines{name: "b", times: make([]int64, 2), n: 1},
	}
	err := engine.Run(t.Context(), engine.Pipeline{Sources: src, Sink: &got})
	if !errors.Is(err, broken) {
		t.Errorf("err = %v, want that of the source", err)
	}
	if want := "a0 a1 a2 b0 b1 "; got.String() != want {
		t.Errorf("a broken file must not hold up the others: %q, want %q", got.String(), want)
	}

	full := errors.New("no space left")
	bad := text{err: full}
	err = engine.Run(t.Context(), engine.Pipeline{Sources: []stream.Source{&lines{name: "a", times: make([]int64, 3000), n: 1}}, Sink: &bad})
	if !errors.Is(err, full) {
		t.Errorf("err = %v, want that of the sink", err)
	}
}

// TestFailedWhileOthersGoOn: that a source has failed is said while others are read.
func TestFailedWhileOthersGoOn(t *testing.T) {
	broken := errors.New("it is broken")
	said := make(chan struct{})
	src := []stream.Source{
		&lines{name: "a", err: broken},
		&gated{lines: lines{name: "b", times: make([]int64, 2), n: 1}, wait: said},
	}
	err := runSoon(t.Context(), t, engine.Pipeline{Sources: src, Sink: new(text), OnFailed: func(err error) {
		if !errors.Is(err, broken) {
			t.Error(err)
		}
		close(said)
	}})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// silent is a source that never has anything.
type silent struct{}

func (silent) Read(ctx context.Context, _ *record.Batch) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// final is an operator that only has last words.
type final struct{ said bool }

func (*final) Process(record.Rows, stream.Output) error { return nil }

func (f *final) Finish(stream.Output) error {
	f.said = true
	return nil
}

// TestTooManyFilesEndTheRun: what is made of some of the files only would be wrong.
func TestTooManyFilesEndTheRun(t *testing.T) {
	op := new(final)
	err := runSoon(t.Context(), t, engine.Pipeline{
		Sources:  []stream.Source{silent{}, &lines{name: "b", err: fmt.Errorf("b: %w", stream.ErrTooMany)}},
		Operator: op, Sink: new(text), Order: engine.AsItArrives,
		OnFailed: func(err error) { t.Error("the others are read on:", err) },
	})
	if !errors.Is(err, stream.ErrTooMany) || op.said {
		t.Errorf("err = %v, last words: %v; want that of the source, and none", err, op.said)
	}
}

// rowByRow emits a batch for each record.
type rowByRow struct{}

func (rowByRow) Process(rows record.Rows, out stream.Output) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		b, err := out.Batch()
		if err != nil {
			return err
		}
		b.Add(rows.Value(i))
		if err := out.Emit(b.All()); err != nil {
			return err
		}
	}
	return nil
}

// counted counts how often it is written to.
type counted struct {
	text
	writes int
}

func (c *counted) Write(rows record.Rows) error {
	c.writes++
	return c.text.Write(rows)
}

// A sink that holds batches gets many rows at once from an operator that emits
// them one by one, in order, all before positions are committed.
func TestFewRowsAreGathered(t *testing.T) {
	got, want := new(counted), new(text)
	src := func() []stream.Source { return []stream.Source{&lines{name: "a", times: make([]int64, 1000), n: 50}} }
	p := engine.Pipeline{Sources: src(), Operator: rowByRow{}, Sink: got, Held: true, Order: engine.InTime}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p = engine.Pipeline{Sources: src(), Operator: rowByRow{}, Sink: want, Order: engine.InTime}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() || got.flushed != got.Len() {
		t.Errorf("%d bytes were written, %d of them flushed, want %d", got.Len(), got.flushed, want.Len())
	}
	if got.writes > 100 {
		t.Errorf("%d writes of 1000 rows", got.writes)
	}
}

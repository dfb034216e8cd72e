package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// runSoon runs p and fails the test where it hangs.
func runSoon(ctx context.Context, t *testing.T, p engine.Pipeline) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx, p) }()
	select {
	case err := <-done:
		return err
	case <-time.After(2 * time.Minute):
		t.Fatal("the run hangs")
		return nil
	}
}

// A step is one batch of a script: records of a partition with their times, or
// only the word that it is at its end.
type step struct {
	part  int32
	times []int64
	next  int64 // 0: behind the records
	atEnd bool
	after bool // not before partition 0 was held back
}

// parts is a source of several partitions that plays a script, passing over
// partitions that are held.
type parts struct {
	name    string
	steps   []step
	origins map[int32]*record.Origin
	next    map[int32]int64

	mu        sync.Mutex
	held      map[int32]bool
	paused    bool // a partition was held back at some time
	wake      chan struct{}
	committed []stream.Position
	end       func(ctx context.Context) error // instead of io.EOF
}

func newParts(name string, steps ...step) *parts {
	return &parts{
		name: name, steps: steps, wake: make(chan struct{}, 1),
		origins: map[int32]*record.Origin{}, next: map[int32]int64{}, held: map[int32]bool{},
	}
}

func (s *parts) Pause(o *record.Origin, hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[o.Partition] = hold
	s.paused = s.paused || hold
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *parts) ready() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.steps {
		if st := &s.steps[i]; !s.held[st.part] && (s.paused || !st.after) {
			return i
		}
	}
	return -1
}

func (s *parts) Read(ctx context.Context, b *record.Batch) error {
	for {
		if len(s.steps) == 0 && s.end != nil {
			return s.end(ctx)
		}
		if len(s.steps) == 0 {
			return io.EOF
		}
		if i := s.ready(); i >= 0 {
			s.play(s.steps[i], b)
			s.steps = append(s.steps[:i:i], s.steps[i+1:]...)
			return nil
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *parts) play(st step, b *record.Batch) {
	if s.origins[st.part] == nil {
		s.origins[st.part] = &record.Origin{Source: s.name, Partition: st.part, Topic: true}
	}
	b.Origin, b.AtEnd = s.origins[st.part], st.atEnd
	for _, at := range st.times {
		rec := b.Add(fmt.Appendf(nil, "%s%d/%d@%d", s.name, st.part, s.next[st.part], at))
		rec.Time, rec.Offset = at, s.next[st.part]
		s.next[st.part]++
	}
	s.next[st.part] = max(s.next[st.part], st.next)
	b.Next = s.next[st.part]
}

func (s *parts) Commit(_ context.Context, at []stream.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed = append(s.committed, at...)
	return nil
}

// last returns the greatest position committed of a partition of a source.
func (s *parts) last(source string, part int32) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := int64(-1)
	for _, p := range s.committed {
		if p.Source == source && p.Partition == part {
			last = max(last, p.Next)
		}
	}
	return last
}

// odd filters out the records of odd times.
type odd struct{}

func (odd) Prepare(b *record.Batch) {
	for i := range b.Recs {
		if b.Recs[i].Time%2 != 0 {
			b.Recs[i].Flags |= record.Dropped | record.Filtered
		}
	}
}

// TestHeldLaneWithoutLiveRecords has a partition that is held back with nothing
// but records that a filter drops: it must be let go on when they are passed.
func TestHeldLaneWithoutLiveRecords(t *testing.T) {
	steps := []step{{part: 1}, {part: 0, times: []int64{2}}}
	for range 12 {
		steps = append(steps, step{part: 0, times: []int64{3}})
	}
	steps = append(steps, step{part: 1, times: []int64{4, 6}, after: true}, step{part: 0, times: []int64{8}, after: true})
	var got text
	p := engine.Pipeline{
		Sources: []stream.Source{newParts("p", steps...)}, Sink: &got,
		Order: engine.InTime, Prepare: []stream.Preparer{odd{}},
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got.String(), " "); n != 4 {
		t.Errorf("%d records, want 4: %s", n, got.String())
	}
}

// TestOnlyEOFIsTheEnd checks that an error which merely wraps io.EOF, as that of
// a connection that was closed, is not taken for the end of the input.
func TestOnlyEOFIsTheEnd(t *testing.T) {
	closed := fmt.Errorf("broker closed the connection: %w", io.EOF)
	var got text
	err := engine.Run(t.Context(), engine.Pipeline{
		Sources: []stream.Source{&lines{name: "a", times: make([]int64, 3), n: 1, err: closed}}, Sink: &got,
	})
	if !errors.Is(err, closed) {
		t.Errorf("err = %v, want that of the source", err)
	}
}

// unpeekable is a source whose first bytes cannot be shown.
type unpeekable struct{ lines }

func (u *unpeekable) Peek(*record.Batch) error { return u.err }

// TestBrokenFileInTimeOrder checks that a file which cannot be looked at does
// not hold up the others, and fails the run.
func TestBrokenFileInTimeOrder(t *testing.T) {
	broken := errors.New("unexpected end of gzip data")
	var got text
	err := runSoon(t.Context(), t, engine.Pipeline{
		Sources: []stream.Source{
			newParts("p", step{part: 0, times: []int64{1, 9}}),
			&unpeekable{lines{name: "x", err: broken}},
			&lines{name: "a", times: []int64{2, 4}, n: 1},
		},
		Sink: &got, Order: engine.InTime,
	})
	if !errors.Is(err, broken) {
		t.Errorf("err = %v, want that of the broken file", err)
	}
	if n := strings.Count(got.String(), " "); n != 4 {
		t.Errorf("%d records of the others, want 4: %s", n, got.String())
	}
}

// TestPositionsStayWithTheirSource has two clusters with a topic of one name.
func TestPositionsStayWithTheirSource(t *testing.T) {
	a := newParts("logs", step{part: 0, times: []int64{1, 2, 3}})
	b := newParts("logs", step{part: 0, times: []int64{1}})
	file := &lines{name: "logs", times: make([]int64, 40), n: 7}
	for _, most := range []bool{false, true} {
		var got text
		p := engine.Pipeline{Sources: []stream.Source{a, b, file}, Sink: &got, Order: engine.AsItArrives, AtMostOnce: most}
		if err := engine.Run(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if x, y := a.last("logs", 0), b.last("logs", 0); x != 3 || y != 1 {
			t.Errorf("at most once %v: committed %d and %d, want 3 and 1", most, x, y)
		}
		a, b = newParts("logs", step{part: 0, times: []int64{1, 2, 3}}), newParts("logs", step{part: 0, times: []int64{1}})
		file = &lines{name: "logs", times: make([]int64, 40), n: 7}
	}
}

// TestGapBehindWaitingRecords checks that the word of a gap, such as the end of
// a transaction, is not lost behind records that wait.
func TestGapBehindWaitingRecords(t *testing.T) {
	src := newParts("p",
		step{part: 0, times: []int64{5}}, step{part: 0, next: 9, atEnd: true}, step{part: 1, times: []int64{7}})
	var got text
	p := engine.Pipeline{Sources: []stream.Source{src}, Sink: &got, Order: engine.InTime}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if at := src.last("p", 0); at != 9 {
		t.Errorf("committed %d, want 9", at)
	}
}

// firstMark is an operator that notes the watermark that it is told first after
// a record.
type firstMark struct {
	seen bool
	mark chan int64
}

func (f *firstMark) Process(record.Rows, stream.Output) error {
	f.seen = true
	return nil
}

func (f *firstMark) Tick(mark, _ int64, _ stream.Output) error {
	if f.seen {
		f.seen = false
		f.mark <- mark
	}
	return nil
}

// TestSilentPartitionHoldsTheWatermark checks that a partition which was at its
// end from the start holds the watermark until it has been silent for a while.
func TestSilentPartitionHoldsTheWatermark(t *testing.T) {
	for idle, want := range map[time.Duration]int64{time.Hour: record.NoTime, time.Nanosecond: 10} {
		f := &firstMark{mark: make(chan int64, 1)}
		src := newParts("p", step{part: 0, atEnd: true}, step{part: 1, times: []int64{10}})
		told := int64(-1)
		src.end = func(context.Context) error { told = <-f.mark; return io.EOF }
		var got text
		p := engine.Pipeline{Sources: []stream.Source{src}, Sink: &got, Operator: f, Order: engine.InTime, Idle: idle}
		if err := runSoon(t.Context(), t, p); err != nil {
			t.Fatal(err)
		}
		if told != want {
			t.Errorf("idle %v: the watermark is %d, want %d", idle, told, want)
		}
	}
}

// doubter is a parser that cannot read batches of a record with time 3.
type doubter struct{ err error }

func (d *doubter) Parse(b *record.Batch) {
	d.err = nil
	for i := range b.Recs {
		if b.Recs[i].Time == 3 {
			d.err = errors.New("it is in another form")
		}
	}
}

func (d *doubter) Err() error { return d.err }

// TestBatchThatCannotBeRead checks that it ends the run, which does not commit it.
func TestBatchThatCannotBeRead(t *testing.T) {
	src := newParts("p", step{part: 0, times: []int64{1, 2}}, step{part: 0, times: []int64{3}})
	p := engine.Pipeline{
		Sources: []stream.Source{src}, Sink: new(text), Parser: func() engine.Parser { return new(doubter) },
	}
	err := runSoon(t.Context(), t, p)
	if want := "p/0@2: it is in another form"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("it ends with %v, want %s", err, want)
	}
	for _, at := range src.committed {
		if at.Next > 2 {
			t.Errorf("committed %d, want at most 2", at.Next)
		}
	}
}

// sleeper is an operator that notes whether its partitions are idle.
type sleeper struct{ told chan bool }

func (s *sleeper) Process(record.Rows, stream.Output) error { return nil }

func (s *sleeper) Tick(int64, int64, stream.Output) error { return nil }

func (s *sleeper) Idle(idle bool) {
	select {
	case s.told <- idle:
	default:
	}
}

// TestOnlyAPartitionAtItsEndIsIdle checks that one whose first records are waited
// for is not, however long they take.
func TestOnlyAPartitionAtItsEndIsIdle(t *testing.T) {
	for _, atEnd := range []bool{false, true} {
		op := &sleeper{make(chan bool)}
		src := newParts("p", step{part: 0, atEnd: atEnd})
		got := !atEnd
		src.end = func(context.Context) error {
			<-op.told // this one may be of before the partition was announced
			<-op.told
			got = <-op.told
			return io.EOF
		}
		p := engine.Pipeline{
			Sources: []stream.Source{src}, Operator: op, Sink: new(text), Order: engine.InTime,
			Idle: time.Nanosecond, CommitEvery: time.Millisecond,
		}
		if err := runSoon(t.Context(), t, p); err != nil {
			t.Fatal(err)
		}
		if got != atEnd {
			t.Errorf("at its end %v: idle %v", atEnd, got)
		}
	}
}

// closer is an operator that emits the records which come behind a time that
// it was told, as a window that calls them late. It is due from the start.
type closer struct {
	mark int64
	late []string
}

func (c *closer) Process(rows record.Rows, _ stream.Output) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() && rows.Recs[i].Time < c.mark {
			c.late = append(c.late, string(rows.Value(i)))
		}
	}
	return nil
}

func (c *closer) Tick(mark, _ int64, _ stream.Output) error {
	c.mark = max(c.mark, mark/10*10)
	return nil
}

func (c *closer) Due() int64 {
	if c.mark == record.NoTime {
		return record.NoTime
	}
	return c.mark + 10
}

// TestTimePassesBetweenTheSameRecords checks that what an operator calls late
// does not depend on where batches end, from the first record on.
func TestTimePassesBetweenTheSameRecords(t *testing.T) {
	times := []int64{50, 1000, 20, 1001, 999, 2000, 1500, 2005, 1999}
	for _, n := range []int{1, 2, 3, 100} {
		c := &closer{mark: record.NoTime}
		var got text
		p := engine.Pipeline{
			Sources: []stream.Source{&lines{name: "x", times: times, n: n}}, Sink: &got, Operator: c, Order: engine.InTime,
		}
		if err := engine.Run(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if want := "[x2 x4 x6 x8]"; fmt.Sprint(c.late) != want {
			t.Errorf("batches of %d: late %v, want %s", n, c.late, want)
		}
	}
}

// oneByOne is an operator that writes records one by one, until it is stopped.
type oneByOne struct{}

func (oneByOne) Process(rows record.Rows, out stream.Output) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		b, err := out.Batch()
		if err != nil {
			return err
		}
		b.Add(rows.Value(i))
		if err := out.Emit(b.All()); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	return nil
}

// TestLimitInsideAnOperator checks that what an operator did not come to is not
// committed.
func TestLimitInsideAnOperator(t *testing.T) {
	var got text
	g := &group{lines: lines{name: "x", times: make([]int64, 50), n: 10}}
	p := engine.Pipeline{Sources: []stream.Source{g}, Sink: &got, Operator: oneByOne{}, Limit: 13}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got.String(), " "); n != 13 || g.committed > 13 {
		t.Errorf("%d written, %d committed, want 13 and no more than that", n, g.committed)
	}
}

// late is an operator that writes when time passes, not when records come.
type late struct{ said chan struct{} }

func (late) Process(record.Rows, stream.Output) error { return nil }

func (l *late) Tick(_, _ int64, out stream.Output) error {
	if l.said == nil {
		return nil
	}
	close(l.said)
	l.said = nil
	b, err := out.Batch()
	if err != nil {
		return err
	}
	b.Add([]byte("tick"))
	return out.Emit(b.All())
}

// flushes is a sink that says when something was flushed.
type flushes struct {
	text
	first chan struct{}
}

func (f *flushes) Flush(ctx context.Context) error {
	if f.Len() > 0 && f.flushed == 0 {
		close(f.first)
	}
	return f.text.Flush(ctx)
}

// TestTickedRowsAreFlushed checks that rows which the clock brings are made
// durable although no partition has moved.
func TestTickedRowsAreFlushed(t *testing.T) {
	g := &group{lines: lines{name: "x"}, live: true}
	sink := &flushes{first: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- engine.Run(ctx, engine.Pipeline{
			Sources: []stream.Source{g}, Sink: sink, Operator: &late{make(chan struct{})}, CommitEvery: time.Millisecond,
		})
	}()
	select {
	case <-sink.first:
	case <-time.After(time.Minute):
		t.Error("the row was not flushed")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// panics is a parser with a defect.
type panics struct{}

func (panics) Parse(*record.Batch) { panic("index out of range [7]") }

// TestDefectInAParser checks that it ends the run with an error that names what
// was being read.
func TestDefectInAParser(t *testing.T) {
	var got text
	err := runSoon(t.Context(), t, engine.Pipeline{
		Sources: []stream.Source{&lines{name: "x", times: make([]int64, 3), n: 2}}, Sink: &got,
		Parser: func() engine.Parser { return panics{} },
	})
	if err == nil || !strings.Contains(err.Error(), "x@0") || !strings.Contains(err.Error(), "index out of range [7]") {
		t.Errorf("err = %v, want one that names x@0 and the defect", err)
	}
	if got.Len() > 0 {
		t.Errorf("written: %q", got.String())
	}
}

// ready is a source of records without an origin, as generated ones.
type ready struct{ left int }

func (r *ready) Read(_ context.Context, b *record.Batch) error {
	if r.left == 0 {
		return io.EOF
	}
	r.left--
	b.Add([]byte("made"))
	return nil
}

func (r *ready) Commit(context.Context, []stream.Position) error { return nil }

func TestRecordsWithoutOrigin(t *testing.T) {
	for _, p := range []engine.Pipeline{{}, {AtMostOnce: true}, {Order: engine.InTime}} {
		var got text
		p.Sources, p.Sink = []stream.Source{&ready{3}}, &got
		if err := engine.Run(t.Context(), p); err != nil || got.String() != "made made made " {
			t.Errorf("%q, %v", got.String(), err)
		}
	}
}

// keeper is a sink that holds batches until it is pushed, and keeps positions.
type keeper struct {
	text
	held []*record.Batch
	at   map[int32]int64
}

func (k *keeper) Write(rows record.Rows) error {
	rows.Retain()
	k.held = append(k.held, rows.Batch)
	return k.text.Write(rows)
}

func (k *keeper) Push() error {
	for _, b := range k.held {
		b.Release()
	}
	k.held = nil
	return nil
}

func (k *keeper) Positions(context.Context) (at []stream.Position, err error) {
	for part, next := range k.at {
		at = append(at, stream.Position{Source: "x", Partition: part, Next: next})
	}
	return at, nil
}

func (k *keeper) Keep(at []stream.Position) {
	for _, p := range at {
		k.at[p.Partition] = max(k.at[p.Partition], p.Next)
	}
}

// TestSinkThatKeepsBatches has every batch held by the sink until it is pushed.
func TestSinkThatKeepsBatches(t *testing.T) {
	for _, order := range []engine.Order{engine.InSequence, engine.InTime, engine.AsItArrives} {
		k := &keeper{at: map[int32]int64{}}
		src := []stream.Source{
			&lines{name: "a", times: make([]int64, 300), n: 2}, &lines{name: "b", times: make([]int64, 300), n: 2},
		}
		if err := runSoon(t.Context(), t, engine.Pipeline{Sources: src, Sink: k, Order: order}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(k.String(), " "); n != 600 {
			t.Errorf("%d records, want 600", n)
		}
	}
}

// seeker is a group's source whose partition comes with what another member has
// written already.
type seeker struct{ lines }

func (s *seeker) Seek([]stream.Position) error { return nil }

// TestTakeover checks that what the sink has already is neither written again
// nor a dead letter again.
func TestTakeover(t *testing.T) {
	k := &keeper{at: map[int32]int64{0: 9}}
	var dead text
	origin := &record.Origin{Source: "x", Topic: true}
	src := &seeker{lines{name: "x", times: make([]int64, 20), n: 6, fresh: origin}}
	p := engine.Pipeline{Sources: []stream.Source{src}, Sink: k, Dead: &dead, Parser: newMarker, Exactly: true}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if want := "x9 x10 x11 x12 x13 x14 x15 x16 x18 x19 "; k.String() != want {
		t.Errorf("written %q, want %q", k.String(), want)
	}
	if want := "x17 "; dead.String() != want {
		t.Errorf("dead letters %q, want %q", dead.String(), want)
	}
}

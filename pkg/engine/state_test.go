package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// tally counts records by their first letter and writes the counts at the end,
// with the least time that it was told of.
type tally struct {
	counts  map[byte]int
	changed map[byte]bool
	ticked  int64
}

func newTally() stream.Operator {
	return &tally{counts: map[byte]int{}, changed: map[byte]bool{}, ticked: record.NoTime}
}

func (c *tally) Process(rows record.Rows, _ stream.Output) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		k := rows.Value(i)[0]
		c.counts[k]++
		c.changed[k] = true
	}
	return nil
}

func (c *tally) Tick(watermark, _ int64, _ stream.Output) error {
	if watermark < c.ticked {
		return fmt.Errorf("time falls from %d to %d", c.ticked, watermark)
	}
	c.ticked = watermark
	return nil
}

func (c *tally) Finish(out stream.Output) error {
	b, err := out.Batch()
	if err != nil {
		return err
	}
	for k := byte('a'); k <= 'z'; k++ {
		if c.counts[k] > 0 {
			b.Add(fmt.Appendf(nil, "%c=%d", k, c.counts[k]))
		}
	}
	return out.Emit(b.All())
}

func (c *tally) Signature() string { return "tally" }

func (c *tally) Changes(all bool, put func(key, value []byte) error) error {
	for k, n := range c.counts {
		if all || c.changed[k] {
			if err := put([]byte{k}, fmt.Append(nil, n)); err != nil {
				return err
			}
		}
	}
	clear(c.changed)
	return nil
}

func (c *tally) Restore(key, value []byte) error {
	n := 0
	_, err := fmt.Sscan(string(value), &n)
	c.counts[key[0]] = n
	return err
}

// vault keeps states in memory; what is saved counts when it is flushed.
type vault struct {
	mu          sync.Mutex
	saved, kept map[stream.Task]map[string]string
	stale       bool
	loads       []stream.Task
	err         error
}

func newVault() *vault {
	return &vault{
		saved: map[stream.Task]map[string]string{}, kept: map[stream.Task]map[string]string{},
	}
}

func (v *vault) Load(_ context.Context, task stream.Task, put func(key, value []byte) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.loads = append(v.loads, task)
	for k, value := range v.kept[task] {
		if err := put([]byte(k), []byte(value)); err != nil {
			return err
		}
	}
	return v.err
}

func (v *vault) Save(task stream.Task, entries stream.Entries, all bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	state := maps.Clone(v.saved[task])
	if state == nil || all {
		state = map[string]string{}
	}
	v.saved[task] = state
	return entries.Each(func(key, value []byte) error {
		state[string(key)] = string(value)
		return nil
	})
}

func (v *vault) Flush(context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.Copy(v.kept, v.saved)
	return nil
}

func (v *vault) Stale(stream.Task) bool { return v.stale }

// A run goes on with the state of the one before it.
func TestStateIsKeptBetweenRuns(t *testing.T) {
	for _, stale := range []bool{false, true} {
		v := newVault()
		v.stale = stale
		var got text
		for part := range 3 {
			p := engine.Pipeline{
				Sources:  []stream.Source{&lines{name: string(rune('a' + part%2)), times: make([]int64, 100), n: 7}},
				Operator: newTally(), Sink: &got, Vault: v, Continues: part < 2,
			}
			if err := runSoon(t.Context(), t, p); err != nil {
				t.Fatal(err)
			}
		}
		if want := "a=200 b=100 "; got.String() != want {
			t.Errorf("stale %v: got %q, want %q", stale, got.String(), want)
		}
	}
}

// The times of partitions are part of the state: a partition that comes back with
// old records does not set time back.
func TestTimeIsKeptBetweenRuns(t *testing.T) {
	v := newVault()
	var got text
	for _, times := range [][]int64{{10, 90}, {50, 60}} {
		op := newTally()
		p := engine.Pipeline{
			Sources:  []stream.Source{&lines{name: "a", times: times, n: 1}},
			Operator: op, Sink: &got, Vault: v, Continues: true,
		}
		if err := runSoon(t.Context(), t, p); err != nil {
			t.Fatal(err)
		}
		if last := op.(*tally).ticked; last != 90 {
			t.Errorf("times %v: the operator was told of %d, want 90", times, last)
		}
	}
}

// announced is a source that has nothing new in a partition that is known.
type announced struct {
	origin   *record.Origin
	complete bool // it will not have more either
	told     bool
}

func (a *announced) Grows() bool { return !a.complete }

func (a *announced) Read(_ context.Context, b *record.Batch) error {
	if a.told {
		return io.EOF
	}
	a.told, b.Origin, b.AtEnd = true, a.origin, true
	return nil
}

// Where another run will go on with the input, a partition that has come to its end
// holds the others' time for as long as one that is silent does; what an earlier
// run has read of it counts.
func TestEndedPartitionsHoldTimeWhileTheInputGoesOn(t *testing.T) {
	const idle = 1000
	run := func(v *vault, now int64, continues bool, sources ...stream.Source) int64 {
		t.Helper()
		op := newTally()
		p := engine.Pipeline{
			Sources: sources, Operator: op, Sink: new(text), Vault: v, Continues: continues, Order: engine.InTime,
			Idle: idle, Now: func() int64 { return now },
		}
		if err := runSoon(t.Context(), t, p); err != nil {
			t.Fatal(err)
		}
		return op.(*tally).ticked
	}
	a := func(times ...int64) stream.Source { return &lines{name: "a", times: times, n: 1} }
	b := func(times ...int64) stream.Source { return &lines{name: "b", times: times, n: 1} }
	nothing := &record.Origin{Source: "b"} // is new in b
	if got := run(newVault(), 1, false, a(10, 90), b(20)); got != 90 {
		t.Errorf("at the end of all input it is %d, want 90", got)
	}
	v := newVault()
	for _, c := range []struct {
		what    string
		now     int64
		sources []stream.Source
		want    int64
	}{
		{"b ends at 20", 10_000, []stream.Source{a(10, 90), b(20)}, 20},
		{"b was silent for less than --idle", 10_999, []stream.Source{a(100), &announced{origin: nothing}}, 20},
		{"b has more", 11_500, []stream.Source{a(110), b(105)}, 105},
		{"b is gone", 11_600, []stream.Source{a(115)}, 115},
		{"b is back", 11_700, []stream.Source{a(120), b(118)}, 118},
		{"b is complete", 11_800, []stream.Source{a(130), &announced{origin: nothing, complete: true}}, 130},
		{"b has more, then it is silent for --idle", 11_900, []stream.Source{a(131), b(130)}, 130},
		{"b was silent for --idle", 12_900, []stream.Source{a(140), &announced{origin: nothing}}, 140},
	} {
		if got := run(v, c.now, true, c.sources...); got != c.want {
			t.Errorf("%s: time is %d, want %d", c.what, got, c.want)
		}
	}
}

func TestStateThatCannotBeLoaded(t *testing.T) {
	v := newVault()
	v.err = errors.New("the disk is gone")
	p := engine.Pipeline{
		Sources: []stream.Source{&lines{name: "a", times: make([]int64, 10), n: 1}}, Operator: newTally(), Sink: new(text), Vault: v,
	}
	if err := runSoon(t.Context(), t, p); !errors.Is(err, v.err) {
		t.Errorf("got %v, want %v", err, v.err)
	}
}

// member is a source of several partitions with a script of what it hands out.
type member struct {
	script []func(b *record.Batch)
	parts  map[int32]*record.Origin
	next   map[int32]int64
}

func newMember() *member { return &member{parts: map[int32]*record.Origin{}, next: map[int32]int64{}} }

func (m *member) Read(_ context.Context, b *record.Batch) error {
	if len(m.script) == 0 {
		return io.EOF
	}
	m.script[0](b)
	m.script = m.script[1:]
	return nil
}

func (m *member) Pause(*record.Origin, bool) {}

func (m *member) at(n int32, b *record.Batch) {
	if m.parts[n] == nil {
		m.parts[n] = &record.Origin{Source: "t", Partition: n, Topic: true}
	}
	b.Origin = m.parts[n]
}

func (m *member) gives(n int32, texts string) {
	m.script = append(m.script, func(b *record.Batch) {
		m.at(n, b)
		for i := range len(texts) {
			rec := b.Add([]byte{texts[i]})
			rec.Offset, rec.Time = m.next[n], m.next[n]
			m.next[n]++
		}
		b.Next = m.next[n]
	})
}

func (m *member) lost(n int32) {
	m.script = append(m.script, func(b *record.Batch) {
		m.at(n, b)
		b.Lost, b.AtEnd, b.Next = true, true, m.next[n]
	})
}

// restored waits until so many partitions have their state: what has not yet would
// leave unread.
func (m *member) restored(t *testing.T, asker *engine.Asker, n int) func(*record.Batch) {
	return func(b *record.Batch) {
		for ready := 0; ready < n; {
			if err := asker.Ask(t.Context(), func(v engine.View) { ready = len(v.Operators) }); err != nil {
				t.Error(err)
				return
			}
		}
		m.at(0, b)
		b.Next = m.next[0]
	}
}

func (m *member) leaves(n int32) {
	m.script = append(m.script, func(b *record.Batch) {
		b.Leaving, b.Barrier = []*record.Origin{m.parts[n]}, func(error) {}
	})
}

// Every partition has its own operator, whose state goes with it: what leaves with
// a barrier is saved, what was lost is not, and what comes back is loaded.
func TestTasks(t *testing.T) {
	m, asker := newMember(), engine.NewAsker()
	m.gives(0, "aab")
	m.gives(1, "cc")
	m.gives(2, "zz")
	m.script = append(m.script, m.restored(t, asker, 3))
	m.leaves(0)
	m.gives(1, "c")
	m.lost(2)
	m.gives(0, "b")
	v := newVault()
	var got text
	p := engine.Pipeline{Sources: []stream.Source{m}, New: func(stream.Task) stream.Operator { return newTally() }, Sink: &got, Vault: v, Ask: asker}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"c=3 a=2 b=2 ": true, "a=2 b=2 c=3 ": true}
	if !want[got.String()] {
		t.Errorf("got %q, want the counts of partitions 0 and 1", got.String())
	}
	loads := map[stream.Task]int{}
	for _, task := range v.loads {
		loads[task]++
	}
	if d := cmp.Diff(map[stream.Task]int{{Source: "t"}: 2, {Source: "t", Partition: 1}: 1, {Source: "t", Partition: 2}: 1}, loads); d != "" {
		t.Error(d)
	}
}

func TestAsk(t *testing.T) {
	g := &group{lines: lines{name: "x", times: make([]int64, 50), n: 7}, live: true, seen: new(text)}
	ctx, cancel := context.WithCancel(t.Context())
	asker := engine.NewAsker()
	done := make(chan error, 1)
	go func() {
		done <- engine.Run(ctx, engine.Pipeline{
			Sources: []stream.Source{g}, Operator: newTally(), Sink: g.seen, Ask: asker, Vault: newVault(),
		})
	}()
	for n := 0; n < 50; {
		err := asker.Ask(ctx, func(v engine.View) {
			if op, ok := v.Operators[stream.Task{}].(*tally); ok { // else it is being restored
				n = op.counts['x']
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := asker.Ask(t.Context(), func(engine.View) {}); !errors.Is(err, engine.ErrEnded) {
		t.Errorf("a run that has ended answers %v", err)
	}
}

// An asking sink asks the operators while it is flushed.
type askingSink struct {
	text
	asker *engine.Asker
	asked int
}

func (s *askingSink) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return s.asker.Ask(ctx, func(v engine.View) {
		if len(v.Operators) == 1 {
			s.asked++
		}
	})
}

// Questions are answered while a commit waits for the sink.
func TestAskWhileCommitting(t *testing.T) {
	sink := &askingSink{asker: engine.NewAsker()}
	m := newMember()
	m.gives(0, "ab")
	p := engine.Pipeline{
		Sources: []stream.Source{m}, New: func(stream.Task) stream.Operator { return newTally() },
		Sink: sink, Vault: newVault(), Ask: sink.asker,
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if sink.asked == 0 {
		t.Error("no question was answered in a commit")
	}
}

// A wide operator gives many entries away, and is done when a question has come
// between two of them.
type wide struct {
	*tally
	put   int // entries of the present Changes
	asked chan struct{}
}

func (w *wide) Changes(all bool, put func(key, value []byte) error) error {
	defer func() { w.put = 0 }()
	give := time.After(time.Minute)
	for n := uint32(0); ; n++ {
		if err := put(binary.BigEndian.AppendUint32([]byte("z"), n%1000), []byte("0")); err != nil {
			return err
		}
		w.put++
		select {
		case <-w.asked:
			return w.tally.Changes(all, put)
		case <-give:
			return errors.New("no question was answered while entries are given away")
		default:
		}
	}
}

// Questions are answered while what has changed is gathered for a commit.
func TestAskWhileGathering(t *testing.T) {
	w := &wide{tally: newTally().(*tally), asked: make(chan struct{})}
	asker, v := engine.NewAsker(), newVault()
	go func() {
		for asked := false; ; {
			err := asker.Ask(context.Background(), func(engine.View) {
				if !asked && w.put > 0 {
					asked = true
					close(w.asked)
				}
			})
			if err != nil {
				return
			}
		}
	}()
	m := newMember()
	m.gives(0, "aba")
	p := engine.Pipeline{
		Sources: []stream.Source{m}, New: func(stream.Task) stream.Operator { return w },
		Sink: new(text), Vault: v, Ask: asker,
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if kept := v.kept[stream.Task{Source: "t"}]; kept["a"] != "2" || kept["b"] != "1" {
		t.Errorf("kept %v, want a 2 and b 1", kept)
	}
}

// FuzzRestoreTimes takes the engine's own entry from bytes that nobody has
// written.
func FuzzRestoreTimes(f *testing.F) {
	v := newVault()
	p := engine.Pipeline{
		Sources:  []stream.Source{&lines{name: "abc", times: []int64{1, 1 << 40}, n: 1}},
		Operator: newTally(), Sink: new(text), Vault: v, Continues: true,
	}
	if err := engine.Run(context.Background(), p); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(v.kept[stream.Task{}][""]))
	f.Add(bytes.Repeat([]byte{0xff}, 20))
	f.Fuzz(func(t *testing.T, src []byte) {
		v := newVault()
		v.kept[stream.Task{}] = map[string]string{"": string(src)}
		p := engine.Pipeline{Operator: newTally(), Sink: new(text), Vault: v}
		_ = engine.Run(t.Context(), p)
	})
}

// The time of a partition that is filled from others is what their marks say, also
// while not all of them have one: its records are no time.
func TestMarksAreTheTime(t *testing.T) {
	m, op := newMember(), newTally().(*tally)
	var seen []int64
	at := &record.Origin{Source: "t", Topic: true, Upstreams: 2}
	m.parts[0] = at
	marks := func(ms ...record.Mark) {
		m.script = append(m.script, func(b *record.Batch) {
			m.at(0, b)
			b.Marks, b.Next = ms, m.next[0]
		})
	}
	m.next[0] = 90
	m.gives(0, "ab")
	marks(record.Mark{Source: "up", Time: 80})
	m.gives(0, "c")
	marks(record.Mark{Source: "up", Partition: 1, Time: 7})
	m.gives(0, "d")
	p := engine.Pipeline{
		Sources: []stream.Source{m}, Operator: &noting{op, &seen}, Sink: new(text), Order: engine.InTime,
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int64{record.NoTime, 7}, slices.Compact(seen)); d != "" {
		t.Error(d)
	}
}

// Marks are a part of the state, also those that move no time: who goes on with a
// partition behind them does not meet them again.
func TestMarksGoWithTheirPartition(t *testing.T) {
	m, asker := &recalling{member: newMember(), ended: make(chan []record.Mark, 1)}, engine.NewAsker()
	m.parts[0] = &record.Origin{Source: "t", Topic: true, Upstreams: 2}
	m.gives(0, "a")
	m.script = append(m.script,
		m.restored(t, asker, 1),
		func(b *record.Batch) { b.Barrier = func(error) {} }, // all is saved that there is
		func(b *record.Batch) {
			m.at(0, b)
			b.Marks, b.Next = []record.Mark{{Source: "up", Time: record.Ended, Next: 3}}, 5
		})
	m.next[0] = 5
	m.leaves(0)
	m.gives(0, "b")
	want := []record.Mark{{Source: "up", Time: record.Ended, Next: 3}}
	m.script = append(m.script, func(b *record.Batch) {
		select {
		case got := <-m.ended:
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		case <-time.After(time.Minute):
			t.Error("the end is forgotten")
		}
		b.Barrier = func(error) {}
	})
	p := engine.Pipeline{
		Sources: []stream.Source{m}, New: func(stream.Task) stream.Operator { return newTally() }, Sink: new(text),
		Vault: newVault(), Ask: asker,
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
}

// TestPositionsAreBetweenOffsets: records of one offset, as in a pack of package
// shuffle, are dealt with together, although questions are answered in between.
func TestPositionsAreBetweenOffsets(t *testing.T) {
	const each = 700
	var got text
	m := &checking{member: newMember(), rows: func() int { return strings.Count(got.String()[:got.flushed], " ") }, each: each}
	m.script = append(m.script, func(b *record.Batch) {
		m.at(0, b)
		for i := range 5 * each {
			b.Add([]byte("x")).Offset = int64(i / each)
		}
		b.Next = 5
	})
	p := engine.Pipeline{Sources: []stream.Source{m}, Sink: &got, CommitEvery: 1, Ask: engine.NewAsker()}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if m.commits < 3 {
		t.Errorf("%d commits: none was in the midst of the records", m.commits)
	}
}

// checking is a member that checks that what is committed is what was flushed.
type checking struct {
	*member
	rows    func() int
	each    int // records of an offset
	commits int
}

func (c *checking) Commit(_ context.Context, at []stream.Position) error {
	c.commits++
	if n := c.rows(); n != int(at[0].Next)*c.each {
		return fmt.Errorf("%d rows are written below offset %d", n, at[0].Next)
	}
	return nil
}

// TestTaskFinishesAtTheEndOfItsPartition: not at the end of the run, for which the
// others of a group wait until they know that it is done.
func TestTaskFinishesAtTheEndOfItsPartition(t *testing.T) {
	done := make(chan struct{})
	m := &committing{member: newMember(), done: done}
	m.gives(0, "ab")
	m.gives(1, "c")
	m.script = append(m.script, func(b *record.Batch) {
		m.at(0, b)
		b.Next, b.Last = m.next[0], true
	}, func(b *record.Batch) {
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Error("it is not committed as done")
		}
		m.at(1, b)
		b.Next = m.next[1]
	})
	var got text
	p := engine.Pipeline{Sources: []stream.Source{m}, New: func(stream.Task) stream.Operator { return newTally() }, Sink: &got}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if got.String() != "a=1 b=1 c=1 " {
		t.Errorf("got %q", got.String())
	}
	want := stream.Position{Source: "t", Next: 2, Done: true}
	if !slices.Contains(m.committed, want) {
		t.Errorf("committed %v, want %v among it", m.committed, want)
	}
}

// TestNothingIsCommittedOfWhatIsRestoring: a partition that leaves before its state is
// there leaves as it came, although marks of it have passed.
func TestNothingIsCommittedOfWhatIsRestoring(t *testing.T) {
	m := &committing{member: newMember()}
	m.script = append(m.script, func(b *record.Batch) {
		b.Origin = &record.Origin{Source: "t", Topic: true, Upstreams: 2}
		m.parts[0] = b.Origin
		b.Marks, b.Next = []record.Mark{{Source: "up", Time: 1}}, 5
	})
	m.leaves(0)
	v := &lockedVault{vault: newVault(), open: make(chan struct{})}
	m.script = append(m.script, func(b *record.Batch) {
		b.Barrier = func(error) { close(v.open) }
	})
	p := engine.Pipeline{
		Sources: []stream.Source{m}, New: func(stream.Task) stream.Operator { return newTally() }, Sink: new(text), Vault: v,
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if len(m.committed) > 0 {
		t.Errorf("committed: %v", m.committed)
	}
}

// TestInterruptedWhileRestoring: a run that is interrupted does not wait for state that
// is not there yet, and commits nothing of its partition.
func TestInterruptedWhileRestoring(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	m := &committing{member: newMember()}
	m.gives(0, "ab")
	m.script = append(m.script, func(b *record.Batch) {
		m.at(0, b)
		b.Next = 2
		<-ctx.Done()
	})
	v := &slowVault{vault: newVault(), began: interrupt}
	p := engine.Pipeline{
		Sources: []stream.Source{m}, New: func(stream.Task) stream.Operator { return newTally() }, Sink: new(text), Vault: v,
		Drain: time.Hour,
	}
	if err := runSoon(ctx, t, p); err != nil {
		t.Fatal(err)
	}
	if len(m.committed) > 0 {
		t.Errorf("committed: %v", m.committed)
	}
}

// slowVault has nothing to give before the run is interrupted.
type slowVault struct {
	*vault
	began func()
}

func (v *slowVault) Load(ctx context.Context, _ stream.Task, _ func(key, value []byte) error) error {
	v.began()
	<-ctx.Done()
	return ctx.Err()
}

// TestInterruptedWithMuchToRestore: a run that is interrupted takes back no more of a state
// than it has, be it without an end.
func TestInterruptedWithMuchToRestore(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	v := &endlessVault{vault: newVault(), began: interrupt}
	p := engine.Pipeline{
		Sources: []stream.Source{&lines{name: "a", times: make([]int64, 10), n: 1}}, Operator: newTally(), Sink: new(text), Vault: v,
		Drain: time.Hour,
	}
	if err := runSoon(ctx, t, p); err != nil {
		t.Fatal(err)
	}
	if len(v.saved) > 0 {
		t.Errorf("saved: %v", v.saved)
	}
}

// endlessVault gives for ever, and has the run interrupted.
type endlessVault struct {
	*vault
	began func()
}

func (v *endlessVault) Load(_ context.Context, _ stream.Task, put func(key, value []byte) error) error {
	v.began()
	for {
		if err := put([]byte("a"), []byte("1")); err != nil {
			return err
		}
	}
}

// committing is a member that notes what is committed.
type committing struct {
	*member
	committed []stream.Position
	done      chan struct{} // closed when a position is done; may be nil
}

func (c *committing) Commit(_ context.Context, at []stream.Position) error {
	c.committed = append(c.committed, at...)
	if c.done != nil && slices.ContainsFunc(at, func(p stream.Position) bool { return p.Done }) {
		close(c.done)
		c.done = nil
	}
	return nil
}

// lockedVault gives nothing out until it is opened.
type lockedVault struct {
	*vault
	open chan struct{}
}

func (v *lockedVault) Load(ctx context.Context, task stream.Task, put func(key, value []byte) error) error {
	<-v.open
	return v.vault.Load(ctx, task, put)
}

// recalling is a member that is told of ends.
type recalling struct {
	*member
	ended chan []record.Mark
}

func (r *recalling) Recall(_ *record.Origin, ended []record.Mark) {
	select {
	case r.ended <- ended:
	default:
	}
}

// noting notes the time that an operator knows at each row.
type noting struct {
	*tally
	seen *[]int64
}

func (n *noting) Process(rows record.Rows, out stream.Output) error {
	*n.seen = append(*n.seen, n.ticked)
	return n.tally.Process(rows, out)
}

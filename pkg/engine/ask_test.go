package engine_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A pair is an operator whose two counts are equal whenever nobody works.
type pair struct {
	first, second int
	fails         error // what becomes of the run when it has counted some
}

func (p *pair) Process(rows record.Rows, _ stream.Output) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		p.first++
		runtime.Gosched()
		p.second++
	}
	if p.first > 2000 {
		return p.fails
	}
	return nil
}

// ending is numbered, and ends when done says so.
type ending struct {
	*numbered
	done func() bool
}

func (s ending) Read(ctx context.Context, b *record.Batch) error {
	for s.at == s.total && !s.done() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	return s.numbered.Read(ctx, b)
}

// askPair has several goroutines ask a run of a pair until it ends. It returns how
// many questions were answered, and what the run ended with.
func askPair(t *testing.T, op *pair) (answered int64, _ error) {
	t.Helper()
	asker := engine.NewAsker()
	var n atomic.Int64
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				err := asker.Ask(context.Background(), func(v engine.View) {
					op := v.Operators[stream.Task{}].(*pair)
					before := *op
					for range 20 {
						runtime.Gosched()
					}
					if n.Add(1); *op != before || op.first != op.second {
						t.Errorf("a question sees %+v, then %+v", before, *op)
					}
				})
				if err != nil {
					if !errors.Is(err, engine.ErrEnded) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	err := runSoon(t.Context(), t, engine.Pipeline{
		Sources: []stream.Source{ending{newNumbered(4000, 1, 1), func() bool { return n.Load() > 0 }}},
		Parser:  newMarker, Operator: op, Sink: new(text), Ask: asker,
	})
	asking.Wait()
	return n.Load(), err
}

// TestQuestionsSeeWholeBatches: whoever asks does not see an operator in the midst of
// its work.
func TestQuestionsSeeWholeBatches(t *testing.T) {
	op := new(pair)
	answered, err := askPair(t, op)
	if err != nil || op.first != 4000 || answered == 0 {
		t.Errorf("%v, %d records, %d answers", err, op.first, answered)
	}
}

// TestQuestionsAtAFailure: whoever waits when an operator fails is told that the run
// has ended.
func TestQuestionsAtAFailure(t *testing.T) {
	broken := errors.New("a defect")
	if _, err := askPair(t, &pair{fails: broken}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// TestAskWhileOthersHaveTheCore: whoever works long lets others have the core, and the
// operators are asked while they do.
func TestAskWhileOthersHaveTheCore(t *testing.T) {
	const batches = 100
	asker := engine.NewAsker()
	var had atomic.Int64
	all := func() bool { return had.Load() > 2*batches } // those who read and parse, and the operator
	p := engine.Pipeline{
		Sources: []stream.Source{ending{newNumbered(20*batches, 1, 1), all}},
		Parser:  newMarker, Operator: new(pair), Sink: new(text), Ask: asker,
	}
	p.Yield = func() { // by each of them in the midst of its work
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := asker.Ask(ctx, func(engine.View) {}); err != nil && !errors.Is(err, engine.ErrEnded) {
			t.Error(err)
		}
		had.Add(1)
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if !all() {
		t.Errorf("others had the core %d times in %d batches that were read, parsed and processed", had.Load(), batches)
	}
}

// TestAskThatPanics: the run goes on behind a question that does not return.
func TestAskThatPanics(t *testing.T) {
	asker, src := engine.NewAsker(), newMember()
	src.script = append(src.script, func(b *record.Batch) {
		func() {
			defer func() { _ = recover() }()
			_ = asker.Ask(t.Context(), func(engine.View) { panic("a defect") })
		}()
		if err := asker.Ask(t.Context(), func(engine.View) {}); err != nil {
			t.Error(err)
		}
		src.at(0, b)
		b.Next = src.next[0]
	})
	src.gives(0, "ab")
	var got text
	err := runSoon(t.Context(), t, engine.Pipeline{Sources: []stream.Source{src}, Operator: newTally(), Sink: &got, Ask: asker})
	if err != nil || got.String() != "a=1 b=1 " {
		t.Errorf("%v, %q", err, got.String())
	}
}

// TestLately: a question counts from the moment that it is asked.
func TestLately(t *testing.T) {
	asker := engine.NewAsker()
	if asker.Lately() {
		t.Error("somebody has asked before anybody has")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := asker.Ask(ctx, func(engine.View) {}); !errors.Is(err, context.Canceled) || !asker.Lately() {
		t.Errorf("%v, lately %v", err, asker.Lately())
	}
}

package engine_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// patient is a sink that leaves one record open until it is drained the second
// time, or given up.
type patient struct {
	open   int64 // offset of the record; -1 for none
	calls  int
	passed []int64 // positions that were asked for while it was open
	left   []string
	again  bool
	got    chan struct{} // has a message when something was written
}

func (p *patient) Write(record.Rows) error {
	select {
	case p.got <- struct{}{}:
	default:
	}
	return nil
}

func (p *patient) Finished(at stream.Position) stream.Position {
	if p.open >= 0 && at.Next > p.open {
		p.passed = append(p.passed, at.Next)
		at.Next = p.open
	}
	return at
}

func (p *patient) Leave(gone []*record.Origin) {
	for _, o := range gone {
		p.left = append(p.left, fmt.Sprintf("%s/%d", o.Source, o.Partition))
	}
}

func (p *patient) Drain(ctx context.Context, again bool) error {
	if p.calls++; p.calls == 1 {
		<-ctx.Done()
		return ctx.Err()
	}
	p.open, p.again = -1, again
	return nil
}

// TestCommitPassesOnlyWhatIsFinished checks that a record which the sink has
// not finished is not passed by a commit, and that it is in the end.
func TestCommitPassesOnlyWhatIsFinished(t *testing.T) {
	src := newParts("t", step{part: 0, times: []int64{1, 2, 3, 4, 5}}, step{part: 0, times: []int64{6, 7}})
	sink := &patient{open: 3}
	p := engine.Pipeline{Sources: []stream.Source{src}, Sink: sink, Order: engine.InTime, CommitEvery: 10 * time.Millisecond}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	want := []stream.Position{{Source: "t", Next: 3}, {Source: "t", Next: 7}}
	if d := cmp.Diff(want, src.committed); d != "" {
		t.Errorf("committed (-want +got)\n%s", d)
	}
	if len(sink.passed) == 0 || sink.again {
		t.Errorf("asked %v, again %v", sink.passed, sink.again)
	}
}

// TestLeavingPartition checks that a partition which leaves is committed up to
// what is finished, and that nothing remembers the rest when it comes back.
func TestLeavingPartition(t *testing.T) {
	src := newParts("t", step{part: 0, times: []int64{1, 2, 3, 4, 5}})
	sink := &patient{open: 3, got: make(chan struct{}, 1)}
	reached := make(chan error, 1)
	sent := false
	src.end = func(ctx context.Context) error {
		if sent {
			return io.EOF
		}
		sent = true
		<-sink.got
		return errBarrier
	}
	source := &leaver{parts: src, reached: reached}
	p := engine.Pipeline{Sources: []stream.Source{source}, Sink: sink, Order: engine.InTime}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if err := <-reached; err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"t/0"}, sink.left); d != "" {
		t.Error(d)
	}
	// It came back at 3, where it was left, and was again not finished at once.
	want := []stream.Position{{Source: "t", Next: 3}, {Source: "t", Next: 3}, {Source: "t", Next: 5}}
	if d := cmp.Diff(want, src.committed); d != "" {
		t.Errorf("committed (-want +got)\n%s", d)
	}
}

var errBarrier = fmt.Errorf("now the barrier")

// leaver puts a barrier behind what its parts give, and then gives records 3
// and 4 again.
type leaver struct {
	*parts
	reached chan error
	passed  chan struct{} // closed when the barrier was called
}

func (l *leaver) Read(ctx context.Context, b *record.Batch) error {
	if l.passed != nil {
		<-l.passed
	}
	err := l.parts.Read(ctx, b)
	if err != errBarrier {
		return err
	}
	l.passed = make(chan struct{})
	b.Leaving = []*record.Origin{l.origins[0]}
	b.Barrier = func(err error) {
		l.next[0] = 3
		l.reached <- err
		close(l.passed)
	}
	l.steps = append(l.steps, step{part: 0, times: []int64{4, 5}})
	return nil
}

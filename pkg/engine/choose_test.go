package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// first is a chooser of the first source that has something, a few records at a
// time.
type first struct{ took []string }

func (*first) Choose(_ int64, waiting []stream.Waiting) (source, most int) {
	for i, w := range waiting {
		if w.Records > 0 {
			return i, 3
		}
	}
	return -1, 0
}

func (f *first) Took(_ int64, source int, rows record.Rows) (urgent bool) {
	f.took = append(f.took, fmt.Sprintf("%d:%d", source, rows.Hi-rows.Lo))
	return source == 0
}

// gated is a source whose Read waits, and which closes a gate when its first batch has
// been handed on: it is asked for the next one only then.
type gated struct {
	lines
	wait, open chan struct{}
}

func (g *gated) Read(ctx context.Context, b *record.Batch) error {
	if g.wait != nil {
		<-g.wait
	}
	if g.open != nil && g.at > 0 {
		close(g.open)
		g.open = nil
	}
	return g.lines.Read(ctx, b)
}

// opener is a sink that opens a gate at its first write, and then waits for
// another one: what comes meanwhile may overtake.
type opener struct {
	text
	open, wait chan struct{}
}

func (o *opener) Write(rows record.Rows) error {
	if o.open != nil {
		close(o.open)
		<-o.wait
		o.open = nil
	}
	return o.text.Write(rows)
}

// halting is a source whose second Read waits.
type halting struct {
	lines
	wait chan struct{}
}

func (h *halting) Read(ctx context.Context, b *record.Batch) error {
	if h.at > 0 {
		<-h.wait
	}
	return h.lines.Read(ctx, b)
}

// beginner closes a gate when a batch is parsed that begins with a record. Where there is
// one parser, what was read before has arrived then.
type beginner struct {
	record string
	open   chan struct{}
}

func (p beginner) Parse(b *record.Batch) {
	if string(b.Value(0)) == p.record {
		close(p.open)
	}
}

// TestChosenRecordsOvertake: what is chosen first overtakes a batch that is being
// processed, though that was read before.
func TestChosenRecordsOvertake(t *testing.T) {
	written, read, there := make(chan struct{}), make(chan struct{}), make(chan struct{})
	urgent := &gated{lines: lines{name: "u", times: make([]int64, 2), n: 2}, wait: written, open: read}
	slow := &halting{lines: lines{name: "s", times: make([]int64, 11), n: 10}, wait: read}
	sink, choose := &opener{open: written, wait: there}, &first{}
	err := engine.Run(t.Context(), engine.Pipeline{
		Sources: []stream.Source{urgent, slow}, Sink: sink, Order: engine.AsItArrives, Choose: choose,
		Parsers: 1, Parser: func() engine.Parser { return beginner{"s10", there} },
	})
	if err != nil {
		t.Fatal(err)
	}
	// The urgent batch arrives while the first three are written.
	if got := sink.String(); got != "s0 s1 s2 u0 u1 s3 s4 s5 s6 s7 s8 s9 s10 " {
		t.Errorf("wrote %q", got)
	}
	if took := strings.Join(choose.took, " "); !strings.HasPrefix(took, "1:3 ") || !strings.Contains(took, "0:2") {
		t.Errorf("took %q", took)
	}
}

// rationed is a sink that takes one record at a time, and is finished with it when
// it is asked for room the next time but one.
type rationed struct {
	patient
	text
	busy int
	most int
	more chan struct{}
}

func (s *rationed) Write(rows record.Rows) error {
	s.most = max(s.most, rows.Hi-rows.Lo)
	s.busy = 2
	return s.text.Write(rows)
}

func (s *rationed) Flush(context.Context) error { return nil }

func (s *rationed) Room() (int, <-chan struct{}) {
	if s.busy > 0 {
		s.busy--
		select {
		case s.more <- struct{}{}:
		default:
		}
		return 0, s.more
	}
	return 1, s.more
}

// TestRationedSinkGetsEverything: records that wait for room when their source has
// ended are not forgotten.
func TestRationedSinkGetsEverything(t *testing.T) {
	sink := &rationed{patient: patient{open: -1, calls: 1}, more: make(chan struct{}, 1)}
	err := engine.Run(t.Context(), engine.Pipeline{
		Sources: []stream.Source{
			&lines{name: "a", times: make([]int64, 7), n: 2}, &lines{name: "b", times: make([]int64, 5), n: 5},
		},
		Sink: sink, Order: engine.AsItArrives, Choose: &first{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Fields(sink.String())); n != 12 || sink.most != 1 {
		t.Errorf("%d records were written, up to %d at once, want 12 one by one", n, sink.most)
	}
}

// asked is a chooser like first that notes which sources were awaited.
type asked struct {
	first
	awaited []bool // of source 0, each time
}

func (a *asked) Choose(now int64, waiting []stream.Waiting) (source, most int) {
	a.awaited = append(a.awaited, waiting[0].Awaited > 0)
	if waiting[0].Awaited > 0 {
		return -1, 0
	}
	return a.first.Choose(now, waiting)
}

// TestAwaitedUntilSomethingCame: a source is awaited until it has given something, or
// has said that it has nothing.
func TestAwaitedUntilSomethingCame(t *testing.T) {
	for _, n := range []int{2, 0} {
		urgent := &lines{name: "u", times: make([]int64, n), n: 2}
		there := make(chan struct{})
		sink, choose := new(text), new(asked)
		err := engine.Run(t.Context(), engine.Pipeline{
			Sources: []stream.Source{
				&gated{lines: *urgent, wait: there},
				&gated{lines: lines{name: "s", times: make([]int64, 4), n: 2}, open: there},
			},
			Sink: sink, Order: engine.AsItArrives, Choose: choose,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := sink.String(); n > 0 && !strings.HasPrefix(got, "u0 u1 ") || len(strings.Fields(got)) != n+4 {
			t.Errorf("%d urgent ones: wrote %q", n, got)
		}
		if choose.awaited[len(choose.awaited)-1] {
			t.Errorf("%d urgent ones: still awaited at the end", n)
		}
	}
}

package exec

import (
	"context"

	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
)

// Unfinished returns how many records are not finished.
func (s *Sink) Unfinished() int { return s.track.opened() }

// ParseAnswer reads a line of a handler: whether it is output, and why it is a
// failure.
func ParseAnswer(line []byte) (output bool, kind string) {
	a := parseAnswer(line)
	if a.err != nil {
		kind = a.err.Kind
	}
	return a.output, kind
}

// Leaving reports whether something is open of a partition that is being left.
func (s *Sink) Leaving() bool {
	s.track.mu.Lock()
	defer s.track.mu.Unlock()
	for _, p := range s.track.parts {
		for _, l := range p.lots {
			if l.leaving.Load() {
				return true
			}
		}
	}
	return false
}

// AwaitChange waits until more is finished.
func (s *Sink) AwaitChange() { <-s.track.changed }

// Waits are waits of entries of which nothing is known but when they are due.
type Waits struct{ waits }

// Add adds one.
func (w *Waits) Add(due int64) { w.add(entry{own: &own{due: due}}) }

// Next takes the first one that is due by now.
func (w *Waits) Next(now int64) (due int64, ok bool) {
	e, ok := w.next(now)
	if ok {
		due = e.own.due
	}
	return due, ok
}

// Recycled reports whether what an entry had of its own is as new when it is used again.
func Recycled() bool {
	o := &own{copied: true, failed: true, deadly: true, due: 1, size: 2, state: letter.State{Attempts: 3}}
	o.batch.Data = []byte("x")
	recycle([]entry{{own: o}})
	return !o.copied && !o.failed && !o.deadly && o.size == 0 && o.batch.Data == nil && o.state.Attempts == 0
}

// Pipe is what a handler's records and answers go through.
var Pipe = pipe

// Answers reads lines of a handler one after the other.
type Answers struct{ answers }

// Read returns why a line is a failure.
func (a *Answers) Read(line []byte) (message string) {
	if said := a.read(line); said.err != nil {
		message = said.err.Message
	}
	return message
}

// Gathered returns how many bytes of rows a handler is given at once.
func Gathered(rows record.Rows) int {
	s := &Sink{opt: Options{Workers: 1, Breaker: new(limit.Breaker)}, ctx: context.Background()}
	s.shared.workers, s.lists, s.track.parts = 1, make([][]entry, 1), map[partition]*part{}
	s.workers = []*worker{newWorker(s, 0)}
	if err := s.Write(rows); err != nil {
		return 0
	}
	return len(s.workers[0].gather(0))
}

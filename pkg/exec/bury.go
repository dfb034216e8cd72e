package exec

import (
	"fmt"
	"slices"
	"sync"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
)

// graves are entries that are to become dead letters. A letter takes longer than a record
// that is handled, and its sink may be slow: who reads the answers of a handler does not
// write them, as the records that are well would wait.
type graves struct {
	mu   sync.Mutex
	next []entry
	now  []entry       // those that are being written
	wake chan struct{} // has a message when there are some
	room chan struct{} // has a message when there are fewer
}

// mostGraves is from how many entries on those who add some have to wait.
const mostGraves = 1024

// add adds entries, and reports whether there was room.
func (g *graves) add(list []entry) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.next) >= mostGraves {
		return false
	}
	g.next = append(g.next, list...)
	signal(g.wake)
	if len(g.next) < mostGraves {
		signal(g.room) // for others that wait, too
	}
	return true
}

// take returns all entries, to be written.
func (g *graves) take() []entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now, g.next = g.next, g.now
	signal(g.room)
	return g.now
}

// written forgets what take returned.
func (g *graves) written() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.now)
	g.now = g.now[:0]
}

// hold reports whether something of a lot that counts is to be written.
func (g *graves) hold(counts func(*lot) bool) bool {
	of := func(e entry) bool { return counts(e.lot) }
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.next, of) || slices.ContainsFunc(g.now, of)
}

// condemned notes that an entry is to become a dead letter: settle buries it.
func (o *outcome) condemned(e entry) error {
	s, st := o.w.s, &e.own.state
	if s.opt.Dead == nil {
		return fault.Hint(fmt.Errorf("%s: the handler failed: %s: %s", st.ID(), st.Class, st.Reason),
			"--dlq ENDPOINT sets such records aside and goes on")
	}
	if s.opt.Returns && st.Kind != retry.Permanent {
		s.Stats.Returned.Add(1)
	} else {
		s.Stats.Dead.Add(1)
	}
	o.dead = append(o.dead, e)
	return nil
}

// bury has entries become dead letters, and be finished then.
func (s *Sink) bury(list []entry) error {
	if len(list) == 0 {
		return nil
	}
	for !s.graves.add(list) {
		select {
		case <-s.graves.room:
		case <-s.ctx.Done():
			return s.failure()
		}
	}
	return nil
}

// dig writes dead letters until the sink ends.
func (s *Sink) dig() {
	letters := record.NewBatch()
	for {
		select {
		case <-s.graves.wake:
		case <-s.ctx.Done():
			return
		}
		for rest := s.graves.take(); len(rest) > 0; {
			n := appendLetters(letters, rest)
			if err := s.opt.Dead.Write(letters.All()); err != nil {
				s.fail(err)
				return
			}
			if !letters.Reuse() {
				letters.Release()
				letters = record.NewBatch()
			}
			s.unblock(rest[:n])
			s.finish(rest[:n])
			rest = rest[n:]
		}
		s.graves.written()
		signal(s.track.changed)
	}
}

// appendLetters adds the letters of the first entries to an empty batch, and returns of
// how many: they are of one origin, and not too many.
func appendLetters(to *record.Batch, list []entry) (n int) {
	for n < len(list) && len(to.Data) <= outArena {
		b, row := list[n].source()
		st := &list[n].own.state
		if n == 0 {
			to.Origin, to.Arrived = b.Origin, st.Last
		}
		if to.Origin != b.Origin {
			break
		}
		letter.Append(to, b, row, st)
		n++
	}
	return n
}

package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/logctl/logctl/pkg/stream"
)

// gather notes what has changed of every task's state.
func (r *run) gather(c *cut) error {
	if r.Vault == nil {
		return nil
	}
	bytes := 0
	for _, t := range r.tasks {
		if !t.unsaved() {
			continue
		}
		if _, err := r.gatherTask(t, forever); err != nil {
			return err
		}
		if t.whole {
			r.forget(t)
		}
		t.appendTimes(&t.pieces[len(t.pieces)-1], t.whole)
		t.touched, t.gathered = false, notGathered
		c.changed = append(c.changed, t)
		for _, entries := range t.pieces {
			bytes += len(entries)
		}
	}
	r.Stats.StateBytes.Store(int64(bytes))
	return nil
}

// How much of what has changed of a task is in its pieces before the cut.
const (
	notGathered = iota
	someGathered
	allGathered // but for what changes meanwhile
)

const (
	// gatherFor is how long records wait at a time while changes are gathered: some
	// more where that was not enough for gatherLeast, so that it comes to an end also
	// where the processor is another's most of the time.
	gatherFor   = int64(2 * time.Millisecond)
	gatherLeast = 4096
	// answerEvery is after how many entries of state questions are answered, and the
	// clock is looked at: some 20 µs.
	answerEvery = 128
)

// gatherAhead gathers some of what has changed of one task, and reports whether it
// had something to do. What changes again until the cut is gathered once more, which
// costs little: records wait for no more than that, and for one piece at a time.
func (r *run) gatherAhead() (bool, error) {
	if !r.beside() {
		return false, nil
	}
	for _, t := range r.tasks {
		if t.unsaved() && t.gathered != allGathered {
			all, err := r.gatherTask(t, r.Now()+gatherFor)
			if t.gathered = someGathered; all {
				t.gathered = allGathered
			}
			return true, err
		}
	}
	return false, nil
}

// unsaved reports whether a task has a state to be saved.
func (t *task) unsaved() bool {
	_, ok := t.op.(stream.Stateful)
	return ok && t.ready && t.touched
}

// errEnough ends a piece of what is gathered.
var errEnough = errors.New("enough for now")

// gatherTask makes a piece of what has changed of a task, until a time; all says that
// there is no more.
func (r *run) gatherTask(t *task, until int64) (all bool, err error) {
	begins := t.gathered == notGathered
	if begins {
		t.pieces, t.whole = t.pieces[:0], false
		if v, ok := r.Vault.(stream.Refresher); ok {
			t.whole = v.Stale(t.id)
		}
	}
	entries, n := t.another(), 0
	err = t.op.(stream.Stateful).Changes(t.whole && begins, func(key, value []byte) error {
		if n++; n%answerEvery == 0 {
			r.answer()
			if n > gatherLeast && r.Now() > until {
				return errEnough
			}
		}
		entries.Append(key, value)
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("saving state%s: %w", t.name(), err)
	default:
		return true, nil
	}
}

// save gives a Vault the pieces. Of all that there are, some may have changed or gone
// while they were gathered: it gets what they come to.
func (t *task) save(to stream.Vault) error {
	if !t.whole || len(t.pieces) == 1 {
		for _, entries := range t.pieces {
			if err := to.Save(t.id, entries, t.whole); err != nil {
				return err
			}
		}
		return nil
	}
	var state stream.Image
	for _, entries := range t.pieces {
		if err := state.AddAll(entries); err != nil {
			return err
		}
	}
	all := make(stream.Entries, 0, state.Size())
	err := state.Each(func(key, value []byte) error {
		all.Append(key, value)
		return nil
	})
	if err != nil {
		return err
	}
	return to.Save(t.id, all, true)
}

// another returns an empty piece.
func (t *task) another() *stream.Entries {
	n := len(t.pieces)
	if n == cap(t.pieces) {
		t.pieces = append(t.pieces, nil)
	}
	t.pieces = t.pieces[:n+1]
	t.pieces[n] = t.pieces[n][:0] // in the memory of one that was saved
	return &t.pieces[n]
}

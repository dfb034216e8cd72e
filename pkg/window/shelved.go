package window

import (
	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
)

// Shelved is what machines have in common whose windows may end at any moment. Where
// memory is bounded, windows that begin or end behind the limit go to a shelf when
// there is no room for them, and are joined to what came since when the limit comes
// to them.
type shelved struct {
	shelf   *aggregate.Shelf // nil where memory is not bounded
	bound   aggregate.Bound  // of memory
	counts  *counters
	counted int64 // bytes of the shelf, as they are counted
}

func newShelved(o *Op) (s shelved) {
	s.counts = o.stats
	if o.cfg.MaxMemory > 0 {
		s.shelf = aggregate.NewShelf(o.cfg.Spill)
	}
	return s
}

// countSpilled counts how much is on the shelf.
func (s *shelved) countSpilled() {
	s.counts.spilled.Add(s.shelf.Size() - s.counted)
	s.counted = s.shelf.Size()
}

// leave implements spiller.
func (s *shelved) leave() {
	s.shelf.Drop()
	s.countSpilled()
}

// restoreBox takes back a box of the shelf. is reports whether a key can be in it.
func (s *shelved) restoreBox(key, value []byte, is func(key []byte) bool) (bool, error) {
	if s.shelf == nil {
		return false, fault.Usagef("give --max-memory, as the run before did",
			"the state has windows that were spilled to disk")
	}
	return true, s.shelf.Restore(key, value, func(key, value []byte) error {
		if !is(key) || value == nil {
			return errState
		}
		return nil
	})
}

package window

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

var _ stream.Stateful = (*Op)(nil)

// The entries of an Op's state, by the first byte of their keys.
const (
	entryClock = iota + 1 // how far the operator is: limit and newest
	entryGroup            // a group of a pane
)

// What is noted of a group, in pane.marks.
const (
	unsaved uint8 = 1 << iota // its entry has changed since the last call of Changes
	unsaid                    // it has changed since the last update was written
)

var errState = errors.New("decoding the state of window: not what was encoded")

// Signature implements stream.Stateful.
func (o *Op) Signature() string {
	c := &o.cfg
	return fmt.Sprintf("window 1 size=%v hop=%v by=%q agg=%q", c.Size, c.Hop, c.By, c.Aggs)
}

// Changes implements stream.Stateful. Entries are panes' groups, and one for
// the time that is closed. Nothing is noted for it before it is first called.
func (o *Op) Changes(all bool, put func(key, value []byte) error) error {
	all = all || !o.tracking
	o.track()
	s := saver{put: put}
	if clock := (clock{o.limit, o.newest}); all || clock != o.saved {
		if err := s.clock(clock); err != nil {
			return err
		}
		o.saved = clock
	}
	for _, p := range o.gone {
		if all {
			break
		}
		if err := s.gone(p); err != nil {
			return err
		}
	}
	o.gone = nil
	o.sort()
	for _, start := range o.starts {
		if err := s.groups(o.panes[start], all); err != nil {
			return err
		}
	}
	return nil
}

// track begins to note what changes.
func (o *Op) track() {
	o.tracking = true
	o.mark |= unsaved
}

// A clock is how far an operator is.
type clock struct{ limit, newest int64 }

// A saver gives entries away.
type saver struct {
	put        func(key, value []byte) error
	key, value []byte
}

func (s *saver) clock(c clock) error {
	s.key = append(s.key[:0], entryClock)
	s.value = binary.AppendVarint(binary.AppendVarint(s.value[:0], c.limit), c.newest)
	return s.put(s.key, s.value)
}

// groups gives away the groups of p: all of them, or those that have changed.
func (s *saver) groups(p *pane, all bool) error {
	if !all && !p.unsaved {
		return nil
	}
	s.begin(p)
	for g := range uint32(p.Len()) {
		mark := uint8(0)
		if int(g) < len(p.marks) {
			mark = p.marks[g]
		}
		if !all && mark&unsaved == 0 {
			continue
		}
		s.value = append(s.value[:0], mark&unsaid)
		s.value = p.cells.Encode(s.value, g)
		if err := s.put(s.groupKey(p, g), s.value); err != nil {
			return err
		}
	}
	for g := range p.marks {
		p.marks[g] &^= unsaved
	}
	p.unsaved, p.saved = false, p.Len()
	return nil
}

// gone says of the groups that were given away that they are no more.
func (s *saver) gone(p *pane) error {
	s.begin(p)
	for g := range uint32(p.saved) {
		if err := s.put(s.groupKey(p, g), nil); err != nil {
			return err
		}
	}
	return nil
}

// begin begins the keys of a pane: they sort by its start.
func (s *saver) begin(p *pane) {
	s.key = append(s.key[:0], entryGroup)
	s.key = binary.BigEndian.AppendUint64(s.key, uint64(p.start)^1<<63)
}

const keyStart = 9 // bytes of a group's key before the kind and text of its own

func (s *saver) groupKey(p *pane, g uint32) []byte {
	kind, text := p.Key(g)
	s.key = append(append(s.key[:keyStart], byte(kind)), text...)
	return s.key
}

// Restore implements stream.Stateful.
func (o *Op) Restore(key, value []byte) error {
	o.track()
	switch {
	case len(key) == 1 && key[0] == entryClock:
		return o.restoreClock(value)
	case len(key) > keyStart && key[0] == entryGroup:
		return o.restoreGroup(key, value)
	default:
		return errState
	}
}

func (o *Op) restoreClock(value []byte) error {
	limit, n := binary.Varint(value)
	if n <= 0 {
		return errState
	}
	newest, m := binary.Varint(value[n:])
	if m <= 0 || n+m != len(value) || limit != math.MinInt64 && !possible(limit) ||
		newest != math.MinInt64 && !possible(newest) {
		return errState
	}
	o.limit, o.newest = limit, newest
	o.saved = clock{limit, newest}
	o.due = math.MinInt64 // to be found by the next close
	return nil
}

// possible reports whether a window may begin or end at t.
func possible(t int64) bool { return t > -maxTime*3/2 && t < maxTime*3/2 }

func (o *Op) restoreGroup(key, value []byte) error {
	start := int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63)
	kind, text := record.Kind(key[keyStart]), key[keyStart+1:]
	if !possible(start) || o.paneOf(start) != start || !o.keys.Valid(kind, text) {
		return errState
	}
	if len(value) == 0 || value[0]&^unsaid != 0 {
		return errState
	}
	p := o.panes[start]
	if p == nil {
		p = o.addPane(start)
	}
	g, err := p.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil {
		return err
	}
	p.cells.Grow(p.Len())
	rest, err := p.cells.Decode(g, value[1:])
	if err != nil {
		return fmt.Errorf("pane %s: %w", strconv.FormatInt(start, 10), err)
	}
	if len(rest) > 0 {
		return errState
	}
	p.note(g, value[0])
	p.saved = p.Len()
	o.groups += p.Len() - p.counted
	p.counted = p.Len()
	o.due = math.MinInt64
	return nil
}

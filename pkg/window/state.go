package window

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/wire"
)

var _ stream.Stateful = (*Op)(nil)

// The entries of an Op's state, by the first byte of their keys.
const (
	entryClock   = iota + 1 // how far the operator is: limit and newest
	entryGroup              // a group of a pane: its start, then the group's key
	entrySession            // the open sessions of a group: its key
	entryPast               // what a closed window's group was: its start, size and key
	entryKnown              // a key that is filled: its size, then the key
	entryKept               // a row that is kept for queries: its end, start and the JSON of its key
	entryRecord             // a moment of a sliding window's group: its time, then the group's key
	entryBox                // sessions that are spilled; see aggregate.Shelf
)

var errState = fault.Hint(errors.New("decoding the state of window: not what was encoded"),
	"it may be of an earlier build, or damaged: --reset discards it and begins anew")

// Signature implements stream.Stateful.
func (o *Op) Signature() string {
	c := &o.cfg
	kind := fmt.Sprintf("sizes=%v hop=%v", c.Sizes, c.Hop)
	switch {
	case c.Gap > 0:
		kind = fmt.Sprintf("gap=%v", c.Gap)
	case c.Slide:
		kind = fmt.Sprintf("slide=%v", c.Sizes[0])
	}
	if c.Fill != FillNone {
		kind += " fill"
	}
	if len(c.Trend) > 0 {
		kind += fmt.Sprintf(" trend=%v", c.Trend)
	}
	return fmt.Sprintf("window 1 %s by=%q agg=%q", kind, c.By, c.Aggs)
}

// Changes implements stream.Stateful. Nothing is noted for it before it is first
// called.
func (o *Op) Changes(all bool, put func(key, value []byte) error) error {
	if all || !o.tracking {
		o.track()
		o.unsave()
	}
	s := saver{put: put}
	if clock := (clock{o.limit, o.newest}); clock != o.saved {
		if err := s.clock(clock); err != nil {
			return err
		}
		o.saved = clock
	}
	if err := s.gone(&o.strays); err != nil {
		return err
	}
	if o.kept != nil {
		if err := o.kept.changes(&s); err != nil {
			return err
		}
	}
	return o.open.changes(&s)
}

// unsave has Changes give everything away again.
func (o *Op) unsave() {
	o.saved = clock{limit: math.MaxInt64} // as no operator is
	o.strays = nil
	if o.kept != nil {
		o.kept.unsave()
	}
	o.open.unsave()
}

// track begins to note what changes.
func (o *Op) track() {
	o.tracking = true
	o.mark |= unsaved
}

// Restore implements stream.Stateful.
func (o *Op) Restore(key, value []byte) error {
	o.track()
	if len(key) == 1 && key[0] == entryClock {
		return o.restoreClock(value)
	}
	if len(key) > 0 && key[0] == entryKept {
		if o.kept == nil { // nobody asks in this run
			o.strays = append(o.strays, bytes.Clone(key))
			return nil
		}
		return o.kept.restore(key, value)
	}
	ok, err := o.open.restore(key, value)
	if err == nil && !ok {
		err = errState
	}
	return err
}

func (o *Op) restoreClock(value []byte) error {
	r := readEntry(value)
	limit, newest := r.time(), r.time()
	if !r.Done() {
		return errState
	}
	o.limit, o.newest, o.seen = limit, newest, newest
	o.saved = clock{limit, newest}
	return nil
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

// gone says that entries are no more, and drops their keys.
func (s *saver) gone(keys *[][]byte) error {
	for ; len(*keys) > 0; *keys = (*keys)[1:] {
		if err := s.put((*keys)[0], nil); err != nil {
			return err
		}
	}
	*keys = nil
	return nil
}

// timeKey is how many bytes the kind and the time of an entry take in its key.
const timeKey = 9

// appendTimeKey begins the key of an entry of a time. Keys sort by it.
func appendTimeKey(key []byte, entry byte, t int64) []byte {
	return binary.BigEndian.AppendUint64(append(key, entry), uint64(t)^1<<63)
}

// splitTimeKey takes apart the key of an entry of a time and a group.
func splitTimeKey(key []byte) (t int64, kind record.Kind, text []byte) {
	return int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63), record.Kind(key[timeKey]), key[timeKey+1:]
}

func appendGroupKey(key []byte, t *aggregate.Table, g uint32) []byte {
	kind, text := t.Key(g)
	return append(append(key, byte(kind)), text...)
}

// possible reports whether a window may begin or end at t.
func possible(t int64) bool { return t > -maxTime*3/2 && t < maxTime*3/2 }

// An entryReader takes the value of an entry apart.
type entryReader struct{ wire.Reader }

func readEntry(value []byte) entryReader { return entryReader{wire.Read(value)} }

// time takes a time, which may be none.
func (r *entryReader) time() int64 {
	t := r.Varint()
	r.Check(t == math.MinInt64 || possible(t))
	return t
}

// marks takes what is noted of a group.
func (r *entryReader) marks() uint8 {
	m := r.Byte()
	r.Check(m&^unsaid == 0)
	return m
}

// cells takes the aggregates of a group.
func (r *entryReader) cells(to *aggregate.Cells, g uint32) {
	if r.Failed() {
		return
	}
	rest, err := to.Decode(g, r.Rest())
	r.Reader = wire.Read(rest)
	r.Check(err == nil)
}

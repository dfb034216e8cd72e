package aggregate

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/wire"
)

// A Shelf keeps entries of an operator's state on disk that are not needed before a
// certain time. They are in boxes, each with the time from which it is needed. If more
// comes for the same key meanwhile, a new entry begins in memory; the two are merged
// when the box is taken down. This must happen before anything closes that could touch
// its entries.
//
// A box is itself saved as an entry of the operator's state. A nil Shelf is empty.
type Shelf struct {
	spill  stream.Spill
	boxes  []box // by from, the least last
	next   uint32
	gone   []uint32 // boxes whose entries are in the state, but are no more
	size   int64
	filled stream.Entries // the box that is being filled,
	from   int64          // and the least time in it
}

// A box is entries that stand on disk.
type box struct {
	from     int64 // nothing in it is of before
	id, size int64
	number   uint32
	saved    bool // Changes has given it away
}

// boxSize is about how many bytes go into a box: few enough for the value of a
// record in a changelog.
const boxSize = 64 << 10

var errShelf = errors.New("decoding state that was spilled: not what was encoded")

// NewShelf returns an empty shelf.
func NewShelf(spill stream.Spill) *Shelf { return &Shelf{spill: spill, from: math.MaxInt64} }

// Put adds an entry that is not needed before from. Entries should come in order of
// time. They are on the shelf once Close has been called.
func (s *Shelf) Put(from int64, key, value []byte) error {
	s.filled.Append(key, value)
	s.from = min(s.from, from)
	if len(s.filled) < boxSize {
		return nil
	}
	return s.Close()
}

// Close ends a run of calls of Put.
func (s *Shelf) Close() error {
	if len(s.filled) == 0 {
		return nil
	}
	err := s.add(box{from: s.from, number: s.next}, s.filled)
	s.next++
	s.filled, s.from = s.filled[:0], math.MaxInt64
	return err
}

func (s *Shelf) add(b box, entries stream.Entries) error {
	id, err := s.spill.Put(entries)
	if err != nil {
		return err
	}
	b.id, b.size = id, int64(len(entries))
	s.size += b.size
	at, _ := slices.BinarySearchFunc(s.boxes, b.from, func(b box, from int64) int {
		if b.from > from {
			return -1
		}
		return 1
	})
	s.boxes = slices.Insert(s.boxes, at, b)
	return nil
}

// Next returns the earliest time from which an entry is needed, math.MaxInt64 if there
// is none.
func (s *Shelf) Next() int64 {
	if s == nil || len(s.boxes) == 0 {
		return math.MaxInt64
	}
	return s.boxes[len(s.boxes)-1].from
}

// Size returns how many bytes there are.
func (s *Shelf) Size() int64 {
	if s == nil {
		return 0
	}
	return s.size
}

// Take calls f for the entries of all boxes that are needed before a time, and removes
// the boxes.
func (s *Shelf) Take(before int64, f func(key, value []byte) error) error {
	for s.Next() < before {
		b := s.boxes[len(s.boxes)-1]
		if err := s.open(&b, f); err != nil {
			return err
		}
		s.boxes = s.boxes[:len(s.boxes)-1]
		s.size -= b.size
		if b.saved {
			s.gone = append(s.gone, b.number)
		}
		if err := s.spill.Delete(b.id); err != nil {
			return err
		}
	}
	return nil
}

// Drop removes everything. What cannot be deleted goes with the spill.
func (s *Shelf) Drop() {
	if s == nil {
		return
	}
	for i := range s.boxes {
		_ = s.spill.Delete(s.boxes[i].id)
	}
	s.boxes, s.gone, s.size = nil, nil, 0
}

// Each calls f for all entries, which stay on the shelf.
func (s *Shelf) Each(f func(key, value []byte) error) error {
	if s == nil {
		return nil
	}
	for i := range s.boxes {
		if err := s.open(&s.boxes[i], f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shelf) open(b *box, f func(key, value []byte) error) error {
	entries, err := s.read(b)
	if err != nil {
		return err
	}
	return entries.Each(f)
}

func (s *Shelf) read(b *box) (stream.Entries, error) {
	entries := make(stream.Entries, b.size)
	return entries, s.spill.ReadAt(entries, b.id, 0)
}

// Unsave makes Changes return all boxes again.
func (s *Shelf) Unsave() {
	if s == nil {
		return
	}
	s.gone = nil
	for i := range s.boxes {
		s.boxes[i].saved = false
	}
}

// Changes calls put for boxes, as in stream.Stateful, under keys that begin with kind.
func (s *Shelf) Changes(kind byte, put func(key, value []byte) error) error {
	if s == nil {
		return nil
	}
	var key, value []byte
	for ; len(s.gone) > 0; s.gone = s.gone[1:] {
		if err := put(binary.BigEndian.AppendUint32(append(key[:0], kind), s.gone[0]), nil); err != nil {
			return err
		}
	}
	for i := range s.boxes {
		b := &s.boxes[i]
		if b.saved {
			continue
		}
		entries, err := s.read(b)
		if err != nil {
			return err
		}
		key = binary.BigEndian.AppendUint32(append(key[:0], kind), b.number)
		value = append(binary.AppendVarint(value[:0], b.from), entries...)
		if err := put(key, value); err != nil {
			return err
		}
		b.saved = true
	}
	return nil
}

// Restore puts a saved box back. check is called for its entries, and returns an error
// for one that cannot be right.
func (s *Shelf) Restore(key, value []byte, check func(key, value []byte) error) error {
	r := wire.Read(value)
	from, entries := r.Varint(), stream.Entries(r.Rest())
	if r.Failed() || len(key) != 5 || len(entries) == 0 {
		return errShelf
	}
	if err := entries.Each(check); err != nil {
		return err
	}
	number := binary.BigEndian.Uint32(key[1:])
	if number == math.MaxUint32 {
		return errShelf
	}
	s.next = max(s.next, number+1)
	return s.add(box{from: from, number: number, saved: true}, entries)
}

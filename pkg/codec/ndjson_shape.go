package codec

import (
	"encoding/binary"
	"math/bits"

	"github.com/logctl/logctl/pkg/record"
)

// The bounds of what is learned. A tree that is full and does not fit is
// planted anew after patience misses, which doubles each time: records whose
// keys are random cost a few failed comparisons, not learning.
const (
	maxShapeNodes = 512
	maxSiblings   = 8
	maxSegment    = 256 // bytes
	firstPatience = 1024
	maxPatience   = 1 << 20
)

// shapes are the sequences of keys that records had, as a tree. The bytes
// between two values, as in
//
//	{"time":  ,"level":  ,"attributes":{…}  }
//
// are its nodes. Along a path of the tree from the root to a leaf all bytes
// outside of values are those of a record whose structure was checked, closing
// brace included; if each value is whole, the record is right. That makes the
// comparison of a few words both the search for fields and the check.
//
// Nodes and their text live in arrays that are used again, so learning does
// not allocate for ever.
type shapes struct {
	nodes  []shapeNode // the first stands before all records
	text   []byte      // of the nodes
	leaves int
	direct []int32 // for each leaf, for each field: the slot that holds it, or one of the constants below
	has    []bool  // for each leaf, for each slot: whether its records fill it

	misses, patience int
}

// Instead of a slot in shapes.direct.
const (
	nowhere int32 = -1 // no record of the shape has the field
	within  int32 = -2 // the field is found by resolve
)

// A segment is a run of bytes between two values of a record: a key with all
// that stands around it, or the end; slot is what the value behind it fills.
type segment struct {
	from, to int
	slot     int32
}

// A shapeNode is one segment in the tree. A text of up to 16 bytes is compared
// in two words, which may overlap.
type shapeNode struct {
	head, headMask uint64
	tail, tailMask uint64
	tailOff        uint32
	off, len       uint32 // its text
	slot           int32
	next           int32 // the first node of those that may follow; 0 for none
	other          int32 // the next sibling, tried where this does not match; 0 for none
	leaf           int32 // the number of the shape that ends here, or -1
}

func (s *shapes) forget() {
	s.nodes = append(s.nodes[:0], shapeNode{leaf: -1})
	s.text, s.direct, s.has = s.text[:0], s.direct[:0], s.has[:0]
	s.leaves, s.misses = 0, 0
	s.patience = min(max(2*s.patience, firstPatience), maxPatience)
}

// match compares the record in data[i:end] with the shapes, fills the slots,
// and returns the shape's leaf, or -1. It may look at bytes behind the record,
// but it never goes back, and accepts only what ends where the record does.
func (p *ndjson) match(data []byte, i, end int) (leaf int32) {
	s := &p.shapes
	at := s.nodes[0].next
	if at != 0 {
		p.quotes.mark(data, i, end)
	}
	for at != 0 {
		n := &s.nodes[at]
		if !n.begins(data, i) && !s.standsAt(n, data, i) {
			at = n.other
			continue
		}
		i += int(n.len)
		if i >= end || n.leaf >= 0 {
			return n.ending(data[:end], i)
		}
		var v record.Value
		m := p.quotes.window(i + 1)
		quote := i + 1 + bits.TrailingZeros64(m)
		if data[i] == '"' && m != 0 && data[quote] == '"' {
			if p.check.strict && !p.check.text(data[:quote], i+1) {
				return -1
			}
			v, i = record.NewValue(record.String, i+1, quote-i-1), quote+1
		} else if v, i = p.learnedValue(data[:end], i); i < 0 {
			return -1
		}
		if n.slot != unread {
			if v.Kind() == unsettled {
				v = settle(data, v)
			}
			p.slots[n.slot] = v
		}
		at = n.next
	}
	return -1
}

// ending returns the leaf of a node behind which a record may end at i.
func (n *shapeNode) ending(record []byte, i int) int32 {
	if n.leaf >= 0 && space(record, i) == len(record) {
		return n.leaf
	}
	return -1
}

// learnedValue is checker.value, with a short way for scalars.
func (p *ndjson) learnedValue(data []byte, i int) (v record.Value, next int) {
	if next = scalarEnd(data, i); next == i || p.check.strict {
		return p.check.value(data, i)
	}
	return record.NewValue(unsettled, i, next-i), next
}

// begins reports whether the node's text stands at data[i], where it is short
// and data goes on for a while: the common case, without a call.
func (n *shapeNode) begins(data []byte, i int) bool {
	if i+16 > len(data) || n.len > 16 {
		return false
	}
	head := binary.LittleEndian.Uint64(data[i:])
	tail := binary.LittleEndian.Uint64(data[i+int(n.tailOff):])
	return (head^n.head)&n.headMask|(tail^n.tail)&n.tailMask == 0
}

// standsAt is begins for all other cases.
func (s *shapes) standsAt(n *shapeNode, data []byte, i int) bool {
	to := i + int(n.len)
	return to <= len(data) && string(data[i:to]) == string(s.text[n.off:n.off+n.len])
}

// learn adds the keys seen in the record that ends with data to the tree.
func (p *ndjson) learn(data []byte) {
	s := &p.shapes
	at := int32(0)
	for k, seg := range p.seen {
		next := s.child(at, data[seg.from:seg.to])
		if next == 0 {
			if !s.fits(at, p.seen[k:]) {
				s.miss()
				return
			}
			next = s.add(at, data[seg.from:seg.to], seg.slot)
		}
		at = next
	}
	if s.nodes[at].leaf < 0 {
		p.addLeaf(at)
	}
}

// child returns the node with the given text among those that follow at.
func (s *shapes) child(at int32, text []byte) int32 {
	at = s.nodes[at].next
	for at != 0 && string(s.textOf(at)) != string(text) {
		at = s.nodes[at].other
	}
	return at
}

func (s *shapes) textOf(at int32) []byte {
	n := &s.nodes[at]
	return s.text[n.off : n.off+n.len]
}

// fits reports whether a path of segments may be added behind at.
func (s *shapes) fits(at int32, path []segment) bool {
	siblings := 0
	for k := s.nodes[at].next; k != 0; k = s.nodes[k].other {
		siblings++
	}
	for _, seg := range path {
		if seg.to-seg.from > maxSegment {
			return false
		}
	}
	return siblings < maxSiblings && len(s.nodes)+len(path) <= maxShapeNodes
}

// miss counts a record that cannot be learned.
func (s *shapes) miss() {
	if s.misses++; s.misses >= s.patience {
		s.forget()
	}
}

// add appends a node to those that follow at, as the last to be tried.
func (s *shapes) add(at int32, text []byte, slot int32) int32 {
	n := shapeNode{off: uint32(len(s.text)), len: uint32(len(text)), slot: slot, leaf: -1}
	var word [16]byte
	copy(word[:], text)
	n.head, n.headMask = binary.LittleEndian.Uint64(word[:]), lowBytes(len(text))
	if len(text) > 8 && len(text) <= 16 {
		n.tailOff = uint32(len(text) - 8)
		n.tail, n.tailMask = binary.LittleEndian.Uint64(word[n.tailOff:]), lowBytes(8)
	}
	s.text = append(s.text, text...)
	id := int32(len(s.nodes))
	s.nodes = append(s.nodes, n)
	link := &s.nodes[at].next
	for *link != 0 {
		link = &s.nodes[*link].other
	}
	*link = id
	return id
}

// lowBytes returns a mask of the first n bytes of a word, of all from 8 on.
func lowBytes(n int) uint64 { return 1<<(8*min(n, 8)) - 1 }

// addLeaf makes node at the end of a shape, that of the record just read.
func (p *ndjson) addLeaf(at int32) {
	s := &p.shapes
	s.nodes[at].leaf = int32(s.leaves)
	s.leaves++
	for _, v := range p.slots {
		s.has = append(s.has, v != 0)
	}
	for _, all := range p.fields {
		s.direct = append(s.direct, p.directSlot(all))
	}
}

// directSlot returns where records with the keys of the one just read hold a
// field. If that place holds null, the field is resolved all the same.
func (p *ndjson) directSlot(all []candidate) int32 {
	for _, c := range all {
		switch {
		case p.slots[c.slot] == 0:
		case c.then != nil:
			return within
		default:
			return c.slot
		}
	}
	return nowhere
}

// fillLearned writes the columns of a record of the given shape.
func (p *ndjson) fillLearned(data []byte, row int, leaf int32) {
	direct := p.shapes.direct[int(leaf)*len(p.cols):][:len(p.cols)]
	cleared := false
	for k, slot := range direct {
		var v record.Value
		if slot >= 0 {
			v = p.slots[slot]
		}
		if slot == within || slot >= 0 && v.Kind() == record.Missing {
			if !cleared {
				p.clearAbsent(leaf)
				cleared = true
			}
			v = p.resolve(data, k)
		}
		p.cols[k][row] = v
	}
}

// clearAbsent empties the slots that records of the shape do not fill: they
// hold what an earlier record left there.
func (p *ndjson) clearAbsent(leaf int32) {
	for slot, has := range p.shapes.has[int(leaf)*len(p.slots):][:len(p.slots)] {
		if !has {
			p.slots[slot] = 0
		}
	}
}

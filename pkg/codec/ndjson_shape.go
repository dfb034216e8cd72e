package codec

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// The bounds of what is learned. A tree that is full and does not fit is
// planted anew after patience misses, which doubles each time: records whose
// keys are random cost a few failed comparisons, not learning.
const (
	maxShapeNodes = 512
	maxSiblings   = 8
	maxSegment    = 256          // bytes
	maxMatched    = 2 * maxDepth // bytes of a record: it cannot be nested too deep
	maxUnfolded   = 64           // segments
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
// Objects that nobody asked for are unfolded: their keys are nodes like others,
// and what stands in them needs no search for its end. Where such keys differ
// from record to record the tree fills up; from then on objects are values.
//
// Nodes and their text live in arrays that are used again, so learning does
// not allocate for ever.
type shapes struct {
	nodes  []shapeNode // never grows beyond its capacity, so that nodes may point to each other
	first  *shapeNode  // of those that a record may begin with; nil for none
	text   []byte      // of the nodes
	leaves int
	direct []int32 // for each leaf, for each field: the slot that holds it, or one of the constants below
	has    []bool  // for each leaf, for each slot: whether its records fill it

	misses, patience int
	folded           bool // objects are not unfolded any more

	tracks tracks
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

// A shapeNode is one segment in the tree. The first 16 bytes of its text are
// compared in two words.
type shapeNode struct {
	head, headMask uint64
	tail, tailMask uint64
	next           *shapeNode // the first of those that may follow; nil for none
	other          *shapeNode // the next sibling, tried where this does not match; nil for none
	off, len       int32      // its text
	slot           int32
	leaf           int32 // the number of the shape that ends here, or -1
}

func (s *shapes) forget() {
	if s.nodes == nil {
		s.nodes = make([]shapeNode, 0, maxShapeNodes)
	}
	s.nodes, s.first = s.nodes[:0], nil
	s.text, s.direct, s.has = s.text[:0], s.direct[:0], s.has[:0]
	s.leaves, s.misses = 0, 0
	s.tracks.forget()
	s.patience = min(max(2*s.patience, firstPatience), maxPatience)
}

// match compares the record in data[i:end] with the shapes, fills the slots,
// and returns the shape's leaf, or -1. It may look at bytes behind the record,
// but it never goes back, and accepts only what ends where the record does.
func (p *ndjson) match(data []byte, i, end int) (leaf int32) { //nolint:gocognit // one loop, for speed
	n := p.shapes.first
	if n == nil || end-i > maxMatched {
		return -1
	}
	if canIndex {
		p.index.see(data, end)
	}
	strict := p.check.strict
	for n != nil {
		if !n.begins(data, i) && !p.shapes.standsAt(n, data, i) {
			n = n.other
			continue
		}
		i += int(n.len)
		if i >= end || n.leaf >= 0 {
			return n.ending(data[:end], i)
		}
		var v record.Value
		var m uint64
		if canIndex {
			m = p.index.window(i + 1)
		}
		quote := i + 1 + bits.TrailingZeros64(m)
		if data[i] == '"' && quote < end && data[quote] == '"' { // behind the record the window may say anything
			if strict && !p.check.text(data[:quote], i+1) {
				return -1
			}
			v, i = record.NewValue(record.String, i+1, quote-i-1), quote+1
		} else if next := numberEnd(data, i); next > i && !strict {
			v, i = record.NewValue(unsettled, i, next-i), next
		} else if v, i = p.learnedValue(data[:end], i); i < 0 {
			return -1
		}
		if n.slot != unread {
			if v.Kind() == unsettled {
				v = settle(data, v)
			}
			p.slots[n.slot] = v
		}
		n = n.next
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

// learnedValue is checker.value, with a short way for strings and scalars.
func (p *ndjson) learnedValue(data []byte, i int) (v record.Value, next int) {
	if data[i] == '"' {
		end, next, escaped := p.check.str(data, i)
		return stringValue(i, end, escaped), next
	}
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
	return (word(data, i)^n.head)&n.headMask|(word(data, i+8)^n.tail)&n.tailMask == 0
}

// standsAt is begins for all other cases.
func (s *shapes) standsAt(n *shapeNode, data []byte, i int) bool {
	to := i + int(n.len)
	return to <= len(data) && string(data[i:to]) == string(s.text[n.off:n.off+n.len])
}

// learn adds the keys seen in the record that ends with data to the tree.
func (p *ndjson) learn(data []byte) {
	s := &p.shapes
	if !s.folded {
		p.unfold(data)
	}
	var last *shapeNode
	link := &s.first
	for k, seg := range p.seen {
		text := data[seg.from:seg.to]
		siblings := 0
		for *link != nil && string(s.textOf(*link)) != string(text) {
			link = &(*link).other
			siblings++
		}
		if *link == nil {
			if siblings == maxSiblings || !s.fits(p.seen[k:]) {
				s.miss()
				return
			}
			*link = s.add(text, seg.slot)
		}
		last = *link
		link = &last.next
	}
	if last.leaf < 0 {
		p.addLeaf(last)
	}
}

// unfold replaces objects that nobody asked for by the segments within them.
func (p *ndjson) unfold(data []byte) {
	for k := 0; k < len(p.seen)-1; k++ {
		if seg := &p.seen[k]; seg.slot != unread || data[seg.to] != '{' {
			continue
		}
		inner := p.within(data, p.seen[k])
		if len(p.seen)+len(inner) > maxUnfolded {
			return
		}
		p.seen[k+1].from = inner[len(inner)-1].from // its text begins within the object
		p.seen = slices.Replace(p.seen, k, k+1, inner[:len(inner)-1]...)
		k--
	}
}

// within returns the segments within the object behind seg, which has been
// checked; the last one is not ended.
func (p *ndjson) within(data []byte, seg segment) (inner []segment) {
	from, i := seg.from, space(data, seg.to+1)
	for data[i] != '}' {
		_, to, _ := p.check.key(data, i)
		inner = append(inner, segment{from, to, unread})
		_, from = p.check.value(data, to)
		if i = space(data, from); data[i] == ',' {
			i = space(data, i+1)
		}
	}
	return append(inner, segment{from: from})
}

func (s *shapes) textOf(n *shapeNode) []byte { return s.text[n.off : n.off+n.len] }

// fits reports whether there is room for nodes of these segments.
func (s *shapes) fits(path []segment) bool {
	for _, seg := range path {
		if seg.to-seg.from > maxSegment {
			return false
		}
	}
	return len(s.nodes)+len(path) <= maxShapeNodes
}

// miss counts a record that cannot be learned.
func (s *shapes) miss() {
	if s.misses++; s.misses >= s.patience {
		s.folded = true
		s.forget()
	}
}

func (s *shapes) add(text []byte, slot int32) *shapeNode {
	n := shapeNode{off: int32(len(s.text)), len: int32(len(text)), slot: slot, leaf: -1}
	var start [16]byte
	copy(start[:], text)
	n.head, n.headMask = binary.LittleEndian.Uint64(start[:]), lowBytes(len(text))
	n.tail, n.tailMask = binary.LittleEndian.Uint64(start[8:]), lowBytes(len(text)-8)
	s.text = append(s.text, text...)
	s.nodes = append(s.nodes, n)
	return &s.nodes[len(s.nodes)-1]
}

// lowBytes returns a mask of the first n bytes of a word, of all from 8 on.
func lowBytes(n int) uint64 { return 1<<(8*min(max(n, 0), 8)) - 1 }

// addLeaf makes n the end of a shape, that of the record just read.
func (p *ndjson) addLeaf(n *shapeNode) {
	s := &p.shapes
	n.leaf = int32(s.leaves)
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

// Package rules finds which of many conditions are true of a record, at a cost that
// hardly grows with their number. Each condition has something that it needs to be
// true: a field that equals a text, a number in a range, a text in a field. These are
// looked up for all conditions together, once for each field; only the conditions that
// are left are evaluated.
//
// A set is immutable: when the rules change, a new set is made.
package rules

import (
	"math/bits"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// A Set is a set of conditions that are matched together. It is immutable and may be
// shared; each goroutine needs a Matcher of its own.
type Set struct {
	conds   []*expr.Expr
	rule    []int32 // of a term: its condition. Those of one condition stand together
	words   int     // of a bitset of terms
	lookups []lookup
	scans   []*scan
}

// NewSet returns the set of conditions that were compiled with plan.
func NewSet(conds []*expr.Expr, plan *record.Plan) *Set {
	s := &Set{conds: conds}
	var terms []expr.Term
	for k, c := range conds {
		alternatives := c.Guards(plan)
		if len(alternatives) == 0 {
			alternatives = []expr.Term{nil}
		}
		for _, t := range alternatives {
			terms = append(terms, t)
			s.rule = append(s.rule, int32(k))
		}
	}
	s.words = (len(terms) + 63) / 64
	s.index(terms)
	return s
}

// Len returns how many conditions there are.
func (s *Set) Len() int { return len(s.conds) }

// Mismatches returns how many comparisons met a value of another type.
func (s *Set) Mismatches() (n int64) {
	for _, c := range s.conds {
		n += c.Mismatches()
	}
	return n
}

// A Matcher matches records against a set. It is for one goroutine.
type Matcher struct {
	set   *Set
	cand  []uint64 // terms that are left
	found []uint64 // terms of which a text was found
	match []int32
}

// NewMatcher returns a matcher of s.
func (s *Set) NewMatcher() *Matcher {
	return &Matcher{set: s, cand: make([]uint64, s.words), found: make([]uint64, s.words)}
}

// Match returns the indexes of the conditions that are true of record i of b, in order.
// The slice is valid until the next call. The arena is left as it was.
func (m *Matcher) Match(b *record.Batch, i int) []int32 {
	m.match = m.match[:0]
	if !m.candidates(b, i) {
		return m.match
	}
	last := int32(-1)
	for w, word := range m.cand {
		for ; word != 0; word &= word - 1 {
			rule := m.set.rule[w<<6+bits.TrailingZeros64(word)]
			if rule == last {
				continue
			}
			last = rule
			if m.set.conds[rule].True(b, i) {
				m.match = append(m.match, rule)
			}
		}
	}
	return m.match
}

// First returns the index of the first condition that is true of record i of b, -1 if
// none is.
func (m *Matcher) First(b *record.Batch, i int) int32 {
	if !m.candidates(b, i) {
		return -1
	}
	last := int32(-1)
	for w, word := range m.cand {
		for ; word != 0; word &= word - 1 {
			rule := m.set.rule[w<<6+bits.TrailingZeros64(word)]
			if rule != last && m.set.conds[rule].True(b, i) {
				return rule
			}
			last = rule
		}
	}
	return -1
}

// candidates leaves in cand the terms that no guard has taken out, and reports
// whether there are any.
func (m *Matcher) candidates(b *record.Batch, i int) bool {
	mark := len(b.Data)
	for w := range m.cand {
		m.cand[w] = ^uint64(0)
	}
	if k := len(m.set.rule) & 63; k > 0 {
		m.cand[len(m.cand)-1] = 1<<k - 1
	}
	left := len(m.cand) > 0
	for k := 0; k < len(m.set.lookups) && left; k++ {
		l := &m.set.lookups[k]
		left = m.keep(l.pass(b, b.At(l.col, i)))
		b.Data = b.Data[:mark]
	}
	for k := 0; k < len(m.set.scans) && left; k++ {
		left = m.scan(m.set.scans[k], b, i)
		b.Data = b.Data[:mark]
	}
	return left
}

// keep keeps the terms that are in pass, too.
func (m *Matcher) keep(pass []uint64) bool {
	left := uint64(0)
	cand := m.cand[:len(pass)]
	for w, p := range pass {
		cand[w] &= p
		left |= cand[w]
	}
	return left != 0
}

// scan takes out the terms whose texts do not occur, unless none is left that
// has any.
func (m *Matcher) scan(s *scan, b *record.Batch, i int) bool {
	wanted := uint64(0)
	for w, free := range s.free {
		wanted |= m.cand[w] &^ free
	}
	if wanted == 0 {
		return true
	}
	text, ok := s.text(b, i)
	if !ok {
		return m.keep(s.free)
	}
	copy(m.found, s.free)
	s.find(text, m.found)
	return m.keep(m.found)
}

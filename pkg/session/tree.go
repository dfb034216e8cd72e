package session

import "math"

// The sessions of a user that are open at a time do not touch each other. They
// stand in a search tree by their starts, and by their numbers where these are equal
// while they are being joined. What was searched moves to its root (a splay tree).
//
// Most users have a few sessions, which begin in order. Each becomes the root above
// the one before, without a look at any other, which would be far away in memory.
// But a batch job may find thousands, in any order.

// A session is one that is open.
type session struct {
	start, end  int64  // of its first and of its last event
	events      uint32 // modulo 2^32
	user        uint32 // 0: it was made part of another one
	left, right uint32 // in the tree
}

func (s *session) link() *uint32 { return &s.left }

// sessions are all that are open.
type sessions struct {
	arena[session, *session]
	many map[uint32]uint64 // how often events went beyond 2^32, for those with so many
}

// events returns how many events a session has.
func (ss *sessions) events(n uint32) uint64 { return uint64(ss.at(n).events) + ss.many[n]<<32 }

// count adds to the number of events.
func (ss *sessions) count(n uint32, events uint64) {
	s := ss.at(n)
	sum := uint64(s.events) + events
	s.events = uint32(sum)
	if sum > math.MaxUint32 {
		if ss.many == nil {
			ss.many = map[uint32]uint64{}
		}
		ss.many[n] += sum >> 32
	}
}

// remove gives a number up.
func (ss *sessions) remove(n uint32) {
	delete(ss.many, n)
	ss.arena.remove(n)
}

// isBehind reports whether session n is behind a start and a number.
func (ss *sessions) isBehind(n uint32, start int64, number uint32) bool {
	s := ss.at(n)
	return s.start > start || s.start == start && n > number
}

// side returns where the number of the session before or behind stands.
func (s *session) side(before bool) *uint32 {
	if before {
		return &s.left
	}
	return &s.right
}

// splay returns the new root of the tree at root: a session next to a start and a
// number, with none between them.
func (ss *sessions) splay(root uint32, start int64, number uint32) uint32 {
	if root == 0 {
		return 0
	}
	var aside session // on its right what is before the root, on its left what is behind
	before, after, top := &aside, &aside, ss.at(root)
	for {
		behind := ss.isBehind(root, start, number)
		next := *top.side(behind)
		if next != 0 && ss.isBehind(next, start, number) == behind {
			s := ss.at(next)
			*top.side(behind), *s.side(!behind) = *s.side(!behind), root
			root, top, next = next, s, *s.side(behind)
		}
		if next == 0 {
			break
		}
		if behind {
			after.left, after = root, top
		} else {
			before.right, before = root, top
		}
		root, top = next, ss.at(next)
	}
	before.right, after.left = top.left, top.right
	top.left, top.right = aside.right, aside.left
	return root
}

// around returns the last session up to a start and a number and the first one behind
// them, 0 where there is none. One of them is the root then, with the other one below.
func (ss *sessions) around(root *uint32, start int64, number uint32) (before, after uint32) {
	*root = ss.splay(*root, start, number)
	if *root == 0 {
		return 0, 0
	}
	s := ss.at(*root)
	if ss.isBehind(*root, start, number) {
		s.left = ss.splay(s.left, start, number)
		return s.left, *root
	}
	s.right = ss.splay(s.right, start, number)
	return *root, s.right
}

// beside returns the sessions in front of n and behind it, 0 where there are none,
// in the tree at root that it is in.
func (ss *sessions) beside(root *uint32, n uint32) (before, after uint32) {
	s := ss.at(n)
	_, after = ss.around(root, s.start, n)
	s.left = ss.splay(s.left, s.start, n)
	return s.left, after
}

// append adds n to the tree at root. It starts behind all others.
func (ss *sessions) append(root *uint32, n uint32) {
	ss.at(n).left, *root = *root, n
}

// insert adds n to the tree at root.
func (ss *sessions) insert(root *uint32, n uint32) {
	s := ss.at(n)
	before, after := ss.around(root, s.start, n)
	if s.left, s.right = before, after; *root == before && before != 0 {
		ss.at(before).right = 0
	} else if after != 0 {
		ss.at(after).left = 0
	}
	*root = n
}

// delete takes n out of the tree at root.
func (ss *sessions) delete(root *uint32, n uint32) {
	before, _ := ss.beside(root, n)
	s := ss.at(n)
	rest := s.right
	if before != 0 {
		ss.at(before).right = s.right
		rest = before
	}
	if *root == n {
		*root = rest
	} else {
		ss.at(*root).left = rest
	}
	s.left, s.right = 0, 0
}

// lastOf returns the last session of a tree, 0 where it is empty.
func (ss *sessions) lastOf(root *uint32) uint32 {
	last, _ := ss.around(root, math.MaxInt64, 0)
	return last
}

// each calls f for the sessions of a tree in the order of their starts.
func (ss *sessions) each(root *uint32, f func(n uint32)) {
	_, n := ss.around(root, math.MinInt64, 0)
	for n != 0 {
		f(n)
		_, n = ss.around(root, ss.at(n).start, n)
	}
}

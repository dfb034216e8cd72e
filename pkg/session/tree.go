package session

import "math"

// The sessions of a user that are open at a time do not touch each other. They
// stand in a search tree by their starts, a treap: most users have one or two,
// but a batch job may find thousands, in any order.

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

// priority orders the tree's levels. It depends on the number alone, not on a
// start, which may move.
func priority(n uint32) uint32 { return n * 0x9e3779b1 }

// insert adds n to the tree at root and returns the new root.
func (ss *sessions) insert(root, n uint32) uint32 {
	if root == 0 {
		return n
	}
	if priority(n) > priority(root) {
		s := ss.at(n)
		s.left, s.right = ss.split(root, s.start)
		return n
	}
	r := ss.at(root)
	if ss.at(n).start < r.start {
		r.left = ss.insert(r.left, n)
	} else {
		r.right = ss.insert(r.right, n)
	}
	return root
}

// append is insert for a session that starts behind all others. It looks at few of them:
// they may be far away in memory.
func (ss *sessions) append(root, n uint32) uint32 {
	if root == 0 || priority(n) > priority(root) {
		ss.at(n).left = root
		return n
	}
	r := ss.at(root)
	r.right = ss.append(r.right, n)
	return root
}

// split divides a tree into the sessions that start before t and the others.
func (ss *sessions) split(root uint32, t int64) (before, after uint32) {
	if root == 0 {
		return 0, 0
	}
	r := ss.at(root)
	if r.start < t {
		r.right, after = ss.split(r.right, t)
		return root, after
	}
	before, r.left = ss.split(r.left, t)
	return before, root
}

// delete takes n out of the tree at root and returns the new root.
func (ss *sessions) delete(root, n uint32) uint32 {
	r := ss.at(root)
	switch {
	case root == n:
		joined := ss.join(r.left, r.right)
		r.left, r.right = 0, 0
		return joined
	case ss.at(n).start < r.start:
		r.left = ss.delete(r.left, n)
	default:
		r.right = ss.delete(r.right, n)
	}
	return root
}

// join makes one tree of two; all of a are before all of b.
func (ss *sessions) join(a, b uint32) uint32 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	case priority(a) > priority(b):
		s := ss.at(a)
		s.right = ss.join(s.right, b)
		return a
	default:
		s := ss.at(b)
		s.left = ss.join(a, s.left)
		return b
	}
}

// around returns the last session that starts at t or before it and the first
// one that starts behind it, 0 where there is none.
func (ss *sessions) around(root uint32, t int64) (before, after uint32) {
	for root != 0 {
		if s := ss.at(root); s.start <= t {
			before, root = root, s.right
		} else {
			after, root = root, s.left
		}
	}
	return before, after
}

// beside returns the sessions in front of n and behind it, 0 where there are none,
// in the tree at root that it is in.
func (ss *sessions) beside(root, n uint32) (before, after uint32) {
	s := ss.at(n)
	for root != n {
		if r := ss.at(root); r.start <= s.start {
			before, root = root, r.right
		} else {
			after, root = root, r.left
		}
	}
	if s.left != 0 {
		before = ss.lastOf(s.left)
	}
	for next := s.right; next != 0; next = ss.at(next).left {
		after = next
	}
	return before, after
}

// lastOf returns the last session of a tree, 0 where it is empty.
func (ss *sessions) lastOf(root uint32) uint32 {
	for root != 0 && ss.at(root).right != 0 {
		root = ss.at(root).right
	}
	return root
}

// each calls f for the sessions of a tree in the order of their starts.
func (ss *sessions) each(root uint32, f func(n uint32)) {
	if root == 0 {
		return
	}
	left, right := ss.at(root).left, ss.at(root).right
	ss.each(left, f)
	f(root)
	ss.each(right, f)
}

package engine

import "slices"

// A standing is what a task knows of its lanes without looking at each of them, of which
// there may be thousands whose rows alternate. What is taken of a lane is seen to by itself;
// whatever else becomes of one makes the standing stale.
type standing struct {
	heads   least // the time of the next row of each lane
	holds   least // what each has reached that holds the watermark
	waits   int   // how many reading in time order has to wait for
	settled bool  // it is not stale
	until   int64 // the wall clock, when a lane that is silent holds the watermark no more
	change  *lane // rows of it were taken since
}

// settle brings the standing of the lanes up to date: takes batches out of them that are used
// up, and lets go of those that will have no more.
func (t *task) settle(now int64, done func(*job)) {
	if l := t.change; t.settled && now < t.until {
		if t.change = nil; l == nil {
			return
		}
		if t.rank(l, now, done); !t.exhausted(l) {
			return
		}
	}
	over := false
	for _, l := range t.mine {
		l.head(done)
		over = over || t.exhausted(l)
	}
	if over {
		t.mine = slices.DeleteFunc(t.mine, t.spend)
	}
	t.heads.reset(len(t.mine))
	t.holds.reset(len(t.mine))
	t.waits, t.until, t.settled, t.change = 0, forever, true, nil
	for i, l := range t.mine {
		l.rank = i
		t.rank(l, now, done)
	}
}

// rank notes how a lane stands.
func (t *task) rank(l *lane, now int64, done func(*job)) {
	head, ok := l.head(done)
	if !ok {
		head = forever
		t.hold(l) // what waited may all have been dropped
	}
	t.heads.set(l.rank, head)
	held := int64(forever)
	if t.holdsBack(l, now) {
		held = l.reached()
		if len(l.queue) == 0 && (l.atEnd || l.ended) {
			t.until = min(t.until, l.active+int64(t.Idle))
		}
	}
	t.holds.set(l.rank, held)
	if l.waits() { // which ends when something is added, and all is counted anew
		t.waits++
	}
}

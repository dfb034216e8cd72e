package session

import (
	"cmp"
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// What ended a session, as the field ended_by has it.
const (
	overByGap uint8 = iota
	overByLength
	overByEvents
	overByStart
	overByEnd
)

var reasons = [...]string{"gap", "max_length", "max_events", "start_when", "end_when"}

// An order holds events until no earlier one is awaited. Then they settle, a
// step of time after the other: in each the events in their order (time,
// partition, offset), and behind them the sessions that are over with the step.
// A user has one open session, and events that are held in a list at root.
type order struct {
	held    arena[held, *held]
	texts   texts
	waits   timers // events by their times
	origins []*record.Origin
	details []detail          // of sessions
	moments map[uint32]uint32 // by user, of ended sessions that are still there: the last one that began when it ended
	again   record.Batch
	buf     []byte
	byTime  func(m, n uint32) int // compare, made once
	idle    []uint32              // users that may have nothing left
}

// A held event waits for its turn.
type held struct {
	time, turn   int64
	mask         uint64 // see fields
	user, origin uint32
	newer, older uint32 // of its user, as they came
	marks        uint8
	size         uint32 // of its text:
	text         place  // what the aggregates need, and the record where it is to be written
}

func (h *held) link() *uint32 { return &h.older }

func newOrder(o *Op) *order {
	x := &order{waits: timers{step: o.timers.step}, moments: map[uint32]uint32{}}
	x.byTime = x.compare
	return x
}

// hold keeps record i of b until its turn.
func (o *Op) hold(b *record.Batch, i int, user uint32) {
	x, rec := o.order, &b.Recs[i]
	x.buf = o.fields.set.Capture(x.buf[:0], b, i)
	if o.cfg.Events {
		x.buf = appendEvent(x.buf, b.Value(i))
	}
	o.noteHeld(o.enqueue(held{
		time: rec.Time, turn: rec.Turn(), mask: b.Words(o.fields.mask)[i], user: user,
		origin: x.originOf(b.Origin), size: uint32(len(x.buf)),
	}, x.buf))
}

// enqueue adds an event with its text.
func (o *Op) enqueue(h held, text []byte) uint32 {
	x, u := o.order, o.users.at(h.user)
	h.older = u.root
	if len(text) > 0 {
		h.text = x.texts.add(text)
	}
	n := x.held.add()
	*x.held.at(n) = h
	if u.root != 0 {
		x.held.at(u.root).newer = n
	}
	u.root = n
	x.waits.add(h.time, n)
	return n
}

// originOf numbers a partition.
func (x *order) originOf(from *record.Origin) uint32 {
	for k, known := range slices.Backward(x.origins) {
		if known == from || known != nil && from != nil && known.Source == from.Source && known.Partition == from.Partition {
			return uint32(k)
		}
	}
	x.origins = append(x.origins, from)
	return uint32(len(x.origins) - 1)
}

// compare orders events by time, partition and offset.
func (x *order) compare(m, n uint32) int {
	a, b := x.held.at(m), x.held.at(n)
	switch {
	case a.time != b.time:
		return cmp.Compare(a.time, b.time)
	case a.origin != b.origin && x.origins[a.origin] != nil && x.origins[b.origin] != nil:
		p, q := x.origins[a.origin], x.origins[b.origin]
		return cmp.Or(cmp.Compare(p.Source, q.Source), cmp.Compare(p.Partition, q.Partition))
	default:
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(m, n))
	}
}

// settle takes in what is before limit, a step of time after the other.
func (o *Op) settle(limit int64, out stream.Output) error {
	x := o.order
	for {
		step := min(x.waits.first(), o.timers.first())
		if step > limit || step == math.MaxInt64 {
			return nil
		}
		if x.waits.first() == step {
			list := x.waits.take()
			if err := o.fold(list, out); err != nil {
				return err
			}
			x.waits.drop(list)
		}
		if o.timers.first() == step {
			o.expire(step)
		}
		if err := o.writeClosed(out); err != nil {
			return err
		}
	}
}

// fold takes in the events of a step.
func (o *Op) fold(list []uint32, out stream.Output) error {
	x := o.order
	slices.SortFunc(list, x.byTime)
	x.again.Reset()
	x.again.Recs = slices.Grow(x.again.Recs, len(list))[:len(list)]
	for i, m := range list {
		h := x.held.at(m)
		x.again.Recs[i] = record.Rec{Time: h.time, Offset: int64(i)}
		n := o.take(h)
		if o.cells != nil {
			if err := o.fields.set.Replay(&x.again, i, o.captured(h)); err != nil {
				return err
			}
			o.rows, o.members = append(o.rows, int32(i)), append(o.members, n)
		}
		if o.cfg.Events && out != nil { // nil: it is only asked what will be
			if err := o.writeEvent(h, n, out); err != nil {
				return err
			}
		}
		o.cutAfter(h, n)
		o.release(m)
	}
	o.flush(&x.again)
	return nil
}

// take adds an event, behind all that were before it, to its user's session and
// returns that.
func (o *Op) take(h *held) uint32 {
	n := o.users.at(h.user).last
	if n != 0 {
		n = o.cutBefore(h, n)
	}
	if n == 0 {
		n = o.begin(h.user, h.time)
		o.order.details[n].ordinal = o.ordinalAt(h.user, h.time)
	} else {
		o.sessions.at(n).end = h.time
		o.sessions.count(n, 1)
		o.marks.note(n)
	}
	d := &o.order.details[n]
	if int(d.step) < len(o.fields.funnel) && h.mask>>(stepBits+d.step)&1 != 0 {
		d.step++
	}
	return n
}

// cutBefore ends a session that cannot have an event, and returns 0 then.
func (o *Op) cutBefore(h *held, n uint32) uint32 {
	s := o.sessions.at(n)
	switch over := o.deadline(s); {
	case h.time > over:
		o.end(n, over, o.whyOver(s))
	case h.mask&startBit != 0:
		o.end(n, h.time, overByStart)
	default:
		return n
	}
	return 0
}

// cutAfter ends a session whose last event was just taken in.
func (o *Op) cutAfter(h *held, n uint32) {
	switch {
	case h.mask&endBit != 0:
		o.end(n, h.time, overByEnd)
	case o.cfg.MaxEvents > 0 && o.sessions.events(n) >= o.cfg.MaxEvents:
		o.stats.cut.Add(1)
		o.end(n, h.time, overByEvents)
	}
}

// whyOver says what ends a session for which time has passed.
func (o *Op) whyOver(s *session) uint8 {
	if o.deadline(s) < s.end+o.gap {
		return overByLength
	}
	return overByGap
}

// dropEnded removes the sessions whose rows are written, and users that have
// nothing left. A number that a timer has stays in use.
func (o *Op) dropEnded() {
	x := o.order
	x.idle = x.idle[:0]
	for _, e := range o.closing {
		s := o.sessions.at(e.n)
		x.idle = append(x.idle, s.user)
		if s.start == e.over {
			delete(x.moments, s.user)
		}
		o.retire(e.n)
		if !x.details[e.n].timed {
			o.sessions.remove(e.n)
		}
	}
	slices.Sort(x.idle)
	for _, user := range slices.Compact(x.idle) {
		if u := o.users.at(user); u.last == 0 && u.root == 0 {
			o.users.drop(user)
		}
	}
}

// release gives up an event that was taken in.
func (o *Op) release(m uint32) {
	x := o.order
	o.discardHeld(m)
	h := x.held.at(m)
	if h.newer != 0 {
		x.held.at(h.newer).older = h.older
	} else {
		o.users.at(h.user).root = h.older
	}
	if h.older != 0 {
		x.held.at(h.older).newer = h.newer
	}
	if h.size > 0 {
		x.texts.remove(h.text, int(h.size))
	}
	x.held.remove(m)
}

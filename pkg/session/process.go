package session

import (
	"errors"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Stats are counts of what an Op has done and holds.
type Stats struct {
	Open        int64         // sessions that are open
	Users       int64         // keys that have any
	Held        int64         // events that wait for their turn
	Spilled     int64         // bytes that are not in memory, and not in the counts above
	Closed      int64         // sessions that were closed
	Rows        int64         // rows that were written
	Cut         int64         // sessions that were ended by their number of events
	Late        int64         // records that came too late
	Ahead       int64         // records that were set aside for being stamped in the future
	GraceNeeded time.Duration // the grace that would have kept all of them; 0 where none was late
}

type counters struct{ open, users, held, spilled, closed, rows, cut, late, needed atomic.Int64 }

// Stats returns the present counts. It may be called from any goroutine.
func (o *Op) Stats() Stats {
	s := o.stats
	return Stats{
		Open: s.open.Load(), Users: s.users.Load(), Held: s.held.Load(),
		Spilled: s.spilled.Load(), Closed: s.closed.Load(), Rows: s.rows.Load(),
		Cut: s.cut.Load(), Late: s.late.Load(), Ahead: o.times.Ahead(), GraceNeeded: time.Duration(s.needed.Load()),
	}
}

// Process adds rows to the sessions of their users, or holds them until their turn. It
// emits only retractions; late records go to their sink.
func (o *Op) Process(rows record.Rows, out stream.Output) error {
	b := rows.Batch
	o.out, o.failed = out, nil
	o.silence.since = 0
	numbers := o.keys.Numbers(b)
	o.forgetUsers(len(b.Recs))
	for some := rows; some.Lo < rows.Hi; some.Lo = some.Hi {
		some.Hi = min(some.Lo+atATime, rows.Hi)
		if o.lookUp(some, numbers); o.users.full {
			return errUsers
		}
		if err := o.process(some, numbers); err != nil {
			return err
		}
	}
	o.flush(b)
	if o.failed != nil {
		return o.failed
	}
	return o.relieve(rows)
}

// errUsers ends a run that has more users than there are numbers for.
var errUsers = errors.New("more than 268 million keys have open sessions: a shorter gap or grace closes them sooner")

// atATime is how many rows are looked up before they are added: as many as fit
// into the nearest cache with what belongs to them.
const atATime = 128

func (o *Op) process(rows record.Rows, numbers []uint64) error {
	b := rows.Batch
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &b.Recs[i]
		if !rec.Live() {
			o.newest = max(o.newest, rec.Passed())
			continue
		}
		o.newest = max(o.newest, rec.Time)
		if rec.Time < o.limit {
			if err := o.tooLate(b, i); err != nil {
				return err
			}
			continue
		}
		user := o.known[numbers[i]].user
		if o.order != nil {
			o.hold(b, i, user)
			continue
		}
		n := o.add(b, user, rec.Time)
		if o.cells != nil {
			o.rows, o.members = append(o.rows, int32(i)), append(o.members, n)
		}
	}
	return nil
}

// lookUp finds the users of rows, and fetches their newest sessions.
func (o *Op) lookUp(rows record.Rows, numbers []uint64) {
	b, hashes := rows.Batch, o.keys.Hashes(rows.Batch)
	o.wanted = o.wanted[:0]
	for i := rows.Lo; i < rows.Hi; i++ {
		if rec := &b.Recs[i]; rec.Live() && rec.Time >= o.limit {
			number := numbers[i]
			if u := &o.known[number]; u.round != o.round {
				u.round = o.round
				o.wanted = append(o.wanted, wanted{hash: hashes[number], number: uint32(number)})
			}
		}
	}
	o.users.guess(o.wanted)
	near := make([]unsafe.Pointer, 0, atATime)
	for k := range o.wanted {
		w := &o.wanted[k]
		hash, kind, text := o.keys.Key(b, uint64(w.number))
		if w.user == 0 || !o.users.is(w.user, hash, kind, text) {
			w.user = o.users.get(hash, kind, text)
		}
		o.known[w.number].user = w.user
		if u := o.users.at(w.user); u.last != 0 {
			near = append(near, unsafe.Pointer(o.sessions.at(u.last)))
		}
	}
	fetch(near)
}

// forgetUsers makes ready for numbers of keys below n.
func (o *Op) forgetUsers(n int) {
	o.round++
	if cap(o.known) < n || o.round == 0 {
		o.known = make([]knownUser, n, n+n/4)
		o.round = 1
	}
	o.known = o.known[:n]
}

// tooLate deals with a record for which time has passed.
func (o *Op) tooLate(b *record.Batch, i int) error {
	o.stats.late.Add(1)
	o.stats.needed.Store(max(o.stats.needed.Load(), o.newest-b.Recs[i].Time)) // the watermark is never beyond the newest
	if o.late == nil {
		return nil
	}
	return o.late.Write(record.Rows{Batch: b, Lo: i, Hi: i + 1})
}

// flush adds the rows that wait to their cells.
func (o *Op) flush(b *record.Batch) {
	if len(o.rows) == 0 {
		return
	}
	o.cells.Add(b, o.rows, o.members)
	o.rows, o.members = o.rows[:0], o.members[:0]
}

// add adds an event to a session of a user and returns it.
func (o *Op) add(b *record.Batch, user uint32, t int64) uint32 {
	ss, u := &o.sessions, o.users.at(user)
	before, after := u.last, uint32(0)
	if before == 0 || ss.at(before).start > t {
		before, after = ss.around(&u.root, t, math.MaxUint32)
	}
	switch {
	case before != 0 && t-ss.at(before).end <= o.gap:
		o.extend(b, before, after, t)
		return before
	case after != 0 && ss.at(after).start-t <= o.gap:
		o.takeBack(after)
		ss.at(after).start = t // it stays behind the one before it
		ss.count(after, 1)
		o.marks.note(after)
		return after
	default:
		return o.begin(user, t)
	}
}

// extend adds an event to a session that began before it. With it the session may
// reach the one after it.
func (o *Op) extend(b *record.Batch, n, after uint32, t int64) {
	ss := &o.sessions
	ss.count(n, 1)
	o.marks.note(n)
	s := ss.at(n)
	if t <= s.end {
		return
	}
	s.end = t
	if after != 0 && ss.at(after).start-t <= o.gap {
		o.merge(b, n, after)
	}
}

// begin opens a session of a user with one event.
func (o *Op) begin(user uint32, t int64) uint32 {
	n := o.sessions.add()
	o.open++
	*o.sessions.at(n) = session{start: t, end: t, events: 1, user: user}
	if o.cells != nil {
		o.cells.Grow(int(n) + 1)
	}
	if o.order != nil {
		o.order.describe(n)
	}
	o.link(n)
	o.marks.note(n)
	return n
}

// link makes a session known to its user and to the timers.
func (o *Op) link(n uint32) {
	s := o.sessions.at(n)
	u := o.users.at(s.user)
	if o.order != nil {
		u.last = n
	} else if u.last == 0 || o.sessions.at(u.last).start < s.start {
		o.sessions.append(&u.root, n)
		u.last = n
	} else {
		o.sessions.insert(&u.root, n)
	}
	if o.timed() {
		o.setTimer(n)
	}
}

// timed reports whether sessions have timers: where all close together at the end,
// they need none.
func (o *Op) timed() bool { return o.order != nil || o.shelf != nil || !o.cfg.GraceUnlimited }

// setTimer has a session looked at when it may be over.
func (o *Op) setTimer(n uint32) {
	o.timers.add(o.deadline(o.sessions.at(n)), n)
	if o.order != nil {
		o.order.details[n].timed = true
	}
}

// deadline returns the last time of an event that a session could still have.
func (o *Op) deadline(s *session) int64 {
	if length := int64(o.cfg.MaxLength); length > 0 {
		return min(s.end+o.gap, s.start+length)
	}
	return s.end + o.gap
}

// merge makes one session of two that follow each other.
func (o *Op) merge(b *record.Batch, n, after uint32) {
	s, a := o.sessions.at(n), o.sessions.at(after)
	s.end = max(s.end, a.end)
	o.sessions.count(n, o.sessions.events(after))
	if o.cells != nil {
		o.flush(b)
		o.cells.Merge(n, o.cells, after)
	}
	o.takeBack(after)
	o.unlink(after)
	if !o.timed() {
		o.sessions.remove(after)
	}
}

// unlink takes a session away from its user, and the user where it was the last
// one. Its number is in use until it is removed: a timer may have it.
func (o *Op) unlink(n uint32) {
	s := o.sessions.at(n)
	u := o.users.at(s.user)
	o.sessions.delete(&u.root, n)
	if u.last == n {
		u.last = o.sessions.lastOf(&u.root)
	}
	if u.root == 0 {
		o.users.drop(s.user)
	}
	o.retire(n)
}

// retire empties a session that has no user any more.
func (o *Op) retire(n uint32) {
	if o.cells != nil {
		o.cells.Reset(n)
	}
	o.marks.forget(n)
	o.sessions.at(n).user = 0
	o.open--
}

// count brings the counts of what is held up to date. Other operators of the run
// add to them.
func (o *Op) count() {
	now := [4]int64{int64(o.open), int64(o.users.n), 0, o.shelf.Size()}
	if o.order != nil { // a user has one session, or events that will make one
		now[0], now[2] = now[1], int64(o.order.held.n)
	}
	o.stats.open.Add(now[0] - o.counted[0])
	o.stats.users.Add(now[1] - o.counted[1])
	o.stats.held.Add(now[2] - o.counted[2])
	o.stats.spilled.Add(now[3] - o.counted[3])
	o.counted = now
}

// Leave implements stream.Leaver.
func (o *Op) Leave() {
	o.shelf.Drop()
	o.stats.open.Add(-o.counted[0])
	o.stats.users.Add(-o.counted[1])
	o.stats.held.Add(-o.counted[2])
	o.stats.spilled.Add(-o.counted[3])
	clear(o.counted[:])
}

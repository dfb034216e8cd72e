package session

import (
	"math"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Due returns the lowest watermark at which time advances by a step, or math.MaxInt64
// if nothing closes before the end. If Tick is called right after the record with which
// the watermark reaches it, neither the rows nor which records are late depend on where
// batches begin and end.
func (o *Op) Due() int64 {
	switch {
	case o.cfg.GraceUnlimited:
		return math.MaxInt64
	case o.limit == math.MinInt64:
		return math.MinInt64
	default:
		return o.limit + o.timers.step + o.grace
	}
}

// Tick closes the sessions that are over: the watermark has passed their end by more
// than gap and grace, or as much time has passed on the clock without any record. With
// updates it also emits rows that have changed.
func (o *Op) Tick(watermark, now int64, out stream.Output) error {
	if watermark != record.NoTime && !o.cfg.GraceUnlimited {
		if err := o.pass(watermark, now, out); err != nil {
			return err
		}
	}
	if o.marks.wanted&unsaid != 0 && now-o.updated >= int64(o.cfg.Every) {
		o.updated = now
		if err := o.update(out); err != nil {
			return err
		}
	}
	o.count()
	return o.writer.Flush(out)
}

// pass has time pass, by the watermark and by the clock.
func (o *Op) pass(watermark, now int64, out stream.Output) error {
	if limit := o.timers.floor(watermark - o.grace); limit > o.limit {
		o.limit = limit
		if err := o.close(limit, out); err != nil {
			return err
		}
	}
	if o.silence.over(o, now) {
		return o.silence.end(o, out)
	}
	return nil
}

// close closes the sessions that no record from limit on can extend. What is
// spilled is taken down as time comes to it.
func (o *Op) close(limit int64, out stream.Output) error {
	for next := o.shelf.Next(); next < limit; next = o.shelf.Next() {
		until := min(limit, o.timers.floor(next)+o.timers.step)
		if err := o.shelf.Take(until, o.takeDown); err != nil {
			return err
		}
		if err := o.closeWhole(until, out); err != nil {
			return err
		}
	}
	return o.closeWhole(limit, out)
}

// closeWhole is close where nothing is spilled that begins before limit.
func (o *Op) closeWhole(limit int64, out stream.Output) error {
	if o.order != nil {
		return o.settle(limit, out)
	}
	for len(o.timers.steps) > 0 && o.timers.first() <= limit {
		o.expire(limit)
	}
	return o.writeClosed(out)
}

// expire takes the sessions whose timers are next: those that are over before t
// are to be closed, the others get another timer.
func (o *Op) expire(t int64) {
	list := o.timers.take()
	for _, n := range list {
		s := o.sessions.at(n)
		switch over := o.deadline(s); {
		case s.user == 0:
			o.sessions.remove(n)
		case o.order.untimed(n): // it is being closed
		case over < t:
			o.end(n, over, o.whyOver(s))
		default:
			o.setTimer(n)
		}
	}
	o.timers.drop(list)
}

// end has a session closed that is over since a time.
func (o *Op) end(n uint32, over int64, why uint8) {
	o.closing = append(o.closing, ending{over, n, uint32(len(o.closing))})
	if o.order != nil {
		o.markEnded(n, over, why)
	}
}

// Finish closes all sessions.
func (o *Op) Finish(out stream.Output) error {
	var err error
	if o.order != nil || o.shelf != nil {
		err = o.close(math.MaxInt64, out)
	} else {
		err = o.closeAll(out)
	}
	if err != nil {
		return err
	}
	o.count()
	return o.writer.Flush(out)
}

// closeAll closes all sessions in stretches of time, so that it takes no memory
// for a list of all, and then forgets everything at once.
func (o *Op) closeAll(out stream.Output) error {
	all := span{math.MaxInt64, math.MinInt64}
	blocks := make([]span, len(o.sessions.blocks)) // most begin and end at about the same time
	for k, b := range o.sessions.blocks {
		blocks[k] = span{math.MaxInt64, math.MinInt64}
		for i := range b {
			if s := &b[i]; s.user != 0 {
				blocks[k] = span{min(blocks[k].least, s.end), max(blocks[k].most, s.end)}
			}
		}
		all = span{min(all.least, blocks[k].least), max(all.most, blocks[k].most)}
	}
	const stretch = 1 << 14 // sessions, about
	width := (all.most-all.least)/(int64(o.open)/stretch+1) + 1
	for from := all.least; from <= all.most; from += width {
		for k, b := range blocks {
			if b.most >= from && b.least-from < width {
				o.closeBlock(uint32(k), from, width)
			}
		}
		if err := o.writeRanked(out); err != nil {
			return err
		}
		o.closing = o.closing[:0]
	}
	o.forgetAll()
	return nil
}

// A span is a stretch of time.
type span struct{ least, most int64 }

// closeBlock closes the sessions of a block that end in a stretch of time.
func (o *Op) closeBlock(k uint32, from, width int64) {
	b := o.sessions.blocks[k]
	for i := range b {
		if s := &b[i]; s.user != 0 && s.end-from >= 0 && s.end-from < width {
			o.closing = append(o.closing, ending{over: s.end + o.gap, n: k<<blockBits + uint32(i)})
		}
	}
}

// forgetAll leaves no session and no user.
func (o *Op) forgetAll() {
	o.users, o.sessions, o.timers, o.open = users{}, sessions{}, timers{step: o.timers.step}, 0
	o.marks = marks{wanted: o.marks.wanted}
	if o.cells != nil {
		o.cells = o.fields.set.NewCells()
	}
}

package window

import (
	"math"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Process adds rows to their windows. It emits nothing; late records go to their sink.
func (o *Op) Process(rows record.Rows, _ stream.Output) error {
	if o.cfg.Arrival {
		o.arrive(rows)
	}
	o.observe(rows)
	return o.open.add(rows)
}

// arrive makes rows that were read before the last tick, but come after it, part
// of what has not been closed yet.
func (o *Op) arrive(rows record.Rows) {
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		rec.Time = max(rec.Time, o.limit)
	}
}

// observe notes how far records come behind newer ones: the most of all, and a
// sample of them.
func (o *Op) observe(rows record.Rows) {
	seen, most := o.seen, o.stats.most
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			seen = max(seen, rec.Passed())
			continue
		}
		if o.stats.live++; o.stats.live < sampleAll || o.stats.live%oneIn == 0 {
			o.sample(seen - rec.Time)
		}
		if rec.Time >= seen {
			seen = rec.Time
			continue
		}
		most = max(most, seen-rec.Time)
		if rec.Time < o.stats.from || seen >= o.stats.until {
			o.wouldBeLate(rec.Time, seen)
		}
	}
	o.seen, o.stats.most = seen, most
}

// wouldBeLate notes the grace that a record would have needed. Records that are not
// before it need no more until the newest comes to stats.until.
func (o *Op) wouldBeLate(t, newest int64) {
	s := o.stats
	closes := o.open.closesAt(t)
	s.forAll = max(s.forAll, newest-closes+1)
	s.from, s.until = t, closes+s.forAll
}

// The lateness of the first records is noted, then of one in so many.
const (
	sampleAll = 1 << 12
	oneIn     = 1 << 4
)

// sample notes how far a record came behind newer ones.
func (o *Op) sample(behind int64) {
	o.stats.sampled++
	if behind > 0 && behind < maxTime {
		o.stats.disorder.Add(float64(behind) / 1e9)
	}
}

// forgetKeys makes ready for numbers of keys below n in another pane or batch.
func (o *Op) forgetKeys(n int) {
	if cap(o.known) < n {
		o.known = make([]uint32, n, n+n/4)
	}
	o.known = o.known[:n]
	clear(o.known)
}

// warm makes ready for looking up the keys of rows in p, which may be nil.
func (o *Op) warm(p *pane, rows record.Rows) {
	if p == nil || !p.IsLarge() {
		return
	}
	b := rows.Batch
	numbers := o.keys.Numbers(b)
	o.hashes = o.hashes[:0]
	for i := rows.Lo; i < rows.Hi; i++ {
		if b.Recs[i].Live() {
			hash, _, _ := o.keys.Key(b, numbers[i])
			o.hashes = append(o.hashes, hash)
		}
	}
	p.Warm(o.hashes)
}

// lookUp finds the group in t of a key of b by its number, and returns it plus
// one.
func (o *Op) lookUp(t *aggregate.Table, b *record.Batch, number uint64) (uint32, error) {
	g, err := t.Group(o.keys.Key(b, number))
	o.known[number] = g + 1
	return g + 1, err
}

// tooLate deals with a record of a window that closed at the given limit.
func (o *Op) tooLate(b *record.Batch, i int, closed int64, wholly bool) error {
	needed := o.newest - closed + 1 // the watermark is never beyond the newest
	o.stats.needed.Store(max(o.stats.needed.Load(), needed))
	if !wholly {
		o.stats.partly.Add(1)
		return nil
	}
	o.stats.late.Add(1)
	if o.late == nil {
		return nil
	}
	return o.late.Write(record.Rows{Batch: b, Lo: i, Hi: i + 1})
}

// Due returns the lowest watermark at which a window that is open now may close,
// whether it has records or not, or math.MaxInt64 if none closes before the end. If
// Tick is called right after the record with which the watermark reaches it, neither
// the rows nor which records are late depend on where batches begin and end.
func (o *Op) Due() int64 {
	switch {
	case o.cfg.GraceUnlimited || o.cfg.Arrival:
		return math.MaxInt64
	case o.limit == math.MinInt64:
		return math.MinInt64
	default:
		return o.open.next() + int64(o.cfg.Grace)
	}
}

// Tick closes the windows whose end the watermark (or the clock, with processing time)
// has passed by the grace. With updates it also emits rows that have changed.
func (o *Op) Tick(watermark, now int64, out stream.Output) error {
	limit := int64(math.MinInt64)
	switch {
	case o.cfg.Arrival:
		limit = now
	case watermark != record.NoTime && !o.cfg.GraceUnlimited:
		limit = o.open.settle(watermark - int64(o.cfg.Grace))
	}
	if limit > o.limit {
		if err := o.open.close(limit, out); err != nil {
			return err
		}
	}
	if o.cfg.Emit != Final && now-o.updated >= int64(o.cfg.Every) {
		o.updated = now
		if err := o.open.update(out); err != nil {
			return err
		}
	}
	if a, ok := o.open.(*aligned); ok {
		if err := a.relieve(out); err != nil {
			return err
		}
	}
	o.count()
	return o.flush(out)
}

// Finish closes all windows.
func (o *Op) Finish(out stream.Output) error {
	if err := o.open.close(math.MaxInt64, out); err != nil {
		return err
	}
	o.count()
	return o.flush(out)
}

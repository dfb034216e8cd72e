package transform

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Once names records by some of their fields. Records with equal fields within a time
// are duplicates. A record that has none of the fields is never a duplicate.
type Once struct {
	TTL     time.Duration
	columns []int
}

// NewOnce returns a Once for the given fields.
func NewOnce(fields []string, ttl time.Duration, plan *record.Plan) *Once {
	o := &Once{TTL: ttl}
	for _, f := range fields {
		o.columns = append(o.columns, plan.Column(f))
	}
	return o
}

// Name returns the name of record i and the time that its source gave it, so that
// reading it again gives the same answer. It returns false for a record without any of
// the fields.
func (o *Once) Name(b *record.Batch, i int) (name [16]byte, at int64, ok bool) {
	var h xxh3.Hasher
	for _, k := range o.columns {
		v := b.At(k, i)
		if v.Kind() != record.Missing {
			ok = true
			_, _ = h.Write(b.Text(v))
		}
		_, _ = h.Write([]byte{byte(min(v.Kind(), 1)), 0xff}) // 0xff is in no text that is UTF-8
	}
	at = b.Recs[i].Stamp
	if at == record.NoTime {
		at = b.Arrived
	}
	return h.Sum128().Bytes(), at, ok
}

// Dedup drops duplicates. It is a stream.Operator, and keeps in memory the names that
// come within twice the time.
type Dedup struct {
	once        *Once
	seen, older map[[16]byte]int64 // when a name was seen last
	since       int64              // when seen was begun
	rows        []int              // duplicates among the rows at hand
	dropped     atomic.Int64
}

// NewDedup returns a Dedup that has seen nothing.
func NewDedup(once *Once) *Dedup {
	return &Dedup{once: once, seen: map[[16]byte]int64{}, older: map[[16]byte]int64{}, since: record.NoTime}
}

// Dropped returns how many records were dropped. It may be called at any time.
func (d *Dedup) Dropped() int64 { return d.dropped.Load() }

// Process drops duplicates and emits the other records.
func (d *Dedup) Process(rows record.Rows, out stream.Output) error {
	d.rows = d.rows[:0]
	for i := rows.Lo; i < rows.Hi; i++ {
		if rec := &rows.Recs[i]; rec.Live() && d.again(rows.Batch, i) {
			rec.Flags |= record.Dropped
			d.rows = append(d.rows, i)
		}
	}
	err := out.Emit(rows)
	end, _ := slices.BinarySearch(d.rows, stream.Taken(rows, err).Hi)
	d.dropped.Add(int64(end))
	return err
}

// again reports whether a record was seen before, and remembers it.
func (d *Dedup) again(b *record.Batch, i int) bool {
	name, at, ok := d.once.Name(b, i)
	if !ok {
		return false
	}
	ttl := int64(d.once.TTL)
	if d.since == record.NoTime || at-d.since > ttl {
		d.older, d.seen, d.since = d.seen, map[[16]byte]int64{}, at
	}
	last, known := d.seen[name]
	if !known {
		last, known = d.older[name]
	}
	if known && at-last <= ttl && last-at <= ttl {
		return true
	}
	d.seen[name] = at
	return false
}

// Package record holds log records in batches: one arena of bytes, an entry
// for each record, and the columns of fields that a command asked for.
//
// Nothing here points into the arena: records, keys and values are offsets,
// so an arena may grow, a batch costs the garbage collector a handful of
// pointers however many records it holds, and reusing one allocates nothing.
package record

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// NoTime is the time of a record that has none (yet).
const NoTime int64 = math.MinInt64

// A Span is a run of bytes of a batch's arena, or of entries of its headers.
type Span struct{ Off, Len uint32 }

// End returns the offset behind the span.
func (s Span) End() uint32 { return s.Off + s.Len }

// Flags say what became of a record.
type Flags uint8

// The flags of a record.
const (
	HasKey    Flags = 1 << iota // Key is set (a key may be empty)
	Tombstone                   // the value is null, which only Kafka can say
	Bad                         // it does not parse; the batch's Faults say why
	Dropped                     // a filter took it out; nothing downstream sees it
	Truncated                   // it was longer than the allowed size; Value is its first part
	Undated                     // neither it nor its source says a time: Time is when it was read
	Filtered                    // with Dropped: its time still says how far its partition has come
)

// A Rec is one record of a batch.
type Rec struct {
	Value   Span  // its bytes, without the line end
	Key     Span  // its key, where Flags has HasKey
	Headers Span  // its entries of Batch.Headers
	Offset  int64 // its place in its partition: a byte offset in a file, a Kafka offset
	Stamp   int64 // the time that its source gave it (Kafka's record time), or NoTime
	Time    int64 // event time, nanoseconds since 1970; NoTime until it is known
	Line    int64 // line number in a file, from 1; 0 where there are no lines
	Flags   Flags
	Part    uint32 // which of the records that were one at Offset, from 0
}

// Turn orders the records of a partition: by offset, and by part where they were
// one.
func (r *Rec) Turn() int64 {
	const partBits = 16
	return r.Offset<<partBits | int64(min(r.Part, 1<<partBits-1))
}

// Live reports whether operators and sinks are to see the record.
func (r *Rec) Live() bool { return r.Flags&(Bad|Dropped) == 0 }

// Passed returns the time of a record that was filtered out and says how far its
// partition has come, else NoTime.
func (r *Rec) Passed() int64 {
	if r.Flags&Filtered == 0 {
		return NoTime
	}
	return r.Time
}

// A Header is one header of a record. Headers are ordered and may repeat.
type Header struct{ Key, Value Span }

// A Fault says why a record is bad.
type Fault struct {
	Row    int    // its index in Recs
	Reason string // lower case, no period; says what came and what was wanted
}

// An Origin is a partition of a source: a file, or a partition of a topic.
// All batches of a partition share one Origin; it does not change once the
// first of them has been handed on.
type Origin struct {
	Source    string // path or topic, for people and dead letters; "stdin" for stdin
	Partition int32  // partition of a topic; of a file what tells it from others of its name; 0 elsewhere
	Was       string // under which name an earlier run has read a file; empty where under none, or the same
	Topic     bool   // Source is a topic
	Upstreams int    // of a partition that is filled from others, how many: its time is what their marks say
	Begins    uint64 // of a file, a checksum of its first record; 0 where unknown
	Modified  int64  // when the file was modified, ns since 1970; NoTime where unknown
	Format    string // the format of its records, found or given: see package codec
	Header    string // the header line of a format that has one (CSV)
}

// A Batch is a run of records of one partition in their order. One goroutine
// owns it at a time. It goes back to its pool when the last owner releases it.
type Batch struct {
	Data    []byte   // the arena: records, then what was computed from them
	Recs    []Rec    // empty until the batch is framed
	Headers []Header // headers of all records
	Faults  []Fault  // one for each Bad record, in order
	Origin  *Origin  // where the records come from
	Header  string   // the header of these records, where it is another than the origin's (see codec.Renewer)
	Plan    *Plan    // what the columns hold, where plans change while running (see codec.NewLiveParser)

	Base    int64 // offset in the partition of Data[0], for sources that count bytes
	Line    int64 // line number of the first line of Data, from 1; 0 where there are none
	Next    int64 // offset that a reader would go on from after this batch
	Arrived int64 // when it was read, ns since 1970
	AtEnd   bool  // the partition had no more to give when it was read
	Last    bool  // the partition ends with it: nothing more will come of it in this run
	Empty   int   // records that were empty lines of a structured format, Dropped by its parser
	Remarks int   // likewise lines that begin with #, where these are no records

	Zone *time.Location // in which expressions and encoders show times, that of the plan; nil is UTC

	// Prompt asks that the positions behind this batch be committed as soon as
	// nothing else is to be done: someone waits for that.
	Prompt bool

	// Barrier, where set, makes this batch an order instead of data: process
	// all that came before it, make it durable, commit, then call Barrier.
	Barrier func(error)
	Leaving []*Origin // with Barrier: the partitions that another reader goes on with

	// Marks stand behind the records of a partition that was filled from others:
	// how far those have come.
	Marks []Mark

	// Lost says, in a batch without records, that another reader goes on with
	// the partition already: nothing of it may be saved or committed.
	Lost bool

	wide   []byte // see Narrow
	of     *Batch // see View
	cols   [][]Value
	floats [][]float64
	words  [][]uint64
	refs   atomic.Int32
	home   *Pool
}

// A Mark says how far a partition has come from which others are filled.
type Mark struct {
	Source    string
	Partition int32
	Time      int64 // its greatest event time, Idle or Ended
	Next      int64 // with Ended: the offset at which it does
}

// Times of a Mark that are none: the partition has nothing to give for now, or
// for good. Neither holds back the time of who reads it.
const (
	Idle  int64 = math.MaxInt64 - 1
	Ended int64 = math.MaxInt64
)

// Rows are the records Lo to Hi-1 of a batch: the unit in which operators and
// sinks are given work.
type Rows struct {
	*Batch
	Lo, Hi int
}

// All returns all rows of b.
func (b *Batch) All() Rows { return Rows{b, 0, len(b.Recs)} }

// Size returns about how many bytes the values of the rows take.
func (r Rows) Size() int {
	if r.Lo >= r.Hi {
		return 0
	}
	first, last := r.Recs[r.Lo].Value, r.Recs[r.Hi-1].Value
	return max(int(last.End())-int(first.Off), 0)
}

// Bytes returns the bytes of s in the arena.
func (b *Batch) Bytes(s Span) []byte { return b.Data[s.Off:s.End():s.End()] }

// Value returns the raw bytes of record i.
func (b *Batch) Value(i int) []byte { return b.Bytes(b.Recs[i].Value) }

// HeadersOf returns the headers of a record.
func (b *Batch) HeadersOf(r *Rec) []Header { return b.Headers[r.Headers.Off:r.Headers.End()] }

// Col returns column k, with an entry for each record. The first use sizes it;
// a column that no parser filled is missing throughout.
func (b *Batch) Col(k int) []Value { return column(&b.cols, k, len(b.Recs)) }

// At returns what column k holds for record i. Unlike Col it sizes nothing: what
// no parser filled is missing.
func (b *Batch) At(k, i int) Value {
	if k < len(b.cols) && i < len(b.cols[k]) {
		return b.cols[k][i]
	}
	return 0
}

// Floats returns the operator's own column k of numbers, sized to the records.
// It is not cleared: who uses it writes every row.
func (b *Batch) Floats(k int) []float64 { return scratch(&b.floats, k, len(b.Recs)) }

// Words returns the operator's own column k of words, sized to the records.
// It is not cleared: who uses it writes every row.
func (b *Batch) Words(k int) []uint64 { return scratch(&b.words, k, len(b.Recs)) }

func column(cols *[][]Value, k, n int) []Value {
	for len(*cols) <= k {
		*cols = append(*cols, nil)
	}
	c := (*cols)[k]
	if len(c) == n {
		return c
	}
	old := len(c)
	if cap(c) < n {
		c = append(make([]Value, 0, n+n/4), c...)
	}
	c = c[:n]
	if old < n {
		clear(c[old:])
	}
	(*cols)[k] = c
	return c
}

func scratch[T any](cols *[][]T, k, n int) []T {
	for len(*cols) <= k {
		*cols = append(*cols, nil)
	}
	c := (*cols)[k]
	if cap(c) < n {
		c = make([]T, n, n+n/4)
	}
	(*cols)[k] = c[:n]
	return c[:n]
}

// Add appends a record with a copy of value and a newline behind it, so that
// runs of records can be written as one, and returns it to be completed. The
// pointer is valid until the next Add.
func (b *Batch) Add(value []byte) *Rec {
	off := uint32(len(b.Data))
	b.Data = append(b.Data, value...)
	b.Data = append(b.Data, '\n')
	return b.AddSpan(Span{off, uint32(len(value))})
}

// AddSpan appends a record whose value stands in the arena already.
func (b *Batch) AddSpan(value Span) *Rec {
	b.Recs = append(b.Recs, Rec{Value: value, Offset: b.Base + int64(value.Off), Stamp: NoTime, Time: NoTime})
	return &b.Recs[len(b.Recs)-1]
}

// AppendSpan appends s to the arena of b and returns where it stands there.
func AppendSpan[T string | []byte](b *Batch, s T) Span {
	off := len(b.Data)
	b.Data = append(b.Data, s...)
	return Span{uint32(off), uint32(len(s))}
}

// SetBad marks record i as bad for the given reason. The first reason stays.
func (b *Batch) SetBad(i int, reason string) {
	if b.Recs[i].Flags&Bad != 0 {
		return
	}
	b.Recs[i].Flags |= Bad
	b.Faults = append(b.Faults, Fault{i, reason})
}

// Reset empties the batch for reuse; its memory stays.
func (b *Batch) Reset() {
	b.Data, b.Recs, b.Headers, b.Faults = b.Data[:0], b.Recs[:0], b.Headers[:0], b.Faults[:0]
	for k := range b.cols {
		b.cols[k] = b.cols[k][:0]
	}
	b.Origin, b.Header, b.Plan, b.Zone, b.Barrier, b.Leaving, b.Marks = nil, "", nil, nil, nil, nil, nil
	b.Base, b.Line, b.Next, b.Arrived, b.Empty, b.Remarks = 0, 0, 0, 0, 0, 0
	b.AtEnd, b.Last, b.Lost = false, false, false
}

// Narrow leaves whoever fills an empty batch no more than n bytes of its arena.
// Otherwise one that was widened by what was computed would be filled to the
// brim the next time, and be widened again, and again.
func (b *Batch) Narrow(n int) {
	if b.wide = b.Data[:0]; cap(b.Data) > n {
		b.Data = b.Data[:0:n]
	}
}

// Widen gives the arena back what Narrow has kept, if it is still the same one.
func (b *Batch) Widen() {
	if cap(b.wide) > cap(b.Data) && cap(b.Data) > 0 && &b.wide[:1][0] == &b.Data[:1][0] {
		b.Data = b.wide[:len(b.Data)]
	}
	b.wide = nil
}

// Retain adds an owner, for a sink that is still sending when Write returns.
func (b *Batch) Retain() { b.refs.Add(1) }

// Release takes an owner away; the last one gives the batch back to its pool.
func (b *Batch) Release() {
	if b.refs.Add(-1) != 0 {
		return
	}
	of := b.leave()
	if b.home != nil {
		b.Reset()
		b.home.put(b)
	}
	if of != nil {
		of.Release()
	}
}

// leave ends a view and returns what it was one of; nil where it is none.
func (b *Batch) leave() *Batch {
	of := b.of
	if of != nil {
		b.of, b.Data, b.Headers = nil, nil, nil
	}
	return of
}

// Reuse empties a batch that nobody owns but its caller, for being filled again,
// and reports whether it is such a one.
func (b *Batch) Reuse() bool {
	if b.refs.Load() != 1 {
		return false
	}
	of := b.leave()
	b.Reset()
	if of != nil {
		of.Release()
	}
	return true
}

// View makes b, an empty batch, a view of another one, which it holds until it
// is released itself: it shares that one's arena and headers, and its records
// are to be copies of that one's, as many and with such changes as who makes the
// view needs. Its columns are empty.
func (b *Batch) View(of *Batch) {
	of.Retain()
	b.of = of
	b.Data, b.Headers = slices.Clip(of.Data), slices.Clip(of.Headers)
	b.Origin, b.Header, b.Plan, b.Zone, b.Next, b.Arrived = of.Origin, of.Header, of.Plan, of.Zone, of.Next, of.Arrived
}

// Package shuffle takes records to the partition of their group, over an internal
// topic: the first half of grouping by something that is not the topic's key.
//
// With the records go marks, to every partition: how far each partition that they
// are taken from has come. Who reads them takes the least of the marks as event
// time, so that nothing is late because one partition was read faster than
// another.
package shuffle

import (
	"strconv"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Headers of the internal topic.
const (
	HeaderMark = "logctl-mark" // of a mark: see AppendMark
	HeaderTime = "logctl-time" // event time of a record that does not say it itself, ns since 1970
	HeaderKey  = "logctl-key"  // the key that the record had before
)

// markEvery is after how many records a partition is marked; and at the latest
// after so long.
const (
	markEvery = 4096
	markAfter = 500e6 // ns
)

// An Op is the operator of one partition. It passes records on under the JSON of
// their group's key.
type Op struct {
	keys *aggregate.Keys
	plan *record.Plan

	origin    *record.Origin
	end       int64         // offset at which the partition ends, in a run that does
	spans     []record.Span // of keys by their number, in the batch that is processed
	watermark int64
	since     int   // records since the last mark
	told      int64 // the time of the last mark
	marked    int64 // when it was, wall clock
	idle      bool  // the partition holds no time back
	quiet     bool  // and is marked as such
}

// New returns an operator for records that were parsed by plan.
func New(keys *aggregate.Keys, plan *record.Plan) *Op {
	return &Op{keys: keys, plan: plan, watermark: record.NoTime, told: record.NoTime}
}

// Prepare numbers the keys.
func (o *Op) Prepare(b *record.Batch) { o.keys.Prepare(b) }

// Begin tells the operator its partition before there are records, so that an
// empty one does not hold the time of others back, and where it will end.
func (o *Op) Begin(source string, partition int32, end int64) {
	o.end = end
	o.origin = &record.Origin{Source: source, Partition: partition, Topic: true}
}

// Process gives each record its group's key and passes it on.
func (o *Op) Process(rows record.Rows, out stream.Output) error {
	b := rows.Batch
	o.origin = b.Origin
	if cap(o.spans) < len(b.Recs) {
		o.spans = make([]record.Span, len(b.Recs))
	}
	o.spans = o.spans[:len(b.Recs)]
	clear(o.spans)
	var numbers []uint64
	if o.keys.Len() > 0 {
		numbers = o.keys.Numbers(b)
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &b.Recs[i]
		if !rec.Live() {
			continue
		}
		o.since++
		o.head(b, i)
		key := record.Span{}
		if numbers != nil {
			key = o.keyOf(b, numbers[i])
		}
		rec.Key, rec.Flags = key, rec.Flags|record.HasKey
	}
	return out.Emit(rows)
}

// keyOf returns where the JSON of a key stands. It is written once a run of rows.
func (o *Op) keyOf(b *record.Batch, number uint64) record.Span {
	if o.spans[number].Len == 0 {
		_, kind, text := o.keys.Key(b, number)
		at := len(b.Data)
		b.Data = o.keys.AppendKey(b.Data, kind, text)
		o.spans[number] = record.Span{Off: uint32(at), Len: uint32(len(b.Data) - at)}
	}
	return o.spans[number]
}

// head adds the headers of what would be lost: the record's key, and its time
// where its value does not tell it.
func (o *Op) head(b *record.Batch, i int) {
	rec := &b.Recs[i]
	timed := o.plan.Time >= 0 && b.At(o.plan.Time, i).Kind() != record.Missing
	if timed && rec.Flags&record.HasKey == 0 {
		return
	}
	first := uint32(len(b.Headers))
	b.Headers = append(b.Headers, b.Headers[rec.Headers.Off:rec.Headers.End()]...)
	if rec.Flags&record.HasKey != 0 {
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, HeaderKey), Value: rec.Key})
	}
	if !timed && rec.Time != record.NoTime {
		name := record.AppendSpan(b, HeaderTime)
		b.Headers = append(b.Headers, record.Header{Key: name, Value: record.AppendSpan(b, strconv.FormatInt(rec.Time, 10))})
	}
	rec.Headers = record.Span{Off: first, Len: uint32(len(b.Headers)) - first}
}

// Idle says whether the partition holds no time back.
func (o *Op) Idle(idle bool) {
	o.idle = idle
	o.quiet = o.quiet && idle
}

// Tick marks how far the partition has come.
func (o *Op) Tick(watermark, now int64, out stream.Output) error {
	o.watermark = max(o.watermark, watermark)
	switch {
	case o.origin == nil || o.quiet:
		return nil
	case o.idle:
		o.quiet = true
		return o.mark(record.Idle, out)
	case o.watermark == record.NoTime, o.watermark == o.told, o.since < markEvery && now-o.marked < markAfter:
		return nil
	}
	o.marked = now
	return o.mark(o.watermark, out)
}

// Finish marks the end of the partition.
func (o *Op) Finish(out stream.Output) error {
	if o.origin == nil {
		return nil
	}
	return o.mark(record.Ended, out)
}

// mark writes a mark.
func (o *Op) mark(time int64, out stream.Output) error {
	o.told, o.since = time, 0
	b, err := out.Batch()
	if err != nil {
		return err
	}
	b.Add(nil).Flags |= record.Tombstone
	rec := &b.Recs[0]
	name := record.AppendSpan(b, HeaderMark)
	next := int64(0)
	if time == record.Ended {
		next = o.end
	}
	text := AppendMark(nil, record.Mark{Source: o.origin.Source, Partition: o.origin.Partition, Time: time, Next: next})
	b.Headers = append(b.Headers, record.Header{Key: name, Value: record.AppendSpan(b, text)})
	rec.Headers = record.Span{Len: 1}
	return out.Emit(b.All())
}

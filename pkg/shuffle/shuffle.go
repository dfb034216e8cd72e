// Package shuffle sends records to the partition of their group through an internal
// topic. This is the first half of grouping by something other than the key of the
// topic.
//
// Marks go to every partition, too. They say how far each partition of the input has
// come. Readers take the lowest of the marks as event time, so that no record is late
// because another partition was read faster.
package shuffle

import (
	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// HeaderMark is the header of a mark: see AppendMark.
const HeaderMark = "logctl-mark"

// markEvery is after how many records a partition is marked; and at the latest
// after so long.
const (
	markEvery = 4096
	markAfter = 500e6 // ns
)

// A pack is sent when it has so much.
const (
	packBytes = 128 << 10
	packRows  = 1 << 14
)

// A Config says how records are sent to the partition of their group.
type Config struct {
	Keys  *aggregate.Keys
	Form  *Form
	Width int                  // partitions of the internal topic
	Place func(key []byte) int // the one that a record with such a key goes to
}

// An Op is the operator of one partition. It sends records on in packs. The key of a
// pack is the JSON of one of the group keys in it; all keys in a pack have the same
// partition.
type Op struct {
	Config
	packs []pack   // by partition
	of    []uint32 // the partition of each key by its number in the batch that is processed, plus one
	key   []byte

	origin    *record.Origin
	end       int64 // offset at which the partition ends, in a run that does
	watermark int64
	since     int   // records since the last mark
	told      int64 // the time of the last mark
	marked    int64 // when it was, wall clock
	idle      bool  // the partition holds no time back
	quiet     bool  // and is marked as such
}

// A pack is what goes to one partition next.
type pack struct {
	key, data []byte
	rows      int
	last      int64 // time of the last row
}

// New returns an operator.
func New(cfg Config) *Op {
	return &Op{
		Config: cfg, packs: make([]pack, cfg.Width), key: []byte{}, // an empty key is one
		watermark: record.NoTime, told: record.NoTime,
	}
}

// Prepare numbers the keys.
func (o *Op) Prepare(b *record.Batch) { o.Keys.Prepare(b) }

// Begin tells the operator its partition, and where that will end, before there are
// records, so that an empty partition does not hold time back.
func (o *Op) Begin(source string, partition int32, end int64) {
	o.end = end
	o.origin = &record.Origin{Source: source, Partition: partition, Topic: true}
}

// Process packs the records and emits the packs.
func (o *Op) Process(rows record.Rows, out stream.Output) error {
	b := rows.Batch
	o.origin = b.Origin
	if cap(o.of) < len(b.Recs) {
		o.of = make([]uint32, len(b.Recs))
	}
	o.of = o.of[:max(len(b.Recs), 1)]
	clear(o.of)
	for i := rows.Lo; i < rows.Hi; i++ {
		if !b.Recs[i].Live() {
			continue
		}
		o.since++
		p := &o.packs[o.placeOf(b, i)]
		p.data = o.Form.append(p.data, b, i, p.last)
		p.last = b.Recs[i].Time
		if p.rows++; p.rows == packRows || len(p.data) > packBytes {
			if err := o.send(out); err != nil {
				return err
			}
		}
	}
	return o.send(out)
}

// placeOf returns the partition of a record. It is found once for each key of a run
// of rows, whose JSON is then also that of the pack.
func (o *Op) placeOf(b *record.Batch, i int) int {
	number := uint64(0)
	if o.Keys.Len() > 0 {
		number = o.Keys.Numbers(b)[i]
	}
	if o.of[number] == 0 {
		o.key = o.key[:0]
		if o.Keys.Len() > 0 {
			_, kind, text := o.Keys.Key(b, number)
			o.key = o.Keys.AppendKey(o.key, kind, text)
		}
		at := o.Place(o.key)
		o.packs[at].key = append(o.packs[at].key[:0], o.key...)
		o.of[number] = uint32(at) + 1
	}
	return int(o.of[number] - 1)
}

// send passes on the packs that have something.
func (o *Op) send(out stream.Output) error {
	var b *record.Batch
	for i := range o.packs {
		p := &o.packs[i]
		if p.rows == 0 {
			continue
		}
		if b == nil {
			var err error
			if b, err = out.Batch(); err != nil {
				return err
			}
			b.Origin = o.origin
		}
		off := len(b.Data)
		b.Data = append(o.Form.head(b.Data, p.rows), p.data...)
		rec := b.AddSpan(record.Span{Off: uint32(off), Len: uint32(len(b.Data) - off)})
		rec.Key, rec.Flags = record.AppendSpan(b, p.key), record.HasKey
		p.data, p.rows, p.last = p.data[:0], 0, 0
	}
	if b == nil {
		return nil
	}
	return out.Emit(b.All())
}

// Idle implements stream.Idler.
func (o *Op) Idle(idle bool) {
	o.idle = idle
	o.quiet = o.quiet && idle
}

// Tick emits marks of how far the partition has come.
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

// Finish emits marks of the end of the partition.
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

package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// write makes b the batch that says what o says.
func (o order) write(b *record.Batch) {
	b.Barrier, b.Leaving = o.barrier, o.leaving
	if o.partition == nil {
		return
	}
	b.Origin, b.Next, b.AtEnd, b.Arrived = o.origin, o.next, o.atEnd, time.Now().UnixNano()
	b.Lost, b.Last = o.lost, o.ended && !o.lost
}

// read moves pending records of p to b, as many as its arena holds. Control
// records, which end transactions, only move the position.
func (s *Source) read(p *partition, b *record.Batch) {
	b.Origin, b.Arrived = p.origin, time.Now().UnixNano()
	n, room, full := 0, cap(b.Data), false
	for ; n < len(p.pending); n++ {
		r := p.pending[n]
		if p.stop != never && r.Offset >= p.stop {
			break
		}
		size := sizeOf(r)
		if size > room && n > 0 {
			break
		}
		room -= size
		m, marked := s.markOf(r)
		switch {
		case r.Attrs.IsControl():
		case marked:
			s.addMark(p, b, m, r.Offset)
		default:
			if len(b.Marks) > 0 {
				full = true // marks stand behind the records of a batch
				break
			}
			addRecord(b, r, s.cfg.MaxRecord)
		}
		if full {
			break
		}
		p.next = r.Offset + 1
	}
	s.addKeys(b, p.pending[:n])
	if n < len(p.pending) && p.stop != never && p.pending[n].Offset >= p.stop {
		p.next, n = p.stop, len(p.pending)
	}
	recycle(p.pending[:n])
	p.drop(n, cap(b.Data)-room)
	s.bound(p)
	b.Next = p.next
	s.settleEnd(p)
	b.AtEnd, b.Last = p.quiet(), p.ended
}

// drop takes away the first n pending records, which take so many bytes.
func (p *partition) drop(n, size int) {
	p.pending, p.waits = p.pending[n:], p.waits-size
	if len(p.pending) == 0 {
		p.waits = 0
	}
}

// quiet reports whether p has no more to give for now, or for good.
func (p *partition) quiet() bool { return p.ended || len(p.pending) == 0 && p.next >= p.end }

// settleEnd notes that p has reached its stop.
func (s *Source) settleEnd(p *partition) {
	if p.ended || p.stop == never || p.next < p.stop {
		return
	}
	p.ended = true
	recycle(p.pending)
	p.pending = nil
	if s.client != nil {
		s.client.PauseFetchPartitions(map[string][]int32{p.topic: {p.n}})
	}
}

func sizeOf(r *kgo.Record) int {
	n := len(r.Value) + 1 + len(r.Key)
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}

// addRecord adds a record. Of one whose value is longer than most, where that is not 0,
// the first part stays, and it is bad.
func addRecord(b *record.Batch, r *kgo.Record, most int) {
	value := r.Value
	long := most > 0 && len(value) > most
	if long {
		value = value[:most]
	}
	rec := b.Add(value)
	rec.Offset = r.Offset
	if batch, ok := r.Context.(refusal); ok {
		rec.Flags |= record.Truncated
		b.SetBad(len(b.Recs)-1, batch.why)
		return
	}
	rec.Stamp = r.Timestamp.UnixNano()
	if long {
		rec.Flags |= record.Truncated
		b.SetBad(len(b.Recs)-1, codec.TooLong(most))
	}
	if r.Value == nil {
		rec.Flags |= record.Tombstone
	}
}

// addKeys adds the keys and headers of the records that were added, behind all
// values.
func (s *Source) addKeys(b *record.Batch, from []*kgo.Record) {
	i := 0
	for _, r := range from {
		if _, marked := s.markOf(r); marked || r.Attrs.IsControl() {
			continue
		}
		rec := &b.Recs[i]
		i++
		addKey(b, rec, r)
	}
}

// addKey adds the key and the headers of one record.
func addKey(b *record.Batch, rec *record.Rec, r *kgo.Record) {
	if r.Key != nil {
		rec.Flags |= record.HasKey
		rec.Key = record.AppendSpan(b, r.Key)
	}
	if len(r.Headers) == 0 {
		return
	}
	rec.Headers = record.Span{Off: uint32(len(b.Headers)), Len: uint32(len(r.Headers))}
	for _, h := range r.Headers {
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, h.Key), Value: record.AppendSpan(b, h.Value)})
	}
}

func recycle(rs []*kgo.Record) {
	for _, r := range rs {
		r.Recycle()
	}
}

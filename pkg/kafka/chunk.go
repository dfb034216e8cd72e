package kafka

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/record"
)

// A chunk is some rows of one Write under way: their records for the client,
// whose keys and values are slices of the batch. It is reused when all its
// records are settled.
type chunk struct {
	sink    *Sink
	batch   *record.Batch
	origin  *record.Origin
	recs    []kgo.Record
	rows    []int32 // the row of each record
	headers []kgo.RecordHeader
	names   map[string]string // header names seen, so that repeating one costs nothing
	size    int64
	sent    time.Time
	promise func(*kgo.Record, error)

	// Of those who settle, one after the other.
	left    int64 // records that are not settled
	counted int64 // of left, when the acknowledgements were last counted
	bytes   int64 // acknowledged since then
}

// chunkRows are the rows of a chunk at most. Were they as many as a batch has, each
// chunk would come to have room for as many as there are of the shortest lines.
const chunkRows = 512

func newChunk(s *Sink) *chunk {
	c := &chunk{
		sink: s, names: map[string]string{},
		recs: make([]kgo.Record, 0, chunkRows), rows: make([]int32, 0, chunkRows),
	}
	c.promise = c.settle
	return c
}

// fill has chunks take over the live rows, and returns what they cost in flight.
func (s *Sink) fill(rows record.Rows) (size int64) {
	s.filled = s.filled[:0]
	for all := rows; all.Lo < all.Hi; all.Lo = rows.Hi {
		rows.Lo, rows.Hi = all.Lo, min(all.Lo+chunkRows, all.Hi)
		c := s.chunks.Get().(*chunk)
		size += c.fill(rows)
		if len(c.recs) == 0 {
			s.chunks.Put(c)
			continue
		}
		s.filled = append(s.filled, c)
	}
	return size
}

// fill takes over the live rows and returns what they cost in flight.
func (c *chunk) fill(rows record.Rows) int64 {
	c.batch, c.origin, c.sent = rows.Batch, rows.Origin, time.Now()
	c.recs, c.rows, c.headers = c.recs[:0], c.rows[:0], c.headers[:0]
	c.size = 0
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			continue
		}
		c.recs = slices.Grow(c.recs, 1)[:len(c.recs)+1]
		r := &c.recs[len(c.recs)-1]
		*r = kgo.Record{}
		r.Timestamp, r.Headers, r.Value = c.timeOf(rec), c.headersOf(rec), c.valueOf(rec)
		if rec.Flags&record.HasKey != 0 {
			r.Key = rows.Bytes(rec.Key)
		}
		if c.sink.part >= 0 {
			r.Partition = c.sink.part
		}
		if c.sink.cfg.in != nil {
			r.Topic = c.sink.cfg.Topic
		}
		c.rows = append(c.rows, int32(i))
		c.size += int64(rec.Value.Len) + int64(rec.Key.Len) + recordCost
		if c.sink.cfg.Marks && isMark(r) {
			c.spread(int32(i))
		}
	}
	c.counted = int64(len(c.recs))
	c.left = c.counted
	return c.size
}

// spread adds the last record, a mark, for every partition but the first, which it
// is for already.
func (c *chunk) spread(row int32) {
	mark := len(c.recs) - 1
	for n := int32(1); n < c.sink.width; n++ {
		c.recs = append(c.recs, kgo.Record{
			Topic: c.recs[mark].Topic, Headers: c.recs[mark].Headers, Timestamp: c.recs[mark].Timestamp, Partition: n,
		})
		c.rows = append(c.rows, row)
		c.size += recordCost
	}
}

// timeOf returns the time that a record is given: one for a whole chunk, or
// its own.
func (c *chunk) timeOf(rec *record.Rec) time.Time {
	if c.sink.cfg.KeepTime {
		if rec.Time != record.NoTime {
			return time.Unix(0, rec.Time)
		}
		if rec.Stamp != record.NoTime {
			return time.Unix(0, rec.Stamp)
		}
	}
	return c.sent
}

func (c *chunk) valueOf(rec *record.Rec) []byte {
	if rec.Flags&record.Tombstone != 0 || c.sink.cfg.Tombstones && rec.Value.Len == 0 {
		return nil
	}
	return c.batch.Bytes(rec.Value)
}

// headersOf returns a record's own headers and those that all get. A slice
// that was handed out stays good when headers grows.
func (c *chunk) headersOf(rec *record.Rec) []kgo.RecordHeader {
	if rec.Headers.Len == 0 && len(c.sink.cfg.Headers) == 0 {
		return nil
	}
	first := len(c.headers)
	for _, h := range c.batch.HeadersOf(rec) {
		c.headers = append(c.headers, kgo.RecordHeader{Key: c.name(c.batch.Bytes(h.Key)), Value: c.batch.Bytes(h.Value)})
		c.size += int64(h.Key.Len) + int64(h.Value.Len)
	}
	for _, h := range c.sink.cfg.Headers {
		c.headers = append(c.headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		c.size += int64(len(h.Key)) + int64(len(h.Value))
	}
	return c.headers[first:len(c.headers):len(c.headers)]
}

// manyNames is more header names than a program has.
const manyNames = 256

func (c *chunk) name(b []byte) string {
	if s, ok := c.names[string(b)]; ok {
		return s
	}
	if len(c.names) >= manyNames {
		clear(c.names)
	}
	s := string(b)
	c.names[s] = s
	return s
}

// latencyEvery is after how many acknowledgements the clock is read, which
// costs more than all else that is done for one.
const latencyEvery = 64

// settle is called once for each record, one after the other.
func (c *chunk) settle(r *kgo.Record, err error) {
	if err != nil {
		c.sink.notDelivered(c, r, err)
	} else {
		c.bytes += int64(len(r.Value) + len(r.Key))
	}
	c.left--
	if c.left%latencyEvery == 0 {
		c.sink.counts.bytes.Add(c.bytes)
		c.sink.counts.settled(c.counted-c.left, c.sent)
		c.counted, c.bytes = c.left, 0
		if b := c.sink.cfg.Breaker; b != nil && err == nil {
			b.Done(time.Now().UnixNano(), true)
		}
	}
	if c.left == 0 {
		c.done()
	}
}

// done gives everything back.
func (c *chunk) done() {
	s, size := c.sink, c.size
	c.batch.Release()
	c.batch, c.origin = nil, nil
	s.chunks.Put(c)
	s.free(size)
}

// rowOf returns the row of one of the chunk's records.
func (c *chunk) rowOf(r *kgo.Record) int {
	for k := range c.recs {
		if &c.recs[k] == r {
			return int(c.rows[k])
		}
	}
	return 0
}

package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/logctl/logctl/pkg/record"
)

// magic begins every segment: what it is, and the version of its format.
var magic = [8]byte{'l', 'o', 'g', 's', 'p', 'o', 'l', '1'}

// A frame is the rows of one Write: a header of the length of the body, the
// body's CRC-32C and the CRC-32C of these two, then the body: the number of
// the first record, how many there are, where they come from, and the records.
const headerSize = 12

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The flags of an origin.
const (
	hasOrigin = 1 << iota
	isTopic
)

// appendFrame appends the frame of the live ones of rows and returns how many
// they are.
func appendFrame(dst []byte, first int64, rows record.Rows) ([]byte, int64) {
	live := int64(0)
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			live++
		}
	}
	if live == 0 {
		return dst, 0
	}
	start := len(dst)
	dst = append(dst, make([]byte, headerSize)...)
	dst = binary.AppendUvarint(dst, uint64(first))
	dst = binary.AppendUvarint(dst, uint64(live))
	dst = binary.AppendVarint(dst, rows.Arrived)
	dst = appendOrigin(dst, rows.Origin)
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			dst = appendRecord(dst, rows.Batch, &rows.Recs[i])
		}
	}
	header, body := dst[start:start+headerSize], dst[start+headerSize:]
	binary.LittleEndian.PutUint32(header, uint32(len(body)))
	binary.LittleEndian.PutUint32(header[4:], crc32.Checksum(body, castagnoli))
	binary.LittleEndian.PutUint32(header[8:], crc32.Checksum(header[:8], castagnoli))
	return dst, live
}

func appendOrigin(dst []byte, o *record.Origin) []byte {
	if o == nil {
		return append(dst, 0)
	}
	flags := byte(hasOrigin)
	if o.Topic {
		flags |= isTopic
	}
	dst = append(dst, flags)
	dst = binary.AppendVarint(dst, int64(o.Partition))
	return appendBytes(dst, []byte(o.Source))
}

func appendRecord(dst []byte, b *record.Batch, rec *record.Rec) []byte {
	dst = append(dst, byte(rec.Flags))
	for _, n := range []int64{rec.Offset, rec.Stamp, rec.Time, rec.Line} {
		dst = binary.AppendVarint(dst, n)
	}
	dst = appendBytes(dst, b.Bytes(rec.Value))
	dst = appendBytes(dst, b.Bytes(rec.Key))
	dst = binary.AppendUvarint(dst, uint64(rec.Headers.Len))
	for _, h := range b.Headers[rec.Headers.Off:rec.Headers.End()] {
		dst = appendBytes(appendBytes(dst, b.Bytes(h.Key)), b.Bytes(h.Value))
	}
	return dst
}

func appendBytes(dst, s []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// errFrame says that a frame, whose checksum is right, holds no records: it
// was written by another program.
var errFrame = errors.New("a frame cannot be read: it was written by another version of logctl")

// readHeader returns the length and the checksum of the body behind a header.
func readHeader(h []byte) (size int64, sum uint32, ok bool) {
	ok = crc32.Checksum(h[:8], castagnoli) == binary.LittleEndian.Uint32(h[8:])
	return int64(binary.LittleEndian.Uint32(h)), binary.LittleEndian.Uint32(h[4:]), ok
}

// readCount returns the numbers of the records in a body.
func readCount(body []byte) (first, n int64, err error) {
	r := reader{rest: body}
	first, n = int64(r.uvarint()), int64(r.uvarint())
	return first, n, r.err
}

// readBody adds the records of a body to b. Those with a number below from
// have been dealt with: they are Dropped. origin is the one of the batch
// before, which is kept where it is the same.
func readBody(body []byte, b *record.Batch, from int64, origin *record.Origin) error {
	r := reader{rest: body}
	first, n := int64(r.uvarint()), int64(r.uvarint())
	b.Arrived = r.varint()
	b.Origin = r.origin(origin)
	for i := int64(0); i < n && r.err == nil; i++ {
		r.record(b)
		if first+i < from {
			b.Recs[len(b.Recs)-1].Flags |= record.Dropped
		}
	}
	b.Next = first + n
	if r.err == nil && len(r.rest) > 0 {
		r.err = errFrame
	}
	return r.err
}

// A reader takes a body apart. After an error everything it returns is empty.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errFrame
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errFrame
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.err = errFrame
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.rest, r.err = nil, errFrame
		return nil
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) origin(last *record.Origin) *record.Origin {
	flags := r.byte()
	if flags&hasOrigin == 0 {
		return nil
	}
	partition, source := int32(r.varint()), r.bytes()
	topic := flags&isTopic != 0
	if last != nil && last.Partition == partition && last.Topic == topic && last.Source == string(source) {
		return last
	}
	return &record.Origin{Source: string(source), Partition: partition, Topic: topic, Modified: record.NoTime}
}

func (r *reader) record(b *record.Batch) {
	flags := record.Flags(r.byte())
	offset, stamp, when, line := r.varint(), r.varint(), r.varint(), r.varint()
	rec := b.Add(r.bytes())
	rec.Flags, rec.Offset, rec.Stamp, rec.Time, rec.Line = flags, offset, stamp, when, line
	rec.Key = record.AppendSpan(b, r.bytes())
	first := len(b.Headers)
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		key := record.AppendSpan(b, r.bytes())
		b.Headers = append(b.Headers, record.Header{Key: key, Value: record.AppendSpan(b, r.bytes())})
	}
	rec.Headers = record.Span{Off: uint32(first), Len: uint32(len(b.Headers) - first)}
}

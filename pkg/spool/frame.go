package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
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
	return wire.AppendBytes(dst, o.Source)
}

func appendRecord(dst []byte, b *record.Batch, rec *record.Rec) []byte {
	dst = append(dst, byte(rec.Flags))
	for _, n := range []int64{rec.Offset, rec.Stamp, rec.Time, rec.Line} {
		dst = binary.AppendVarint(dst, n)
	}
	dst = wire.AppendBytes(dst, b.Bytes(rec.Value))
	dst = wire.AppendBytes(dst, b.Bytes(rec.Key))
	dst = binary.AppendUvarint(dst, uint64(rec.Headers.Len))
	for _, h := range b.HeadersOf(rec) {
		dst = wire.AppendBytes(wire.AppendBytes(dst, b.Bytes(h.Key)), b.Bytes(h.Value))
	}
	return dst
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
	r := wire.Read(body)
	first, n = int64(r.Uvarint()), int64(r.Uvarint())
	if r.Failed() {
		return 0, 0, errFrame
	}
	return first, n, nil
}

// readBody adds the records of a body to b. Those with a number below from
// have been dealt with: they are Dropped. origin is the one of the batch
// before, which is kept where it is the same.
func readBody(body []byte, b *record.Batch, from int64, origin *record.Origin) error {
	r := wire.Read(body)
	first, n := int64(r.Uvarint()), int64(r.Uvarint())
	b.Arrived = r.Varint()
	b.Origin = readOrigin(&r, origin)
	for i := int64(0); i < n && !r.Failed(); i++ {
		readRecord(&r, b)
		if first+i < from {
			b.Recs[len(b.Recs)-1].Flags |= record.Dropped
		}
	}
	b.Next = first + n
	if !r.Done() {
		return errFrame
	}
	return nil
}

func readOrigin(r *wire.Reader, last *record.Origin) *record.Origin {
	flags := r.Byte()
	if flags&hasOrigin == 0 {
		return nil
	}
	partition, source := int32(r.Varint()), r.Bytes()
	topic := flags&isTopic != 0
	if last != nil && last.Partition == partition && last.Topic == topic && last.Source == string(source) {
		return last
	}
	return &record.Origin{Source: string(source), Partition: partition, Topic: topic, Modified: record.NoTime}
}

func readRecord(r *wire.Reader, b *record.Batch) {
	flags := record.Flags(r.Byte())
	offset, stamp, when, line := r.Varint(), r.Varint(), r.Varint(), r.Varint()
	rec := b.Add(r.Bytes())
	rec.Flags, rec.Offset, rec.Stamp, rec.Time, rec.Line = flags, offset, stamp, when, line
	rec.Key = record.AppendSpan(b, r.Bytes())
	first := len(b.Headers)
	for n := r.Uvarint(); n > 0 && !r.Failed(); n-- {
		key := record.AppendSpan(b, r.Bytes())
		b.Headers = append(b.Headers, record.Header{Key: key, Value: record.AppendSpan(b, r.Bytes())})
	}
	rec.Headers = record.Span{Off: uint32(first), Len: uint32(len(b.Headers) - first)}
}

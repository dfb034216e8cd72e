package engine

import (
	"strconv"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Headers of a dead letter: why the record is one, and where it came from.
const (
	HeaderReason    = "logctl-reason"
	HeaderSource    = "logctl-source"
	HeaderPartition = "logctl-partition"
	HeaderOffset    = "logctl-offset"
	HeaderLine      = "logctl-line"
	HeaderTruncated = "logctl-truncated"
)

// WriteDead writes the bad records of b, raw and with their reason and origin
// in headers, to a sink. It is for the operator's goroutine, or a sink that it
// calls.
func WriteDead(to stream.Sink, b *record.Batch) error {
	letters := record.NewBatch()
	letters.Origin, letters.Arrived = b.Origin, b.Arrived
	for _, f := range b.Faults {
		addLetter(letters, b, f)
	}
	return to.Write(letters.All())
}

// addLetter appends the letter of one bad record, its key and headers behind its
// value.
func addLetter(to, b *record.Batch, f record.Fault) {
	bad := &b.Recs[f.Row]
	rec := to.Add(b.Bytes(bad.Value))
	rec.Offset, rec.Stamp, rec.Time, rec.Line = bad.Offset, bad.Stamp, bad.Time, bad.Line
	rec.Flags = bad.Flags & (record.HasKey | record.Tombstone)
	if bad.Flags&record.HasKey != 0 {
		rec.Key = record.AppendSpan(to, b.Bytes(bad.Key))
	}
	first := len(to.Headers)
	for _, h := range b.Headers[bad.Headers.Off:bad.Headers.End()] {
		addHeader(to, b.Bytes(h.Key), b.Bytes(h.Value))
	}
	addHeader(to, HeaderReason, f.Reason)
	if o := b.Origin; o != nil {
		addHeader(to, HeaderSource, o.Source)
		if o.Topic {
			addHeader(to, HeaderPartition, strconv.Itoa(int(o.Partition)))
		}
		addHeader(to, HeaderOffset, strconv.FormatInt(bad.Offset, 10))
	}
	if bad.Line > 0 {
		addHeader(to, HeaderLine, strconv.FormatInt(bad.Line, 10))
	}
	if bad.Flags&record.Truncated != 0 {
		addHeader(to, HeaderTruncated, "true")
	}
	rec.Headers = record.Span{Off: uint32(first), Len: uint32(len(to.Headers) - first)}
}

func addHeader[T string | []byte](b *record.Batch, key, value T) {
	b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, key), Value: record.AppendSpan(b, value)})
}

package codec

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// envelopeEncoder writes each record as an envelope, a line each (see
// envelope). The time is the one that the source gave, else the event time. A
// record that is from no topic has a source instead of topic and partition.
type envelopeEncoder struct{}

func (envelopeEncoder) Append(dst []byte, rows record.Rows) []byte {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			dst = append(appendEnvelope(dst, rows.Batch, i), '\n')
		}
	}
	return dst
}

func appendEnvelope(dst []byte, b *record.Batch, i int) []byte {
	rec := &b.Recs[i]
	dst = appendOrigin(append(dst, '{'), b.Origin)
	dst = append(dst, `"offset":`...)
	dst = strconv.AppendInt(dst, rec.Offset, 10)
	dst = append(dst, ',')
	dst = appendBytes(dst, "key", b.Bytes(rec.Key), rec.Flags&record.HasKey == 0)
	dst = append(dst, `,"time":`...)
	dst = appendTime(dst, rec)
	dst = appendHeaders(append(dst, ','), b, rec)
	dst = appendBytes(append(dst, ','), "value", b.Bytes(rec.Value), rec.Flags&record.Tombstone != 0)
	return append(dst, '}')
}

func appendOrigin(dst []byte, o *record.Origin) []byte {
	switch {
	case o == nil:
		return dst
	case !o.Topic:
		dst = record.AppendQuoted(append(dst, `"source":`...), o.Source)
	default:
		dst = record.AppendQuoted(append(dst, `"topic":`...), o.Source)
		dst = append(dst, `,"partition":`...)
		dst = strconv.AppendInt(dst, int64(o.Partition), 10)
	}
	return append(dst, ',')
}

// timeOf returns the time of a record that leaves: record.NoTime where it has
// none.
func timeOf(rec *record.Rec) int64 {
	if rec.Stamp != record.NoTime {
		return rec.Stamp
	}
	return rec.Time
}

func appendTime(dst []byte, rec *record.Rec) []byte {
	ns := timeOf(rec)
	if ns == record.NoTime {
		return append(dst, "null"...)
	}
	return append(stamp.AppendRFC3339(append(dst, '"'), ns), '"')
}

// appendBytes appends a member: text, base64 under another key where it is not
// UTF-8, or null.
func appendBytes(dst []byte, key string, text []byte, null bool) []byte {
	dst = append(append(dst, '"'), key...)
	switch {
	case null:
		return append(dst, `":null`...)
	case utf8.Valid(text):
		return record.AppendQuoted(append(dst, `":`...), text)
	default:
		return append(base64.StdEncoding.AppendEncode(append(dst, `_base64":"`...), text), '"')
	}
}

func appendHeaders(dst []byte, b *record.Batch, rec *record.Rec) []byte {
	headers := b.HeadersOf(rec)
	if !allText(b, headers) {
		return appendHeaders64(dst, b, headers)
	}
	dst = append(dst, `"headers":[`...)
	for i, h := range headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = record.AppendQuoted(append(dst, '['), b.Bytes(h.Key))
		dst = record.AppendQuoted(append(dst, ','), b.Bytes(h.Value))
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

func appendHeaders64(dst []byte, b *record.Batch, headers []record.Header) []byte {
	dst = append(dst, `"headers_base64":[`...)
	for i, h := range headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendBase64(append(dst, '['), b.Bytes(h.Key))
		dst = appendBase64(append(dst, ','), b.Bytes(h.Value))
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// allText reports whether headers are UTF-8. As a rule they stand in one piece: that is
// looked at once, and then only for characters that one ends in.
func allText(b *record.Batch, headers []record.Header) bool {
	if len(headers) == 0 {
		return true
	}
	lo, hi := headers[0].Key.Off, headers[len(headers)-1].Value.End()
	whole := lo <= hi && utf8.Valid(b.Data[lo:hi])
	cuts := func(s record.Span) bool {
		return s.Off < lo || s.End() > hi || s.Off < hi && !utf8.RuneStart(b.Data[s.Off]) ||
			s.End() < hi && !utf8.RuneStart(b.Data[s.End()])
	}
	for _, h := range headers {
		if whole && !cuts(h.Key) && !cuts(h.Value) {
			continue
		}
		if !utf8.Valid(b.Bytes(h.Key)) || !utf8.Valid(b.Bytes(h.Value)) {
			return false
		}
	}
	return true
}

func appendBase64(dst, text []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), text), '"')
}

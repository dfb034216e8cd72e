// Package letter defines the form of records that have failed: dead letters, and
// records that wait in a retry topic. A letter is the record as it was, byte for byte,
// with headers that describe the failure. All headers are text, so that any Kafka
// client can read and write them.
package letter

import (
	"slices"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// The headers of a letter.
const (
	Reason    = "logctl-reason"    // why, as the last attempt said it
	Source    = "logctl-source"    // the topic or the file that it came from
	Partition = "logctl-partition" // of the topic
	Offset    = "logctl-offset"    // in the partition or, in bytes, in the file
	Line      = "logctl-line"      // in the file, from 1
	Time      = "logctl-time"      // what its source said its time was
	Truncated = "logctl-truncated" // true: it was too long, the value is its first part

	Attempts    = "logctl-attempts"       // how often it was tried in all
	First       = "logctl-first-failure"  // when it failed first
	Last        = "logctl-last-failure"   // and when last
	Kind        = "logctl-kind"           // transient, permanent or ambiguous
	Class       = "logctl-class"          // of the last error, as TIMEOUT
	Signature   = "logctl-signature"      // hash of the last error without its numbers, ids and addresses
	Correlation = "logctl-correlation-id" // what connects it with others
	History     = "logctl-history"        // the errors that it met, as JSON; not the last one where the others say it
	Due         = "logctl-due"            // in a retry topic: not to be tried before
	Again       = "logctl-replayed"       // how often it was replayed from the dead letters
)

// own are the headers of a letter that are not the record's. How often it was replayed
// is the record's.
var own = map[string]bool{
	Reason: true, Source: true, Partition: true, Offset: true, Line: true, Time: true, Truncated: true, Attempts: true,
	First: true, Last: true, Kind: true, Class: true, Signature: true, Correlation: true, History: true, Due: true,
}

// An Origin is where a record was first read.
type Origin struct {
	Source    string
	Topic     bool // Source is a topic
	Partition int32
	Offset    int64
	Line      int64 // 0 where there are no lines
	Time      int64 // ns since 1970, or record.NoTime
}

// ID names the letter: its origin, as topic/partition@offset, file:line or
// file@offset.
func (o Origin) ID() string {
	return string(o.appendID(nil))
}

func (o Origin) appendID(dst []byte) []byte {
	dst = append(dst, o.Source...)
	switch {
	case o.Topic:
		dst = strconv.AppendInt(append(dst, '/'), int64(o.Partition), 10)
		return strconv.AppendInt(append(dst, '@'), o.Offset, 10)
	case o.Line > 0:
		return strconv.AppendInt(append(dst, ':'), o.Line, 10)
	default:
		return strconv.AppendInt(append(dst, '@'), o.Offset, 10)
	}
}

// OriginOf returns where record i of b comes from.
func OriginOf(b *record.Batch, i int) Origin {
	rec := &b.Recs[i]
	o := Origin{Offset: rec.Offset, Line: rec.Line, Time: rec.Stamp}
	if b.Origin != nil {
		o.Source, o.Topic, o.Partition = b.Origin.Source, b.Origin.Topic, b.Origin.Partition
	}
	return o
}

// A State is what is known of the failure of a record.
type State struct {
	Origin
	Reason      string
	Truncated   bool
	Attempts    int
	First, Last int64 // ns since 1970; 0 where nothing was tried
	Kind, Class string
	Signature   uint64
	Correlation string    // "": its ID
	History     []Failure // one for each different error, the latest last
	Due         int64     // ns since 1970; 0 for at once
	Replayed    int
}

// A Failure is one error that a record met, once or more often.
type Failure struct {
	Signature uint64
	Kind      string
	Class     string
	Message   string
	Count     int
	First     int64
	Last      int64
}

// Begin returns the state of record i of b before its first failure. It ignores what
// headers say of earlier failures, except the id that connects the record with others.
func Begin(b *record.Batch, i int) State {
	s := State{Origin: OriginOf(b, i)}
	if b.Recs[i].Headers.Len > 0 {
		known, _ := Read(b, i)
		s.Correlation = known.Correlation
	}
	return s
}

// Bounds of what a letter says, so that it is little beside the record.
const (
	mostMessage = 512 // bytes
	mostHistory = 8   // different errors
)

// Failed notes that an attempt has failed, and returns how often this error has
// occurred. Errors that differ only in numbers, ids and addresses are the same.
func (s *State) Failed(kind, class, message string, now int64) int {
	message = cut(message)
	s.Attempts++
	s.Last, s.Kind, s.Class, s.Reason = now, kind, class, message
	s.Signature = Sign(class, message)
	if s.First == 0 {
		s.First = now
	}
	at := len(s.History)
	for i := range s.History {
		if s.History[i].Signature == s.Signature {
			at = i
		}
	}
	f := Failure{Signature: s.Signature, First: now}
	if at < len(s.History) {
		f = s.History[at]
		s.History = slices.Delete(s.History, at, at+1)
	}
	f.Kind, f.Class, f.Message, f.Last = kind, class, message, now
	f.Count++
	s.History = append(s.History, f)
	if len(s.History) > mostHistory {
		s.History = s.History[1:]
	}
	return f.Count
}

// cut shortens a message to what a letter holds, at the border of a character.
func cut(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= mostMessage {
		return s
	}
	s = s[:mostMessage]
	return strings.ToValidUTF8(s, "") + "…"
}

// Append appends the letter of record i of from to a batch: key, value and
// headers as they are, and the state in headers behind them.
func Append(to, from *record.Batch, i int, s *State) {
	old := &from.Recs[i]
	rec := copyRecord(to, from, old)
	s.appendHeaders(to)
	rec.Headers.Len = uint32(len(to.Headers)) - rec.Headers.Off
}

// AppendPlain appends record i of from to a batch as it was before it failed:
// without the headers of a letter.
func AppendPlain(to, from *record.Batch, i int) *record.Rec {
	return copyRecord(to, from, &from.Recs[i])
}

// copyRecord copies a record with those of its headers that are its own.
func copyRecord(to, from *record.Batch, old *record.Rec) *record.Rec {
	rec := to.Add(from.Bytes(old.Value))
	rec.Offset, rec.Stamp, rec.Time, rec.Line = old.Offset, old.Stamp, old.Time, old.Line
	rec.Flags = old.Flags & (record.HasKey | record.Tombstone)
	if old.Flags&record.HasKey != 0 {
		rec.Key = record.AppendSpan(to, from.Bytes(old.Key))
	}
	CopyHeaders(to, from, rec, old)
	return rec
}

// CopyHeaders gives a record of one batch the headers that a record of another
// has, without those of a letter.
func CopyHeaders(to, from *record.Batch, rec, old *record.Rec) {
	first := len(to.Headers)
	for _, h := range from.HeadersOf(old) {
		if name := from.Bytes(h.Key); !own[string(name)] {
			addHeader(to, name, from.Bytes(h.Value))
		}
	}
	rec.Headers = record.Span{Off: uint32(first), Len: uint32(len(to.Headers) - first)}
}

// SetHeader gives the record that was added last a header, in the place of one of
// that name.
func SetHeader(b *record.Batch, rec *record.Rec, name, value string) {
	for i := rec.Headers.Off; i < rec.Headers.End(); i++ {
		if string(b.Bytes(b.Headers[i].Key)) == name {
			b.Headers[i].Value = record.AppendSpan(b, value)
			return
		}
	}
	addHeader(b, name, value)
	rec.Headers.Len++
}

func addHeader[A, B string | []byte](b *record.Batch, key A, value B) {
	b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, key), Value: record.AppendSpan(b, value)})
}

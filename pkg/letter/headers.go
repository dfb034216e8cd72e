package letter

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// appendHeaders appends the state to the headers of the record that was added
// last.
func (s *State) appendHeaders(b *record.Batch) {
	var room [32]byte
	number := func(name string, n int64) { addHeader(b, name, strconv.AppendInt(room[:0], n, 10)) }
	time := func(name string, ns int64) { addHeader(b, name, stamp.AppendRFC3339(room[:0], ns)) }
	addHeader(b, Reason, s.Reason)
	if s.Source != "" {
		addHeader(b, Source, s.Source)
		if s.Topic {
			number(Partition, int64(s.Partition))
		}
		number(Offset, s.Offset)
	}
	if s.Line > 0 {
		number(Line, s.Line)
	}
	if s.Time != record.NoTime && s.Attempts > 0 {
		time(Time, s.Time)
	}
	if s.Truncated {
		addHeader(b, Truncated, "true")
	}
	if s.Attempts == 0 {
		return
	}
	number(Attempts, int64(s.Attempts))
	time(First, s.First)
	time(Last, s.Last)
	addHeader(b, Kind, s.Kind)
	addHeader(b, Class, s.Class)
	addHeader(b, Signature, appendHash(room[:0], s.Signature))
	if s.Correlation != "" {
		addHeader(b, Correlation, s.Correlation)
	} else {
		addHeader(b, Correlation, s.appendID(make([]byte, 0, 128)))
	}
	if list := s.untold(); len(list) > 0 {
		addHeader(b, History, appendHistory(make([]byte, 0, 512), list))
	}
	if s.Due > 0 {
		time(Due, s.Due)
	}
}

// untold returns the errors that the other headers do not say: all but the last one, as a
// rule.
func (s *State) untold() []Failure {
	last := len(s.History) - 1
	if last >= 0 && s.History[last] == s.latest(s.History[:last]) {
		return s.History[:last]
	}
	return s.History
}

// latest returns the last error as the headers without the history say it: it came once,
// or each time where there was no other.
func (s *State) latest(others []Failure) Failure {
	f := Failure{
		Signature: s.Signature, Kind: s.Kind, Class: s.Class, Message: s.Reason,
		Count: 1, First: s.Last, Last: s.Last,
	}
	if len(others) == 0 {
		f.Count, f.First = s.Attempts, s.First
	}
	return f
}

// appendHash appends a signature: sixteen hexadecimal digits.
func appendHash(dst []byte, h uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[h>>shift&15])
	}
	return dst
}

// failureJSON is a Failure as the header has it.
type failureJSON struct {
	Signature string `json:"signature"`
	Kind      string `json:"kind"`
	Class     string `json:"class"`
	Message   string `json:"message"`
	Count     int    `json:"count"`
	First     string `json:"first"`
	Last      string `json:"last"`
}

// appendHistory appends errors as an array of failureJSON.
func appendHistory(dst []byte, list []Failure) []byte {
	dst = append(dst, '[')
	for i := range list {
		f := &list[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendHash(append(dst, `{"signature":"`...), f.Signature)
		dst = record.AppendQuoted(append(dst, `","kind":`...), f.Kind)
		dst = record.AppendQuoted(append(dst, `,"class":`...), f.Class)
		dst = record.AppendQuoted(append(dst, `,"message":`...), f.Message)
		dst = strconv.AppendInt(append(dst, `,"count":`...), int64(f.Count), 10)
		dst = stamp.AppendRFC3339(append(dst, `,"first":"`...), f.First)
		dst = stamp.AppendRFC3339(append(dst, `","last":"`...), f.Last)
		dst = append(dst, `"}`...)
	}
	return append(dst, ']')
}

// Read returns the state that is in the headers of record i of b, or false if it is no
// letter. Headers that are malformed are ignored, because anybody can write them. A
// letter without an origin has that of the record itself.
func Read(b *record.Batch, i int) (s State, ok bool) {
	rec := &b.Recs[i]
	s.Time = record.NoTime
	for _, h := range b.HeadersOf(rec) {
		if s.read(string(b.Bytes(h.Key)), b.Bytes(h.Value)) {
			ok = true
		}
	}
	if s.Source == "" {
		s.Origin = OriginOf(b, i)
	}
	if s.Correlation == "" {
		s.Correlation = correlation(b, i, s.Origin)
	}
	s.completeHistory()
	return s, ok
}

// completeHistory adds the last error where the history is without it.
func (s *State) completeHistory() {
	known := func(f Failure) bool { return f.Signature == s.Signature }
	if s.Attempts > 0 && s.Signature != 0 && !slices.ContainsFunc(s.History, known) {
		s.History = append(s.History, s.latest(s.History))
	}
	if len(s.History) > mostHistory {
		s.History = s.History[len(s.History)-mostHistory:]
	}
}

// read takes one header and reports whether it tells of a failure.
func (s *State) read(name string, value []byte) bool {
	switch name {
	case Reason:
		s.Reason = string(value)
		return true
	case Source:
		s.Source = string(value)
	case Partition:
		n, err := strconv.ParseInt(string(value), 10, 32)
		s.Partition, s.Topic = int32(n), err == nil
	case Offset:
		s.Offset = number(value)
	case Line:
		s.Line = number(value)
	case Time:
		s.Time = when(value, record.NoTime)
	case Truncated:
		s.Truncated = string(value) == "true"
	case Again:
		s.Replayed = count(value)
	default:
		return s.readAttempt(name, value)
	}
	return false
}

// readAttempt takes a header that tells of attempts.
func (s *State) readAttempt(name string, value []byte) bool {
	switch name {
	case Attempts:
		s.Attempts = count(value)
		return s.Attempts > 0
	case First:
		s.First = when(value, 0)
	case Last:
		s.Last = when(value, 0)
	case Kind:
		s.Kind = string(value)
	case Class:
		s.Class = string(value)
	case Signature:
		s.Signature, _ = strconv.ParseUint(string(value), 16, 64)
	case Correlation:
		s.Correlation = string(value)
	case History:
		s.History = readHistory(value)
	case Due:
		s.Due = when(value, 0)
	}
	return false
}

func number(value []byte) int64 {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// mostCount is more than anything is counted to.
const mostCount = 1 << 30

func count(value []byte) int { return int(min(number(value), mostCount)) }

// when reads a time; what is none is missing.
func when(value []byte, missing int64) int64 {
	var p stamp.Parser
	if ns, ok := p.Parse(value, record.NoTime); ok {
		return ns
	}
	return missing
}

func readHistory(value []byte) []Failure {
	var list []failureJSON
	if json.Unmarshal(value, &list) != nil {
		return nil
	}
	if len(list) > mostHistory { // before others read it
		list = list[len(list)-mostHistory:]
	}
	var known []Failure
	for _, f := range list {
		sign, err := strconv.ParseUint(f.Signature, 16, 64)
		if err != nil || f.Count < 1 {
			continue
		}
		known = append(known, Failure{
			Signature: sign, Kind: f.Kind, Class: f.Class, Message: cut(f.Message), Count: min(f.Count, mostCount),
			First: when([]byte(f.First), 0), Last: when([]byte(f.Last), 0),
		})
	}
	return known
}

// correlations are the headers that connect a record with others.
var correlations = []string{"correlation-id", "correlation_id", "x-correlation-id", "x-request-id", "traceparent"}

// correlation returns what the record itself says, else the name of its origin.
func correlation(b *record.Batch, i int, o Origin) string {
	rec := &b.Recs[i]
	for _, h := range b.HeadersOf(rec) {
		for _, name := range correlations {
			if string(b.Bytes(h.Key)) == name && h.Value.Len > 0 {
				return string(b.Bytes(h.Value))
			}
		}
	}
	return o.ID()
}

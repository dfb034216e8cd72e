package letter

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// headers returns the state as pairs of names and values, in their order.
func (s *State) headers() (list [][2]string) {
	add := func(name, value string) { list = append(list, [2]string{name, value}) }
	add(Reason, s.Reason)
	if s.Source != "" {
		add(Source, s.Source)
		if s.Topic {
			add(Partition, formatInt(int64(s.Partition)))
		}
		add(Offset, formatInt(s.Offset))
	}
	if s.Line > 0 {
		add(Line, formatInt(s.Line))
	}
	if s.Time != record.NoTime && s.Attempts > 0 {
		add(Time, rfc3339(s.Time))
	}
	if s.Truncated {
		add(Truncated, "true")
	}
	if s.Attempts == 0 {
		return list
	}
	add(Attempts, strconv.Itoa(s.Attempts))
	add(First, rfc3339(s.First))
	add(Last, rfc3339(s.Last))
	add(Kind, s.Kind)
	add(Class, s.Class)
	add(Signature, hash(s.Signature))
	add(Correlation, s.Correlation)
	add(History, string(s.history()))
	if s.Due > 0 {
		add(Due, rfc3339(s.Due))
	}
	return list
}

func rfc3339(ns int64) string { return string(stamp.AppendRFC3339(nil, ns)) }

// hash writes a signature.
func hash(h uint64) string { return fmt.Sprintf("%016x", h) }

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

func (s *State) history() []byte {
	list := make([]failureJSON, len(s.History))
	for i, f := range s.History {
		list[i] = failureJSON{
			hash(f.Signature), f.Kind, f.Class, f.Message, f.Count, rfc3339(f.First), rfc3339(f.Last),
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return []byte("[]") // there are only texts and numbers in it
	}
	return text
}

// Read returns the state that record i of b has in its headers, and false where
// it is no letter. What is written wrongly is as if it were not there: the
// headers may come from anybody. Where no origin is told, it is the record's own.
func Read(b *record.Batch, i int) (s State, ok bool) {
	rec := &b.Recs[i]
	s.Time = record.NoTime
	for _, h := range b.Headers[rec.Headers.Off:rec.Headers.End()] {
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
	return s, ok
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
	if len(list) > mostHistory {
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
	for _, h := range b.Headers[rec.Headers.Off:rec.Headers.End()] {
		for _, name := range correlations {
			if string(b.Bytes(h.Key)) == name && h.Value.Len > 0 {
				return string(b.Bytes(h.Value))
			}
		}
	}
	return o.ID()
}

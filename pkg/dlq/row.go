package dlq

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
)

// A Row is a letter in a list.
type Row struct {
	ID        string `json:"id"`
	Time      string `json:"time,omitempty"`
	Kind      string `json:"kind"`
	Class     string `json:"class"`
	Reason    string `json:"reason"`
	Attempts  int    `json:"attempts"`
	Signature string `json:"signature"`
	Bytes     int    `json:"bytes"`
	At        string `json:"at"` // its place among the dead letters
	Key       string `json:"key,omitempty"`
	Replayed  int    `json:"replayed,omitempty"`
}

// Row returns the letter as a row.
func (l *Letter) Row() Row {
	return Row{
		ID: l.ID(), Time: format(l.When), Kind: l.Kind, Class: l.Class, Reason: l.Reason, Attempts: l.Attempts,
		Signature: l.Sign(), Bytes: l.Size, At: l.Place.String(), Key: l.Key, Replayed: l.State.Replayed,
	}
}

// Full is a letter with everything that is known of it.
type Full struct {
	Row
	Pattern     string      `json:"pattern"`
	First       string      `json:"first_failure,omitempty"`
	Correlation string      `json:"correlation_id"`
	Truncated   bool        `json:"truncated,omitempty"`
	Done        string      `json:"done,omitempty"` // replayed or purged
	History     []Error     `json:"history"`
	Headers     [][2]string `json:"headers"`
	Value       *string     `json:"value,omitempty"`        // where it is UTF-8
	Base64      []byte      `json:"value_base64,omitempty"` // where it is not
}

// An Error is one of the different errors that a letter has met.
type Error struct {
	Kind    string `json:"kind"`
	Class   string `json:"class"`
	Message string `json:"message"`
	Count   int    `json:"count"`
	First   string `json:"first"`
	Last    string `json:"last"`
}

// ReadFull returns all of record i of b, which is the letter l.
func ReadFull(l *Letter, b *record.Batch, i int) Full {
	f := Full{
		Row: l.Row(), Pattern: letter.Pattern(l.Reason), First: format(l.First), Correlation: l.Correlation,
		Truncated: l.Truncated, History: []Error{}, Headers: [][2]string{},
	}
	for _, e := range l.History {
		f.History = append(f.History, Error{e.Kind, e.Class, e.Message, e.Count, format(e.First), format(e.Last)})
	}
	rec := &b.Recs[i]
	for _, h := range b.HeadersOf(rec) {
		f.Headers = append(f.Headers, [2]string{string(b.Bytes(h.Key)), string(b.Bytes(h.Value))})
	}
	if value := b.Value(i); utf8.Valid(value) {
		text := string(value)
		f.Value = &text
	} else {
		f.Base64 = append([]byte{}, value...)
	}
	return f
}

// AppendJSON appends v as a line of JSON.
func AppendJSON(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return dst
	}
	return append(append(dst, text...), '\n')
}

package window

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// A Query asks for rows of windows.
type Query struct {
	Key      *string // as people write it: text without quotes, parts with commas between them; nil: all
	From, To int64   // windows that hold a time from From on and before To
	Open     bool    // those that are open, as they are now
	Closed   bool    // those that were closed, as far as they are kept
	Limit    int     // the newest so many
}

// A Found is a row that a query has found.
type Found struct {
	Start int64           `json:"start"`
	End   int64           `json:"end"`
	Key   []byte          `json:"key,omitempty"` // JSON; none where windows have no key
	Row   json.RawMessage `json:"row"`           // with the field final
}

// Latest returns the last n rows of all lists, in the order of window end, start and
// key.
func Latest(n int, lists ...[]Found) []Found {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.Start, b.Start), bytes.Compare(a.Key, b.Key))
	})
	return all[max(0, len(all)-n):]
}

// Query returns the rows that a query asks for, in the order of window end, start and
// key. It may be called only while the operator rests.
func (o *Op) Query(q Query) ([]Found, error) {
	var found []Found
	if q.Closed && o.kept != nil {
		found = o.kept.find(&q)
	}
	if q.Open {
		open, err := o.ask(&q)
		if err != nil {
			return nil, err
		}
		found = append(found, open...)
	}
	return Latest(q.Limit, found), nil
}

func (q *Query) holds(start, end int64) bool { return end > q.From && start < q.To }

// find returns the newest rows that are kept.
func (k *kept) find(q *Query) (found []Found) {
	k.sort()
	hash := uint64(0)
	if q.Key != nil {
		hash = plainHash([]byte(*q.Key))
	}
	for _, b := range slices.Backward(k.blocks) {
		for i := len(b.rows) - 1; i >= 0; i-- {
			r := &b.rows[i]
			if q.Key != nil && r.hash != hash || !q.holds(r.start, max(r.end, r.start+1)) {
				continue
			}
			if q.Key != nil && string(plainJSON(b.key(r), k.keys.Len() > 1)) != *q.Key {
				continue
			}
			found = append(found, Found{r.start, r.end, bytes.Clone(b.key(r)), k.withFinal(b.text(r))})
			if len(found) == q.Limit {
				slices.Reverse(found)
				return found
			}
		}
	}
	slices.Reverse(found)
	return found
}

// withFinal returns a copy of a kept row that says that it is final.
func (k *kept) withFinal(row []byte) []byte {
	if k.cfg.Emit != Final {
		return bytes.Clone(row)
	}
	return append(append(make([]byte, 0, len(row)+13), row[:len(row)-1]...), `,"final":true}`...)
}

// A candidate is a group's key that people may write as a query does: 503 is a
// number, or text.
type candidate struct {
	kind record.Kind
	text []byte
	hash uint64
}

// maxCandidates bounds the ways to read a key of several parts.
const maxCandidates = 64

// candidates returns what the key of a query may be.
func (o *Op) candidates(q *Query) (all []candidate) {
	if q.Key == nil {
		return nil
	}
	add := func(kind record.Kind, text []byte) {
		all = append(all, candidate{kind, text, aggregate.HashKey(kind, text)})
	}
	switch o.keys.Len() {
	case 0:
		if *q.Key == "" {
			add(record.Missing, nil)
		}
	case 1:
		add(record.String, []byte(*q.Key))
		if kind, text, ok := literal(*q.Key); ok {
			add(kind, text)
		}
	default:
		for _, text := range o.keys.Candidates(*q.Key, maxCandidates) {
			add(record.Array, text)
		}
	}
	return all
}

// literal reads text as a JSON value that is no string.
func literal(text string) (record.Kind, []byte, bool) {
	switch text {
	case "null":
		return record.Missing, nil, true
	case "true":
		return record.True, nil, true
	case "false":
		return record.False, nil, true
	}
	if !json.Valid([]byte(text)) || text[0] == '"' {
		return 0, nil, false
	}
	kind := record.Number
	switch text[0] {
	case '{':
		kind = record.Object
	case '[':
		kind = record.Array
	}
	return kind, []byte(text), true
}

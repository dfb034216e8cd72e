package window

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
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
	Start, End int64
	Row        json.RawMessage // with the field final
}

// Query answers a query, in the order of window end, start and key. It is for the
// goroutine that calls Process.
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
	Sort(found)
	return found[max(0, len(found)-q.Limit):], nil
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
			found = append(found, Found{r.start, r.end, k.withFinal(b.text(r))})
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

// errEnough ends a search.
var errEnough = errors.New("enough")

// ask returns rows of open windows.
func (o *Op) ask(q *Query) ([]Found, error) {
	var found []Found
	put := func(r *result) error {
		r.asked = true
		row, err := o.appendRow(nil, r)
		if err != nil {
			return err
		}
		if found = append(found, Found{r.start, r.end, row}); len(found) >= q.Limit && q.Key == nil {
			return errEnough
		}
		return nil
	}
	var err error
	switch m := o.open.(type) {
	case *aligned:
		err = m.ask(q, o.candidates(q), put)
	case *sessions:
		err = m.ask(q, o.candidates(q), put)
	case *sliding:
		err = m.ask(q, o.candidates(q), put)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
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

// ask gives the rows of open windows: of one key, or of all.
func (a *aligned) ask(q *Query, keys []candidate, put func(*result) error) error {
	return a.each(math.MaxInt64, nil, func(w openWindow) error {
		switch {
		case !q.holds(w.start, w.end):
			return nil
		case q.Key != nil:
			return a.askKey(w, keys, put)
		case a.isSpilled(w):
			return a.eachEntry(w, func(e *entry) error { return put(e.result(w.window, false)) })
		default:
			return a.askAll(w, put)
		}
	})
}

// askAll gives all rows of a window.
func (a *aligned) askAll(w openWindow, put func(*result) error) error {
	all, err := a.groupsOf(w)
	if err != nil {
		return err
	}
	for _, k := range a.ranked(all) {
		r := result{window: w.window, key: k.key, cells: all.cells, group: k.group}
		r.kind, r.text = all.Key(k.group)
		if err := put(&r); err != nil {
			return err
		}
	}
	return nil
}

// askKey gives the rows of a window for what a key may be.
func (a *aligned) askKey(w openWindow, keys []candidate, put func(*result) error) error {
	for i := range keys {
		r := result{window: w.window, kind: keys[i].kind, text: keys[i].text}
		ok, err := a.gather(&r, &keys[i], w.panes)
		if err == nil && ok {
			err = put(&r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// gather merges the cells of one key from panes.
func (a *aligned) gather(r *result, key *candidate, panes []int64) (bool, error) {
	cells, found := a.oneCell(), false
	for _, at := range panes {
		p := a.panes[at]
		if g, ok := p.Find(key.hash, key.kind, key.text); ok {
			cells.Merge(0, p.cells, g)
			found = true
		}
		for _, t := range p.older {
			e, err := a.findIn(t, key)
			if err != nil {
				return false, err
			}
			if e == nil {
				continue
			}
			found = true
			if err := e.addTo(cells, a.oneCell()); err != nil {
				return false, err
			}
		}
	}
	r.cells = cells
	return found, nil
}

// findIn returns the entry of a key in a part; nil where it has none.
func (a *aligned) findIn(t *part, key *candidate) (*entry, error) {
	if t.groups == nil {
		return a.find(t, a.keys.AppendKey(nil, key.kind, key.text))
	}
	if g, ok := t.Find(key.hash, key.kind, key.text); ok {
		return &entry{cells: t.cells, group: g}, nil
	}
	return nil, nil
}

// ask gives the rows of open sessions.
func (m *sessions) ask(q *Query, keys []candidate, put func(*result) error) error {
	return askGroups(m.table, q, keys, func(g uint32) error {
		r := result{cells: m.cells}
		r.kind, r.text = m.table.Key(g)
		for s := m.heads[g]; s != none; s = m.spans[s].next {
			r.start, r.end, r.group = m.spans[s].start, m.spans[s].last, uint32(s)
			if q.holds(r.start, r.end+1) {
				if err := put(&r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// ask gives the rows of windows that end at records and are open.
func (m *sliding) ask(q *Query, keys []candidate, put func(*result) error) error {
	m.build()
	return askGroups(m.table, q, keys, func(g uint32) error {
		r := result{cells: m.one}
		r.kind, r.text = m.table.Key(g)
		for at := m.lists[g].tail; at != none && m.moments[at].notes&open != 0; at = m.moments[at].before {
			r.start, r.end = m.moments[at].t-m.length, m.moments[at].t
			if !q.holds(r.start+1, r.end+1) {
				continue
			}
			m.gather(at)
			if err := put(&r); err != nil {
				return err
			}
		}
		return nil
	})
}

// askGroups calls f for the groups of a query.
func askGroups(t *aggregate.Table, q *Query, keys []candidate, f func(g uint32) error) error {
	if q.Key == nil {
		for g := range uint32(t.Len()) {
			if err := f(g); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range keys {
		if g, ok := t.Find(keys[i].hash, keys[i].kind, keys[i].text); ok {
			if err := f(g); err != nil {
				return err
			}
		}
	}
	return nil
}

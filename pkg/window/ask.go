package window

import (
	"errors"
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
)

// ask returns rows of open windows, the last ones of those that are asked for and
// maybe more.
func (o *Op) ask(q *Query) (found []Found, err error) {
	put := func(r *result) error {
		r.asked = true
		row, err := o.appendRow(nil, r)
		if err != nil {
			return err
		}
		found = append(found, Found{r.start, r.end, o.keys.AppendKey(nil, r.kind, r.text), row})
		if len(found) >= 2*max(q.Limit, minTrim) {
			found = append(found[:0], Latest(q.Limit, found)...)
		}
		return nil
	}
	switch m := o.open.(type) {
	case *aligned:
		if q.Key == nil {
			return found, m.askLast(q, put)
		}
		err = m.ask(q, o.candidates(q), put)
	case *sessions:
		err = m.ask(q, o.candidates(q), put)
	case *sliding:
		err = m.ask(q, o.candidates(q), put)
	}
	return found, err
}

// minTrim is of how many rows no fewer are dropped for being too many.
const minTrim = 512

// ask gives the rows of one key in open windows.
func (a *aligned) ask(q *Query, keys []candidate, put func(*result) error) error {
	return a.each(math.MaxInt64, nil, func(w openWindow) error {
		if !q.holds(w.start, w.end) {
			return nil
		}
		return a.askKey(w, keys, put)
	})
}

// askLast gives rows of all keys, the last one first, as many as are asked for. A
// window that is on disk gives all of its own.
func (a *aligned) askLast(q *Query, put func(*result) error) error {
	var windows []openWindow
	err := a.each(math.MaxInt64, nil, func(w openWindow) error {
		if q.holds(w.start, w.end) {
			w.panes = slices.Clone(w.panes)
			windows = append(windows, w)
		}
		return nil
	})
	left := q.Limit
	for k := len(windows) - 1; k >= 0 && left > 0 && err == nil; k-- {
		w := windows[k]
		if a.isSpilled(w) {
			err = a.eachEntry(w, func(e *entry) error {
				left--
				return put(e.result(w.window, false))
			})
			continue
		}
		var n int
		n, err = a.askWindow(w, left, put)
		left -= n
	}
	return err
}

// askWindow gives the last rows of a window, and says how many.
func (a *aligned) askWindow(w openWindow, most int, put func(*result) error) (n int, _ error) {
	all, err := a.groupsOf(w)
	if err != nil {
		return 0, err
	}
	for _, k := range slices.Backward(a.ranked(all)) {
		if n == most {
			break
		}
		r := result{window: w.window, key: k.key, cells: all.cells, group: k.group}
		r.kind, r.text = all.Key(k.group)
		if err := put(&r); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
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
	if m.shelf.Size() > 0 {
		if q.Key == nil {
			return errSpilled
		}
		all, err := m.whole(keys)
		if err != nil {
			return err
		}
		m = all
	}
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
	if m.shelf.Size() > 0 {
		if q.Key == nil {
			return errSpilled
		}
		all, err := m.whole(keys)
		if err != nil {
			return err
		}
		m = all
	}
	return askGroups(m.table, q, keys, func(g uint32) error {
		r := result{cells: m.one}
		r.kind, r.text = m.table.Key(g)
		for at := m.lists[g].tail; at != none && m.moments[at].t >= m.limit; at = m.moments[at].before {
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

// errSpilled is said of what would take all memory to answer.
var errSpilled = errors.New("windows are on disk for --max-memory: ask for those of a key")

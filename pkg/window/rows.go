package window

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// A result is a row to be written: a group of a window.
type result struct {
	window
	key   []byte // JSON of the group's key
	kind  record.Kind
	text  []byte           // of the key as a Table has it
	cells *aggregate.Cells // nil: an empty window's
	group uint32
	final bool
	asked bool // for a query: whether it is final is said in any case
}

// put writes a row.
func (o *Op) put(r *result, out stream.Output) error {
	b, err := o.rows.Row(&outlet{o, out})
	if err != nil {
		return err
	}
	if b.Data, err = o.appendRow(b.Data, r); err != nil {
		return err
	}
	if o.kept != nil {
		o.kept.coming(r)
	}
	o.rows.End(r.end, r.key)
	return nil
}

// appendRow appends the JSON of a row.
func (o *Op) appendRow(dst []byte, r *result) ([]byte, error) {
	dst = append(dst, o.head(r.start, r.end)...)
	dst = o.keys.AppendFields(dst, r.kind, r.text)
	row := aggregate.Row{Cells: r.cells, Group: r.group, Start: r.start, Length: time.Duration(r.end - r.start)}
	if r.cells != nil {
		dst = o.set.AppendFields(dst, row)
	} else {
		dst = o.set.AppendEmptyFields(dst, o.cfg.Fill == FillZero)
	}
	if o.trend != nil {
		var err error
		if dst, err = o.trend.append(dst, r, row); err != nil {
			return dst, err
		}
	}
	if o.cfg.Emit != Final || r.asked {
		dst = strconv.AppendBool(append(dst, `,"final":`...), r.final)
	}
	return append(dst, '}'), nil
}

// A rowHead is how all rows of a window begin.
type rowHead struct {
	start, end int64
	text       []byte
}

// head returns how a row begins. Mostly it is the one before it.
func (o *Op) head(start, end int64) []byte {
	h := &o.rowHead
	if len(h.text) == 0 || h.start != start || h.end != end {
		h.start, h.end = start, end
		h.text = stamp.AppendIn(append(h.text[:0], `{"window_start":"`...), start, o.zone)
		h.text = append(stamp.AppendIn(append(h.text, `","window_end":"`...), end, o.zone), '"')
	}
	return h.text
}

// A ranking is a group and the JSON of its key.
type ranking struct {
	key   []byte
	group uint32
}

// ranked returns the groups in the order of their keys' bytes.
func (o *Op) ranked(gs *groups) []ranking {
	text := make([]byte, 0, gs.Text()+4*gs.Len())
	all := make([]ranking, gs.Len())
	for g := range all {
		start := len(text)
		kind, key := gs.Key(uint32(g))
		text = o.keys.AppendKey(text, kind, key)
		all[g] = ranking{text[start:len(text):len(text)], uint32(g)}
	}
	slices.SortFunc(all, func(a, b ranking) int { return bytes.Compare(a.key, b.key) })
	return all
}

// An outlet is an Output on its way to another one: it counts what is written, and
// drops what does not meet the condition.
type outlet struct {
	*Op
	to stream.Output
}

// Batch implements stream.Output.
func (t *outlet) Batch() (*record.Batch, error) { return t.to.Batch() }

// Emit implements stream.Output.
func (t *outlet) Emit(rows record.Rows) error {
	left := rows.Hi - rows.Lo
	if t.having != nil {
		left = t.having.filter(rows)
	}
	t.stats.rows.Add(int64(left))
	if t.kept != nil {
		t.kept.take(rows)
	}
	return t.to.Emit(rows)
}

// flush passes on the rows that were gathered.
func (o *Op) flush(out stream.Output) error { return o.rows.Flush(&outlet{o, out}) }

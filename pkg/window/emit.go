package window

import (
	"bytes"
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// update writes the rows of open windows that changed since the last update.
func (o *Op) update(out stream.Output) error {
	err := o.each(math.MaxInt64, func(start int64, panes []int64) error {
		touched := slices.ContainsFunc(panes, func(at int64) bool { return o.panes[at].unsaid })
		if !touched {
			return nil
		}
		return o.write(start, panes, false, out)
	})
	for _, p := range o.panes {
		p.said()
	}
	return err
}

// write writes the rows of one window: of all its groups, or of those that
// have changed.
func (o *Op) write(start int64, panes []int64, final bool, out stream.Output) error {
	p := o.panes[panes[0]]
	if len(panes) > 1 {
		p = o.newPane(start, p)
		for _, at := range panes {
			if err := p.merge(o.panes[at]); err != nil {
				return err
			}
		}
	}
	head := append([]byte(nil), `{"window_start":"`...)
	head = stamp.AppendIn(head, start, o.zone)
	head = append(head, `","window_end":"`...)
	head = append(stamp.AppendIn(head, start+o.size, o.zone), '"')
	for _, r := range o.ranked(p) {
		if !final && !p.changed(r.group) {
			continue
		}
		row, err := o.writer.row(out)
		if err != nil {
			return err
		}
		row.Data = append(row.Data, head...)
		kind, text := p.Key(r.group)
		row.Data = o.keys.AppendFields(row.Data, kind, text)
		row.Data = o.set.AppendFields(row.Data, aggregate.Row{Cells: p.cells, Group: r.group, Start: start, Length: o.cfg.Size})
		if o.cfg.Update {
			row.Data = append(append(row.Data, `,"final":`...), trueOrFalse(final)...)
		}
		row.Data = append(row.Data, '}')
		o.writer.end(start+o.size, r.key)
		o.stats.rows.Add(1)
	}
	return nil
}

func trueOrFalse(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// A ranking is a group and the JSON of its key.
type ranking struct {
	key   []byte
	group uint32
}

// ranked returns the groups of p in the order of their keys' bytes.
func (o *Op) ranked(p *pane) []ranking {
	text := make([]byte, 0, p.Text()+4*p.Len())
	all := make([]ranking, p.Len())
	for g := range all {
		start := len(text)
		kind, key := p.Key(uint32(g))
		text = o.keys.AppendKey(text, kind, key)
		all[g] = ranking{text[start:len(text):len(text)], uint32(g)}
	}
	slices.SortFunc(all, func(a, b ranking) int { return bytes.Compare(a.key, b.key) })
	return all
}

// batchBytes is about how much goes into one batch of rows.
const batchBytes = 256 << 10

// A writer gathers rows in batches. A batch's keys stand behind its rows.
type writer struct {
	b     *record.Batch
	start int // of the row that is being written
	keys  []byte
	ends  []int // of each row's key in keys
}

// row returns the batch to append the next row's bytes to.
func (w *writer) row(out stream.Output) (*record.Batch, error) {
	if w.b != nil && len(w.b.Data) >= batchBytes {
		if err := w.flush(out); err != nil {
			return nil, err
		}
	}
	if w.b == nil {
		b, err := out.Batch()
		if err != nil {
			return nil, err
		}
		w.b, w.keys, w.ends = b, w.keys[:0], w.ends[:0]
	}
	w.start = len(w.b.Data)
	return w.b, nil
}

// end completes the row.
func (w *writer) end(time int64, key []byte) {
	value := record.Span{Off: uint32(w.start), Len: uint32(len(w.b.Data) - w.start)}
	w.b.Data = append(w.b.Data, '\n')
	w.b.AddSpan(value).Time = time
	w.keys = append(w.keys, key...)
	w.ends = append(w.ends, len(w.keys))
}

// flush emits what was gathered.
func (w *writer) flush(out stream.Output) error {
	if w.b == nil {
		return nil
	}
	b := w.b
	w.b = nil
	base, from := len(b.Data), 0
	b.Data = append(b.Data, w.keys...)
	for i, end := range w.ends {
		if end > from {
			b.Recs[i].Key = record.Span{Off: uint32(base + from), Len: uint32(end - from)}
			b.Recs[i].Flags |= record.HasKey
		}
		from = end
	}
	return out.Emit(b.All())
}

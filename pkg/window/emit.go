package window

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// update writes the rows of open windows that changed since the last update.
func (o *Op) update(out stream.Output) error {
	err := o.each(math.MaxInt64, func(start int64, panes []int64) error {
		touched := slices.ContainsFunc(panes, func(at int64) bool { return o.panes[at].touched })
		if !touched {
			return nil
		}
		return o.write(start, panes, false, out)
	})
	for _, p := range o.panes {
		if p.touched {
			clear(p.changed)
			p.touched = false
		}
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
	head = stamp.AppendRFC3339(head, start)
	head = append(head, `","window_end":"`...)
	head = append(stamp.AppendRFC3339(head, start+o.size), '"')
	for _, r := range o.ranked(p) {
		if !final && !p.changed[r.group] {
			continue
		}
		row, err := o.writer.row(out)
		if err != nil {
			return err
		}
		row.Data = append(row.Data, head...)
		row.Data = o.appendKeys(row.Data, p, r.group)
		for k := range o.aggs {
			row.Data = append(row.Data, o.labels[len(o.keys)+k]...)
			row.Data = o.aggs[k].append(row.Data, p, r.group)
		}
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
	text := make([]byte, 0, len(p.text)+4*p.len())
	all := make([]ranking, p.len())
	for g := range all {
		start := len(text)
		text = o.appendKey(text, p, uint32(g))
		all[g] = ranking{text[start:len(text):len(text)], uint32(g)}
	}
	slices.SortFunc(all, func(a, b ranking) int { return bytes.Compare(a.key, b.key) })
	return all
}

// appendKey appends the JSON of a group's key, nothing where there is none.
func (o *Op) appendKey(dst []byte, p *pane, g uint32) []byte {
	kind, text := p.key(g)
	switch {
	case len(o.keys) == 0:
		return dst
	case o.single:
		return appendJSON(dst, kind, text)
	}
	sep := byte('[')
	for part := range parts(text) {
		dst = append(append(dst, sep), part...)
		sep = ','
	}
	return append(dst, ']')
}

// appendKeys appends the fields of a group's key.
func (o *Op) appendKeys(dst []byte, p *pane, g uint32) []byte {
	if o.single {
		kind, text := p.key(g)
		return appendJSON(append(dst, o.labels[0]...), kind, text)
	}
	_, text := p.key(g)
	k := 0
	for part := range parts(text) {
		dst = append(append(dst, o.labels[k]...), part...)
		k++
	}
	return dst
}

// parts yields what joinKeys has joined.
func parts(text []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			n := binary.LittleEndian.Uint32(text)
			if !yield(text[4 : 4+n]) {
				return
			}
			text = text[4+n:]
		}
	}
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

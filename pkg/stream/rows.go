package stream

import "github.com/logctl/logctl/pkg/record"

// rowBytes is about how much goes into one batch of rows.
const rowBytes = 256 << 10

// A RowWriter collects the rows of an operator in batches. The zero value is ready to
// use.
//
//	b, err := w.Row(out)
//	b.Data = append(b.Data, …) // the row
//	w.End(time, key)
//	…
//	err = w.Flush(out)
type RowWriter struct {
	b     *record.Batch
	start int // of the row that is being written
	keys  []byte
	ends  []int // of each row's key in keys
}

// Row begins a row and returns the batch to whose Data its bytes are to be
// appended. Nothing else may be.
func (w *RowWriter) Row(out Output) (*record.Batch, error) {
	if w.b != nil && len(w.b.Data) >= rowBytes {
		if err := w.Flush(out); err != nil {
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

// End completes the row. An empty key is none.
func (w *RowWriter) End(time int64, key []byte) {
	value := record.Span{Off: uint32(w.start), Len: uint32(len(w.b.Data) - w.start)}
	w.b.Data = append(w.b.Data, '\n')
	w.b.AddSpan(value).Time = time
	w.keys = append(w.keys, key...)
	w.ends = append(w.ends, len(w.keys))
}

// Flush emits what was gathered. The keys stand behind the rows.
func (w *RowWriter) Flush(out Output) error {
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

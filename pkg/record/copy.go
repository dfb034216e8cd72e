package record

// CopyRows appends copies of those of rows for which keep is true, all live ones where
// it is nil, to b, which takes over their origin. Columns are not copied.
func (b *Batch) CopyRows(rows Rows, keep func(i int) bool) {
	b.Origin, b.Arrived, b.Zone, b.Plan = rows.Origin, rows.Arrived, rows.Zone, rows.Plan
	if keep == nil && len(b.Recs) == 0 && rows.Lo == 0 && rows.Hi == len(rows.Recs) && rows.of == nil {
		b.Data = append(b.Data, rows.Data...)
		b.Recs = append(b.Recs, rows.Recs...)
		b.Headers = append(b.Headers, rows.Headers...)
		return
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() && (keep == nil || keep(i)) {
			b.copyRow(rows.Batch, &rows.Recs[i])
		}
	}
}

func (b *Batch) copyRow(from *Batch, rec *Rec) {
	to := b.Add(from.Bytes(rec.Value))
	value := to.Value
	*to = *rec
	to.Value = value
	if rec.Flags&HasKey != 0 {
		to.Key = AppendSpan(b, from.Bytes(rec.Key))
	}
	first := len(b.Headers)
	for _, h := range from.HeadersOf(rec) {
		key := AppendSpan(b, from.Bytes(h.Key))
		b.Headers = append(b.Headers, Header{key, AppendSpan(b, from.Bytes(h.Value))})
	}
	to.Headers = Span{uint32(first), uint32(len(b.Headers) - first)}
}

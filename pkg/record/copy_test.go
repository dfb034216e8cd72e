package record_test

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func TestCopyRows(t *testing.T) {
	from := record.NewBatch()
	from.Origin, from.Arrived = &record.Origin{Source: "s"}, 9
	for i := range 6 {
		rec := from.Add(fmt.Appendf(nil, "value %d", i))
		rec.Offset, rec.Time = int64(i), int64(i)
		if i%2 == 0 {
			rec.Flags |= record.HasKey
			rec.Key = record.AppendSpan(from, fmt.Sprint("key ", i))
		}
		rec.Headers = record.Span{Off: uint32(len(from.Headers)), Len: 1}
		from.Headers = append(from.Headers, record.Header{Key: record.AppendSpan(from, "h"), Value: record.AppendSpan(from, fmt.Sprint(i))})
	}
	from.Recs[3].Flags |= record.Dropped
	one := func(b *record.Batch) (all string) {
		for i := range b.Recs {
			if rec := b.Recs[i]; rec.Live() {
				h := b.Headers[rec.Headers.Off]
				all += fmt.Sprintf("%s %s %d %d %s=%s;", b.Value(i), b.Bytes(rec.Key), rec.Offset, rec.Flags, b.Bytes(h.Key), b.Bytes(h.Value))
			}
		}
		return all
	}
	rows := func(list ...int) (all string) {
		for _, i := range list {
			key, flags := "", 0
			if i%2 == 0 {
				key, flags = fmt.Sprint("key ", i), 1
			}
			all += fmt.Sprintf("value %d %s %d %d h=%d;", i, key, i, flags, i)
		}
		return all
	}
	for want, fill := range map[string]func(*record.Batch){
		rows(0, 1, 2, 4, 5): func(b *record.Batch) { b.CopyRows(from.All(), nil) },
		rows(2, 4):          func(b *record.Batch) { b.CopyRows(record.Rows{Batch: from, Lo: 2, Hi: 5}, nil) },
		rows(1, 5):          func(b *record.Batch) { b.CopyRows(from.All(), func(i int) bool { return i%4 == 1 }) },
		rows(5, 0, 1, 2, 4, 5): func(b *record.Batch) {
			b.CopyRows(record.Rows{Batch: from, Lo: 5, Hi: 6}, nil)
			b.CopyRows(from.All(), nil)
		},
	} {
		to := record.NewBatch()
		fill(to)
		if got := one(to); got != want || to.Origin != from.Origin || to.Arrived != 9 {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

package route_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// short takes rows up to one of them, as an output whose limit is reached.
type short struct {
	*town
	end int
}

func (s short) Emit(rows record.Rows) error {
	if rows.Hi <= s.end {
		return s.town.Emit(rows)
	}
	rows.Hi = s.end
	if err := s.town.Emit(rows); err != nil {
		return err
	}
	return stream.Stopped{At: s.end}
}

// TestCountsOfWhatWasTaken: records that were prepared and not processed, or not
// taken any more, are in no count.
func TestCountsOfWhatWasTaken(t *testing.T) {
	const rules = `
rules:
  - {name: some, when: {kind: a}, sample: 0.5, to: x}
  - {name: few, when: {kind: a}, limit: 3/h, to: y}
`
	var lines []string
	for k := range 40 {
		lines = append(lines, fmt.Sprintf(`{"kind":"%c"}`, 'a'+k%2))
	}
	type counts struct{ none, sampled, some, few, limited, x, y int64 }
	route := func(lines []string, n, end int) counts {
		w := newTown(t)
		w.rules(t, rules, route.Options{Default: []string{}})
		b := w.batch(lines...)
		r := &route.Router{Live: &w.live, Stats: &w.stats}
		r.Prepare(b)
		for lo := 0; lo < end; lo += n {
			err := r.Process(record.Rows{Batch: b, Lo: lo, Hi: min(lo+n, len(b.Recs))}, short{w, end})
			if _, stopped := errors.AsType[stream.Stopped](err); err != nil && !stopped {
				t.Fatal(err)
			}
		}
		return counts{
			w.stats.Default.Load(), w.stats.Sampled.Load(), w.stats.Of("some").Hits.Load(), w.stats.Of("few").Hits.Load(),
			w.stats.Of("few").Limited.Load(), int64(len(w.sinks["x"].values)), int64(len(w.sinks["y"].values)),
		}
	}
	for end := 1; end <= len(lines); end++ {
		want := route(lines[:end], end, end)
		records := int64(end+1) / 2
		if want.none != int64(end)-records || want.some != records || want.few != records ||
			want.sampled+want.x != records || want.limited+want.y != records {
			t.Errorf("%d records: %+v", end, want)
		}
		for _, n := range []int{1, 7, len(lines)} {
			if got := route(lines, n, end); got != want {
				t.Errorf("%d records in pieces of %d:\n got %+v\nwant %+v", end, n, got, want)
			}
		}
	}
}

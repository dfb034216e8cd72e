package route_test

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// nowhere takes records and does nothing.
type nowhere struct{}

func (nowhere) Write(record.Rows) error { return nil }

// BenchmarkRoute decides for and sends parsed records by 100 rules to three
// destinations and a default; an operation is a batch of 1,000.
func BenchmarkRoute(b *testing.B) {
	w := newTown(b)
	w.dests = route.NewDestinations(func(string, bool) (stream.Sink, error) { return nowhere{}, nil })
	w.sink = route.NewSwitch(w.dests)
	text := "rules:\n"
	for k := range 100 {
		cond := fmt.Sprintf("{service: s%d, status: %d}", k%16, 500+k%4)
		if k%3 == 0 {
			cond = fmt.Sprintf(`{message: "*time?out %d*"}`, k)
		}
		text += fmt.Sprintf("  - {name: r%d, when: %s, to: d%d}\n", k, cond, k%3)
	}
	w.rules(b, text+"default: rest\n", route.Options{})
	lines := make([]string, 1000)
	for k := range lines {
		lines[k] = fmt.Sprintf(`{"service":"s%d","status":%d,"message":"request %d ended in time"}`, k%20, 200+k%10*33, k)
	}
	rows := w.batch(lines...)
	r := &route.Router{Live: &w.live, Stats: &w.stats}
	b.ReportAllocs()
	read := len(rows.Data)
	for b.Loop() {
		rows.Data = rows.Data[:read]
		r.Prepare(rows)
		if err := r.Process(rows.All(), w); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows.Recs)), "ns/record")
}

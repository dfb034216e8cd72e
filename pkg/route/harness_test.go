package route_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// A kept is a sink that keeps the values it was given.
type kept struct {
	values []string
	err    error
}

func (k *kept) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			k.values = append(k.values, string(rows.Value(i)))
		}
	}
	return k.err
}

// A town is a router with its destinations, all of which keep what they are
// given.
type town struct {
	live  route.Live
	stats route.Stats
	dests *route.Destinations
	sinks map[string]*kept
	sink  *route.Switch
	dec   *codec.Decoder
}

func newTown(t testing.TB) *town {
	t.Helper()
	w := &town{sinks: map[string]*kept{}}
	w.dests = route.NewDestinations(func(name string, _ bool) (stream.Sink, error) {
		w.sinks[name] = new(kept)
		return w.sinks[name], nil
	})
	w.sink = route.NewSwitch(w.dests)
	var err error
	if w.dec, err = codec.New(codec.Options{Format: "ndjson"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// rules puts a file of rules in force.
func (w *town) rules(t testing.TB, text string, opt route.Options) {
	t.Helper()
	f, err := route.Parse("rules.yaml", []byte(text), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	opt.Stats, opt.Dests = &w.stats, w.dests
	table, err := route.Compile(f, opt)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	w.live.Set(table)
}

// batch returns lines as they come out of a parser.
func (w *town) batch(lines ...string) *record.Batch {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "t", Format: "ndjson", Modified: record.NoTime}
	b.Data = []byte(strings.Join(lines, "\n") + "\n")
	codec.NewLiveParser(w.dec, w.live.Plan).Parse(b)
	return b
}

// Emit passes rows on as the engine does.
func (w *town) Emit(rows record.Rows) error { return w.sink.Write(rows) }

// Batch is not asked for: a router makes no records.
func (w *town) Batch() (*record.Batch, error) { panic("a router makes no records") }

// route routes a batch, in pieces of n rows.
func (w *town) route(t testing.TB, b *record.Batch, n int) {
	t.Helper()
	r := &route.Router{Live: &w.live, Stats: &w.stats}
	r.Prepare(b)
	for lo := 0; lo < len(b.Recs); lo += n {
		if err := r.Process(record.Rows{Batch: b, Lo: lo, Hi: min(lo+n, len(b.Recs))}, w); err != nil {
			t.Fatal(err)
		}
	}
}

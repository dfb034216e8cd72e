package window_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
)

// The tests of this package share these with those of other operators.
type (
	event  = proof.Event
	driver = proof.Driver[*window.Op]
)

func newDriver(t testing.TB, cfg window.Config) *driver {
	t.Helper()
	plan := record.NewPlan()
	op, err := window.New(cfg, plan)
	if err != nil {
		t.Fatal(err)
	}
	return proof.NewDriver(t, op, plan)
}

var start = proof.At("2026-11-24T10:00:00Z")

func rowsOf(t testing.TB, cfg window.Config, events []event) []map[string]any {
	t.Helper()
	return proof.Parsed(t, newDriver(t, cfg).Run(events, 100))
}

// randomEvents are events of a few minutes with missing, odd and repeated
// values, out of order by less than ten seconds.
func randomEvents(r *rand.Rand, n int) []event {
	services := []any{
		"api", "web", "db\"q",
		proof.Raw{Kind: record.Escaped, Text: `a\u0070i`},
		nil, 7,
		proof.Raw{Kind: record.Number, Text: "7.0"},
		true, "7", "bad\xff",
	}
	events := make([]event, n)
	for i := range events {
		e := event{
			At:     start + int64(i)*int64(5*time.Minute)/int64(n) + r.Int64N(int64(10*time.Second)),
			Offset: int64(i * 100),
			Fields: map[string]any{
				"service": services[r.IntN(len(services))],
				"status":  []any{200, 200, 404, "503", 500, nil, "none"}[r.IntN(7)],
				"latency": []any{float64(r.IntN(5000)) / 100, r.NormFloat64() * 100, float64(r.IntN(10)), nil, "12.5"}[r.IntN(5)],
				"user":    fmt.Sprint("u", r.IntN(40)),
			},
		}
		if r.IntN(20) == 0 && i > 0 {
			e.At = events[i-1].At // ties
		}
		events[i] = e
	}
	return events
}

func lines(rows []string) string { return strings.Join(rows, "\n") }

// fixed is a size of a fixed length, none where it is 0.
func fixed(d time.Duration) window.Size { return window.Fixed(d) }

func sizes(all ...time.Duration) (list []window.Size) {
	for _, d := range all {
		list = append(list, window.Fixed(d))
	}
	return list
}

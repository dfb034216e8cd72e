package codec

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// appLines returns n records of an application's log, 287 bytes each with the
// line end on average, as the figures of DESIGN.md were taken on.
func appLines(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	levels := []string{"INFO", "WARN", "ERROR", "DEBUG"}
	services := []string{"search", "payment-api", "fraud-detector", "cart", "user-profile-service"}
	messages := []string{"user authenticated", "order placed", "upstream responded", "cache miss, reading from the store"}
	paths := []string{"/login", "/api/v1/cart/49991/items", "/api/v1/products?page=7"}
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"timestamp":"2026-04-18T04:%02d:%02d.%03dZ","level":%q,"service":%q,"host":"ip-10-0-%d-%d",`+
			`"message":%q,"trace_id":"%016x%016x","method":"GET","path":%q,"status":%d,"latency_ms":%.2f,"bytes":%d,`+
			`"user_id":"u%06d"}`, i/3600%60, i/60%60, i%1000, pick(r, levels), pick(r, services), r.IntN(9), r.IntN(256),
			pick(r, messages), r.Uint64(), r.Uint64(), pick(r, paths), 200+r.IntN(4)*100, r.ExpFloat64()*40,
			r.IntN(20000), r.IntN(1e6))
	}
	return lines
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func batchOf(lines []string) *record.Batch {
	b := &record.Batch{}
	for _, l := range lines {
		b.Add([]byte(l))
	}
	return b
}

func planOf(paths ...string) *record.Plan {
	plan := record.NewPlan()
	for _, p := range paths {
		plan.Column(p)
	}
	return plan
}

// BenchmarkNDJSON has ns/record as its figure.
func BenchmarkNDJSON(b *testing.B) {
	nested := make([]string, 1000)
	optional := make([]string, 1000)
	random := make([]string, 1000)
	for i, l := range appLines(1000) {
		nested[i] = strings.Replace(l, `"host":`, `"attributes":{"region":"eu-west-1","pod":{"name":"p-1","tags":["a","b"]}},"host":`, 1)
		optional[i] = l
		if i%3 == 0 {
			optional[i] = strings.Replace(optional[i], `"method":"GET",`, "", 1)
		}
		if i%5 == 0 {
			optional[i] = strings.Replace(optional[i], `"user_id":`, `"error":"timed out","user_id":`, 1)
		}
		random[i] = strings.ReplaceAll(l, `":`, fmt.Sprintf(`%x":`, rand.Uint32()))
	}
	three := []string{"timestamp", "service", "latency_ms"}
	for _, c := range []struct {
		name   string
		lines  []string
		fields []string
		strict bool
	}{
		{"fields=3", appLines(1000), three, false},
		{"fields=0", appLines(1000), nil, false},
		{"fields=3/strict", appLines(1000), three, true},
		{"nested", nested, append(three, "attributes.region"), false},
		{"nested-unread", nested, three, false},
		{"optional-keys", optional, three, false},
		{"random-keys", random, three, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			batch := batchOf(c.lines)
			p := newNDJSON(planOf(c.fields...), c.strict)
			p.parseBatch(batch)
			b.SetBytes(int64(len(batch.Data) / len(c.lines)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n++; n%len(c.lines) == 0 {
					p.parseBatch(batch)
				}
			}
		})
	}
}

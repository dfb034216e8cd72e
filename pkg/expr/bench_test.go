package expr_test

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

func BenchmarkTrue(b *testing.B) {
	var lines []string
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf(`{"status":%d,"service":"%s","level":"%s","latency_ms":%d.25,"message":"%s"}`,
			200+i%4*100+i%7, []string{"payment-api", "auth"}[i%2], []string{"INFO", "ERROR", "WARN"}[i%3], i,
			[]string{"connection reset by peer after 30 s", `request \"x\" timed out`}[i%2]))
	}
	for _, src := range []string{
		`status >= 500`,
		`status >= 500 and service == "payment-api"`,
		`level >= WARN`,
		`service in ["auth", "billing", "search"]`,
		`status in [500, 502, 503, 504]`,
		`message =~ "timed out"`,
		`message =~ "(?i)time.?out|refused"`,
		`lower(service) + ":" + level == "auth:ERROR"`,
		`latency_ms / 1000 > 0.5`,
	} {
		b.Run(src, func(b *testing.B) {
			plan := record.NewPlan()
			e, err := expr.CompileBool(src, plan)
			if err != nil {
				b.Fatal(err)
			}
			rows := batch(lines...)
			fill(rows, plan)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e.True(rows, i)
				if i++; i == len(rows.Recs) {
					i = 0
				}
			}
		})
	}
}

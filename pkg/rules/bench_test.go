package rules_test

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/rules"
)

// mix returns n conditions, 70 % of them comparisons of fields and 30 % regular
// expressions.
func mix(n int) (conds []string) {
	services := []string{"payment-api", "checkout", "auth", "search", "inventory", "user-api", "gateway", "media"}
	for i := range n {
		s := services[i%len(services)]
		switch i % 10 {
		case 0, 4:
			conds = append(conds, fmt.Sprintf(`service == %q and status >= %d`, s, 500+i/10%4))
		case 1, 5:
			conds = append(conds, fmt.Sprintf(`service == %q and level == "WARN" and latency_ms > %d`, s, 300+i))
		case 2:
			conds = append(conds, fmt.Sprintf(`message =~ "dial tcp 10\.0\.%d\.[0-9]+:5432"`, i%8))
		case 3:
			conds = append(conds, fmt.Sprintf(`user_id == "u%d"`, i*7919))
		case 6:
			conds = append(conds, fmt.Sprintf(`message =~ "(?is)(panic|fatal).*handler\.go:%d"`, 218+i/10))
		case 7:
			conds = append(conds, fmt.Sprintf(`status == %d and path == "/login"`, 400+i%30))
		case 8:
			conds = append(conds, fmt.Sprintf(`level == "ERROR" and latency_ms >= %d`, 20*(i/10+1)))
		default:
			conds = append(conds, fmt.Sprintf(`message =~ "^deadline exceeded .* calling .(inv|ord)%d"`, i/10))
		}
	}
	return conds
}

// sample returns records such as services log.
func sample(n int) (lines []string) {
	messages := []string{
		"request completed", "cache miss, falling back to database", "upstream responded",
		"user authenticated", "order placed", "retrying after backoff",
	}
	for i := range n {
		level, status := "INFO", 200
		switch i % 100 {
		case 7:
			level, status = "ERROR", 500+i%4
		case 8, 9, 10:
			level, status = "WARN", 400+i%30
		}
		lines = append(lines, fmt.Sprintf(`{"level":%q,"service":%q,"message":%q,"path":"/api/v1/orders",`+
			`"status":%d,"latency_ms":%d.25,"user_id":"u%d"}`, level,
			[]string{"payment-api", "auth", "search"}[i%3], messages[i%6], status, i*7%900, i*31))
	}
	return lines
}

// words returns n conditions on the whole record, as Sigma rules without fields make.
func words(n int) (conds []string) {
	for i := range n {
		conds = append(conds, fmt.Sprintf(`_value =~ "(?i)(?s)attempt %d of .*host"`, i))
	}
	return conds
}

func BenchmarkMatch(b *testing.B) { benchmark(b, mix) }

func BenchmarkWords(b *testing.B) { benchmark(b, words) }

func benchmark(b *testing.B, conds func(n int) []string) {
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			plan := record.NewPlan()
			m := rules.NewSet(compile(b, plan, conds(n)), plan).NewMatcher()
			rows := parse(b, plan, sample(1000))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				m.Match(rows, i)
				if i++; i == len(rows.Recs) {
					i = 0
				}
			}
		})
	}
}

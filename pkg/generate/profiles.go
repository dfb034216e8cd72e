package generate

import (
	"math"
	"strconv"
)

var (
	services = []string{
		"payment-api", "checkout", "auth", "search", "inventory", "user-api", "gateway", "notifications",
		"recommendations", "billing", "shipping", "catalog",
	}
	methods  = []string{"GET", "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE"}
	paths    = []string{"/api/orders", "/api/users/", "/api/search?q=shoes&page=", "/healthz", "/api/cart/", "/login"}
	regions  = []string{"eu-west-1", "eu-central-1", "us-east-1", "ap-south-1"}
	messages = []string{
		"request completed", "cache miss, falling back to database", "user authenticated", "order placed",
		"retrying after backoff", "configuration reloaded", "connection pool grew to 32",
	}
	failures = []string{
		`connection refused: dial tcp 10.0.3.17:5432: "db-primary" unreachable`,
		`deadline exceeded while calling "inventory"`, "database is down: too many connections",
		"java.lang.OutOfMemoryError: Java heap space", "unexpected EOF reading body",
	}
)

// outcome draws a status, its level and a latency: 1.2 % server errors, 4 %
// client errors, a log-normal latency that errors stretch.
func (g *Generator) outcome() (status int, level string, ms float64) {
	ms = math.Exp(g.rnd.NormFloat64()*0.9 + 3.2)
	switch x := g.rnd.IntN(1000); {
	case x < 12:
		return 500 + g.rnd.IntN(4), "ERROR", ms * 8
	case x < 52:
		return 400 + g.rnd.IntN(30), "WARN", ms
	case x < 90:
		return 302, "INFO", ms
	default:
		return 200, "INFO", ms
	}
}

func (g *Generator) service() string { return services[g.zipf.Uint64()] }

func (g *Generator) http(dst []byte) []byte {
	status, level, ms := g.outcome()
	path := pick(g, paths)
	if path[len(path)-1] == '/' || path[len(path)-1] == '=' {
		path += strconv.Itoa(g.rnd.IntN(100_000))
	}
	dst = text(dst, "level", level)
	dst = text(dst, "service", g.service())
	dst = text(dst, "host", "ip-10-0-"+strconv.Itoa(g.rnd.IntN(8))+"-"+strconv.Itoa(g.rnd.IntN(250)))
	dst = text(dst, "method", pick(g, methods))
	dst = text(dst, "path", path)
	dst = integer(dst, "status", status)
	dst = decimal(dst, "latency_ms", ms)
	dst = integer(dst, "bytes", g.rnd.IntN(20_000))
	dst = text(dst, "user_id", "u"+strconv.Itoa(g.rnd.IntN(50_000)))
	return hex(dst, "trace_id", g.rnd.Uint64())
}

func (g *Generator) app(dst []byte) []byte {
	level, message := "INFO", pick(g, messages)
	switch x := g.rnd.IntN(1000); {
	case x < 15:
		level, message = "ERROR", pick(g, failures)
	case x < 60:
		level = "WARN"
	case x < 200:
		level = "DEBUG"
	}
	dst = text(dst, "level", level)
	dst = text(dst, "service", g.service())
	dst = text(dst, "region", pick(g, regions))
	dst = text(dst, "message", message)
	dst = decimal(dst, "latency_ms", math.Exp(g.rnd.NormFloat64()+3))
	return hex(dst, "trace_id", g.rnd.Uint64())
}

// priority mixes records of four classes: 1 % critical, 5 % high, 34 % normal.
func (g *Generator) priority(dst []byte) []byte {
	class, level, status, message := "low", "DEBUG", 200, pick(g, messages)
	switch x := g.rnd.IntN(100); {
	case x < 1:
		class, level, status, message = "critical", "FATAL", 503, pick(g, failures)
	case x < 6:
		class, level, status, message = "high", "ERROR", 404, pick(g, failures)
	case x < 40:
		class, level = "normal", "INFO"
	}
	dst = text(dst, "priority", class)
	dst = text(dst, "level", level)
	dst = text(dst, "service", g.service())
	dst = integer(dst, "status", status)
	return text(dst, "message", message)
}

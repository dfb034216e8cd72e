// Gen writes NDJSON for the benchmarks. Equal arguments make equal bytes.
//
//	gen LINES             logs of three shapes, some 287 bytes a line
//	gen LINES USERS       clicks of users in sessions, 76 bytes a line
//	gen keys LINES KEYS   numbers of many keys, over an hour, 71 bytes a line
package main

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

var (
	services = []string{
		"payment-api", "checkout", "auth", "search", "inventory", "user-api", "gateway", "notifications",
		"recommendations", "billing", "shipping", "catalog", "sessions", "media", "fraud-detector", "email-worker",
	}
	paths = []string{
		"/api/v1/orders", "/api/v1/users/", "/api/v2/search?q=shoes&page=", "/healthz", "/api/v1/cart/", "/login",
		"/api/v1/payments/", "/static/app.js",
	}
	methods  = []string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}
	messages = []string{
		"request completed", "cache miss, falling back to database", "upstream responded", "user authenticated",
		"order placed", "retrying after backoff",
	}
	failures = []string{
		`connection refused: dial tcp 10.0.3.17:5432: \"db-primary\" unreachable`,
		`panic: runtime error\n\tat handler.go:218\n\tat server.go:77`,
		`deadline exceeded while calling \"inventory\"`,
		`unexpected EOF reading body: {\"id\":12,\"level\":\"x\"}`,
	}
)

// A maker makes lines over one hour of event time.
type maker struct {
	r    *rand.Rand
	zipf *rand.Zipf
	n    int
}

func main() {
	args, keys := os.Args[1:], false
	if len(args) > 0 && args[0] == "keys" {
		args, keys = args[1:], true
	}
	var counts []int
	for _, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil {
			log.Fatal(err)
		}
		counts = append(counts, n)
	}
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	var err error
	switch {
	case len(counts) == 2 && keys:
		err = writeKeys(w, counts[0], counts[1])
	case len(counts) == 2:
		err = writeSessions(w, counts[0], counts[1])
	case len(counts) == 1 && !keys:
		err = writeLines(w, counts[0])
	default:
		log.Fatal("usage: gen LINES [USERS] | gen keys LINES KEYS")
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		log.Fatal(err)
	}
}

// writeKeys writes n numbers, each of one of so many keys.
func writeKeys(w *bufio.Writer, n, keys int) error {
	r := rand.New(rand.NewPCG(1, 3))
	begin := time.Date(2026, 4, 18, 4, 0, 0, 0, time.UTC)
	for i := range n {
		at := begin.Add(time.Duration(float64(time.Hour) * float64(i) / float64(n)))
		_, err := fmt.Fprintf(w, `{"timestamp":"%s","key":"k%d","value":%.2f}`+"\n",
			at.Format("2006-01-02T15:04:05.000Z"), r.IntN(keys), r.ExpFloat64()*40)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeLines writes n lines of logs.
func writeLines(w *bufio.Writer, n int) error {
	r := rand.New(rand.NewPCG(1, 2))
	m := maker{r, rand.NewZipf(r, 1.3, 3, uint64(len(services)-1)), n}
	var buf []byte
	for i := range n {
		buf = m.line(buf[:0], i)
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// at is the time of line i: rising, with small disorder and rare stragglers.
func (m *maker) at(i int) time.Time {
	off := time.Duration(float64(time.Hour) * float64(i) / float64(m.n))
	off -= time.Duration(m.r.ExpFloat64() * float64(300*time.Millisecond))
	if m.r.IntN(2000) == 0 {
		off -= time.Duration(m.r.IntN(20)) * time.Second
	}
	return time.Date(2026, 4, 18, 4, 0, 0, 0, time.UTC).Add(max(off, 0))
}

// outcome draws a status and its level: 1.2 % server errors, 4 % client errors.
func (m *maker) outcome() (status int, level string) {
	switch x := m.r.IntN(1000); {
	case x < 12:
		return 500 + m.r.IntN(4), "ERROR"
	case x < 50:
		return 400 + m.r.IntN(30), "WARN"
	case x < 110:
		return 200, "DEBUG"
	case x < 140:
		return 302, "INFO"
	default:
		return 200, "INFO"
	}
}

func (m *maker) line(buf []byte, i int) []byte {
	r := m.r
	t := m.at(i).Format("2006-01-02T15:04:05.000Z")
	service := services[m.zipf.Uint64()]
	latency := strconv.FormatFloat(math.Exp(r.NormFloat64()*0.9+3.2), 'f', 2, 64)
	status, level := m.outcome()
	path := paths[r.IntN(len(paths))]
	if c := path[len(path)-1]; c == '/' || c == '=' {
		path += strconv.Itoa(r.IntN(100_000))
	}
	host := fmt.Sprintf("ip-10-0-%d-%d", r.IntN(8), r.IntN(250))
	switch shape := r.IntN(10); {
	case level == "ERROR":
		return fmt.Appendf(buf,
			`{"timestamp":"%s","level":"%s","service":"%s","host":"%s","message":"%s","trace_id":"%016x",`+
				`"method":"%s","path":"%s","status":%d,"latency_ms":%s,"bytes":%d}`+"\n", t, level, service, host,
			failures[r.IntN(len(failures))], r.Uint64(), methods[r.IntN(len(methods))], path, status, latency, r.IntN(20_000))
	case shape < 8:
		return fmt.Appendf(buf,
			`{"timestamp":"%s","level":"%s","service":"%s","host":"%s","message":"%s","trace_id":"%016x%016x",`+
				`"method":"%s","path":"%s","status":%d,"latency_ms":%s,"bytes":%d,"user_id":"u%d"}`+"\n", t, level, service, host,
			messages[r.IntN(len(messages))], r.Uint64(), r.Uint64(), methods[r.IntN(len(methods))], path, status, latency,
			r.IntN(20_000), r.IntN(1_000_000))
	default:
		return fmt.Appendf(buf, `{"level":"%s","timestamp":"%s","message":"%s","service":"%s","ctx":{"host":"%s","pid":%d,`+
			`"tags":["a","prod","eu-west-1"]},"status":%d,"latency_ms":%s,"trace_id":"%016x%016x","user_id":"u%d"}`+"\n",
			level, t, messages[r.IntN(len(messages))], service, host, r.IntN(30_000), status, latency, r.Uint64(), r.Uint64(),
			r.IntN(1_000_000))
	}
}

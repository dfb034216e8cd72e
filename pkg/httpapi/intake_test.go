package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// listen starts an intake that fills what is missing.
func listen(t testing.TB, cfg httpapi.IntakeConfig) *httpapi.Intake {
	t.Helper()
	cfg.Addr, cfg.Fill = "127.0.0.1:0", true
	in, err := httpapi.ListenIntake(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- in.Serve() }()
	t.Cleanup(func() {
		_ = in.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return in
}

// drain reads and commits all that comes, and gives each record to each.
func drain(t testing.TB, in *httpapi.Intake, each func(string)) {
	t.Helper()
	pool := record.NewPool(2, 4<<10)
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	reading.Go(func() {
		for next := int64(0); ; {
			b, err := pool.Get(ctx)
			if err != nil || in.Read(ctx, b) != nil {
				return
			}
			for i := range b.Recs {
				if b.Recs[i].Offset != next {
					t.Errorf("offset %d, want %d", b.Recs[i].Offset, next)
				}
				next++
				each(string(b.Value(i)))
			}
			if b.Next != next {
				t.Errorf("the next offset is %d, want %d", b.Next, next)
			}
			if err := in.Commit(ctx, []stream.Position{{Next: b.Next}}); err != nil {
				t.Error(err)
			}
			b.Release()
		}
	})
	t.Cleanup(func() { cancel(); reading.Wait() })
}

// An answer is what a request got.
type answer struct {
	code  int
	retry string
	text  string

	Accepted int
	IDs      []any
	Error    string
	Line     int
	Byte     int
}

func post(t testing.TB, url string, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{code: resp.StatusCode, retry: resp.Header.Get("Retry-After"), text: string(text)}
	if err := json.Unmarshal(text, &a); err != nil && resp.Header.Get("Content-Type") == "application/json" {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

var (
	uuid7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	made  = regexp.MustCompile(`"id":"[0-9a-f]{8}-[0-9a-f-]{27}"`)
	now   = regexp.MustCompile(`"timestamp":"20[0-9T:.-]+Z"`)
)

func TestIntake(t *testing.T) {
	in := listen(t, httpapi.IntakeConfig{
		MaxBody: 2000, MaxRecord: 300,
		Defaults: []httpapi.Default{{Field: "service", Value: "w\"eb"}, {Field: "region", Value: "eu"}},
	})
	var mu sync.Mutex
	var got []string
	drain(t, in, func(s string) { mu.Lock(); defer mu.Unlock(); got = append(got, s) })
	for _, c := range []struct {
		path, body string
		code       int
		want       string // the records, or the error
		ids        string
	}{
		{"/api/v1/logs", `{"a":1}`, 202, `{ID,NOW,"service":"w\"eb","region":"eu","a":1}`, "MADE"},
		{
			"/api/v1/logs/batch", `[{},{"eventId":7,"ts":1,"app":"x","region":null}]`, 202,
			`{ID,NOW,"service":"w\"eb","region":"eu"} {"region":"eu","eventId":7,"ts":1,"app":"x"              }`, "MADE 7",
		},
		{
			"/", "{\"id\":\"a\\\"\",\"time\":2,\n\"service\":1,\"region\":2}\n\n{\"region\":3 }", 202,
			`{"id":"a\"","time":2, "service":1,"region":2} {ID,NOW,"service":"w\"eb","region":3 }`, `a" MADE`,
		},
		{"/", `[]`, 202, "", ""},
		{"/api/v1/logs", ``, 400, "line 1: the record ends after 0 bytes, want a JSON object", ""},
		{"/api/v1/logs", "{}\n{]", 400, `line 2: got "]" at byte 2, want a key in quotes`, ""},
		{"/api/v1/logs", `{"a":"` + strings.Repeat("x", 2000), 413, "the body is larger than 2,000 bytes", ""},
		{"/", `{} {"a":"` + strings.Repeat("x", 300) + `"}`, 413, "record 2 of the body is longer than 300 bytes", ""},
		{"/other", `{}`, 404, "", ""},
	} {
		got = nil
		a := post(t, in.URL()+c.path, strings.NewReader(c.body))
		if a.code != c.code {
			t.Errorf("%s %q: status %d, %s", c.path, c.body, a.code, a.text)
			continue
		}
		mu.Lock()
		records := strings.Join(got, " ")
		mu.Unlock()
		if c.code == 202 {
			if s := now.ReplaceAllString(made.ReplaceAllString(records, "ID"), "NOW"); s != c.want {
				t.Errorf("%q: records %s, want %s", c.body, s, c.want)
			}
			var ids []string
			for _, id := range a.IDs {
				s := fmt.Sprint(id)
				if uuid7.MatchString(s) && strings.Contains(records, s) {
					s = "MADE"
				}
				ids = append(ids, s)
			}
			if s := strings.Join(ids, " "); s != c.ids || a.Accepted != len(a.IDs) {
				t.Errorf("%q: %d accepted, ids %s, want %s", c.body, a.Accepted, s, c.ids)
			}
			continue
		}
		if !strings.HasPrefix(a.Error, c.want) || (a.Line > 0) != (c.code == 400) || records != "" {
			t.Errorf("%q: %s, and %q was taken", c.body, a.text, records)
		}
	}
	if resp := getCode(t, in.URL()+"/healthz"); resp != 200 {
		t.Errorf("/healthz: %d", resp)
	}
	if n := in.Refused(); n != 4 {
		t.Errorf("%d requests refused, want 4", n)
	}
}

func getCode(t testing.TB, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestAnsweredWhenStored: 202 comes behind the commit that covers the last record
// of the request, and not before; early mode does not wait for it.
func TestAnsweredWhenStored(t *testing.T) {
	in := listen(t, httpapi.IntakeConfig{})
	answers := make(chan answer, 1)
	go func() { answers <- post(t, in.URL(), strings.NewReader(`{"n":1} {"n":2} {"n":3}`)) }()
	b := record.NewBatch()
	if err := in.Read(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if !b.Prompt || len(b.Recs) < 1 {
		t.Errorf("prompt %v, %d records", b.Prompt, len(b.Recs))
	}
	for n := len(b.Recs); n < 3; n += len(b.Recs) { // a batch without an arena takes one at a time
		b.Reset()
		if err := in.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for next := range int64(3) {
		if err := in.Commit(t.Context(), []stream.Position{{Next: next}}); err != nil {
			t.Fatal(err)
		}
		select {
		case a := <-answers:
			t.Fatalf("answered at position %d: %+v", next, a)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := in.Commit(t.Context(), []stream.Position{{Next: 3}}); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.code != 202 || a.Accepted != 3 {
		t.Errorf("%+v", a)
	}

	early := listen(t, httpapi.IntakeConfig{Early: true})
	go func() { answers <- post(t, early.URL(), strings.NewReader(`{"n":1}`)) }()
	b = record.NewBatch()
	if err := early.Read(t.Context(), b); err != nil || b.Prompt {
		t.Fatal(err, b.Prompt)
	}
	if a := <-answers; a.code != 202 {
		t.Errorf("early: %+v", a)
	}
}

// TestHalfClosed: a caller who has said that nothing more comes still reads the answer.
func TestHalfClosed(t *testing.T) {
	in := listen(t, httpapi.IntakeConfig{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(in.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\n{\"n\":1}"); err != nil {
		t.Fatal(err)
	}
	if err := in.Read(t.Context(), record.NewBatch()); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // the server notices, as a rule
	if err := in.Commit(t.Context(), []stream.Position{{Next: 1}}); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(said), "HTTP/1.1 202 ") {
		t.Errorf("%v, answered %q", err, said)
	}
}

// TestNotStored: what was dropped, what takes too long, and what the end of the
// run overtakes is 503.
func TestNotStored(t *testing.T) {
	in, brief := listen(t, httpapi.IntakeConfig{}), listen(t, httpapi.IntakeConfig{AckTimeout: 300 * time.Millisecond})
	answers := make(chan answer, 1)
	ask := func(in *httpapi.Intake) { answers <- post(t, in.URL(), strings.NewReader(`{"n":1}`)) }
	go ask(in)
	b := record.NewBatch()
	if err := in.Read(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	in.Settle(b, true)
	if a := <-answers; a.code != 503 || !strings.Contains(a.Error, "dropped") || a.retry == "" {
		t.Errorf("dropped: %+v", a)
	}
	go ask(brief)
	if err := brief.Read(t.Context(), record.NewBatch()); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.code != 503 || !strings.Contains(a.Error, "not stored within 300ms") {
		t.Errorf("too late: %+v", a)
	}
	go ask(in)
	if err := in.Read(t.Context(), record.NewBatch()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := in.Read(ctx, record.NewBatch()); !errors.Is(err, context.Canceled) {
		t.Errorf("reading when interrupted: %v", err)
	}
	if a := post(t, in.URL(), strings.NewReader(`{}`)); a.code != 503 || a.Error != "shutting down" {
		t.Errorf("after that: %+v", a)
	}
	_ = in.Close()
	if a := <-answers; a.code != 503 || !strings.Contains(a.Error, "ended before") {
		t.Errorf("overtaken by the end: %+v", a)
	}
}

func TestIntakeIsShut(t *testing.T) {
	why, retry := "the breaker is open", 2500*time.Millisecond
	in := listen(t, httpapi.IntakeConfig{Closed: func() (string, time.Duration) { return why, retry }})
	drain(t, in, func(string) {})
	if a := post(t, in.URL(), strings.NewReader(`{}`)); a.code != 503 || a.Error != why || a.retry != "3" {
		t.Errorf("%+v", a)
	}
	why = ""
	if a := post(t, in.URL(), strings.NewReader(`{}`)); a.code != 202 {
		t.Errorf("%+v", a)
	}
}

func TestTooFast(t *testing.T) {
	schedule, err := limit.ParseSchedule("1/m")
	if err != nil {
		t.Fatal(err)
	}
	in := listen(t, httpapi.IntakeConfig{Bucket: &limit.Bucket{Schedule: schedule}, Wait: time.Millisecond})
	taken := 0
	drain(t, in, func(string) { taken++ })
	if a := post(t, in.URL(), strings.NewReader(`{} {}`)); a.code != 202 {
		t.Errorf("more at once than the rate ever allows, with nothing before them: %+v", a)
	}
	for range 5 {
		if a := post(t, in.URL(), strings.NewReader(`{}`)); a.code != 429 || a.retry == "" || a.retry == "0" {
			t.Errorf("one after them: %+v", a)
		}
	}
	if n := in.Throttled(); n != 5 || taken != 2 {
		t.Errorf("throttled %d, taken %d", n, taken)
	}
}

func TestIntakeWantsItsToken(t *testing.T) {
	in := listen(t, httpapi.IntakeConfig{Config: httpapi.Config{Token: "secret"}})
	drain(t, in, func(string) {})
	if a := post(t, in.URL(), strings.NewReader(`{}`)); a.code != 401 {
		t.Errorf("%+v", a)
	}
	req, _ := http.NewRequest(http.MethodPost, in.URL(), strings.NewReader(`{}`))
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusAccepted {
		t.Errorf("%v %v", resp, err)
	}
	_ = resp.Body.Close()
	if _, err := httpapi.ListenIntake(t.Context(), httpapi.IntakeConfig{Config: httpapi.Config{Addr: "0.0.0.0:0"}}); err == nil {
		t.Error("it listens for everyone without a token")
	}
}

// TestBadRequests: aborted, slow, huge and malformed requests harm nobody, take
// nothing and leave nothing behind.
func TestBadRequests(t *testing.T) {
	in := listen(t, httpapi.IntakeConfig{Hold: 1 << 20, MaxBody: 1 << 20})
	var mu sync.Mutex
	taken := map[string]int{}
	drain(t, in, func(s string) { mu.Lock(); defer mu.Unlock(); taken[s]++ })
	addr := strings.TrimPrefix(in.URL(), "http://")
	chance := rand.New(rand.NewPCG(1, 1))
	garbage := make([]byte, 5000)
	for i := range garbage {
		garbage[i] = byte(chance.Uint32())
	}
	var open []net.Conn
	for _, raw := range []string{
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{\"a\":", // slow, and never done
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n{",
		"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + strings.Repeat("x", 100_000),
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}",
		"POST / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("h", 200_000) + "\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01", string(garbage), "",
	} {
		for abort := range 2 {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write([]byte(raw)) // it may be refused before it is whole
			if open = append(open, c); abort == 1 {
				_ = c.Close()
			}
		}
	}
	// While those are there, others are served.
	for i := range 50 {
		if a := post(t, in.URL(), strings.NewReader(fmt.Sprintf(`{"id":%d,"ts":1}`, i))); a.code != 202 {
			t.Fatalf("%+v", a)
		}
	}
	for _, c := range open {
		_ = c.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(taken) != 50 {
		t.Errorf("%d records were taken, want 50: %.300v", len(taken), taken)
	}
}

// TestSlowBody: a body that stops coming, and one that trickles, are refused
// before long; one that is whole waits for its answer as long as it takes.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	in := listen(t, httpapi.IntakeConfig{Patience: 100 * time.Millisecond})
	addr := strings.TrimPrefix(in.URL(), "http://")
	for _, trickle := range []bool{false, true} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
		if trickle {
			go func() {
				for _, err := fmt.Fprint(c, " "); err == nil; _, err = fmt.Fprint(c, " ") {
					time.Sleep(10 * time.Millisecond)
				}
			}()
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.Contains(line, " 408 ") {
			t.Errorf("trickle %v: %q, %v", trickle, line, err)
		}
	}
	in = listen(t, httpapi.IntakeConfig{Patience: 4 * time.Second}) // a whole body is read within that
	done := make(chan answer, 1)
	go func() { done <- post(t, in.URL(), strings.NewReader(`{"id":1}`)) }()
	time.Sleep(4500 * time.Millisecond) // longer than the patience
	drain(t, in, func(string) {})
	if a := <-done; a.code != 202 {
		t.Errorf("%+v", a)
	}
}

// TestNullIsMissing: a field that is filled in does not stand beside its null.
func TestNullIsMissing(t *testing.T) {
	in := listen(t, httpapi.IntakeConfig{Defaults: []httpapi.Default{{Field: "service", Value: "web"}}})
	var mu sync.Mutex
	var taken []string
	drain(t, in, func(s string) { mu.Lock(); defer mu.Unlock(); taken = append(taken, s) })
	for _, body := range []string{
		`{"id":null,"a":1}`, `{"a":1,"id":null}`, `{"id":null}`, `{"\u0069d" : null , "timestamp":null,"service":null}`,
		`{"a":1,"id":null,"service":null,"b":[null,{"id":null}],"timestamp":null}`, `{"id":null,"id":null,"c":"id\":null"}`,
		`[{"id":null,"a":1},{"a":{"id":null},"id":null}]`,
	} {
		if a := post(t, in.URL(), strings.NewReader(body)); a.code != 202 {
			t.Fatalf("%s: %+v", body, a)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, s := range taken {
		var v map[string]any
		if err := json.Unmarshal([]byte(s), &v); err != nil || v["id"] == nil || v["service"] != "web" || v["timestamp"] == nil {
			t.Errorf("%s: %v", s, err)
		}
		inner := strings.Count(s, `{"id":null}`)
		if strings.Count(s, `"id":`) != 1+inner || strings.Count(s, `"service"`) != 1 || strings.Count(s, `"timestamp"`) != 1 {
			t.Errorf("a key stands twice: %s", s)
		}
	}
	if len(taken) != 8 {
		t.Errorf("%d records", len(taken))
	}
}

// TestHoldsNoMoreThanItMay: many large requests at once are refused rather than
// held, and when they are gone there is room again.
func TestHoldsNoMoreThanItMay(t *testing.T) {
	in := listen(t, httpapi.IntakeConfig{Hold: 1 << 20})
	drain(t, in, func(string) {})
	addr := strings.TrimPrefix(in.URL(), "http://")
	refused := make(chan bool, 40)
	var conns []net.Conn
	for range 40 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n[%s", bytes.Repeat([]byte(" "), 100_000))
	}
	for _, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		go func() {
			line, err := bufio.NewReader(c).ReadString('\n')
			refused <- err == nil && strings.Contains(line, " 503 ")
		}()
	}
	first, all := 0, 0
	for n := range 40 {
		if n == 20 { // the others wait for the rest of their bodies
			first = all
			for _, c := range conns {
				_ = c.Close()
			}
		}
		if <-refused {
			all++
		}
	}
	if first < 20 || all == 40 {
		t.Errorf("%d of 40 requests of 100 kB were refused, %d of the first 20; all may hold a megabyte", all, first)
	}
	large := "[" + strings.Repeat(" ", 200_000) + "{}]"
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if a := post(t, in.URL(), strings.NewReader(large)); a.code == 202 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("there is no room again: %+v", a)
		}
	}
}

func BenchmarkIntake(b *testing.B) {
	in := listen(b, httpapi.IntakeConfig{})
	drain(b, in, func(string) {})
	line := `{"level":"INFO","service":"checkout","latency_ms":12.5,"status":200,"message":"` + strings.Repeat("m", 100) + `"}` + "\n"
	body := strings.Repeat(line, 100)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if a := post(b, in.URL(), strings.NewReader(body)); a.code != 202 {
			b.Fatal(a)
		}
	}
}

// TestNotEveryRecordGetsToASink: a request whose other records a filter took out, or were
// bad, is answered when its last one is stored, though the position stands still. If there
// are no dead letters, it is told of bad ones.
func TestNotEveryRecordGetsToASink(t *testing.T) {
	for _, c := range []struct {
		body, drop, bad string // which records are filtered out, and which are bad
		refuse          bool
		code            int
		err             string
	}{
		{`{"n":1} {"n":2} {"n":3}`, "13", "", false, 202, ""},
		{`{"n":1} {"n":2}`, "12", "", false, 202, ""},
		{`{"n":1} {"n":2} {"n":3}`, "1", "23", true, 400, "record 2 of the body: no time; the others are taken"},
		{`{"n":1}`, "", "1", true, 400, "record 1 of the body: no time"},
	} {
		in := listen(t, httpapi.IntakeConfig{Refuse: c.refuse})
		pool := record.NewPool(1, 4<<10)
		answers := make(chan answer, 1)
		for range 2 { // places are those in a request, not in all that was posted
			go func() { answers <- post(t, in.URL(), strings.NewReader(c.body)) }()
			b, err := pool.Get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := in.Read(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			for i := range b.Recs {
				switch n := strconv.Itoa(i + 1); {
				case strings.Contains(c.drop, n):
					b.Recs[i].Flags |= record.Dropped | record.Filtered
				case strings.Contains(c.bad, n):
					b.SetBad(i, "no time")
				}
			}
			in.Prepare(b)
			in.Settle(b, false)
			if a := <-answers; a.code != c.code || a.Error != c.err {
				t.Errorf("%+v: %+v", c, a)
			}
			b.Release()
		}
	}
}

package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/peers"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// idle is a source that has nothing, and an operator and a sink that get nothing.
type idle struct{}

func (idle) Read(ctx context.Context, _ *record.Batch) error {
	<-ctx.Done()
	return io.EOF
}
func (idle) Process(record.Rows, stream.Output) error { return nil }
func (idle) Write(record.Rows) error                  { return nil }
func (idle) Flush(context.Context) error              { return nil }

// others answer for the other instances, by address.
type others struct {
	says  map[string]any
	asked string
}

func (o *others) Get(_ context.Context, base, path string) ([]byte, error) {
	o.asked = path
	if err, ok := o.says[base].(error); ok {
		return nil, err
	}
	return json.Marshal(peers.Envelope("b", o.says[base]))
}

// known is what an instance says that has the second of two partitions.
var known = map[string]any{"here": []int32{1}, "watermark": record.NoTime, "lag": 2, "said": 5}

// one starts a run that has the first of two partitions, and answers: /all sums what all
// of them say, /key?n= tells whether one says n. Here that is 7.
func one(t *testing.T, from *others, who func(context.Context) ([]peers.Peer, error)) (ask func(path string) (int, string), end func()) {
	t.Helper()
	f := &fleet.Fleet{
		Asker: engine.NewAsker(), Stats: new(engine.Stats), Lag: func(context.Context) int64 { return 1 }, Partitions: 2,
		Name: func() string { return "a" }, Circle: peers.Circle{Others: who, Client: from, Within: time.Minute},
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- engine.Run(ctx, engine.Pipeline{Sources: []stream.Source{idle{}}, Operator: idle{}, Sink: idle{}, Ask: f.Asker})
	}()
	question := fleet.Question[int]{
		Look: func(engine.View) (int, error) { return 7, nil },
		Merge: func(said []int, s *fleet.Standing) (any, error) {
			sum := 0
			for _, n := range said {
				sum += n
			}
			return map[string]any{"sum": sum, "standing": s}, nil
		},
		More: []string{"more", "1"},
	}
	s, err := httpapi.Listen(t.Context(), httpapi.Config{Addr: "127.0.0.1:0", Routes: []httpapi.Route{
		fleet.Route("GET /all", func(r *httpapi.Request) (any, error) { return fleet.Answer(f, r, question) }),
		fleet.Route("GET /key", func(r *httpapi.Request) (any, error) {
			q := question
			q.Found = func(said []int) bool { return strings.Contains(r.Query("n"), "7") }
			return fleet.Answer(f, r, q)
		}, "n"),
		fleet.Route("GET /broken", func(r *httpapi.Request) (any, error) {
			q := question
			q.Look = func(engine.View) (int, error) { return 0, httpapi.NotFound("no such thing") }
			return fleet.Answer(f, r, q)
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	end = func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(func() {
		end()
		_ = s.Close(context.Background())
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return func(path string) (int, string) {
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}, end
}

// TestAnswer: what is answered, by what the instance with the other partition says.
func TestAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		says   any
		who    error
		code   int
		want   string
		absent string
	}{
		"all is known":                     {path: "/all", says: known, code: 200, want: `"sum":12`, absent: "partial"},
		"one does not answer":              {path: "/all", says: errors.New("refused"), code: 200, want: `"reason":"refused"`},
		"and that is said":                 {path: "/all", says: errors.New("refused"), code: 200, want: `"partial":true`},
		"it is not known who there is":     {path: "/all", who: errors.New("no broker"), code: 200, want: "no broker"},
		"two have the same":                {path: "/all", says: map[string]any{"here": []int32{0}, "said": 5}, code: 200, want: `"sum":7`},
		"the other one restores":           {path: "/all", says: map[string]any{"restoring": []int32{1}}, code: 503, want: "being restored"},
		"a key is found":                   {path: "/key?n=7", says: errors.New("refused"), code: 200, want: `"sum":7`},
		"a key is not there":               {path: "/key?n=8", says: known, code: 200, want: `"sum":12`},
		"a key may be with who is silent":  {path: "/key?n=8", says: errors.New("refused"), code: 503, want: `\"b\": refused`},
		"asked by another one":             {path: "/all?local=true", code: 200, want: `{"name":"a","said":{"here":[0],`},
		"asked by another one, of its own": {path: "/all?local=true", code: 200, want: `"said":7}}`},
		"a look that fails":                {path: "/broken", says: known, code: 404, want: "no such thing"},
	} {
		from := &others{says: map[string]any{"http://b": c.says}}
		ask, _ := one(t, from, func(context.Context) ([]peers.Peer, error) {
			return []peers.Peer{{Name: "b", URL: "http://b"}}, c.who
		})
		code, body := ask(c.path)
		if code != c.code || !strings.Contains(body, c.want) || c.absent != "" && strings.Contains(body, c.absent) {
			t.Errorf("%s: %d %s, want %d %s", name, code, body, c.code, c.want)
		}
	}
}

// TestOthersAreAskedTheSame: with what the question adds, and so that they do not ask on.
func TestOthersAreAskedTheSame(t *testing.T) {
	from := &others{says: map[string]any{"http://b": known}}
	ask, end := one(t, from, func(context.Context) ([]peers.Peer, error) {
		return []peers.Peer{{Name: "b", URL: "http://b"}}, nil
	})
	ask("/key?n=8")
	if want := "/key?local=true&more=1&n=8"; from.asked != want {
		t.Errorf("asked %s, want %s", from.asked, want)
	}
	from.asked = ""
	ask("/all?local=true")
	if from.asked != "" {
		t.Errorf("one that was asked by another asks %s", from.asked)
	}
	end()
	if code, body := ask("/all"); code != 503 || !strings.Contains(body, "the run has ended") {
		t.Errorf("behind the end: %d %s", code, body)
	}
}

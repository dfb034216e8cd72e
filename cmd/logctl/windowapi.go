package main

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/window"
)

// A windowAPI answers questions about the windows of a run.
type windowAPI struct {
	asker *engine.Asker
	op    *window.Op
}

// routes are the queries under /api.
func (a *windowAPI) routes() []httpapi.Route {
	return []httpapi.Route{
		{Pattern: "GET /api/windows", Do: a.windows},
		{Pattern: "GET /api/windows/recent", Do: a.recent},
		{Pattern: "GET /api/windows/stats", Do: a.stats},
		{Pattern: "GET /api/trends/{key...}", Do: a.trends},
	}
}

// A windowAnswer is rows, and how current they are.
type windowAnswer struct {
	Rows []json.RawMessage `json:"rows"`
	age
}

// An age says how current an answer is: of event time that all partitions have
// reached, and how long before now that was.
type age struct {
	Watermark string   `json:"watermark,omitempty"`
	BehindMS  *float64 `json:"behind_ms,omitempty"`
}

// defaultRows is how many rows an answer has at most where nothing is said.
const defaultRows = 1000

// windows finds rows by key and time.
func (a *windowAPI) windows(r *httpapi.Request) (any, error) {
	q := window.Query{From: math.MinInt64, To: math.MaxInt64, Open: true, Closed: true}
	if r.Has("key") {
		key := r.Query("key")
		q.Key = &key
	}
	switch open := r.Query("open"); open {
	case "":
	case "true":
		q.Closed = false
	case "false":
		q.Open = false
	default:
		return nil, fault.Usagef("leave it out for both", "open=%q: want true or false", open)
	}
	var err error
	if q.From, err = queryTime(r, "from", q.From); err != nil {
		return nil, err
	}
	if q.To, err = queryTime(r, "to", q.To); err != nil {
		return nil, err
	}
	return a.answer(r, q)
}

// recent finds the rows that were written last.
func (a *windowAPI) recent(r *httpapi.Request) (any, error) {
	return a.answer(r, window.Query{From: math.MinInt64, To: math.MaxInt64, Closed: true})
}

func (a *windowAPI) answer(r *httpapi.Request, q window.Query) (any, error) {
	q.Limit = defaultRows
	if text := r.Query("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100*defaultRows {
			return nil, fault.Usagef("", "limit=%q: want a number from 1 to %d", text, 100*defaultRows)
		}
		q.Limit = n
	}
	found, how, err := a.find(r.Context(), q)
	if err != nil {
		return nil, err
	}
	answer := windowAnswer{Rows: []json.RawMessage{}, age: how}
	for _, f := range found {
		answer.Rows = append(answer.Rows, f.Row)
	}
	return answer, nil
}

// find asks all operators of the run.
func (a *windowAPI) find(ctx context.Context, q window.Query) (found []window.Found, how age, err error) {
	err = a.ask(ctx, func(v engine.View) error {
		how = ageOf(v)
		for _, op := range v.Operators {
			rows, err := op.(*window.Op).Query(q)
			if err != nil {
				return err
			}
			found = append(found, rows...)
		}
		return nil
	})
	window.Sort(found)
	return found[max(0, len(found)-q.Limit):], how, err
}

// stats tells the counts of the run, and how late records were.
func (a *windowAPI) stats(r *httpapi.Request) (any, error) {
	var answer windowStats
	err := a.ask(r.Context(), func(v engine.View) error {
		s, l := a.op.Stats(), a.op.Lateness()
		answer = windowStats{
			Open: s.Open, Groups: s.Groups, Closed: s.Closed, Rows: s.Rows, Late: s.Late, Partly: s.Partly, Ahead: s.Ahead,
			P50: milliseconds(l.P50), P99: milliseconds(l.P99), Most: milliseconds(l.Most),
			NeededMS: milliseconds(s.GraceNeeded), KeepsAllMS: milliseconds(l.KeepsAll), age: ageOf(v),
		}
		return nil
	})
	return answer, err
}

// windowStats are the counts of a run.
type windowStats struct {
	Open       int64   `json:"open"`
	Groups     int64   `json:"groups"`
	Closed     int64   `json:"closed"`
	Rows       int64   `json:"rows"`
	Late       int64   `json:"late"`
	Partly     int64   `json:"partly_late"`
	Ahead      int64   `json:"ahead"`
	P50        float64 `json:"out_of_order_p50_ms"`
	P99        float64 `json:"out_of_order_p99_ms"`
	Most       float64 `json:"out_of_order_max_ms"`
	NeededMS   float64 `json:"grace_needed_ms"`
	KeepsAllMS float64 `json:"grace_that_keeps_all_ms"`
	age
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// trends tells how the rows of a key have changed.
func (a *windowAPI) trends(r *httpapi.Request) (any, error) {
	key := r.Path("key")
	found, how, err := a.find(r.Context(), window.Query{
		Key: &key, From: math.MinInt64, To: math.MaxInt64, Closed: true, Limit: 100 * defaultRows,
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, httpapi.NotFound("no closed window of key %q is kept", key)
	}
	return struct {
		Key    string         `json:"key"`
		Trends []window.Trend `json:"trends"`
		age
	}{key, window.Trends(found), how}, nil
}

// ask asks the operators of the run, once their state is there.
func (a *windowAPI) ask(ctx context.Context, f func(engine.View) error) error {
	var failed error
	err := a.asker.Ask(ctx, func(v engine.View) {
		if v.Restoring > 0 {
			failed = httpapi.Unavailable("the state of %d partitions is being restored", v.Restoring)
			return
		}
		failed = f(v)
	})
	if err != nil {
		return httpapi.Unavailable("%w", err)
	}
	return failed
}

func ageOf(v engine.View) age {
	if v.Watermark == record.NoTime {
		return age{}
	}
	behind := float64(v.Now-v.Watermark) / 1e6
	return age{string(stamp.AppendRFC3339(nil, v.Watermark)), &behind}
}

// queryTime reads a time, or how long ago it was, as -1h.
func queryTime(r *httpapi.Request, name string, otherwise int64) (int64, error) {
	text := r.Query(name)
	if text == "" {
		return otherwise, nil
	}
	var p stamp.Parser
	now := time.Now().UnixNano()
	if t, ok := p.Parse([]byte(text), now); ok {
		return t, nil
	}
	return 0, fault.Usagef("as in 2026-11-24T10:00:00Z, or seconds since 1970", "%s=%q is no time", name, text)
}

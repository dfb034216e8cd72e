// Package api answers questions about the windows and sessions of a run, as routes of
// HTTP. Each instance of a group answers for all of them.
package api

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/window"
)

// Windows answers questions about the windows of a run.
type Windows struct {
	*fleet.Fleet
	Aggregates []string // the names of the windows' aggregates
}

// Routes are the queries under /api.
func (a Windows) Routes() []httpapi.Route {
	return []httpapi.Route{
		fleet.Route("GET /api/windows", a.windows, "key", "from", "to", "open", "limit"),
		fleet.Route("GET /api/windows/recent", a.recent, "limit"),
		fleet.Route("GET /api/windows/stats", a.stats),
		fleet.Route("GET /api/trends/{key...}", a.trends),
	}
}

// A windowAnswer is rows, and how current they are.
type windowAnswer struct {
	Rows []json.RawMessage `json:"rows"`
	*fleet.Standing
}

// DefaultRows is how many rows an answer has at most where nothing is said.
const DefaultRows = 1000

// windows finds rows by key and time.
func (a Windows) windows(r *httpapi.Request) (any, error) {
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
	if q.From > q.To {
		return nil, fault.Usagef("", "from=%q is later than to=%q", r.Query("from"), r.Query("to"))
	}
	return a.answer(r, q)
}

// recent finds the rows that were written last.
func (a Windows) recent(r *httpapi.Request) (any, error) {
	return a.answer(r, window.Query{From: math.MinInt64, To: math.MaxInt64, Closed: true})
}

func (a Windows) answer(r *httpapi.Request, q window.Query) (any, error) {
	q.Limit = DefaultRows
	if text := r.Query("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100*DefaultRows {
			return nil, fault.Usagef("", "limit=%q: want a number from 1 to %d", text, 100*DefaultRows)
		}
		q.Limit = n
	}
	return fleet.Answer(a.Fleet, r, find(q, func(found []window.Found, s *fleet.Standing) (any, error) {
		answer := windowAnswer{Rows: []json.RawMessage{}, Standing: s}
		for _, f := range found {
			answer.Rows = append(answer.Rows, f.Row)
		}
		return answer, nil
	}))
}

// find returns the question for rows, of which an answer is made.
func find(q window.Query, make func([]window.Found, *fleet.Standing) (any, error)) fleet.Question[[]window.Found] {
	found := fleet.Question[[]window.Found]{
		Look: func(v engine.View) (all []window.Found, err error) {
			for _, op := range fleet.Operators[*window.Op](v) {
				rows, err := op.Query(q)
				if err != nil {
					return nil, err
				}
				all = append(all, rows...)
			}
			return window.Latest(q.Limit, all), nil
		},
		Merge: func(said [][]window.Found, s *fleet.Standing) (any, error) {
			return make(window.Latest(q.Limit, said...), s)
		},
	}
	if q.Key != nil {
		found.Found = func(said [][]window.Found) bool { return len(slices.Concat(said...)) > 0 }
	}
	return found
}

// A windowTally is what one instance has counted.
type windowTally struct {
	Stats    window.Stats
	Disorder *window.Disorder
}

// stats tells the counts of the run, and how late records were.
func (a Windows) stats(r *httpapi.Request) (any, error) {
	return fleet.Answer(a.Fleet, r, fleet.Question[windowTally]{
		Look: func(v engine.View) (windowTally, error) {
			for _, op := range fleet.Operators[*window.Op](v) {
				return windowTally{op.Stats(), op.Disorder()}, nil // of all operators of the run
			}
			return windowTally{Disorder: new(window.Disorder)}, nil
		},
		Merge: func(said []windowTally, how *fleet.Standing) (any, error) {
			var s window.Stats
			var d window.Disorder
			for i := range said {
				s.Add(&said[i].Stats)
				d.Merge(said[i].Disorder)
			}
			return windowStats{
				Open: s.Open, Groups: s.Groups, Closed: s.Closed, Rows: s.Rows, Late: s.Late, Partly: s.Partly, Ahead: s.Ahead,
				P50: milliseconds(d.Quantile(0.5)), P99: milliseconds(d.Quantile(0.99)), Most: milliseconds(d.Most),
				NeededMS: milliseconds(s.GraceNeeded), KeepsAllMS: milliseconds(d.KeepsAll), Standing: how,
			}, nil
		},
	})
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
	*fleet.Standing
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// trends tells how the rows of a key have changed.
func (a Windows) trends(r *httpapi.Request) (any, error) {
	key := r.Path("key")
	q := window.Query{Key: &key, From: math.MinInt64, To: math.MaxInt64, Closed: true, Limit: 100 * DefaultRows}
	return fleet.Answer(a.Fleet, r, find(q, func(found []window.Found, s *fleet.Standing) (any, error) {
		if len(found) == 0 {
			return nil, httpapi.NotFound("no closed window of key %q is kept", key)
		}
		return struct {
			Key    string         `json:"key"`
			Trends []window.Trend `json:"trends"`
			*fleet.Standing
		}{key, window.Trends(found, a.Aggregates), s}, nil
	}))
}

// queryTime reads a time, or how long ago it was, as -1h.
func queryTime(r *httpapi.Request, name string, otherwise int64) (int64, error) {
	text := r.Query(name)
	if text == "" {
		return otherwise, nil
	}
	t, err := stamp.ParseText(text, time.Now().UnixNano())
	if err != nil {
		return 0, fault.Usagef("", "%s=%w", name, err)
	}
	return t, nil
}

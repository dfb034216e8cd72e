package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// Sessions answers questions about the sessions of a run.
type Sessions struct {
	*fleet.Fleet
	Convert bool // conversions are known
	Abandon bool // likewise
}

// Routes are the queries under /api/sessions.
func (a *Sessions) Routes() []httpapi.Route {
	return []httpapi.Route{
		fleet.Route("GET /api/sessions/active/{key...}", a.active),
		fleet.Route("GET /api/sessions/history/{key...}", a.history, "page", "limit", "hours"),
		fleet.Route("GET /api/sessions/converted", a.converted, "page", "limit", "hours"),
		fleet.Route("GET /api/sessions/recent", a.recent, "page", "limit", "hours"),
		fleet.Route("GET /api/sessions/stats", a.stats, "hours", "since"),
	}
}

// openSessions are those of a user.
type openSessions struct {
	Rows   []json.RawMessage
	Active bool // the last one is
}

// active shows the open sessions of a user.
func (a *Sessions) active(r *httpapi.Request) (any, error) {
	key := r.Path("key")
	return fleet.Answer(a.Fleet, r, fleet.Question[[]openSessions]{
		Look: func(v engine.View) (list []openSessions, _ error) {
			for _, op := range fleet.Operators[*session.Op](v) {
				if rows, active := op.Active(key); len(rows) > 0 {
					list = append(list, openSessions{rows, active})
				}
			}
			return list, nil
		},
		Found: func(said [][]openSessions) bool { return len(slices.Concat(said...)) > 0 },
		Merge: func(said [][]openSessions, s *fleet.Standing) (any, error) {
			answer := activeAnswer{Standing: s, Key: key, Status: "no_active_session", Open: []json.RawMessage{}}
			for _, of := range slices.Concat(said...) {
				answer.add(of)
			}
			return answer, nil
		},
	})
}

// An activeAnswer is the open sessions of a user.
type activeAnswer struct {
	*fleet.Standing
	Key     string            `json:"key"`
	Status  string            `json:"status"`
	Session json.RawMessage   `json:"session"`     // the active one
	Open    []json.RawMessage `json:"open_as_yet"` // those before it that late records may still change
}

func (a *activeAnswer) add(of openSessions) {
	if n := len(of.Rows); of.Active {
		a.Status, a.Session, of.Rows = "active", of.Rows[n-1], of.Rows[:n-1]
	}
	a.Open = append(a.Open, of.Rows...)
}

// A sessionList is an answer of past sessions, the last one first.
type sessionList struct {
	*fleet.Standing
	Sessions []json.RawMessage `json:"sessions"`
}

// pastSessions are the last ones that an instance knows.
type pastSessions struct {
	Newest int64 // event time, of all sessions
	List   []session.Past
}

// A page says which past sessions are shown.
type page struct{ number, limit, hours int }

func pageOf(r *httpapi.Request) (p page, err error) {
	if p.number, err = queryNumber(r, "page", 0); err != nil {
		return p, err
	}
	if p.limit, err = queryNumber(r, "limit", 20); err != nil {
		return p, err
	}
	p.hours, err = queryNumber(r, "hours", 0)
	return p, err
}

// past answers with a page of the sessions that are searched.
func (a *Sessions) past(r *httpapi.Request, s session.Search) (any, error) {
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	s.Limit = (p.number + 1) * p.limit
	q := fleet.Question[pastSessions]{
		Look: func(v engine.View) (pastSessions, error) {
			ops := fleet.Operators[*session.Op](v)
			past := pastSessions{Newest: newestOf(ops)}
			s := s
			s.Since = p.since(past.Newest)
			for _, op := range ops {
				past.List = session.Latest(s.Limit, past.List, op.Past(s))
			}
			return past, nil
		},
		Merge: func(said []pastSessions, how *fleet.Standing) (any, error) { return p.show(said, how), nil },
	}
	if s.Key != nil {
		q.Found = func(said []pastSessions) bool {
			return slices.ContainsFunc(said, func(p pastSessions) bool { return len(p.List) > 0 })
		}
	}
	return fleet.Answer(a.Fleet, r, q)
}

// since returns the time before which sessions are not wanted.
func (p *page) since(newest int64) int64 {
	if p.hours == 0 || newest == record.NoTime {
		return record.NoTime
	}
	return newest - int64(p.hours)*int64(time.Hour)
}

// show merges what instances know. Each has taken the hours from its own newest
// event; those of all count.
func (p *page) show(said []pastSessions, how *fleet.Standing) sessionList {
	answer := sessionList{Standing: how, Sessions: []json.RawMessage{}}
	newest := record.NoTime
	var all []session.Past
	for _, part := range said {
		newest = max(newest, part.Newest)
		all = session.Latest((p.number+1)*p.limit, all, part.List)
	}
	for _, past := range all[min(p.number*p.limit, len(all)):] {
		if past.End >= p.since(newest) {
			answer.Sessions = append(answer.Sessions, past.Row)
		}
	}
	return answer
}

// newestOf returns the greatest event time that operators have seen.
func newestOf(ops []*session.Op) int64 {
	newest := record.NoTime
	for _, op := range ops {
		newest = max(newest, op.Newest())
	}
	return newest
}

func (a *Sessions) history(r *httpapi.Request) (any, error) {
	key := r.Path("key")
	return a.past(r, session.Search{Key: &key})
}

func (a *Sessions) recent(r *httpapi.Request) (any, error) { return a.past(r, session.Search{}) }

func (a *Sessions) converted(r *httpapi.Request) (any, error) {
	if !a.Convert {
		return nil, fault.Usagef("", "what a conversion is was not said: start with --convert EXPR")
	}
	return a.past(r, session.Search{Converted: true})
}

// mostAsked bounds page, limit and hours.
const mostAsked = 100_000

// queryNumber reads a parameter.
func queryNumber(r *httpapi.Request, name string, otherwise int) (int, error) {
	text := r.Query(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > mostAsked {
		return 0, fault.Usagef("", "%s=%q: want a number from 0 to %d", name, text, mostAsked)
	}
	return n, nil
}

package main

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
	"github.com/logctl/logctl/pkg/stamp"
)

// A sessionAPI answers questions about sessions under --listen.
type sessionAPI struct {
	ask     *engine.Asker
	convert bool // conversions are known
	abandon bool // likewise
}

// askWithin is how long a question may wait for the records that are being
// processed.
const askWithin = 5 * time.Second

// unavailable is the HTTP status of what may be answered later.
const unavailable = 503

// routes are the queries under /api/sessions.
func (a *sessionAPI) routes() []httpapi.Route {
	return []httpapi.Route{
		{Pattern: "GET /api/sessions/active/{key...}", Do: a.active},
		{Pattern: "GET /api/sessions/history/{key...}", Do: a.history},
		{Pattern: "GET /api/sessions/converted", Do: a.converted},
		{Pattern: "GET /api/sessions/recent", Do: a.recent},
		{Pattern: "GET /api/sessions/stats", Do: a.stats},
	}
}

// serve has questions answered under --listen.
func (f *sessionizeFlags) serve(p *pipeline, op *session.Op) {
	p.metrics = append(p.metrics, figures[session.Stats]{sessionCounts, op.Stats})
	if f.stream.daemon.listen == "" {
		return
	}
	op.KeepHistory(f.retention)
	p.Ask = engine.NewAsker()
	api := &sessionAPI{ask: p.Ask, convert: f.op.Convert != "", abandon: f.op.Abandon != ""}
	p.routes = append(p.routes, api.routes()...)
}

// A sessionsView is what every answer begins with: how far the run is.
type sessionsView struct {
	Watermark string `json:"watermark,omitempty"` // event time that all partitions have reached
	BehindMS  *int64 `json:"behind_ms,omitempty"` // and how far that is behind the wall clock

	newest int64 // event time
	ops    []*session.Op
}

// look calls f with the operators of the run, on their goroutine.
func (a *sessionAPI) look(f func(v *sessionsView)) error {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	restoring := 0
	err := a.ask.Ask(ctx, func(v engine.View) {
		if restoring = v.Restoring; restoring > 0 {
			return
		}
		view := sessionsView{newest: record.NoTime}
		if v.Watermark != record.NoTime {
			behind := (v.Now - v.Watermark) / 1e6
			view.Watermark, view.BehindMS = string(stamp.AppendRFC3339(nil, v.Watermark)), &behind
		}
		for _, op := range v.Operators {
			if s, ok := op.(*session.Op); ok {
				view.ops = append(view.ops, s)
				view.newest = max(view.newest, s.Newest())
			}
		}
		f(&view)
	})
	switch {
	case err != nil:
		return httpapi.Errorf(unavailable, "%w", err)
	case restoring > 0:
		return httpapi.Errorf(unavailable, "the state of %d partitions is being restored", restoring)
	}
	return nil
}

// active shows the open sessions of a user.
func (a *sessionAPI) active(r *httpapi.Request) (any, error) {
	answer := struct {
		*sessionsView
		Key     string            `json:"key"`
		Status  string            `json:"status"`
		Session json.RawMessage   `json:"session"`     // the active one
		Open    []json.RawMessage `json:"open_as_yet"` // those before it that late records may still change
	}{Key: r.Path("key"), Status: "no_active_session", Open: []json.RawMessage{}}
	err := a.look(func(v *sessionsView) {
		answer.sessionsView = v
		for _, op := range v.ops {
			rows, active := op.Active(answer.Key)
			for _, row := range rows {
				answer.Open = append(answer.Open, row)
			}
			if n := len(answer.Open); active {
				answer.Status, answer.Session, answer.Open = "active", answer.Open[n-1], answer.Open[:n-1]
			}
		}
	})
	return answer, err
}

// A sessionList is an answer of past sessions, the last one first.
type sessionList struct {
	*sessionsView
	Sessions []json.RawMessage `json:"sessions"`
}

// past answers with a page of the sessions that are searched.
func (a *sessionAPI) past(r *httpapi.Request, s session.Search) (any, error) {
	page, err := queryNumber(r, "page", 0)
	if err != nil {
		return nil, err
	}
	size, err := queryNumber(r, "size", 20)
	if err != nil {
		return nil, err
	}
	hours, err := queryNumber(r, "hours", 0)
	if err != nil {
		return nil, err
	}
	s.Limit = (page + 1) * size
	answer := sessionList{Sessions: []json.RawMessage{}}
	err = a.look(func(v *sessionsView) {
		answer.sessionsView = v
		if s.Since = record.NoTime; hours > 0 {
			s.Since = v.newest - int64(hours)*int64(time.Hour)
		}
		var lists [][]session.Past
		for _, op := range v.ops {
			lists = append(lists, op.Past(s))
		}
		all := session.Latest(s.Limit, lists...)
		for _, p := range all[min(page*size, len(all)):] {
			answer.Sessions = append(answer.Sessions, p.Row)
		}
	})
	return answer, err
}

func (a *sessionAPI) history(r *httpapi.Request) (any, error) {
	return a.past(r, session.Search{Key: r.Path("key")})
}

func (a *sessionAPI) recent(r *httpapi.Request) (any, error) { return a.past(r, session.Search{}) }

func (a *sessionAPI) converted(r *httpapi.Request) (any, error) {
	if !a.convert {
		return nil, fault.Usagef("", "what a conversion is was not said: start with --convert EXPR")
	}
	return a.past(r, session.Search{Converted: true})
}

// mostAsked bounds page, size and hours.
const mostAsked = 100_000

// queryNumber reads a parameter.
func queryNumber(r *httpapi.Request, name string, otherwise int) (int, error) {
	text := r.Query(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > mostAsked {
		return 0, fault.Usagef("", "%s=%q: want a number up to %d", name, text, mostAsked)
	}
	return n, nil
}

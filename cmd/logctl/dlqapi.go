package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/human"
)

// routes are the command's queries. Each looks through the letters anew.
func (f *dlqFlags) routes(cmd *cobra.Command) []httpapi.Route {
	choice := []string{"class", "source", "signature", "since"}
	return []httpapi.Route{
		{Pattern: "GET /api/dlq/stats", Params: choice, Do: func(r *httpapi.Request) (any, error) {
			asked, err := f.asked(r)
			if err != nil {
				return nil, err
			}
			return asked.stats(cmd)
		}},
		{Pattern: "GET /api/dlq/letters", Params: append(choice, "page", "limit"), Do: func(r *httpapi.Request) (any, error) {
			asked, err := f.asked(r)
			if err != nil {
				return nil, err
			}
			page, err1 := numberOr(r.Query("page"), 1)
			limit, err2 := numberOr(r.Query("limit"), 50)
			if err1 != nil || err2 != nil || page < 1 || limit < 0 {
				return nil, fault.Usagef("", "page %q, limit %q: want numbers from 1", r.Query("page"), r.Query("limit"))
			}
			x, err := asked.index(cmd, asked.filter(time.Now()))
			if err != nil {
				return nil, err
			}
			return rowsOf(x.Letters(), page, limit), nil
		}},
		{Pattern: "GET /api/dlq/letter", Params: []string{"id"}, Do: func(r *httpapi.Request) (any, error) {
			if r.Query("id") == "" {
				return nil, fault.Usagef("as in /api/dlq/letter?id=app-logs/0@3", "which letter? want an id")
			}
			chosen := dlq.Filter{IDs: []string{r.Query("id")}}
			x, err := f.index(cmd, chosen)
			if err != nil {
				return nil, err
			}
			found, err := f.look(cmd, x, chosen, false)
			list := []json.RawMessage{}
			for _, text := range found {
				list = append(list, text)
			}
			if err == nil && len(list) == 0 {
				err = httpapi.NotFound("there is no dead letter %q", r.Query("id"))
			}
			return list, err
		}},
	}
}

// asked returns the flags with the choice of a request.
func (f *dlqFlags) asked(r *httpapi.Request) (*dlqFlags, error) {
	asked := *f
	for _, x := range []struct {
		name string
		to   *[]string
	}{{"class", &asked.classes}, {"source", &asked.sources}, {"signature", &asked.signatures}} {
		if v := r.Query(x.name); v != "" {
			*x.to = strings.Split(v, ",")
		}
	}
	if v := r.Query("since"); v != "" {
		since, err := human.ParseDuration(v)
		if err != nil || since < 0 {
			return nil, fault.Usagef("as in 24h", "since %q: want how long ago", v)
		}
		asked.since = since
	}
	return &asked, nil
}

func numberOr(s string, otherwise int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	return strconv.Atoi(s)
}

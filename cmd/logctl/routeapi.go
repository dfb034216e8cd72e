package main

import (
	"context"

	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/sigma"
)

// ruleView is a rule as /api/rules shows it.
type ruleView struct {
	Name     string      `json:"name"`
	Priority *float64    `json:"priority,omitempty"`
	Match    string      `json:"match"` // when, match and sigma as one expression
	Sigma    *sigma.Rule `json:"sigma,omitempty"`
	To       []string    `json:"to"`
	Sample   *float64    `json:"sample,omitempty"`
	Limit    string      `json:"limit,omitempty"`
	Hits     int64       `json:"hits"`
	Limited  int64       `json:"limited,omitempty"`
}

func (b *rulebook) view(r *route.Rule) ruleView {
	counts := b.stats.Of(r.Name)
	v := ruleView{
		Name: r.Name, Match: r.Cond, Sigma: r.Sigma, To: r.To, Limit: r.Rate,
		Hits: counts.Hits.Load(), Limited: counts.Limited.Load(),
	}
	if r.Priority < route.NoPriority {
		v.Priority = &r.Priority
	}
	if r.Sample < 1 {
		v.Sample = &r.Sample
	}
	return v
}

// routes are the queries under /api/rules.
func (b *rulebook) routes() []httpapi.Route {
	return []httpapi.Route{
		{Pattern: "GET /api/rules", Params: []string{"format"}, Do: b.getAll},
		{Pattern: "PUT /api/rules", Do: b.putAll},
		{Pattern: "POST /api/rules", Do: b.post},
		{Pattern: "GET /api/rules/{name}", Do: b.get},
		{Pattern: "PUT /api/rules/{name}", Do: b.put},
		{Pattern: "DELETE /api/rules/{name}", Do: b.remove},
	}
}

// getAll shows all rules; with ?format=yaml the file.
func (b *rulebook) getAll(r *httpapi.Request) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Query("format") == "yaml" {
		return httpapi.Text{Type: "application/yaml", Body: string(b.text)}, nil
	}
	f := b.live.Table().File
	all := struct {
		Rules   []ruleView `json:"rules"`
		Default []string   `json:"default"`
	}{[]ruleView{}, f.Default}
	for k := range f.Rules {
		all.Rules = append(all.Rules, b.view(&f.Rules[k]))
	}
	if b.options.Default != nil {
		all.Default = b.options.Default
	}
	return all, nil
}

// putAll takes another file.
func (b *rulebook) putAll(r *httpapi.Request) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := route.Parse("body", r.Body, nil); err != nil {
		return nil, err
	}
	book, err := route.OpenBook("body", r.Body)
	if err != nil {
		return nil, err
	}
	return nil, b.save(context.Background(), book)
}

// post adds a rule.
func (b *rulebook) post(r *httpapi.Request) (any, error) {
	return b.change(func(book *route.Book) (any, error) {
		name, added, err := book.Put(r.Body)
		if err == nil && !added {
			err = httpapi.Conflict("there is a rule %q; PUT /api/rules/%s replaces it", name, name)
		}
		return httpapi.Created{Value: map[string]string{"name": name}}, err
	})
}

// put adds a rule, or puts it in the place of the one of its name.
func (b *rulebook) put(r *httpapi.Request) (any, error) {
	return b.change(func(book *route.Book) (any, error) {
		name, added, err := book.Put(r.Body)
		switch {
		case err != nil:
			return nil, err
		case name != r.Path("name"):
			return nil, httpapi.Conflict("the rule is called %q, the path %q", name, r.Path("name"))
		case added:
			return httpapi.Created{Value: map[string]string{"name": name}}, nil
		}
		return nil, nil
	})
}

func (b *rulebook) remove(r *httpapi.Request) (any, error) {
	return b.change(func(book *route.Book) (any, error) {
		if !book.Delete(r.Path("name")) {
			return nil, httpapi.NotFound("there is no rule %q", r.Path("name"))
		}
		return nil, nil
	})
}

// change changes the book, puts it in force and keeps it.
func (b *rulebook) change(do func(*route.Book) (any, error)) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text, err := b.kept()
	if err != nil {
		return nil, httpapi.Conflict("%v; PUT /api/rules replaces all", err)
	}
	book, err := route.OpenBook(b.flags.rules, text)
	if err != nil {
		return nil, err
	}
	answer, err := do(book)
	if err != nil {
		return nil, err
	}
	return answer, b.save(context.Background(), book)
}

func (b *rulebook) get(r *httpapi.Request) (any, error) {
	f := b.live.Table().File
	for k := range f.Rules {
		if f.Rules[k].Name == r.Path("name") {
			return b.view(&f.Rules[k]), nil
		}
	}
	return nil, httpapi.NotFound("there is no rule %q", r.Path("name"))
}

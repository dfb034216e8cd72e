package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// One topic of rules is the rule set of a fleet: what one router is told over
// HTTP, another one does.
func TestRouteRulesFromTopic(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 1)
	var routers []*liveRouter
	for range 2 {
		routers = append(routers, startRouter(t, &e.client, t.TempDir(), "--to", "null:", "--rules", "kafka:"+topic))
	}
	shared := t.TempDir()
	for k, p := range routers {
		p.dir = shared
		name := fmt.Sprintf("r%d", k)
		rule := fmt.Sprintf(`{"name":%q,"match":"n == %d","to":[%q]}`, name, k, filepath.Join(shared, name+".log"))
		if got := p.ask(t, http.MethodPost, "/api/rules", rule); !strings.HasPrefix(got, "201 ") {
			t.Fatal(got)
		}
		for _, q := range routers {
			eventually(t, "all have the rule", func() bool {
				return strings.HasPrefix(q.ask(t, http.MethodGet, "/api/rules/"+name, ""), "200 ")
			})
		}
	}
	for k, p := range routers {
		p.send(t, fmt.Sprintf(`{"n":%d}`, 1-k), fmt.Sprintf("r%d.log", 1-k))
	}
	// What another one has put there and is wrong stays, and can be put right.
	e.logctl(t, strings.NewReader(`{"key":"bad","value":{"name":"bad","match":"n ==","to":"null:"}}`+"\n"),
		"produce", "-q", "--envelope", "--to", "kafka:"+topic)
	eventually(t, "it says what is wrong", func() bool { return strings.Contains(routers[0].errs.String(), `rule "bad"`) })
	other := `{"name":"other","match":"n == 9","to":"null:"}`
	if got := routers[0].ask(t, http.MethodPost, "/api/rules", other); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, "bad") {
		t.Errorf("beside a rule that is wrong: %s", got)
	}
	if got := routers[0].ask(t, http.MethodDelete, "/api/rules/bad", ""); got != "204 " {
		t.Errorf("what is wrong is removed: %s", got)
	}
	if got := routers[0].ask(t, http.MethodPost, "/api/rules", other); !strings.HasPrefix(got, "201 ") {
		t.Error(got)
	}
	if got := routers[1].ask(t, http.MethodDelete, "/api/rules/r0", ""); got != "204 " {
		t.Error(got)
	}
	eventually(t, "the rule is gone everywhere", func() bool {
		return strings.HasPrefix(routers[0].ask(t, http.MethodGet, "/api/rules/r0", ""), "404 ")
	})
	for _, p := range routers {
		_ = p.in.Close() // of a pipe in memory
		p.end(t)
	}
}

// A set of rules that replaces another one is in force as a whole, its default too, here
// and where others follow the topic: no record meets a part of it.
func TestRouteSetFromTopic(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, dir := e.topic(t, 1), t.TempDir()
	var routers []*liveRouter
	for range 2 {
		routers = append(routers, startRouter(t, &e.client, dir, "--rules", "kafka:"+topic))
	}
	set := func(names ...string) string {
		text := "default: " + filepath.Join(dir, "rest.log") + "\nrules:\n"
		for _, name := range names {
			text += fmt.Sprintf("  - {name: %s, match: is == %q, to: %s}\n", name, name, filepath.Join(dir, name+".log"))
		}
		return text
	}
	for _, names := range [][]string{{"c", "a", "b"}, {"d", "e", "f", "g", "h"}} {
		if got := routers[0].ask(t, http.MethodPut, "/api/rules", set(names...)); got != "204 " {
			t.Fatalf("PUT: %s", got)
		}
		said := fmt.Sprintf("%d rules in force\n", len(names))
		for k, p := range routers {
			eventually(t, "the rules are in force", func() bool { return strings.Contains(p.errs.String(), said) })
			p.send(t, fmt.Sprintf(`{"is":%q,"by":%d}`, names[0], k), names[0]+".log")
			p.send(t, fmt.Sprintf(`{"is":"other","by":%d,"of":%d}`, k, len(names)), "rest.log")
		}
	}
	for _, p := range routers {
		_ = p.in.Close() // of a pipe in memory
		p.end(t)
		for line := range strings.Lines(p.errs.String()) {
			if strings.HasSuffix(line, "in force\n") && !strings.Contains(line, " 3 rules") && !strings.Contains(line, " 5 rules") {
				t.Errorf("it says %q", line)
			}
		}
	}
}

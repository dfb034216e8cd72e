package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A liveRouter is a logctl route that runs beside the test, reads stdin and is
// asked over HTTP.
type liveRouter struct {
	*process
	dir string
	url string
	in  io.WriteCloser
}

// startRouter starts a router over the rules that stand in rules.yaml of dir.
func startRouter(t *testing.T, c *client, dir string, args ...string) *liveRouter {
	t.Helper()
	r, w := io.Pipe()
	p := &liveRouter{dir: dir, in: w}
	p.process = c.start(t, r, nil, append([]string{"route", "--listen", ":0"}, args...)...)
	p.url = listensAt(t, p.process)
	return p
}

func (p *liveRouter) path(name string) string { return filepath.Join(p.dir, name) }

// send routes a record and waits until it is in a file.
func (p *liveRouter) send(t *testing.T, line, file string) {
	t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, line+" is in "+file, func() bool {
		text, _ := os.ReadFile(p.path(file))
		return strings.Contains(string(text), line+"\n")
	})
}

// ask makes a request and returns its status and the answer.
func (p *liveRouter) ask(t *testing.T, method, path, body string) string {
	t.Helper()
	status, answer := send(t, method, p.url+path, body)
	return fmt.Sprint(status, " ", strings.TrimSpace(answer))
}

// writeFile replaces a file as a whole: nobody finds it half written.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// Rules change while records flow: none is lost, none goes twice, and a broken
// file leaves the last good one in force.
func TestRouteWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rules := func(to string) string {
		return fmt.Sprintf("rules: [{name: all, match: has(n), to: %s}]\n", filepath.Join(dir, to))
	}
	writeFile(t, filepath.Join(dir, "rules.yaml"), rules("a.log"))
	c := &client{home: t.TempDir(), addrs: []string{"127.0.0.1:1"}}
	p := startRouter(t, c, dir, "--to", "null:", "--rules", filepath.Join(dir, "rules.yaml"), "--watch")
	p.send(t, `{"n":0}`, "a.log")
	n := 1
	for k, to := range []string{"b.log", "a.log", "c.log", "b.log"} {
		writeFile(t, p.path("rules.yaml"), rules(to))
		said := fmt.Sprintf("reloads_total %d", k+1)
		eventually(t, "the new rules are in force", func() bool {
			if _, err := p.in.Write(numbers(n, n+50)); err != nil {
				t.Fatal(err)
			}
			n += 50
			return strings.Contains(p.ask(t, http.MethodGet, "/metrics", ""), said)
		})
		p.send(t, fmt.Sprintf(`{"n":%d}`, n), to)
		n++
	}
	writeFile(t, p.path("rules.yaml"), "rules: [{name: all, mtch: has(n), to: d.log}]\n")
	eventually(t, "it says what is wrong", func() bool {
		return strings.Contains(p.errs.String(), `rules.yaml:1:21: unknown key "mtch"; did you mean match?`)
	})
	writeFile(t, p.path("rules.yaml"), "") // all records would go to the default
	eventually(t, "it says that there are no rules", func() bool {
		return strings.Contains(p.errs.String(), `rules.yaml: there is nothing in it`)
	})
	if err := os.Remove(p.path("rules.yaml")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says that the file is gone", func() bool {
		return strings.Contains(p.errs.String(), fmt.Sprintf("the rules in force stay: reading rules %q: no such file", p.path("rules.yaml")))
	})
	if got := p.ask(t, http.MethodGet, "/metrics", ""); !strings.Contains(got, "logctl_route_rejected_rules_total 3") {
		t.Errorf("the metrics do not tell:\n%s", got)
	}
	p.send(t, fmt.Sprintf(`{"n":%d}`, n), "b.log")
	n++
	_ = p.in.Close() // of a pipe in memory
	p.end(t)
	all := new(tally)
	for _, name := range []string{"a.log", "b.log", "c.log"} {
		text, err := os.ReadFile(p.path(name))
		if err != nil {
			t.Fatal(err)
		}
		all.count(t, text)
	}
	if missing, again := all.sum(n); missing > 0 || again > 0 {
		t.Errorf("of %d records %d are missing, %d went twice", n, missing, again)
	}
}

// Rules are read and changed over HTTP, and the file has them, also behind a link; what
// was written into it by hand is not lost.
func TestRouteAPI(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yaml")
	out := filepath.Join(dir, "out.log")
	file := filepath.Join(dir, "behind.yaml")
	writeFile(t, file, "# ours\nrules:\n  - {name: one, match: n == 1, to: "+out+"}\n")
	if err := os.Symlink("behind.yaml", path); err != nil {
		t.Fatal(err)
	}
	c := &client{home: t.TempDir(), addrs: []string{"127.0.0.1:1"}}
	p := startRouter(t, c, dir, "--to", "null:", "--rules", path)
	p.send(t, `{"n":1}`, "out.log")
	rule := fmt.Sprintf(`{"name":"two","priority":1,"match":"n == 2","to":[%q]}`, out)
	for _, s := range []struct{ method, path, body, want string }{
		{"GET", "/api/rules/one", "", fmt.Sprintf(`200 {"name":"one","match":"n == 1","to":[%q],"hits":1}`, out)},
		{"GET", "/api/rules/two", "", `404 {"error":"there is no rule \"two\""}`},
		{"POST", "/api/rules", rule, `201 {"name":"two"}`},
		{"POST", "/api/rules", rule, `409 {"error":"there is a rule \"two\"; PUT /api/rules/two replaces it"}`},
		{"POST", "/api/rules", `{"name":"x","match":"n ==","to":"null:"}`, `400 {"error":"`},
		{"POST", "/api/rules", `{"name":"x","match":"n == 1","to":"sqlite:` + dir + `/none/x.db"}`, `400 {"error":"destination`},
		{"POST", "/api/rules", `{"name":"_default","match":"n == 1","to":"null:"}`, `400 {"error":"rule:1:1: no rule may be called`},
		{"PUT", "/api/rules", "", `400 {"error":"` + path + `: there is nothing in it"`},
		{"PUT", "/api/rules", "# nothing", `400 {"error":"` + path + `: there is nothing in it"`},
		{"PUT", "/api/rules", "rules: []\n---\nrules: []", `400 {"error":"body:3:1: a line --- begins something else`},
		{"PUT", "/api/rules/three", rule, `409 {"error":"the rule is called \"two\", the path \"three\""}`},
		{"PUT", "/api/rules/two", strings.Replace(rule, "n == 2", "n == 22", 1), `204`},
		{"DELETE", "/api/rules/one", "", `204`},
		{"DELETE", "/api/rules/one", "", `404`},
		{"GET", "/api/rules", "", fmt.Sprintf(`200 {"rules":[{"name":"two","priority":1,"match":"n == 22","to":[%q],"hits":0}],"default":["null:"]}`, out)},
	} {
		if got := p.ask(t, s.method, s.path, s.body); !strings.HasPrefix(got, s.want) {
			t.Errorf("%s %s: %s, want %s", s.method, s.path, got, s.want)
		}
	}
	p.send(t, `{"n":22}`, "out.log")
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), "# ours\n") || !strings.Contains(string(text), "n == 22") {
		t.Errorf("%v; the file is\n%s", err, text)
	}
	if got := p.ask(t, http.MethodGet, "/api/rules?format=yaml", ""); got != "200 "+strings.TrimSpace(string(text)) {
		t.Errorf("the file is\n%s\nshown is\n%s", text, got)
	}
	writeFile(t, file, strings.Replace(string(text), "n == 22", "n == 222", 1))
	for _, s := range []struct{ method, path string }{{"POST", "/api/rules"}, {"DELETE", "/api/rules/two"}} {
		got := p.ask(t, s.method, s.path, strings.Replace(rule, "two", "four", 1))
		if want := `409 {"error":"` + path + ` holds changes that are not in force`; !strings.HasPrefix(got, want) {
			t.Errorf("%s %s of a file that was changed by hand: %s, want %s", s.method, s.path, got, want)
		}
	}
	if got := p.ask(t, http.MethodPut, "/api/rules", "rules: [{name: all, match: has(n), to: "+out+"}]"); got != "204 " {
		t.Errorf("PUT of all: %s", got)
	}
	p.send(t, `{"n":7}`, "out.log")
	for _, want := range []string{
		`logctl_route_rule_hits_total{rule="two"} 1`, `logctl_route_rules 1`, `logctl_route_decision_seconds{quantile="0.99"}`,
		`logctl_route_records_total{destination="` + out + `"} 3`, `logctl_route_default_total 0`,
	} {
		if got := p.ask(t, http.MethodGet, "/metrics", ""); !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
	_ = p.in.Close() // of a pipe in memory
	p.end(t)
}

// What matters less goes to a batch topic while the readers of what matters more
// are behind, and back.
func TestRouteShed(t *testing.T) {
	t.Parallel()
	e := embed(t)
	urgent := e.topic(t, 2)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, file("classes.yaml"), fmt.Sprintf("critical: has(urgent)\nto: {critical: 'kafka:%s', low: %s}\n", urgent, file("low.log")))
	p := startRouter(t, &e.client, dir, "--classify", file("classes.yaml"), "--shed", "low when lag(kafka:"+urgent+") > 100",
		"--shed-to", file("batch.log"), "--shed-every", "50ms")
	p.dir = dir
	lag := func(want string) {
		t.Helper()
		eventually(t, "the lag is "+want, func() bool {
			return strings.Contains(p.ask(t, http.MethodGet, "/metrics", ""), want)
		})
	}
	p.send(t, `{"n":1}`, "low.log")
	for range 150 {
		if _, err := io.WriteString(p.in, `{"urgent":1}`+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	lag("logctl_route_sheds_total 1")
	p.send(t, `{"n":2}`, "batch.log")
	e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+urgent, "--group", "readers", "--stop", "end", "--to", "null:")
	eventually(t, "it goes back", func() bool { return strings.Contains(p.errs.String(), "low goes where it did") })
	p.send(t, `{"n":3}`, "low.log")
	_ = p.in.Close() // of a pipe in memory
	p.end(t)
	text, _ := os.ReadFile(file("low.log"))
	if string(text) != "{\"n\":1}\n{\"n\":3}\n" {
		t.Errorf("low.log has %s", text)
	}
	if said := p.errs.String(); !strings.Contains(said, "records: low goes to ") || strings.Contains(said, "no record has a field") {
		t.Errorf("it says\n%s", said)
	}
}

// What takes the load that is shed has to be there from the start; readers that cannot
// be looked at are spoken of.
func TestRouteShedUnknown(t *testing.T) {
	t.Parallel()
	e := embed(t)
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.yaml")
	writeFile(t, rules, "rules: [{name: bulk, match: has(n), to: "+filepath.Join(dir, "low.log")+"}]\n")
	shed := []string{"--to", "null:", "--rules", rules, "--shed", "bulk when lag(kafka:nosuch) > 1", "--shed-every", "10ms", "--shed-to"}
	got := e.run(t, nil, nil, append([]string{"route"}, append(shed, "kafka:nobatch")...)...)
	if got.status == 0 || !strings.Contains(got.errs, `destination "kafka:nobatch": topic "nobatch" does not exist`) {
		t.Errorf("status %d: %s", got.status, got.errs)
	}
	p := startRouter(t, &e.client, dir, append(shed, filepath.Join(dir, "batch.log"))...)
	eventually(t, "it says that the lag is not known", func() bool {
		return strings.Contains(p.errs.String(), `is not known, and nothing changes: topic "nosuch" does not exist`)
	})
	p.send(t, `{"n":1}`, "low.log")
	want := `400 {"error":"--shed: there is no rule \"bulk\""`
	if got := p.ask(t, http.MethodDelete, "/api/rules/bulk", ""); !strings.HasPrefix(got, want) {
		t.Errorf("rules without the one that gives way: %s, want %s", got, want)
	}
	_ = p.in.Close() // of a pipe in memory
	p.end(t)
}

// A Sigma rule that changes is in force at once, as if the rules had; one that is
// broken changes nothing. Rules that come over HTTP may not name files.
func TestRouteWatchSigma(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pattern := func(n int) string {
		return fmt.Sprintf("title: T\ndetection: {s: {n: %d}, condition: s}\n", n)
	}
	writeFile(t, filepath.Join(dir, "one.yml"), pattern(1))
	writeFile(t, filepath.Join(dir, "rules.yaml"),
		fmt.Sprintf("rules: [{name: x, sigma: one.yml, to: %s}]\n", filepath.Join(dir, "a.log")))
	c := &client{home: t.TempDir(), addrs: []string{"127.0.0.1:1"}}
	p := startRouter(t, c, dir, "--to", filepath.Join(dir, "rest.log"), "--rules", filepath.Join(dir, "rules.yaml"), "--watch")
	p.send(t, `{"n":1}`, "a.log")
	writeFile(t, p.path("one.yml"), "title: T\ndetection: {s: {n: 2}, condition: t}\n")
	eventually(t, "it says what is wrong", func() bool {
		return strings.Contains(p.errs.String(), `one.yml:2:35: condition: unknown selection "t"`)
	})
	p.send(t, `{"n":1,"again":1}`, "a.log")
	writeFile(t, p.path("one.yml"), pattern(2))
	eventually(t, "the new Sigma rule is in force", func() bool {
		return strings.Contains(p.ask(t, http.MethodGet, "/metrics", ""), "reloads_total 1")
	})
	p.send(t, `{"n":2}`, "a.log")
	p.send(t, `{"n":1,"again":2}`, "rest.log")
	if got := p.ask(t, http.MethodGet, "/api/rules/x", ""); !strings.Contains(got, `"sigma":{"file":"one.yml","title":"T"}`) {
		t.Errorf("the rule is shown as %s", got)
	}
	if got := p.ask(t, http.MethodPost, "/api/rules", "{name: y, sigma: /etc/passwd, to: b.log}"); !strings.Contains(got,
		"rules that come by HTTP or from a topic may not name files") {
		t.Errorf("a rule that names a file: %s", got)
	}
	whole := "rules: [{name: x, sigma: one.yml, to: a.log}]"
	if got := p.ask(t, http.MethodPut, "/api/rules", whole); !strings.HasPrefix(got, "400") ||
		!strings.Contains(got, "body:1:26: sigma: one.yml: rules that come by HTTP or from a topic may not name files") {
		t.Errorf("a whole file that names one: %s", got)
	}
	if got := p.ask(t, http.MethodPost, "/api/rules", "{name: y, match: n == 3, to: "+p.path("a.log")+"}"); !strings.HasPrefix(got, "201") {
		t.Errorf("a rule beside one of Sigma: %s", got)
	}
	p.send(t, `{"n":3}`, "a.log")
	p.send(t, `{"n":2,"again":1}`, "a.log")
	_ = p.in.Close() // of a pipe in memory
	p.end(t)
}

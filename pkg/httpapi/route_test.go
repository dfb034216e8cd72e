package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
)

func TestRoutes(t *testing.T) {
	s := serve(t, httpapi.Config{Routes: []httpapi.Route{{
		Pattern: "POST /api/things/{name}",
		Do: func(r *httpapi.Request) (any, error) {
			switch r.Path("name") {
			case "none":
				return nil, nil
			case "text":
				return httpapi.Text{Type: "text/plain", Body: r.Query("q")}, nil
			case "new":
				return httpapi.Created{Value: 1}, nil
			case "wrong":
				return nil, fault.Usagef("try this", "that is wrong")
			case "gone":
				return nil, httpapi.NotFound("there is none")
			case "twice":
				return nil, httpapi.Conflict("there is one")
			case "soon":
				return nil, httpapi.Unavailable("not yet")
			case "broken":
				return nil, errors.New("disk full")
			}
			return map[string]int{r.Method(): len(r.Body)}, nil
		},
	}}})
	for name, want := range map[string]string{
		"none": "204 ", "text?q=a%20b": "200 a b", "new": "201 1", "wrong": `400 {"error":"that is wrong","hint":"try this"}`,
		"gone": `404 {"error":"there is none"}`, "twice": `409 {"error":"there is one"}`,
		"soon": `503 {"error":"not yet"}`, "broken": `500 {"error":"disk full"}`, "it": `200 {"POST":4}`,
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/api/things/"+name, strings.NewReader("body"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := resp.Status[:4] + strings.TrimSpace(string(body)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if again := resp.Header.Get("Retry-After"); (again != "") != (name == "soon") {
			t.Errorf("%s: to be asked again after %q", name, again)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/api/things/it",
		strings.NewReader(strings.Repeat("x", 9<<20)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 9 MiB: %s", resp.Status)
	}
}

// Names in a path are what stands there, whatever paths elsewhere mean by it.
func TestNamesInPaths(t *testing.T) {
	s := serve(t, httpapi.Config{Routes: []httpapi.Route{{
		Pattern: "GET /api/of/{name...}",
		Params:  []string{"limit"},
		Do:      func(r *httpapi.Request) (any, error) { return r.Path("name") + r.Query("limit"), nil },
	}}})
	c, err := httpapi.NewClient("", "")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"": "", "a/b": "a/b", "a//b/": "a//b/", "/a": "/a", "///": "///", "..": "..", "a/../b": "a/../b", "./.x": "./.x",
		"a%2F%2Fb%25": "a//b%", "%2E%2e": "..", "http://x/": "http://x/", "a?limit=5": "a5",
	} {
		if got, err := c.Get(t.Context(), s.URL(), "/api/of/"+path); err != nil || string(got) != `"`+want+"\"\n" {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
	for path, want := range map[string]string{
		"/api/of/a?limt=5":          `2 asking S: unknown parameter "limt" (did you mean limit?)`,
		"/api/of/a?x=":              `2 asking S: unknown parameter "x" (there are limit)`,
		"/api/of/a?limit=1&limit=2": `2 asking S: parameter "limit" is given 2 times ()`,
		"/api/off":                  `1 asking S: 404 Not Found (it has no such question: does another command run there?)`,
	} {
		_, err := c.Get(t.Context(), s.URL(), path)
		got := fmt.Sprintf("%d %v (%s)", fault.Status(err), err, fault.HintOf(err))
		if got = strings.ReplaceAll(got, s.URL(), "S"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

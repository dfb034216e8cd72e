package httpapi_test

import (
	"errors"
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

package httpapi_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
)

func serve(t *testing.T, cfg httpapi.Config) *httpapi.Server {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	s, err := httpapi.Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		_ = s.Close(t.Context())
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func TestHealthReadyMetrics(t *testing.T) {
	notReady := errors.New("restoring: 40 % done")
	s := serve(t, httpapi.Config{Ready: func() error { return notReady }})
	if code, _ := get(t, s.URL()+"/healthz", ""); code != http.StatusOK {
		t.Errorf("healthz: %d", code)
	}
	if code, body := get(t, s.URL()+"/readyz", ""); code != http.StatusServiceUnavailable || !strings.Contains(body, "40 %") {
		t.Errorf("readyz while restoring: %d %s", code, body)
	}
	notReady = nil
	if code, _ := get(t, s.URL()+"/readyz", ""); code != http.StatusOK {
		t.Errorf("readyz: %d", code)
	}
	if code, body := get(t, s.URL()+"/metrics", ""); code != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %d %s", code, body)
	}
	if code, _ := get(t, s.URL()+"/debug/pprof/", ""); code != http.StatusNotFound {
		t.Errorf("profiles without --pprof: %d", code)
	}
}

func TestToken(t *testing.T) {
	s := serve(t, httpapi.Config{Token: "secret"})
	for token, want := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized, "secret": http.StatusOK} {
		if code, _ := get(t, s.URL()+"/metrics", token); code != want {
			t.Errorf("token %q: %d, want %d", token, code, want)
		}
	}
	if code, _ := get(t, s.URL()+"/healthz", ""); code != http.StatusOK {
		t.Errorf("healthz wants no token, got %d", code)
	}
}

// What a page of another site has a browser send is refused, unless it only asks.
// Programs, which say nothing of an origin, and pages of the server itself are served.
func TestOtherSitesChangeNothing(t *testing.T) {
	s := serve(t, httpapi.Config{Routes: []httpapi.Route{{
		Pattern: "/api/x", Do: func(*httpapi.Request) (any, error) { return "done", nil },
	}}})
	for _, c := range []struct {
		method, header, value string
		want                  int
	}{
		{http.MethodPost, "Origin", "https://evil.example", http.StatusForbidden},
		{http.MethodPut, "Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{http.MethodDelete, "Origin", "null", http.StatusForbidden},
		{http.MethodGet, "Origin", "https://evil.example", http.StatusOK},
		{http.MethodPost, "Origin", s.URL(), http.StatusOK},
		{http.MethodPost, "User-Agent", "curl", http.StatusOK},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL()+"/api/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(c.header, c.value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s with %s: %s: %d, want %d", c.method, c.header, c.value, resp.StatusCode, c.want)
		}
	}
}

// A page may have its own name lead to loopback: what a browser asks under it is refused,
// unless it is the name that was given, or there is a token, which a page does not know.
func TestNamesOfOthers(t *testing.T) {
	get := func(t *testing.T, s *httpapi.Server, host string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Authorization", "Bearer secret")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	open := serve(t, httpapi.Config{Name: "Logs.example:443"})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(open.URL(), "http://"))
	for host, want := range map[string]int{
		"127.0.0.1:" + port: http.StatusOK, "127.0.0.1": http.StatusOK, "127.9.9.9:1": http.StatusOK, "localhost:" + port: http.StatusOK,
		"LocalHost": http.StatusOK, "[::1]:80": http.StatusOK, "[::1]": http.StatusOK, "logs.example": http.StatusOK,
		"logs.example:8080": http.StatusOK,
		"evil.example":      http.StatusForbidden, "evil.example:" + port: http.StatusForbidden, "evil.example.": http.StatusForbidden,
		"192.0.2.1:80": http.StatusOK, "gateway:80": http.StatusOK,
		"localhost.evil.example": http.StatusForbidden, "127.0.0.1.evil.example:" + port: http.StatusForbidden,
	} {
		code, body := get(t, open, host)
		if code != want {
			t.Errorf("host %s: %d, want %d", host, code, want)
		}
		if code == http.StatusForbidden && !strings.Contains(body, "want localhost or an address, or a token") {
			t.Errorf("host %s: %s", host, body)
		}
	}
	if code, _ := get(t, serve(t, httpapi.Config{}), "logs.example"); code != http.StatusForbidden {
		t.Errorf("a name that nobody gave: %d", code)
	}
	if code, _ := get(t, serve(t, httpapi.Config{Token: "secret"}), "evil.example"); code != http.StatusOK {
		t.Errorf("with a token: %d", code)
	}
}

func TestBeyondLoopbackWantsToken(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		if _, err := httpapi.Listen(t.Context(), httpapi.Config{Addr: addr}); fault.Status(err) != fault.Usage {
			t.Errorf("%s: %v", addr, err)
		}
	}
	s, err := httpapi.Listen(t.Context(), httpapi.Config{Addr: "0.0.0.0:0", Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close(t.Context())
}

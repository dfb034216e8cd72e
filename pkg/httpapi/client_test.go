package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/httpapi"
)

// Whoever is shown a token can use it: one that runs under TLS gives it to nobody in
// plain text.
func TestTokenStaysUnderTLS(t *testing.T) {
	shown := ""
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown = r.Header.Get("Authorization")
	}))
	defer s.Close()
	c, err := httpapi.NewClient("secret", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), s.URL, "/"); err != nil || shown == "" {
		t.Fatalf("%q was shown: %v", shown, err)
	}
	c.Secure()
	shown = ""
	for _, base := range []string{s.URL, strings.TrimPrefix(s.URL, "http://"), "HTTP" + strings.TrimPrefix(s.URL, "http")} {
		if _, err := c.Get(t.Context(), base, "/"); err == nil || !strings.Contains(err.Error(), "want https") {
			t.Errorf("%s: %v", base, err)
		}
	}
	if shown != "" {
		t.Errorf("%q was shown", shown)
	}
}

// An answer without end does not fill memory.
func TestAnswerWithoutEnd(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for part := make([]byte, 1<<20); ; {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	c, err := httpapi.NewClient("", "")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := c.Get(t.Context(), s.URL, "/"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

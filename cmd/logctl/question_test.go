package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// Whoever answers nothing, half of it, or something else is told from a run of logctl.
func TestAskingOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want     string
		patience time.Duration
		answer   http.HandlerFunc
	}{
		{"no whole answer within", time.Millisecond, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"no whole answer within", time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[") // half of it
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
		{`it is no run of logctl: it answers "<html>"`, time.Hour, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}},
	} {
		s := httptest.NewServer(c.answer)
		defer s.Close()
		cmd := new(cobra.Command)
		cmd.SetContext(t.Context())
		if err := (&questionFlags{at: s.URL}).ask(cmd, "/", c.patience); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

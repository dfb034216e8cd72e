// Package httpapi is the door to HTTP: the server behind --listen, the intake of posted
// records, and a client of other runs.
package httpapi

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// Config says where and how to listen. The zero value of a field is its default.
type Config struct {
	Addr  string      // host:port; port 0 takes a free one
	Token string      // what callers must show as "Authorization: Bearer TOKEN"; "" for nothing
	TLS   *tls.Config // with the server's certificate; nil for plain text
	Name  string      // host[:port] by which callers come to it through others; "" for none
	Pprof bool        // serve Go's profiles under /debug/pprof/

	Routes  []Route      // the command's own queries
	Ready   func() error // why the daemon is not ready; nil when it is. A nil func is always ready
	Metrics []prometheus.Collector
}

// A Server answers /healthz, /readyz, /metrics and the command's own queries.
type Server struct {
	srv *http.Server
	ln  net.Listener
	mux *http.ServeMux
	tls bool
}

// Check refuses an address beyond loopback without a token.
func (c Config) Check() error {
	if c.Token == "" && !stream.Loopback(hostOf(c.Addr)) {
		return fault.Usagef("add --auth-token-file FILE, or listen on 127.0.0.1",
			"refusing to listen on %q for everyone without a token", c.Addr)
	}
	return nil
}

// Listen opens the address, if Check allows it. Requests are answered once Serve is
// called.
func Listen(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", cfg.Addr, err)
	}
	s := &Server{ln: ln, mux: http.NewServeMux()}
	if cfg.TLS != nil {
		s.ln, s.tls = tls.NewListener(ln, cfg.TLS), true
	}
	s.handle(cfg)
	s.srv = &http.Server{
		Handler:           ownName(cfg, sameOrigin(authorize(cfg.Token, literal(s.mux)))),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(faults{}, "logctl: ", 0),
	}
	return s, nil
}

// faults takes what the server has to say of itself. That a caller speaks no TLS, or does
// not trust the certificate, it is told itself: anyone could fill a log with that.
type faults struct{}

func (faults) Write(text []byte) (int, error) {
	if bytes.Contains(text, []byte("TLS handshake error")) {
		return len(text), nil
	}
	return log.Writer().Write(text)
}

func (s *Server) handle(cfg Config) {
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, status{"ok", ""})
	})
	s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if cfg.Ready != nil {
			if err := cfg.Ready(); err != nil {
				JSON(w, http.StatusServiceUnavailable, status{"not ready", err.Error()})
				return
			}
		}
		JSON(w, http.StatusOK, status{"ready", ""})
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(cfg.Metrics...)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	for _, r := range cfg.Routes {
		s.mux.HandleFunc(r.Pattern, r.serve)
	}
	if cfg.Pprof {
		s.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		s.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		s.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		s.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
}

// status is the answer of /healthz and /readyz.
type status struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// Handle adds a handler for a pattern of http.ServeMux.
func (s *Server) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// URL returns the address on which the server listens, with the port that it got.
func (s *Server) URL() string {
	if s.tls {
		return "https://" + s.ln.Addr().String()
	}
	return "http://" + s.ln.Addr().String()
}

// Serve answers until Close. It returns nil after Close.
func (s *Server) Serve() error {
	if err := s.srv.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", s.URL(), err)
	}
	return nil
}

// Close stops listening, and waits a moment for requests that are being answered.
func (s *Server) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return s.srv.Shutdown(ctx)
}

// JSON answers with v.
func JSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // rows are shown as they are written
	_ = enc.Encode(v)        // the caller has gone; there is no one to tell
}

// sameOrigin refuses what a page of another site has a browser change or post here: a
// browser reaches loopback, too, and asks nobody for it.
func sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusForbidden, status{"forbidden", "a browser sent this for a page of another site"})
	}))
	return guard.Handler(next)
}

// ownName refuses requests to names that another site may have. A page of that site may have
// its own name lead to loopback, and would read here as in its own site then. A page does not
// know the token.
func ownName(cfg Config, next http.Handler) http.Handler {
	if cfg.Token != "" {
		return next
	}
	name := hostOf(cfg.Name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostOf(r.Host); host != name && isSite(host) {
			JSON(w, http.StatusForbidden, status{
				"forbidden",
				fmt.Sprintf("the request is to the host %q: want localhost or an address, or a token", host),
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isSite reports whether a host is a name in the DNS: an address is none, and a name without
// a dot is known to this network alone.
func isSite(host string) bool {
	_, err := netip.ParseAddr(host)
	return err != nil && strings.Contains(host, ".")
}

// hostOf returns the host of host[:port] in lower case. Browsers always say one.
func hostOf(s string) string {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		host = strings.Trim(s, "[]")
	}
	return strings.ToLower(host)
}

// authorize lets only requests with the token through. /healthz stays open: it
// tells nothing, and supervisors must reach it.
func authorize(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.URL.Path != "/healthz" && subtle.ConstantTimeCompare([]byte(shown), []byte(token)) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="logctl"`)
			JSON(w, http.StatusUnauthorized, status{"unauthorized", "want the token as \"Authorization: Bearer TOKEN\""})
			return
		}
		next.ServeHTTP(w, r)
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/stream"
)

// daemonFlags are those of every command that may run for long.
type daemonFlags struct {
	listen    string
	tokenFile string
	tlsCert   string
	tlsKey    string
	pprof     bool
	drain     time.Duration

	name  string                 // by which others are told to come; "" for none
	bound func(url string) error // called when the address is known, before anything is served; may be nil
}

func (f *daemonFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.listen, "listen", "", "serve /healthz, /readyz and /metrics on `ADDR` (:8080 is loopback)")
	fs.StringVar(&f.tokenFile, "auth-token-file", "", "callers must show the token in `FILE`; required beyond loopback")
	fs.StringVar(&f.tlsCert, "listen-cert", "", "serve TLS with the certificate in `FILE`")
	fs.StringVar(&f.tlsKey, "listen-key", "", "and its key in `FILE`")
	fs.BoolVar(&f.pprof, "pprof", false, "serve Go's profiles under --listen")
	durationVar(fs, &f.drain, "drain", 30*time.Second, "how long to finish what is in flight when interrupted")
}

// serve listens, if asked to, until the returned function is called.
func (f *daemonFlags) serve(
	cmd *cobra.Command, ready func() error, routes []httpapi.Route, metrics ...prometheus.Collector,
) (func(), error) {
	if f.listen == "" {
		return func() {}, nil
	}
	cfg, err := f.config()
	if err != nil {
		return nil, err
	}
	f.certificate().warn(cmd, cfg.TLS)
	cfg.Ready, cfg.Metrics, cfg.Routes = ready, metrics, routes
	srv, err := httpapi.Listen(cmd.Context(), cfg)
	if err != nil {
		return nil, err
	}
	if f.bound != nil {
		if err := f.bound(srv.URL()); err != nil {
			return nil, errors.Join(err, srv.Close(context.WithoutCancel(cmd.Context())))
		}
	}
	note(cmd, "listening on %s", srv.URL())
	go func() {
		if err := srv.Serve(); err != nil {
			note(cmd, "%v", err)
		}
	}()
	return func() { _ = srv.Close(context.WithoutCancel(cmd.Context())) }, nil
}

// check refuses wrong usage before anything is opened or connected to.
func (f *daemonFlags) check() error {
	if f.listen == "" {
		return nil
	}
	_, err := f.config()
	return err
}

// config returns where and how to listen.
func (f *daemonFlags) config() (httpapi.Config, error) {
	addr, err := stream.ListenAddr(f.listen)
	if err != nil {
		return httpapi.Config{}, fault.Usagef("as in --listen :8080", "--listen: %w", err)
	}
	token, err := readSecret(f.tokenFile)
	if err != nil {
		return httpapi.Config{}, err
	}
	conf, err := f.certificate().config()
	if err != nil {
		return httpapi.Config{}, err
	}
	cfg := httpapi.Config{Addr: addr, Token: token, TLS: conf, Pprof: f.pprof, Name: f.name}
	return cfg, cfg.Check()
}

// certificate returns what is shown to those who call.
func (f *daemonFlags) certificate() certificate {
	return certificate{flag: "listen", cert: f.tlsCert, key: f.tlsKey}
}

// readSecret returns the first line of a file, "" for no file.
func readSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Usagef("", "reading a secret: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", fault.Usagef("the secret is the first line of the file", "reading a secret: %q is empty", path)
	}
	return line, nil
}

// note tells a person something on stderr, unless --quiet.
func note(cmd *cobra.Command, format string, args ...any) {
	if quiet, _ := cmd.Flags().GetBool("quiet"); !quiet {
		fmt.Fprintln(cmd.ErrOrStderr(), "logctl: "+stream.HidePassword(fmt.Sprintf(format, args...)))
	}
}

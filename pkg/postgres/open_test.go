package postgres

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/logctl/logctl/pkg/fault"
)

// What is wrong with a URL is said, unless a part of the password may be in it.
func TestUnreadable(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://me:secret@h/d?sslmode=odd":                                "sslmode is invalid",
		"postgres://me:secret@h/d?sslmode=verify-full&sslrootcert=/nowhere/x": "unable to read CA file: open /nowhere/x",
		"postgres://me:secret%@h/d":                                           "cannot be read",
		"postgres://me:12/secret@h/d":                                         "cannot be read",
		"postgres://me:12?secret@h/d":                                         "cannot be read",
		"postgres://me:12?sec=ret@h/d":                                        "cannot be read",
		"postgres://me:?sslmode=secret@h/d":                                   "cannot be read",
		"postgres://me:1/2?secret@h/d":                                        "cannot be read",
		"h/d":                                                                 "is a URL",
	} {
		_, err := newServer(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sec") ||
			fault.Status(err) != fault.Usage || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

// A question mark, or what looks like the end of a password, may be where it belongs.
func TestReadable(t *testing.T) {
	for _, url := range []string{
		"postgres://me:a%3Fb%40@h/d", "postgres://h/d?user=me@realm&password=a@b", "postgres://me@h/d?application_name=a@b",
	} {
		if _, err := newServer(url); err != nil {
			t.Errorf("%s: %v, hint %q", url, err, fault.HintOf(err))
		}
	}
}

// Each reason why there is no connection has advice of its own.
func TestAdvice(t *testing.T) {
	s, err := newServer("postgres://me@h/d")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{IsNotFound: true}, "how the name is written"},
		{x509.UnknownAuthorityError{}, "sslrootcert=FILE"},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}, "use the name"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "a new certificate"},
		{errors.New("server refused TLS connection"), "speaks no TLS"},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, "is it running there"},
		{&pgconn.PgError{Code: "28P01"}, "the password comes from"},
		{&pgconn.PgError{Code: "3D000"}, "createdb d"},
	} {
		err := s.refused(fmt.Errorf("10.0.0.1:5432: %w", test.err))
		if hint := fault.HintOf(err); !strings.Contains(hint, test.want) {
			t.Errorf("%v: %q, want %q", err, hint, test.want)
		}
	}
}

// A user without rights is told which are needed.
func TestForbidden(t *testing.T) {
	srv, err := newServer("postgres://poor@h/d")
	if err != nil {
		t.Fatal(err)
	}
	s := &Sink{server: srv, name: "t"}
	err = s.failed("opening", srv.told(&pgconn.PgError{Code: forbidden, Message: "permission denied"}))
	if !strings.Contains(fault.HintOf(err), "user poor needs") {
		t.Errorf("%v: %q", err, fault.HintOf(err))
	}
}

func TestCheckTable(t *testing.T) {
	for name, ok := range map[string]bool{
		"logs": true, "a b": true, "public.logs": false, "_logctl_x": false, strings.Repeat("n", maxName+1): false,
	} {
		if err := checkTable(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

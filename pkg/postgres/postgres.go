// Package postgres is the door to PostgreSQL: a sink that stores the positions of the
// source in the transaction of the rows, as the sink of pkg/store does in SQLite.
//
// It uses COPY and hand-written statements, over one connection.
package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/logctl/logctl/pkg/fault"
)

// connectTimeout is how long a server may take to let us in, unless the URL says
// connect_timeout.
const connectTimeout = 4 * time.Second

// A server is one to connect to, and the connection while there is one.
type server struct {
	config *pgconn.Config
	c      *pgconn.PgConn // nil while there is none
}

// newServer reads the URL of a database. What it does not say comes from the
// variables that PostgreSQL's own programs read, as PGPASSWORD and PGPASSFILE.
func newServer(address string) (*server, error) {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return nil, fault.Usagef("as in postgres://user@host/database#table", "a postgres endpoint is a URL")
	}
	config, err := pgconn.ParseConfig(address)
	if parsed, e := url.Parse(address); err != nil || e != nil || isCut(parsed) {
		return nil, unreadable(address, err)
	}
	if config.ConnectTimeout == 0 || !strings.Contains(address, "connect_timeout") {
		config.ConnectTimeout = connectTimeout
	}
	config.RuntimeParams["client_encoding"] = "UTF8"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "logctl"
	}
	return &server{config: config}, nil
}

// isCut reports whether a password ends at a mark in it: what is behind a slash would be
// the name of a database, and what is behind a question mark a setting. Both may be shown.
func isCut(u *url.URL) bool {
	return strings.Contains(u.EscapedPath(), "@") ||
		u.User == nil && strings.Contains(u.RawQuery, "@") && !u.Query().Has("user")
}

// unreadable says why a URL is none. The library's text may hold a part of the password
// where the URL is broken.
func unreadable(address string, err error) error {
	parsed, broken := url.Parse(address)
	if why := errors.Unwrap(err); broken == nil && !isCut(parsed) && why != nil {
		return fault.Usagef("as in postgres://user@host/database?sslmode=verify-full&sslrootcert=ca.pem#table; "+
			"sslmode may be disable, allow, prefer, require and verify-ca, too", "the URL of the postgres endpoint: %w", why)
	}
	return fault.Usagef("as in postgres://user@host:5432/database#table; "+
		"in a password, %, #, /, ? and @ are written %25, %23, %2F, %3F and %40",
		"the URL of the postgres endpoint cannot be read")
}

// String names the database, without the password.
func (s *server) String() string {
	host := s.config.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(s.config.Port)))
	}
	return host + " database " + s.config.Database
}

// connect connects where there is no connection.
func (s *server) connect(ctx context.Context) error {
	if s.c != nil && !s.c.IsClosed() {
		return nil
	}
	c, err := pgconn.ConnectConfig(ctx, s.config)
	if err != nil {
		return s.refused(err)
	}
	s.c = c
	return nil
}

// refused says why there is no connection, and what to do about it.
func (s *server) refused(err error) error {
	code := stateOf(err)
	wrapped := fmt.Errorf("connecting to postgres %s: %w", s, innermost(err))
	switch code {
	case "28P01", "28000":
		return fault.Hint(wrapped, "the password comes from PGPASSWORD, from the file PGPASSFILE (~/.pgpass) or from the URL")
	case "3D000":
		return fault.Hint(wrapped, "createdb "+s.config.Database+" makes it")
	case "":
		return fault.Hint(wrapped, adviceFor(err))
	}
	return wrapped
}

// adviceFor says what to do where there is no connection, or none that is safe.
func adviceFor(err error) string {
	var (
		unknown   *net.DNSError
		unknownCA x509.UnknownAuthorityError
		wrongHost x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return "check how the name is written, and that this machine can look it up"
	case errors.As(err, &unknownCA):
		return "name the file of the authority's certificate with sslrootcert=FILE in the URL, or PGSSLROOTCERT"
	case errors.As(err, &wrongHost):
		return "use the name that the server's certificate is for, or sslmode=verify-ca"
	case errors.As(err, &invalid):
		return "the server needs a new certificate, or this machine's clock is wrong"
	case strings.Contains(err.Error(), "server refused TLS"):
		return "it speaks no TLS: sslmode=prefer or disable in the URL does without"
	default:
		return "is it running there, and does it listen on that address?"
	}
}

// innermost leaves out what the library says about the whole attempt: it repeats
// each address that was tried.
func innermost(err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return describe(e)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		err = e.Unwrap()
	}
	if line, _, more := strings.Cut(err.Error(), "\n"); more {
		return &lost{errors.New(line)}
	}
	return err
}

// describe adds to the server's message where in the data it was.
func describe(e *pgconn.PgError) error {
	text := e.Message
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Where != "" {
		text += " (" + e.Where + ")"
	}
	return &stated{text: text, err: e}
}

// stated is an error of the server in our words.
type stated struct {
	text string
	err  *pgconn.PgError
}

func (e *stated) Error() string { return e.text }
func (e *stated) Unwrap() error { return e.err }

// stateOf returns the SQLSTATE of an error that the server has sent, else "".
func stateOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// lost is an error of the connection: nobody knows what became of the statement.
type lost struct{ err error }

func (e *lost) Error() string { return e.err.Error() }
func (e *lost) Unwrap() error { return e.err }

// passes reports whether an error may go away by itself: a server that is down,
// starting, full or too busy; a deadlock.
func passes(err error) bool {
	code := stateOf(err)
	if code == "" {
		_, isNet := errors.AsType[net.Error](err)
		_, isLost := errors.AsType[*lost](err)
		_, isConnect := errors.AsType[*pgconn.ConnectError](err)
		return isNet || isLost || isConnect
	}
	for _, c := range []string{"08", "53", "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "25006"} {
		if strings.HasPrefix(code, c) {
			return true
		}
	}
	return false
}

// exec runs statements in one implicit transaction, where none is under way.
func (s *server) exec(ctx context.Context, sql string) error {
	return s.told(s.c.Exec(ctx, sql).Close())
}

// told returns an error in our words.
func (s *server) told(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return describe(e)
	}
	return &lost{err}
}

// query runs a statement with arguments and returns the rows of its answer as
// text; nil is null.
func (s *server) query(ctx context.Context, sql string, args ...string) ([][]string, error) {
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = []byte(a)
	}
	r := s.c.ExecParams(ctx, sql, values, nil, nil, nil).Read()
	if r.Err != nil {
		return nil, s.told(r.Err)
	}
	rows := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		for _, v := range row {
			rows[i] = append(rows[i], string(v))
		}
	}
	return rows, nil
}

// close ends the connection, and with it what was not committed.
func (s *server) close() error {
	if s.c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c := s.c
	s.c = nil
	return c.Close(ctx)
}

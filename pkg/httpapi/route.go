package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// A Route is a query of a command.
type Route struct {
	Pattern string   // of http.ServeMux: "GET /api/rules/{name}"
	Params  []string // of the query; others, and those given twice, are refused. nil: any are taken

	// Do answers. What it returns is written as JSON, a Text as it is, nil as 204
	// No Content. An error of wrong usage is 400, others are 500, unless it is
	// made by Errorf. It is called from several goroutines at a time.
	Do func(*Request) (any, error)
}

// A Request is a request to a Route.
type Request struct {
	Body []byte // up to maxBody bytes
	r    *http.Request
}

// Path returns the part of the path that {name} in the pattern stands for.
func (r *Request) Path(name string) string { return r.r.PathValue(name) }

// Query returns a parameter of the query, "" if it is missing.
func (r *Request) Query(name string) string { return r.r.URL.Query().Get(name) }

// Has reports whether the query has a parameter, even an empty one.
func (r *Request) Has(name string) bool { return r.r.URL.Query().Has(name) }

// Context is done when the caller has gone.
func (r *Request) Context() context.Context { return r.r.Context() }

// Target returns the path and the query of the request with more parameters (name,
// value, …), for asking another run the same.
func (r *Request) Target(more ...string) string {
	q := r.r.URL.Query()
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return r.r.URL.EscapedPath() + "?" + q.Encode()
}

// Method returns the HTTP method.
func (r *Request) Method() string { return r.r.Method }

// Text is an answer that is no JSON.
type Text struct {
	Type string // as in text/plain
	Body string
}

// Created is an answer with status 201.
type Created struct{ Value any }

// maxBody bounds what is read of a request.
const maxBody = 8 << 20

// statusError is an error with a status of HTTP.
type statusError struct {
	error
	code int
}

// Unwrap returns the error itself.
func (e statusError) Unwrap() error { return e.error }

// Errorf returns an error that is answered with an HTTP status.
func Errorf(code int, format string, args ...any) error {
	return statusError{fmt.Errorf(format, args...), code}
}

// NotFound returns an error that is answered with 404.
func NotFound(format string, args ...any) error { return Errorf(http.StatusNotFound, format, args...) }

// Unavailable returns an error that is answered with 503 and Retry-After, for what will
// be available soon.
func Unavailable(format string, args ...any) error {
	return Errorf(http.StatusServiceUnavailable, format, args...)
}

// Conflict returns an error that is answered with 409.
func Conflict(format string, args ...any) error { return Errorf(http.StatusConflict, format, args...) }

func (rt Route) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		answerError(w, Errorf(http.StatusRequestEntityTooLarge,
			"the body is larger than %s bytes", human.Whole(tooLarge.Limit)))
		return
	}
	if err != nil {
		answerError(w, Errorf(http.StatusBadRequest, "reading the body: %w", err))
		return
	}
	if err := rt.check(r.URL.Query()); err != nil {
		answerError(w, err)
		return
	}
	v, err := rt.Do(&Request{body, r})
	if err != nil {
		answerError(w, err)
		return
	}
	switch v := v.(type) {
	case nil:
		w.WriteHeader(http.StatusNoContent)
	case Created:
		JSON(w, http.StatusCreated, v.Value)
	case Text:
		w.Header().Set("Content-Type", v.Type)
		_, _ = io.WriteString(w, v.Body) // the caller has gone; there is no one to tell
	default:
		JSON(w, http.StatusOK, v)
	}
}

// check refuses parameters that the route does not know: an answer to another
// question than was meant is worse than none.
func (rt Route) check(q url.Values) error {
	if rt.Params == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(rt.Params, name) {
			hint := cmp.Or(fault.DidYouMean(name, rt.Params), "there are "+strings.Join(rt.Params, ", "))
			return fault.Usagef(hint, "unknown parameter %q", name)
		}
		if len(q[name]) > 1 {
			return fault.Usagef("", "parameter %q is given %d times", name, len(q[name]))
		}
	}
	return nil
}

// literal has what stands in paths under /api/ taken as it is: http.ServeMux would
// make /a of /x/../a and of //a, and a key may be called so.
func literal(next http.Handler) http.Handler {
	plain := strings.NewReplacer("//", "/%2F", "/.", "/%2E")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.EscapedPath(); strings.HasPrefix(path, "/api/") {
			r.URL.RawPath = plain.Replace(path)
		}
		next.ServeHTTP(w, r)
	})
}

// answerError says what is wrong, and what to try.
func answerError(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	if fault.Status(err) == fault.Usage {
		code = http.StatusBadRequest
	}
	if own := (statusError{}); errors.As(err, &own) {
		code = own.code
	}
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	JSON(w, code, struct {
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
	}{err.Error(), fault.HintOf(err)})
}

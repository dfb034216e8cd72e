package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// A Client asks other runs of logctl.
type Client struct {
	token  string
	secure bool // it shows the token over TLS alone
	http   *http.Client
}

// NewClient returns a client that sends a token, "" for none. trusted may name a file
// of certificates, which are trusted in addition to those of the system.
func NewClient(token, trusted string) (*Client, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	c := &Client{token: token, http: &http.Client{Transport: transport}}
	if trusted == "" {
		return c, nil
	}
	pem, err := os.ReadFile(trusted)
	if err != nil {
		return nil, fault.Usagef("", "certificates to trust: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fault.Usagef("", "%s: no certificate in it", trusted)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return c, nil
}

// Secure makes the client send its token only over TLS.
func (c *Client) Secure() { c.secure = true }

// maxAnswer is the most bytes of an answer.
const maxAnswer = 256 << 20

// Get requests path from a run at base, an address or URL, and returns the answer.
func (c *Client) Get(ctx context.Context, base, path string) ([]byte, error) {
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	url := strings.TrimSuffix(base, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fault.Usagef("as in 127.0.0.1:8080", "%q is no address: %w", base, err)
	}
	if c.token != "" {
		if c.secure && req.URL.Scheme != "https" {
			return nil, fmt.Errorf("asking %s: want https:// to show the token to", base)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("asking %s: %w", base, context.Cause(ctx))
	case err != nil:
		return nil, fault.Hint(fmt.Errorf("asking %s: %w", base, errors.Unwrap(err)), "does it run there, with --listen?")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("it answers with more than %s", human.Bytes(maxAnswer))
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("asking %s: %w", base, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, denial(base, resp, body)
	}
	return body, nil
}

// denial returns the error that an answer is: what it says is wrong, and what to try.
func denial(base string, resp *http.Response, body []byte) error {
	var said struct{ Error, Hint string }
	switch {
	case json.Unmarshal(body, &said) == nil && said.Error != "":
	case resp.StatusCode == http.StatusNotFound:
		said.Error, said.Hint = resp.Status, "it has no such question: does another command run there?"
	default:
		said.Error = resp.Status
	}
	if resp.StatusCode == http.StatusBadRequest {
		return fault.Usagef(said.Hint, "asking %s: %s", base, said.Error)
	}
	return fault.Hint(fmt.Errorf("asking %s: %s", base, said.Error), said.Hint)
}

package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// Get asks another run of logctl that serves at base, an address or URL, and
// returns what it answers to path. An empty token is none.
func Get(ctx context.Context, base, path, token string) ([]byte, error) {
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	url := strings.TrimSuffix(base, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fault.Usagef("as in 127.0.0.1:8080", "%q is no address: %w", base, err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("asking %s: %w", base, errors.Unwrap(err)), "does it run there, with --listen?")
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("asking %s: %w", base, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking %s: %s", base, reason(resp, body))
	}
	return body, nil
}

// reason returns what an answer says is wrong.
func reason(resp *http.Response, body []byte) string {
	var said struct{ Error string }
	if json.Unmarshal(body, &said) == nil && said.Error != "" {
		return said.Error
	}
	return resp.Status
}

package peers_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logctl/logctl/pkg/peers"
)

// A place answers for instances, by address.
type place map[string]any

func (p place) Get(ctx context.Context, base, path string) ([]byte, error) {
	switch v := p[base].(type) {
	case nil:
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case error:
		return nil, v
	case string:
		return []byte(v + path), nil
	default:
		return json.Marshal(v)
	}
}

func TestAsk(t *testing.T) {
	c := &peers.Circle{
		Within: 50 * time.Millisecond,
		Client: place{
			"http://a": peers.Envelope("a", 7), "http://b": errors.New("connection refused"), "http://c": peers.Envelope("z", 8),
			"http://d": "<html>",
		},
		Others: func(context.Context) ([]peers.Peer, error) {
			return []peers.Peer{
				{"a", "http://a"}, {"b", "http://b"}, {"c", "http://c"}, {"d", "http://d"}, {"e", "http://e"}, {"f", ""},
			}, nil
		},
	}
	replies, err := peers.Ask[int](t.Context(), c, "/x")
	if err != nil || len(replies) != 6 {
		t.Fatal(replies, err)
	}
	for i, want := range []string{"", "refused", `"z" answers there`, "not an answer", "deadline", "without --listen"} {
		switch r := replies[i]; {
		case want == "" && (r.Err != nil || r.Said != 7):
			t.Errorf("%s: %d, %v", r.Name, r.Said, r.Err)
		case want != "" && (r.Err == nil || !strings.Contains(r.Err.Error(), want)):
			t.Errorf("%s: %v, want %s", r.Name, r.Err, want)
		}
	}
	c.Others = func(context.Context) ([]peers.Peer, error) { return nil, errors.New("no broker") }
	if _, err := peers.Ask[int](t.Context(), c, "/x"); err == nil {
		t.Error("it is known who the others are")
	}
}

// Many that ask at once cost one question; a failure is told and asked again.
func TestRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		fail := errors.New("not now")
		r := peers.Recent[int64]{Get: func(context.Context) (int64, error) {
			if n := asked.Add(1); n > 1 {
				return n, nil
			}
			return 0, fail
		}}
		if _, err := r.Value(t.Context()); !errors.Is(err, fail) {
			t.Errorf("the first answer is %v", err)
		}
		for range 100 {
			if n, err := r.Value(t.Context()); n != 2 || err != nil {
				t.Fatal(n, err)
			}
		}
		if synctest.Wait(); asked.Load() != 2 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

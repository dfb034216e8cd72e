package stream_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/stream"
)

func TestCheckSignature(t *testing.T) {
	of := stream.SignOver
	for _, c := range []struct{ kept, now, want string }{
		{"window 1m", "window 1m", ""},
		{of("window 1m", 4), of("window 1m", 4), ""},
		{"window 1m", of("window 1m", 4), ""}, // kept by an earlier build
		{of("window 1m", 4), "window 1m", ""},
		{of("window 1m", 4), of("window 1m", 6), "over 4 partitions, and now there are 6"},
		{of("window 1m", 4), of("window 5m", 4), "state of another command"},
		{of("window 1m", 4), of("window 5m", 6), "state of another command"},
		{"window 1m", "window 5m", "state of another command"},
		{of("window 1m", 4) + ` --where "x"`, of("window 1m", 4), "state of another command"},
	} {
		err := stream.CheckSignature("it", c.kept, c.now)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("kept %q, now %q: %v, want %q", c.kept, c.now, err, c.want)
		}
	}
}

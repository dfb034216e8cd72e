package postgres

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestPatienceEnds: a server that is down for longer than it may be is an error, which
// says for how long it was waited for.
func TestPatienceEnds(t *testing.T) {
	told := 0
	waits := patience{busy: func(error) error { told++; return nil }, within: time.Millisecond}
	gone := &lost{errors.New("gone")}
	if err := waits.out(t.Context(), gone); err != nil {
		t.Fatalf("it gives up at once: %v", err)
	}
	err := waits.out(t.Context(), gone)
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "waited for 1ms") || told != 1 {
		t.Errorf("told %d times, it ends with %v", told, err)
	}
}

package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/logctl/logctl/pkg/fault"
)

func TestNearest(t *testing.T) {
	known := []string{"1", "window", "produce", "consume", "topic"}
	for name, want := range map[string]string{
		"2":     "",
		"widow": "window", "produec": "produce", "consum": "consume", "topics": "topic", "xyzzy": "", "": "", "tpoic": "topic",
	} {
		if got := fault.Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	flags := []string{"any", "count", "at-least-once", "exactly-once", "read_committed", "user_id", "trace_id", "on"}
	for name, want := range map[string]string{
		"cnt": "count", "exactly": "exactly-once", "committed": "read_committed", "once": "on", "id": "", "ann": "any",
	} {
		if got := fault.Nearest(name, flags); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := fault.DidYouMean("widow", known); got != "did you mean window?" {
		t.Error(got)
	}
}

func TestStatusAndHintSurviveWrapping(t *testing.T) {
	err := fmt.Errorf("reading: %w", fault.Usagef("try x", "bad %q: %w", "y", io.EOF))
	if fault.Status(err) != fault.Usage || fault.HintOf(err) != "try x" || !errors.Is(err, io.EOF) {
		t.Errorf("%v: %d, hint %q", err, fault.Status(err), fault.HintOf(err))
	}
	if err := fault.Hint(io.EOF, "more"); fault.Status(err) != fault.Failed || fault.HintOf(err) != "more" {
		t.Errorf("%v: %d", err, fault.Status(err))
	}
	if err := fault.Hint(err, "other"); fault.HintOf(err) != "try x" {
		t.Error("the first hint is the nearer one")
	}
	if fault.Status(nil) != fault.OK || fault.Hint(nil, "x") != nil {
		t.Error("no error, no status")
	}
}

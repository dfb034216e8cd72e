package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/stream"
)

// hung is a sink whose server has stopped answering: it can only be broken off.
type hung struct {
	text
	flushing func()
}

func (s *hung) Flush(ctx context.Context) error {
	s.flushing()
	<-ctx.Done()
	return ctx.Err() // and no word of why
}

// TestInterruptThatCannotFinish: a run that could not write what it had read says so,
// and does not end as one that was done.
func TestInterruptThatCannotFinish(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := &lines{name: "x", times: make([]int64, 10), n: 5}
	err := runSoon(ctx, t, engine.Pipeline{
		Sources: []stream.Source{src}, Sink: &hung{flushing: cancel}, Drain: time.Millisecond,
	})
	if err == nil || !strings.Contains(err.Error(), "--drain") {
		t.Errorf("%v; want it to say that the time of --drain was over", err)
	}
}

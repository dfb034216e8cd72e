package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/stream"
)

// putOut is a source whose partitions others have got.
type putOut struct {
	lines
	err error
}

func (p *putOut) Holds(context.Context) error { return p.err }

// TestNotHeld: a state is not kept that another reader may have gone on with, and the
// run ends with what its source says.
func TestNotHeld(t *testing.T) {
	gone := errors.New("others went on")
	for _, err := range []error{nil, gone} {
		v := newVault()
		src := &putOut{lines{name: "a", times: make([]int64, 10), n: 1}, err}
		p := engine.Pipeline{Sources: []stream.Source{src}, Operator: newTally(), Sink: new(text), Vault: v}
		if got := runSoon(t.Context(), t, p); !errors.Is(got, err) {
			t.Errorf("it ended with %v, want %v", got, err)
		}
		if kept := len(v.saved) > 0; kept != (err == nil) {
			t.Errorf("%v: a state was kept: %v", err, kept)
		}
	}
}

package main

import (
	"testing"

	"github.com/logctl/logctl/pkg/engine"
)

// TestReady: a run is ready when its state is there.
func TestReady(t *testing.T) {
	p := &pipeline{}
	p.Stats = new(engine.Stats)
	for _, tasks := range []int64{0, 2, 0} {
		p.Stats.Restoring.Store(tasks)
		if err := p.ready(); (err == nil) != (tasks == 0) {
			t.Errorf("%d tasks are restored: %v", tasks, err)
		}
	}
}

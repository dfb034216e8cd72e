package main

import (
	"testing"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/priority"
)

// TestBufferOfClasses: where a commit is waited for by urgent records, little is in
// flight in front of it; less stays as it was asked for.
func TestBufferOfClasses(t *testing.T) {
	plain, classes := new(pipeline), new(pipeline)
	classes.Choose = priority.New(make([]priority.Class, 2))
	for _, c := range []struct {
		p           *pipeline
		asked, want int64
	}{
		{plain, 0, 0},
		{plain, 32 << 20, 32 << 20},
		{classes, 0, promptBuffer},
		{classes, 32 << 20, promptBuffer},
		{classes, 1 << 20, 1 << 20},
	} {
		got := c.p.forTxn(kafka.SinkConfig{Txn: "mine", Buffer: c.asked})
		if got.Buffer != c.want || got.Txn != "" {
			t.Errorf("asked for %d, classes %t: %+v, want %d", c.asked, c.p == classes, got, c.want)
		}
	}
}

package main

import (
	"testing"

	"github.com/logctl/logctl/pkg/kafka"
)

// An answer does not say that all is read while it is not known what there is to read.
func TestLagBeforePartitionsAreAssigned(t *testing.T) {
	l := newLagSum()
	l.add(new(kafka.Source))
	if n := l.sum(t.Context()); n != -1 {
		t.Errorf("the lag is %d before a partition is assigned, want -1: not known", n)
	}
}

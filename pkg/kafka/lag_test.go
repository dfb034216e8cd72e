package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// How far a reader is behind is not known before its partitions are assigned, and
// placed: until then it is not 0.
func TestLagIsKnownOncePartitionsAreThere(t *testing.T) {
	s := &Source{wake: make(chan struct{}, 1), parts: map[part]*partition{}}
	known := func() bool { _, known := s.Lag(); return known }
	if known() {
		t.Error("it is known before the group was joined")
	}
	client, err := kgo.NewClient()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s.onAssigned(t.Context(), client, map[string][]int32{"t": {0}})
	if known() {
		t.Error("it is known before it is known where the partition begins")
	}
	s.disown(map[string][]int32{"t": {0}})
	if !known() {
		t.Error("it is not known of a member that has no partition")
	}
}

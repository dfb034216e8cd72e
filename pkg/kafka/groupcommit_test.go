package kafka

import (
	"testing"

	"github.com/logctl/logctl/pkg/stream"
)

// A partition that was lost and comes back has been read further by another member: a
// commit that was under way all the time does not take the group back.
func TestCommitOfATimeBefore(t *testing.T) {
	s := &Source{parts: map[part]*partition{}, wake: make(chan struct{}, 1)}
	id := part{"t", 3}
	for _, step := range []struct {
		begins, commits int64
		want            int
	}{
		{10, 20, 1},
		{40, 20, 0},
		{40, 40, 1}, // that it is done is news
		{40, 50, 1},
	} {
		s.place(s.own(id), offsets{}, step.begins)
		got := s.mine([]stream.Position{{Source: id.topic, Partition: id.n, Next: step.commits}})
		if len(got) != step.want {
			t.Errorf("from %d on, %d was committed: %v", step.begins, step.commits, got)
		}
		s.disown(map[string][]int32{id.topic: {id.n}})
	}
}

package kafka

import (
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// A partition that was lost and comes back at an earlier place meets the ends of those
// that it is filled from again: it ends with the last of them, as before.
func TestEndsAreMetAgain(t *testing.T) {
	s := &Source{
		cfg:   SourceConfig{Shuffled: &Shuffled{Upstreams: 2, Ends: true}},
		parts: map[part]*partition{}, wake: make(chan struct{}, 1),
	}
	id := part{"t", 0}
	for range 2 {
		p := s.own(id)
		s.place(p, offsets{}, 2)
		for upstream, want := range []int64{never, 6} {
			at := int64(3 + 2*upstream)
			s.addMark(p, record.NewBatch(), record.Mark{Source: "up", Partition: int32(upstream), Time: record.Ended, Next: 7}, at)
			if p.stop != want {
				t.Errorf("behind the end of upstream %d it stops at %d, want %d", upstream, p.stop, want)
			}
		}
		s.disown(map[string][]int32{id.topic: {id.n}})
	}
}

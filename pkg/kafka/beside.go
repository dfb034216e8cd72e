package kafka

import (
	"context"
	"slices"
	"time"
)

// watchUpstreams ends partitions beside others until ctx is done: marks of those come
// at all times, so that nothing is silent.
func (s *Source) watchUpstreams(ctx context.Context) {
	look := time.NewTicker(checkEvery)
	defer look.Stop()
	upstreams := living{}
	for {
		select {
		case <-look.C:
			if s.waitsForMarks() && s.upstreamsAreOver(ctx, upstreams) {
				s.endBeside(ctx)
			}
		case <-ctx.Done():
			return
		}
	}
}

// waitsForMarks reports whether the ends of what a partition is filled from have still
// to come.
func (s *Source) waitsForMarks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.owned, func(p *partition) bool { return p.stop == never })
}

// upstreamsAreOver reports whether the first half has committed all up to where this
// run ends, and some of it is read on: by members that live.
func (s *Source) upstreamsAreOver(ctx context.Context, l living) bool {
	group := s.cfg.Shuffled.Group
	committed, err := s.admin.FetchOffsets(ctx, group)
	if err != nil {
		return false
	}
	lives := l.among(ctx, s, group, committed)
	beside := false
	for _, up := range s.cfg.Shuffled.Stops {
		at, _ := committed.Lookup(up.Source, up.Partition)
		switch {
		case readOn(at.Metadata, lives) && at.At >= up.Next:
			beside = true
		case !endedAt(at.Metadata, up.Next):
			return false
		}
	}
	return beside
}

// endBeside ends the partitions of a shuffled topic whose last marks do not come, for
// what they are filled from is read on. All that belongs to this run is in the topic:
// it is read up to where it ends now, open transactions included.
func (s *Source) endBeside(ctx context.Context) {
	last, err := s.admin.ListEndOffsets(ctx, s.cfg.Topics...)
	if err != nil || last.Error() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.owned {
		if p.stop != never {
			continue
		}
		p.stop = max(offsetOf(last, p.part), p.next)
		if s.settleEnd(p); p.ended {
			s.orders = append(s.orders, order{partition: p, atEnd: true})
			signal(s.wake)
		}
	}
}

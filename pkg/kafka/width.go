package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/logctl/logctl/pkg/fault"
)

// A Widths says how many partitions topics have, and that a run relies on it.
type Widths struct {
	Of    map[string]int
	Cause string // why a run cannot go on with others: a clause
	Hint  string // what to do then
}

// checkWidthEvery is how often a reader looks whether a topic has been altered.
const checkWidthEvery = time.Second

// watchWidths ends reading once a topic has another number of partitions than the
// run relies on. A topic that cannot be asked about, or is gone, is not its concern.
func (s *Source) watchWidths(ctx context.Context) {
	tick := time.NewTicker(checkWidthEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		found, err := s.admin.ListTopics(ctx, s.cfg.Topics...)
		if err != nil {
			continue
		}
		for _, name := range s.cfg.Topics {
			if n := len(found[name].Partitions); n > 0 && s.altered(name, n) {
				return
			}
		}
	}
}

// altered ends reading where n is not how many partitions a topic should have.
func (s *Source) altered(topic string, n int) bool {
	w := s.cfg.Widths
	want := w.Of[topic]
	if n == want {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = fault.Hint(fmt.Errorf("topic %q had %d partitions when this run began, and now has %d: %s",
		topic, want, n, w.Cause), w.Hint)
	signal(s.wake)
	return true
}

// checkAssigned ends reading where partitions come from the group that a run does
// not reckon with; before anything of them is read.
func (s *Source) checkAssigned(given positions) {
	if s.cfg.Widths == nil {
		return
	}
	for topic, parts := range given {
		for n := range parts {
			if n := int(n) + 1; n > s.cfg.Widths.Of[topic] {
				s.altered(topic, n)
			}
		}
	}
}

// Width returns how many partitions a topic has, 0 where there is no such topic.
func (a *Admin) Width(ctx context.Context, topic string) (int, error) {
	found, err := a.adm.ListTopics(ctx, topic)
	if err != nil {
		return 0, a.cfg.explain(err, topic)
	}
	return len(found[topic].Partitions), nil
}

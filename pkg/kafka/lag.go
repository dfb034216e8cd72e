package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A Lag is how far a partition's reader is behind its end.
type Lag struct {
	Topic     string
	Partition int32
	Next, End int64 // what is handed out next; the end that readers see
}

// lagWithin is how long a broker may take to say where partitions end.
const lagWithin = 2 * time.Second

// Lags returns the lag of every partition that is this reader's now. It asks
// for the ends: what the last fetch has told is old where the reader is held
// back, and then the lag matters. Where no broker answers in time, the ends are
// those of the last fetch.
func (s *Source) Lags() []Lag {
	ends := s.ends()
	s.mu.Lock()
	defer s.mu.Unlock()
	lags := make([]Lag, 0, len(s.owned))
	for _, p := range s.owned {
		end := max(p.end, p.next)
		if l, ok := ends.Lookup(p.topic, p.n); ok && l.Err == nil {
			end = max(end, l.Offset)
		}
		lags = append(lags, Lag{p.topic, p.n, p.next, end})
	}
	return lags
}

// ends asks where the topics of this reader's partitions end.
func (s *Source) ends() kadm.ListedOffsets {
	s.mu.Lock()
	var topics []string
	seen := map[string]bool{}
	for _, p := range s.owned {
		if !seen[p.topic] {
			seen[p.topic] = true
			topics = append(topics, p.topic)
		}
	}
	s.mu.Unlock()
	if len(topics) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lagWithin)
	defer cancel()
	list := s.admin.ListCommittedOffsets
	if s.cfg.Uncommitted {
		list = s.admin.ListEndOffsets
	}
	ends, err := list(ctx, topics...)
	if err != nil {
		return nil
	}
	return ends
}

package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/logctl/logctl/pkg/human"
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

// Lag returns how many records of the reader's partitions are not read yet. It is not
// known before it is told which partitions these are, and where it begins in them.
func (s *Source) Lag() (n int64, known bool) {
	for _, l := range s.Lags() {
		n += max(l.End-l.Next, 0)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return n, s.joined && !s.placing
}

// lagEvery is how often WatchLag looks at the lag.
const lagEvery = 5 * time.Second

// WatchLag calls say when more than most records are not read yet, and when no more
// than half of that are left, until the returned function is called.
func (s *Source) WatchLag(most int64, say func(string)) (stop func() error) {
	quit := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		clock := time.NewTicker(lagEvery)
		defer clock.Stop()
		behind := false
		for {
			select {
			case <-clock.C:
			case <-quit:
				return
			}
			switch lag, _ := s.Lag(); {
			case !behind && lag > most:
				behind = true
				say(fmt.Sprintf("%s records are not read yet, more than --warn-lag %d", human.Count(lag), most))
			case behind && lag <= most/2:
				behind = false
				say(human.Count(lag) + " records are not read yet: it catches up")
			}
		}
	})
	return func() error {
		close(quit)
		watching.Wait()
		return nil
	}
}

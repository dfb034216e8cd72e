package kafka

import (
	"context"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/logctl/logctl/pkg/stream"
)

// What a member writes beside the offset of a partition (the metadata of the commit)
// where something follows from its end. A group's run is over when all partitions are
// done, and not only read: one that changes hands between the two must not be
// forgotten by both.
const (
	wordEnded = "ended"   // what follows from its end is in the output; behind it see endOf
	wordLives = "goes on" // the member reads it without an end
)

// words are what is written beside offsets.
type words map[part]string

// of returns the word of a partition, nil where there is none.
func (w words) of(topic string, n int32) *string {
	if word, ok := w[part{topic, n}]; ok {
		return &word
	}
	return nil
}

// words returns what is written beside each of the positions.
func (s *Source) words(at []stream.Position) words {
	if !s.cfg.Finishes {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := words{}
	for _, a := range at {
		id := part{a.Source, a.Partition}
		switch p := s.parts[id]; {
		case !s.finite():
			w[id] = wordLives
		case a.Done && p != nil && p.ended:
			w[id] = wordEnded + " " + strconv.FormatInt(endOf(p), 10)
		}
	}
	return w
}

// endOf tells the end of a partition from those of earlier runs: of one that is filled
// from others it is the sum of where those have ended. Members look at ends at different
// moments; those of a later one are not less, and neither is their sum.
func endOf(p *partition) int64 {
	if len(p.over) == 0 {
		return p.stop
	}
	sum := int64(0)
	for _, next := range p.over {
		sum += next
	}
	return sum
}

// noteDone notes which partitions are committed as done.
func (s *Source) noteDone(at []stream.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range at {
		if p := s.parts[part{a.Source, a.Partition}]; p != nil && p.owned && p.ended {
			p.done = p.done || a.Done
		}
	}
	signal(s.wake)
}

// groupIsDone reports whether the group has committed every partition up to its stop
// and, where something follows from that, as done. Only then may a member end: until
// then partitions may still come to it, from one that leaves or dies.
func (s *Source) groupIsDone(ctx context.Context) bool {
	if s.cfg.Group == "" || s.cfg.Stop.kind == forCount {
		return false
	}
	committed, err := s.admin.FetchOffsets(ctx, s.cfg.Group)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ownEnded() {
		return false
	}
	for topic, parts := range s.marks.last {
		for n := range parts {
			id := part{topic, n}
			at, ok := committed.Lookup(topic, n)
			if p := s.parts[id]; (p == nil || !p.owned) && !s.isDone(id, at, ok) {
				return false
			}
		}
	}
	return true
}

// isDone reports whether a partition of another member, or of none, is done by what
// is committed.
func (s *Source) isDone(id part, at kadm.OffsetResponse, committed bool) bool {
	stop := s.marks.end(s.cfg.Stop, id)
	if !s.cfg.Finishes {
		return committed && at.At >= stop || s.marks.begin(s.cfg.Start, id) >= stop
	}
	if s.cfg.Shuffled != nil {
		stop = 0
		for _, up := range s.cfg.Shuffled.Stops {
			stop += up.Next
		}
	}
	word, end, _ := strings.Cut(at.Metadata, " ")
	switch {
	case at.Metadata == wordLives:
		return s.cfg.Shuffled != nil || at.At >= stop
	case word != wordEnded:
		return false
	}
	n, err := strconv.ParseInt(end, 10, 64)
	return err == nil && n >= stop
}

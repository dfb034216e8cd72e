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
	wordLives = "goes on" // a member reads it without an end; behind it is which: see living
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
	me, _ := s.client.GroupMetadata()
	s.mu.Lock()
	defer s.mu.Unlock()
	w := words{}
	for _, a := range at {
		id := part{a.Source, a.Partition}
		switch p := s.parts[id]; {
		case !s.finite():
			w[id] = wordLives + " " + me
		case a.Done && p != nil && p.ended:
			w[id] = wordEnded + " " + strconv.FormatInt(s.endOf(p), 10)
		}
	}
	return w
}

// endOf tells the end of a partition from those of earlier runs: of one that is filled
// from others it is the sum of where those have ended, or are read on (see endBeside).
// Members look at ends at different moments; those of a later one are not less, and
// neither is their sum.
func (s *Source) endOf(p *partition) int64 {
	if s.cfg.Shuffled == nil {
		return p.stop
	}
	sum := int64(0)
	for _, up := range s.cfg.Shuffled.Stops {
		if next, ended := p.over[part{up.Source, up.Partition}]; ended {
			sum += next
		} else {
			sum += up.Next
		}
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
	lives := s.living.among(ctx, s, s.cfg.Group, committed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ownEnded() {
		return false
	}
	for topic, parts := range s.marks.last {
		for n := range parts {
			id := part{topic, n}
			at, ok := committed.Lookup(topic, n)
			if p := s.parts[id]; (p == nil || !p.owned) && !s.isDone(id, at, ok, lives) {
				return false
			}
		}
	}
	return true
}

// isDone reports whether a partition of another member, or of none, is done by what
// is committed, where members live.
func (s *Source) isDone(id part, at kadm.OffsetResponse, committed bool, lives func(member string) bool) bool {
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
	if readOn(at.Metadata, lives) {
		return s.cfg.Shuffled != nil || at.At >= stop
	}
	return endedAt(at.Metadata, stop)
}

// endedAt reports whether a word says that a partition has ended at stop or behind.
func endedAt(word string, stop int64) bool {
	end, ok := strings.CutPrefix(word, wordEnded+" ")
	n, err := strconv.ParseInt(end, 10, 64)
	return ok && err == nil && n >= stop
}

// readOn reports whether a word says that a member that lives reads a partition
// without an end.
func readOn(word string, lives func(member string) bool) bool {
	member, ok := strings.CutPrefix(word, wordLives+" ")
	return ok && lives(member)
}

package engine

import (
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// spent is what is left of lanes that have given all they had: all that a task needs
// of them but their times, so that its work does not grow with how many there were.
type spent struct {
	most   int64  // their greatest event time
	recent []seen // of those that hold the watermark until they have been silent long enough: see add
}

// add takes in a lane that holds the watermark as one that is silent does. A time that
// is not less than that of one that holds it as long makes no difference: so recent is
// in order of both, and its first is the least.
func (s *spent) add(last seen) {
	i := len(s.recent)
	for i > 0 && s.recent[i-1].active > last.active {
		i--
	}
	if i < len(s.recent) && s.recent[i].max <= last.max {
		return
	}
	from := i
	for from > 0 && s.recent[from-1].max >= last.max {
		from--
	}
	s.recent = slices.Replace(s.recent, from, i, last)
}

// least returns the time at which the watermark is held, forever where it is not.
func (s *spent) least(now, idle int64) int64 {
	for len(s.recent) > 0 && now-s.recent[0].active >= idle {
		s.recent = s.recent[1:]
	}
	if len(s.recent) == 0 {
		return forever
	}
	return s.recent[0].max
}

// exhausted reports whether nothing will come of a lane any more. What ends and comes
// back, as partitions of a topic may, is kept, as is what a group is to be told of.
func (ls *lanes) exhausted(l *lane) bool {
	return l.ended && len(l.queue) == 0 && ls.New == nil && !ls.several(l.source)
}

// spend keeps what is needed of an exhausted lane, and reports whether it is one.
func (t *task) spend(l *lane) bool {
	if !t.exhausted(l) {
		return false
	}
	t.spent.most = max(t.spent.most, l.max)
	if l.grows && l.max > record.NoTime {
		t.spent.add(seen{l.max, l.active})
	}
	if _, ok := t.op.(stream.Stateful); ok && t.Vault != nil {
		if at, last, ok := l.seen(); ok {
			t.times[at] = last
			t.news = append(t.news, at)
		}
	}
	return true
}

// several reports whether a source has, or may have, more than one partition.
func (ls *lanes) several(source int) bool {
	_, ok := ls.Sources[source].(stream.Pauser)
	return ok
}

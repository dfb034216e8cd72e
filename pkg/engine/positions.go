package engine

import (
	"slices"

	"github.com/logctl/logctl/pkg/stream"
)

// moved returns the positions that have changed since it was last called, for
// each source its own. Where a state is not there yet there are none: marks that
// have passed are a part of it. Nothing is left to do then for an exhausted lane.
func (ls *lanes) moved() [][]stream.Position {
	at := make([][]stream.Position, len(ls.Sources))
	for _, l := range ls.all {
		if l.task == nil || l.task.ready {
			at[l.source] = ls.movedOf(l, at[l.source])
		}
	}
	ls.all = slices.DeleteFunc(ls.all, func(l *lane) bool {
		done := ls.exhausted(l) && !l.moved
		if done {
			delete(ls.byKey, l.key)
		}
		return done
	})
	return at
}

// movedOf appends the positions of one lane.
func (ls *lanes) movedOf(l *lane, at []stream.Position) []stream.Position {
	l.head(ls.release)
	if !l.moved {
		return at
	}
	l.moved = false
	if len(l.queue) > 0 {
		ls.bury(l.queue[0], l.row)
	}
	p, ok := l.position()
	at = append(at, l.past...)
	l.past = l.past[:0]
	if ok && ls.finished(l, &p) {
		at = append(at, p)
	}
	return at
}

// finished lowers a lane's position to what the sink has finished, and reports
// whether that is news. Where something is open the lane is asked again.
func (ls *lanes) finished(l *lane, p *stream.Position) bool {
	t, ok := ls.Sink.(stream.Tracker)
	if !ok {
		return true
	}
	read := p.Next
	*p = t.Finished(*p)
	l.moved = p.Next < read
	p.Done = p.Done && !l.moved
	news := p.Next != l.told || p.Done
	l.told = p.Next
	return news
}

// unfinished reports whether the sink has still to finish what it was given.
func (ls *lanes) unfinished() bool {
	return slices.ContainsFunc(ls.all, func(l *lane) bool { return l.moved })
}

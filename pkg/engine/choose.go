package engine

import (
	"math"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// pickChosen returns rows of the source that the chooser names: of its partition
// whose next record has waited longest.
func (t *task) pickChosen(done func(*job)) (record.Rows, bool) {
	room := t.room()
	if room <= 0 {
		return record.Rows{}, false
	}
	t.weigh(done)
	source, most := t.Choose.Choose(t.Now(), t.waiting)
	if source < 0 {
		return record.Rows{}, false
	}
	for _, l := range t.mine {
		if l.source == source && len(l.queue) > 0 && l.stamp() == t.waiting[source].Since {
			return t.take(l, forever, min(most, room)), true
		}
	}
	return record.Rows{}, false
}

// weigh finds what waits of each source.
func (t *task) weigh(done func(*job)) {
	if t.waiting == nil {
		t.waiting = make([]stream.Waiting, len(t.Sources))
	}
	for i := range t.waiting {
		t.waiting[i] = stream.Waiting{}
		if !t.known[i] { // it has still to say which partitions it has
			t.waiting[i].Awaited = t.began
		}
	}
	for _, l := range t.mine {
		w := &t.waiting[l.source]
		if _, ok := l.head(done); !ok {
			if l.waits() {
				w.Awaited = max(w.Awaited, l.active)
			}
			continue
		}
		if at := l.stamp(); w.Records == 0 || at < w.Since {
			w.Since = at
		}
		for _, j := range l.queue {
			w.Records += len(j.Recs)
		}
		w.Records -= l.row
	}
}

// stamp returns the stamp of the next row, which head has found.
func (l *lane) stamp() int64 { return l.queue[0].Recs[l.row].Stamp }

// room returns how many records the sink is to be given now.
func (ls *lanes) room() int {
	if s, ok := ls.Sink.(stream.Rationed); ok {
		n, _ := s.Room()
		return n
	}
	return math.MaxInt
}

// rationed reports whether records wait for room in the sink. An interrupted run
// leaves them to the next one, as it does with what the sink has not begun.
func (ls *lanes) rationed() bool {
	if _, ok := ls.Sink.(stream.Rationed); !ok || ls.Choose == nil || ls.ctx.Err() != nil {
		return false
	}
	for _, l := range ls.all {
		if _, ok := l.head(ls.release); ok {
			return true
		}
	}
	return false
}

// progress has a message when the sink has finished something, where that matters:
// it may take more of what is chosen, or someone waits for a commit.
func (r *run) progress() <-chan struct{} {
	s, ok := r.Sink.(stream.Rationed)
	if !ok || r.Choose == nil && !r.prompt {
		return nil
	}
	_, more := s.Room()
	return more
}

package codec

import (
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// lay lays a track through the record that begins at data[start] and ends with
// data, if there can be one. Its shape is known.
func (p *ndjson) lay(data []byte, start int, leaf int32) {
	t := &p.shapes.tracks
	if p.check.strict {
		return
	}
	if t.waiting > 0 {
		t.waiting--
		return
	}
	data = data[:start+len(trimSpace(data[start:]))]
	l := layer{ndjson: p, data: data, start: start}
	to, isNew := t.place(l.marksIn(start, len(data)))
	l.track = to
	if l.lay() {
		l.finish(leaf)
	} else {
		to.marks, isNew = -1, false
	}
	if isNew {
		t.pause = 0
		return
	}
	t.pause = min(2*t.pause+1, maxPause)
	t.waiting = t.pause
}

// place returns where a track with so many marks is laid down, and whether no
// other one had to give way for it.
func (t *tracks) place(marks int) (to *track, isNew bool) {
	set := &t.sets[marks%trackSets]
	for i := range *set {
		if (*set)[i].marks < 0 {
			return &(*set)[i], true
		}
	}
	if n := len(*set); n < trackWays {
		*set = slices.Grow(*set, 1)[:n+1]
		return &(*set)[n], true
	}
	oldest := &t.oldest[marks%trackSets]
	to = &(*set)[*oldest]
	*oldest = (*oldest + 1) % trackWays
	return to, false
}

// A layer lays down one track.
type layer struct {
	*ndjson
	*track
	data   []byte
	start  int
	first  int   // the number of the record's first key
	key    int   // the number of the next key
	scalar int32 // 1 where a scalar stands before the next step
}

// marksIn returns how many marks data[from:to] has.
func (l *layer) marksIn(from, to int) int { return l.index.countTo(to) - l.index.countTo(from) }

// lay lays the track, and reports whether there can be one.
func (l *layer) lay() bool {
	t := l.track
	*t = track{steps: t.steps[:0], takes: t.takes[:0], arrays: t.arrays[:0], fields: t.fields[:0]}
	if !l.read(l.data, l.start) {
		return false
	}
	t.marks = l.marksIn(l.start, len(l.data))
	l.first = l.index.seek(l.start)
	l.key = l.first
	l.open()
	from, last := l.start, len(l.seen)-1
	for k, seg := range l.seen[:last] {
		if from = l.value(from, seg, l.seen[k+1].from); from < 0 {
			return false
		}
	}
	if !l.text(from, len(l.data)) {
		return false
	}
	t.keys = l.key - l.first
	return true
}

// open replaces objects by the segments within them.
func (l *layer) open() {
	for k := 0; k < len(l.seen)-1; k++ {
		seg := l.seen[k]
		if l.data[seg.to] != '{' || len(l.seen) > maxSteps {
			continue
		}
		l.take(seg.slot, record.Object, seg.to, l.seen[k+1].from)
		inner := l.within(l.data, seg)
		end := len(inner) - 1
		l.seen[k+1].from = inner[end].from // its text begins within the object
		l.seen = slices.Replace(l.seen, k, k+1, inner[:end]...)
		k--
	}
}

// take notes a value that stands in data[from:to].
func (l *layer) take(slot int32, kind record.Kind, from, to int) {
	if slot != unread {
		l.takes = append(l.takes, take{slot, kind, place{off: int32(from)}, place{off: int32(to)}})
	}
}

// value lays steps for the text from data[from] on and the value behind it, which
// ends at data[end]. It returns where the next text begins: a string's quotes
// belong to the text. It returns -1 where there can be no track.
func (l *layer) value(from int, seg segment, end int) (next int) {
	to, kind := seg.to, unsettled
	next = end
	switch l.data[to] {
	case '{':
		return -1 // too many of them
	case '[':
		kind = record.Array
		l.inside += l.marksIn(to, end)
	case '"':
		if l.marksIn(to, end) != 2 {
			return -1
		}
		kind, to, next = record.String, to+1, end-1
	default:
		if l.marksIn(to, end) != 0 {
			return -1 // they would make up for others in strings
		}
	}
	if !l.text(from, to) {
		return -1
	}
	switch kind {
	case record.Array:
		l.arrays = append(l.arrays, int32(len(l.steps)))
	case unsettled:
		l.scalar = 1
	}
	l.take(seg.slot, kind, to, next)
	return next
}

// text lays the steps of data[from:to].
func (l *layer) text(from, to int) bool {
	l.skipKeys(from) // those in an array
	colon, last := l.colon(), to == len(l.data)
	if n := (to - from + maxStep - 1) / maxStep; last != (colon >= to) || last && n > 1 || len(l.steps)+n > maxSteps {
		return false
	}
	if last {
		colon = to
	}
	for ; from < to; from += maxStep {
		s := step{key: int32(l.key - l.first), colon: int32(colon - from), scalar: l.scalar}
		l.at[len(l.steps)] = int32(from)
		s.len = int32(copy(s.text[:], l.data[from:to]))
		for i := range s.len {
			s.mask[i] = 0xff
		}
		l.steps = append(l.steps, s)
		l.scalar = 0
	}
	l.skipKeys(to)
	return true
}

// colon returns where the colon of the next key stands.
func (l *layer) colon() int { return int(l.index.keys[l.key]) + l.index.base }

func (l *layer) skipKeys(to int) {
	for l.colon() < to {
		l.key++
	}
}

// finish completes a track of the given shape.
func (l *layer) finish(leaf int32) {
	l.leaf = leaf
	for i := range l.takes {
		c := &l.takes[i]
		c.from, c.to = l.find(c.from, false), l.find(c.to, true)
	}
	for _, slot := range l.shapes.direct[int(leaf)*len(l.cols):][:len(l.cols)] {
		if slot >= 0 {
			slot = int32(slices.IndexFunc(l.takes, func(c take) bool { return c.slot == slot }))
		}
		l.track.fields = append(l.track.fields, slot)
	}
}

// find returns the place of an offset: in the first step that it is in or behind
// of, or in the last one.
func (l *layer) find(p place, last bool) (found place) {
	for k, s := range l.steps {
		if at := l.at[k]; at <= p.off && p.off <= at+s.len {
			found = place{uint32(k), p.off - at}
			if !last {
				break
			}
		}
	}
	return found
}

package codec

import (
	"github.com/logctl/logctl/pkg/record"
)

// The bounds of what is laid down.
const (
	trackSets = 16
	trackWays = 4
	maxSteps  = 64   // in a track
	maxStep   = 32   // bytes that are compared at a time
	maxPause  = 4096 // records
)

// tracks are ways through records like those before, and shorter than shapes. A
// record of a known shape is laid down as a track: the bytes around its values
// once more, but with the quotes of strings, and with the place of each key among
// all keys of the record. An index says where the keys of another record stand,
// so that no comparison has to wait until the end of a value is found. It also
// says how many marks the record has: if that is the number of the track, there
// is none within a string, whatever its length.
//
// Records on one track have values of the same kinds (strings, scalars, arrays)
// and as many marks. There is none for records with escapes in strings or with
// scalars of more than 16 bytes, nor with strict.
//
// Tracks lie in sets by their number of marks. In a full set the oldest gives
// way. What cannot be laid down, or only in place of another, has more and more
// records pass before it is tried again.
type tracks struct {
	sets    [trackSets][]track
	oldest  [trackSets]uint8
	pause   int // how many records pass after a failure
	waiting int // how many of them are still to pass
}

// A track is a sequence of steps, from the opening brace of a record to the
// closing one.
type track struct {
	steps  []step
	takes  []take
	arrays []int32 // the steps behind arrays
	fields []int32 // for each field: which of takes it is, or nowhere or within
	keys   int
	marks  int
	inside int             // marks within arrays
	leaf   int32           // of its shape; -1 where it is none any more
	at     [maxSteps]int32 // where each step stands in the record at hand
}

// A step is the text between two values, or up to maxStep bytes of it.
type step struct {
	text, mask [maxStep]byte
	key        int32 // which of the record's keys tells where it stands; of the last step the end does
	colon      int32 // where that key's colon stands, from the beginning of the step; or the end
	len        int32
	scalar     int32 // 1 where a scalar stands before it
}

// A take is a value that fills a slot.
type take struct {
	slot     int32
	kind     record.Kind
	from, to place
}

// A place is a number of bytes behind the beginning of a step.
type place struct {
	step uint32
	off  int32
}

func (t *tracks) forget() {
	for i := range t.sets {
		t.sets[i] = t.sets[i][:0]
	}
	t.pause, t.waiting = 0, 0
}

// follow looks for a track of the record in data[start:end] and fills the
// columns. It may look at bytes behind the record.
func (p *ndjson) follow(data []byte, row, start, end int) bool {
	if end-start > maxMatched || p.check.strict {
		return false
	}
	x := &p.index
	x.see(data, end)
	marks := x.countTo(end) - x.countTo(start)
	set := p.shapes.tracks.sets[marks%trackSets]
	end = start + len(trimSpace(data[start:end]))
	if end+maxStep > cap(data) {
		return false
	}
	k := x.seek(start)
	for i := range set {
		t := &set[i]
		if t.marks != marks || k+t.keys >= len(x.keys) {
			continue
		}
		if t.keys > 0 && int(x.keys[k+t.keys-1])+x.base+maxStep > cap(data) {
			return false
		}
		if p.isOn(t, data, k, start, end) {
			x.next = k + t.keys
			p.take(t, data, row)
			return true
		}
	}
	return false
}

// isOn reports whether a record is on track t, and notes where its steps are.
// Its first key is number k.
func (p *ndjson) isOn(t *track, data []byte, k, start, end int) bool {
	x := &p.index
	return followAVX2(t, &x.keys[k], &data[x.base], start-x.base, end-x.base) &&
		int(t.at[0]) == start-x.base && (len(t.arrays) == 0 || p.areArrays(t, data))
}

// areArrays reports whether the values of a record on track t are whole where
// they are to be arrays, and have all the marks that the steps and strings have
// not.
func (p *ndjson) areArrays(t *track, data []byte) bool {
	x := &p.index
	inside := 0
	for _, k := range t.arrays {
		from, to := int(t.at[k-1]+t.steps[k-1].len)+x.base, int(t.at[k])+x.base
		if from == to || data[from] != '[' || p.check.nested(data[:to], from) != to {
			return false
		}
		inside += x.countTo(to) - x.countTo(from)
	}
	return inside == t.inside
}

// take fills the columns with the values of a record on track t.
func (p *ndjson) take(t *track, data []byte, row int) {
	for k, n := range t.fields {
		var v record.Value
		if n >= 0 {
			if v = t.taken(n, p.index.base); v.Kind() == unsettled {
				v = settle(data, v)
			}
		}
		if n == within || n >= 0 && v.Kind() == record.Missing {
			p.takeAll(t, data, row)
			return
		}
		p.cols[k][row] = v
	}
}

// takeAll is take by way of the slots.
func (p *ndjson) takeAll(t *track, data []byte, row int) {
	for n, c := range t.takes {
		p.slots[c.slot] = settle(data, t.taken(int32(n), p.index.base))
	}
	p.fillLearned(data, row, t.leaf)
}

// taken returns a value of a record on track t, a scalar as it stands.
func (t *track) taken(n int32, base int) record.Value {
	c := &t.takes[n]
	from, to := t.at[c.from.step%maxSteps]+c.from.off, t.at[c.to.step%maxSteps]+c.to.off
	return record.NewValue(c.kind, int(from)+base, int(to-from))
}

func trimSpace(s []byte) []byte {
	for len(s) > 0 && s[len(s)-1] <= ' ' && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

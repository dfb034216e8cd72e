package session

import (
	"bytes"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// maxHistory bounds the bytes of rows that are kept.
const maxHistory = 64 << 20

// A history keeps the rows of sessions that were closed last: as long as they
// are wanted, in the order in which they closed, and for each user.
type history struct {
	keep   int64 // ns of event time
	past   arena[past, *past]
	texts  texts
	bytes  int
	oldest uint32
	newest uint32
	latest map[uint64]uint32 // by the hash of the user's key

	last    uint64   // the number of a session that closed
	unsaved uint32   // the first one that Changes has not given away; 0: it has all
	gone    []uint64 // numbers that it has, of sessions that were dropped
	loose   []uint32 // sessions that were restored, in any order
}

// A past session is one that was closed.
type past struct {
	number        uint64 // in the order in which they closed
	end, duration int64
	events        uint64
	hash          uint64 // of its user's key
	next, prev    uint32 // closed after and before it
	older, newer  uint32 // of its user's
	key, size     uint32 // the length of its text, and of the key at its beginning
	text          place
	step          uint8 // of the funnel
	converted     bool
	abandoned     bool
}

func (p *past) link() *uint32 { return &p.next }

// KeepHistory keeps the rows of closed sessions for queries: for d of event time, and
// at most 64 MiB.
func (o *Op) KeepHistory(d time.Duration) {
	o.history = &history{keep: int64(d), latest: map[uint64]uint32{}}
}

// remember keeps the fields of the row of a session that is over.
func (o *Op) remember(n uint32, row []byte, abandoned bool) {
	h, s := o.history, o.sessions.at(n)
	kind, text := o.users.key(s.user)
	key := 1 + len(text)
	h.row(append(append(o.row.other[:0], byte(kind)), text...), row, past{
		end: s.end, duration: s.end - s.start, events: o.sessions.events(n), hash: o.users.at(s.user).hash,
		key: uint32(key), step: o.stepOf(n), converted: o.fields.isConverted(o, n), abandoned: abandoned,
	})
	h.drop(o.newest)
}

// stepOf returns how many steps of the funnel a session has reached.
func (o *Op) stepOf(n uint32) uint8 {
	if o.order == nil {
		return 0
	}
	return o.order.details[n].step
}

// isConverted reports whether a session has had the event that --convert is about.
func (f *fields) isConverted(o *Op, n uint32) bool {
	if f.converted < 0 {
		return false
	}
	value := f.set.AppendValue(nil, f.converted, aggregate.Row{Cells: o.cells, Group: n})
	return string(value) == "true"
}

func (h *history) row(key, row []byte, p past) {
	h.order()
	h.last++
	p.number = h.last
	n := h.keepText(append(append(append(key, '{'), row...), '}'), p)
	h.link(n)
	if h.unsaved == 0 {
		h.unsaved = n
	}
}

// keepText keeps a past session and its text.
func (h *history) keepText(text []byte, p past) uint32 {
	p.size, p.text = uint32(len(text)), h.texts.add(text)
	h.bytes += room(len(text))
	n := h.past.add()
	*h.past.at(n) = p
	return n
}

// link makes a session the last one that closed.
func (h *history) link(n uint32) {
	p := h.past.at(n)
	if p.older = h.latest[p.hash]; p.older != 0 {
		h.past.at(p.older).newer = n
	}
	h.latest[p.hash] = n
	if h.newest != 0 {
		h.past.at(h.newest).next, p.prev = n, h.newest
	} else {
		h.oldest = n
	}
	h.newest = n
}

// drop forgets what is too old, or too much.
func (h *history) drop(now int64) {
	for h.oldest != 0 && (h.past.at(h.oldest).end < now-h.keep || h.bytes > maxHistory) {
		n := h.oldest
		p := h.past.at(n)
		if p.newer != 0 {
			h.past.at(p.newer).older = 0
		} else {
			delete(h.latest, p.hash)
		}
		if h.oldest = p.next; h.oldest != 0 {
			h.past.at(h.oldest).prev = 0
		} else {
			h.newest = 0
		}
		if h.unsaved == n {
			h.unsaved = p.next
		} else {
			h.gone = append(h.gone, p.number)
		}
		h.texts.remove(p.text, int(p.size))
		h.bytes -= room(int(p.size))
		h.past.remove(n)
	}
}

// text returns the key and the row of a past session.
func (h *history) text(p *past) (key, row []byte) {
	text := h.texts.at(p.text, int(p.size))
	return text[:p.key], text[p.key:]
}

// of calls f for the past sessions of a user, the last one first, until it
// returns false.
func (h *history) of(hash uint64, kind record.Kind, text []byte, f func(p *past, row []byte) bool) {
	h.order()
	for n := h.latest[hash]; n != 0; {
		p := h.past.at(n)
		key, row := h.text(p)
		if key[0] == byte(kind) && bytes.Equal(key[1:], text) && !f(p, row) {
			return
		}
		n = p.older
	}
}

// back calls f for all past sessions, the last one first, until it returns false.
func (h *history) back(f func(p *past, row []byte) bool) {
	h.order()
	for n := h.newest; n != 0; {
		p := h.past.at(n)
		if _, row := h.text(p); !f(p, row) {
			return
		}
		n = p.prev
	}
}

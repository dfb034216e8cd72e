package session

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// The key of a past session's entry is its number. What is dropped is gone from the
// state, so that retention bounds that, too.

// pastKey is the length of such a key.
const pastKey = 9

func appendPastKey(dst []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, entryPast), number)
}

// changes gives away which past sessions are gone, and which are new.
func (h *history) changes(put func(key, value []byte) error) error {
	h.order()
	var key, value []byte
	for ; len(h.gone) > 0; h.gone = h.gone[1:] {
		key = appendPastKey(key[:0], h.gone[0])
		if err := put(key, nil); err != nil {
			return err
		}
	}
	for h.unsaved != 0 {
		p := h.past.at(h.unsaved)
		key, value = appendPastKey(key[:0], p.number), h.appendPast(value[:0], p)
		if err := put(key, value); err != nil {
			return err
		}
		h.unsaved = p.next
	}
	return nil
}

func (h *history) unsave() {
	h.order()
	h.gone, h.unsaved = nil, h.oldest
}

// What a past session was, as its entry has it.
const (
	wasConverted = 1 << iota
	wasAbandoned
)

// appendPast appends the value of a past session's entry.
func (h *history) appendPast(dst []byte, p *past) []byte {
	was := byte(0)
	if p.converted {
		was |= wasConverted
	}
	if p.abandoned {
		was |= wasAbandoned
	}
	dst = binary.AppendUvarint(binary.AppendVarint(append(dst, was, p.step), p.end), uint64(p.duration))
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, p.events), uint64(p.key))
	return append(dst, h.texts.at(p.text, int(p.size))...)
}

// restorePast takes back a past session. Where nobody asks in this run, its entry
// is to go.
func (o *Op) restorePast(key, value []byte) error {
	if len(key) != pastKey {
		return errState
	}
	h := o.history
	if h == nil {
		o.state.gone.Append(key, nil)
		return nil
	}
	r := wire.Read(value)
	was, step := r.Byte(), r.Byte()
	end, duration, events, size := r.Varint(), r.Uvarint(), r.Uvarint(), r.Uvarint()
	switch {
	case r.Failed() || was > wasConverted|wasAbandoned || int(step) > len(o.fields.funnel):
		return errState
	case !possible(end) || duration > math.MaxInt64 || size == 0 || size > uint64(len(r.Rest())):
		return errState
	}
	kind, text, row := record.Kind(r.Rest()[0]), r.Rest()[1:size], r.Rest()[size:]
	if !o.keys.Valid(kind, text) || len(row) == 0 || row[0] != '{' || !json.Valid(row) {
		return errState
	}
	h.loose = append(h.loose, h.keepText(r.Rest(), past{
		number: binary.BigEndian.Uint64(key[1:]), end: end, duration: int64(duration), events: events,
		hash: aggregate.HashKey(kind, text), key: uint32(size), step: step,
		converted: was&wasConverted != 0, abandoned: was&wasAbandoned != 0,
	}))
	return nil
}

// order links what was restored, in the order in which it closed. Nothing has closed
// since.
func (h *history) order() {
	if len(h.loose) == 0 {
		return
	}
	slices.SortFunc(h.loose, func(a, b uint32) int { return cmp.Compare(h.past.at(a).number, h.past.at(b).number) })
	for _, n := range h.loose {
		h.link(n)
		h.last = h.past.at(n).number
	}
	h.loose = nil
}

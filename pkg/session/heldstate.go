package session

import (
	"encoding/binary"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// The key of a held event's entry is its time, kind and text of its user's key
// behind its length, source, partition and turn.

// noteHeld says that an event came.
func (o *Op) noteHeld(m uint32) {
	if o.state.tracking {
		o.order.held.at(m).marks = unsaved
		o.state.held = append(o.state.held, m)
	}
}

// discardHeld notes that an event has had its turn.
func (o *Op) discardHeld(m uint32) {
	if o.order.held.at(m).marks&saved != 0 {
		o.state.key = o.appendHeldKey(o.state.key[:0], m)
		o.state.gone.Append(o.state.key, nil)
	}
}

// putHeld gives away the events that came since the last call.
func (o *Op) putHeld(put func(key, value []byte) error) error {
	st := &o.state
	for k, m := range st.held {
		h := o.order.held.at(m)
		if h.marks&unsaved == 0 {
			continue // it has had its turn
		}
		st.key = o.appendHeldKey(st.key[:0], m)
		st.value = o.appendHeld(st.value[:0], m)
		if err := put(st.key, st.value); err != nil {
			st.held = st.held[k:]
			return err
		}
		h.marks = saved
	}
	st.held = st.held[:0]
	return nil
}

// unsaveHeld has Changes give all events away again.
func (o *Op) unsaveHeld() {
	st := &o.state
	st.held = st.held[:0]
	if o.order == nil {
		return
	}
	held := &o.order.held
	for m := uint32(1); m < held.unused; m++ {
		if held.at(m).user != 0 {
			held.at(m).marks = unsaved
			st.held = append(st.held, m)
		}
	}
}

// appendHeld appends the value of an event's entry.
func (o *Op) appendHeld(dst []byte, m uint32) []byte {
	h := o.order.held.at(m)
	dst = binary.AppendUvarint(dst, h.mask)
	if h.size > 0 {
		dst = append(dst, o.order.texts.at(h.text, int(h.size))...)
	}
	return dst
}

func (o *Op) appendHeldKey(dst []byte, m uint32) []byte {
	h := o.order.held.at(m)
	kind, text := o.users.key(h.user)
	dst = binary.BigEndian.AppendUint64(append(dst, entryHeld), uint64(h.time)^1<<63)
	dst = wire.AppendBytes(append(dst, byte(kind)), text)
	from := o.order.origins[h.origin]
	if from == nil {
		from = &record.Origin{}
	}
	dst = wire.AppendBytes(dst, from.Source)
	return binary.AppendVarint(binary.AppendVarint(dst, int64(from.Partition)), h.turn)
}

func (o *Op) restoreHeld(key, value []byte) error {
	m, err := o.openHeld(key, value)
	if err == nil {
		o.order.held.at(m).marks = saved
	}
	return err
}

// openHeld holds an event as its entry has it.
func (o *Op) openHeld(key, value []byte) (uint32, error) {
	t, kind, rest, err := o.restoreKey(key)
	if err != nil {
		return 0, err
	}
	r := wire.Read(rest)
	text, source, partition, turn := r.Bytes(), r.Bytes(), r.Varint(), r.Varint()
	if !r.Done() || partition != int64(int32(partition)) || !o.keys.Valid(kind, text) {
		return 0, errState
	}
	v := wire.Read(value)
	mask := v.Uvarint()
	if v.Failed() || !o.isCaptured(v.Rest()) {
		return 0, errState
	}
	from := &record.Origin{Source: string(source), Partition: int32(partition)}
	return o.enqueue(held{
		time: t, turn: turn, mask: mask, user: o.users.get(aggregate.HashKey(kind, text), kind, text),
		origin: o.order.originOf(from), size: uint32(len(v.Rest())),
	}, v.Rest()), nil
}

// isCaptured reports whether bytes are what hold keeps of an event.
func (o *Op) isCaptured(text []byte) bool {
	if o.cfg.Events {
		if len(text) < 4 || uint64(binary.LittleEndian.Uint32(text[len(text)-4:])) > uint64(len(text)-4) {
			return false
		}
		text, _ = cutEvent(text)
	}
	one := record.Batch{Recs: make([]record.Rec, 1)}
	return o.fields.set.Replay(&one, 0, text) == nil
}

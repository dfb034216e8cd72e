package session

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// rowBuffers are for writing rows.
type rowBuffers struct {
	key, other []byte
	id         []byte
	ranked     []ending
	compare    func(a, b ending) int // Op.compare, made once
	first      []uint32
}

// writeClosed writes the rows of the sessions that are over, in order, and
// removes them.
func (o *Op) writeClosed(out stream.Output) error {
	if err := o.writeRanked(out); err != nil {
		return err
	}
	if o.order != nil {
		o.dropEnded()
	} else {
		for _, e := range o.closing {
			o.unlink(e.n)
			o.sessions.remove(e.n)
		}
	}
	o.closing = o.closing[:0]
	return nil
}

// writeRanked writes the rows of the sessions that are over, in order. Their
// entries are gone.
func (o *Op) writeRanked(out stream.Output) error {
	o.rank(o.closing)
	for i, e := range o.closing {
		if i%atATime == 0 {
			o.fetchUsers(o.closing[i:min(i+atATime, len(o.closing))])
		}
		if err := o.write(e.n, true, out); err != nil {
			return err
		}
		o.discard(e.n)
	}
	o.stats.closed.Add(int64(len(o.closing)))
	return nil
}

// fetchUsers fetches the users of sessions.
func (o *Op) fetchUsers(list []ending) {
	near := make([]unsafe.Pointer, 0, atATime)
	for _, e := range list {
		near = append(near, unsafe.Pointer(o.users.at(o.sessions.at(e.n).user)))
	}
	fetch(near)
}

// rank orders sessions by the time since when they are over, their ends, starts
// and keys. Many are first divided into stretches of time, which is cheaper
// than comparing them all.
func (o *Op) rank(list []ending) {
	const few = 64
	if len(list) < few {
		slices.SortFunc(list, o.row.compare)
		return
	}
	least, most := list[0].over, list[0].over
	for _, e := range list {
		least, most = min(least, e.over), max(most, e.over)
	}
	width := (most-least)/int64(len(list)/8) + 1
	first := zeroed(&o.row.first, int((most-least)/width)+2) // where each stretch begins, once they are added up
	for _, e := range list {
		first[(e.over-least)/width+1]++
	}
	for k := 1; k < len(first); k++ {
		first[k] += first[k-1]
	}
	ranked := zeroed(&o.row.ranked, len(list))
	for _, e := range list {
		k := (e.over - least) / width
		ranked[first[k]] = e
		first[k]++ // in the end it is where the next one began
	}
	from := uint32(0)
	for _, end := range first[:len(first)-1] {
		slices.SortFunc(ranked[from:end], o.row.compare)
		from = end
	}
	copy(list, ranked)
}

// zeroed returns n zeros in the memory of buf.
func zeroed[T any](buf *[]T, n int) []T {
	if cap(*buf) < n {
		*buf = make([]T, n)
	}
	clear((*buf)[:n])
	return (*buf)[:n]
}

func (o *Op) compare(a, b ending) int {
	if a.over != b.over {
		return cmp.Compare(a.over, b.over)
	}
	x, y := o.sessions.at(a.n), o.sessions.at(b.n)
	if d := cmp.Or(cmp.Compare(x.end, y.end), cmp.Compare(x.start, y.start)); d != 0 {
		return d
	}
	o.row.key = o.appendKey(o.row.key[:0], x.user)
	o.row.other = o.appendKey(o.row.other[:0], y.user)
	return cmp.Or(bytes.Compare(o.row.key, o.row.other), cmp.Compare(a.turn, b.turn))
}

// appendKey appends the JSON of a user's key.
func (o *Op) appendKey(dst []byte, user uint32) []byte {
	kind, text := o.users.key(user)
	return o.keys.AppendKey(dst, kind, text)
}

// write writes the row of a session.
func (o *Op) write(n uint32, final bool, out stream.Output) error {
	if o.cfg.Events {
		return nil // they have been written
	}
	row, err := o.writer.Row(out)
	if err != nil {
		return err
	}
	s := o.sessions.at(n)
	row.Data = append(row.Data, '{')
	if o.cfg.Update {
		row.Data = append(row.Data, `"op":"upsert",`...)
	}
	start := len(row.Data)
	row.Data = o.appendRow(row.Data, n, final)
	var event []byte
	if final && o.fields.abandon != nil {
		event = o.judge(row, start, n)
	}
	if final && o.history != nil {
		o.remember(n, row.Data[start:], event != nil)
	}
	if o.cfg.Update {
		row.Data = append(append(row.Data, `,"final":`...), trueOrFalse(final)...)
	}
	row.Data = append(row.Data, '}')
	o.row.key = o.appendKey(o.row.key[:0], s.user)
	o.writer.End(s.end, o.row.key)
	o.stats.rows.Add(1)
	if event == nil {
		return nil
	}
	return o.writeAbandoned(event, o.row.key, s.end, out)
}

// appendRow appends the fields of a session's row.
func (o *Op) appendRow(dst []byte, n uint32, final bool) []byte {
	s := o.sessions.at(n)
	kind, text := o.users.key(s.user)
	dst = append(dst, `"session_id":"`...)
	dst = o.appendID(dst, n)
	dst = o.keys.AppendFields(append(dst, '"'), kind, text)
	dst = stamp.AppendIn(append(dst, `,"session_start":"`...), s.start, o.zone)
	dst = stamp.AppendIn(append(dst, `","session_end":"`...), s.end, o.zone)
	dst = appendMillis(append(dst, `","duration_ms":`...), s.end-s.start)
	dst = strconv.AppendUint(append(dst, `,"events":`...), o.sessions.events(n), 10)
	return o.fields.appendTo(dst, o, n, final)
}

// appendID appends what names a session: a hash of its key and its start, seeded
// with how many of the key began before it at that instant, and silences.
func (o *Op) appendID(dst []byte, n uint32) []byte {
	s := o.sessions.at(n)
	kind, text := o.users.key(s.user)
	o.row.id = append(append(o.row.id[:0], byte(kind)), text...)
	o.row.id = binary.LittleEndian.AppendUint64(o.row.id, uint64(s.start))
	seed := o.silence.tells(s.start) << 32
	if o.order != nil {
		seed |= uint64(o.order.details[n].ordinal)
	}
	hash := xxh3.Hash128Seed(o.row.id, seed).Bytes()
	return hex.AppendEncode(dst, hash[:12])
}

// appendMillis appends nanoseconds as milliseconds.
func appendMillis(dst []byte, ns int64) []byte {
	if ns%1e6 == 0 {
		return strconv.AppendInt(dst, ns/1e6, 10)
	}
	return record.AppendNumber(dst, float64(ns)/1e6)
}

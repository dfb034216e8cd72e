package session

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// rowBuffers are for writing rows.
type rowBuffers struct {
	key, other []byte
	id         []byte
}

// writeClosed writes the rows of the sessions that are over, in order, and
// removes them.
func (o *Op) writeClosed(out stream.Output) error {
	o.rank(o.closing)
	for _, n := range o.closing {
		if err := o.write(n, out); err != nil {
			return err
		}
		o.unlink(n)
		o.sessions.remove(n)
	}
	o.stats.closed.Add(int64(len(o.closing)))
	o.closing = o.closing[:0]
	return nil
}

// rank orders sessions by end, start and key. Many are first divided into
// stretches of time, which is cheaper than comparing them all.
func (o *Op) rank(list []uint32) {
	const few = 64
	if len(list) < few {
		slices.SortFunc(list, o.compare)
		return
	}
	least, most := o.sessions.at(list[0]).end, o.sessions.at(list[0]).end
	for _, n := range list {
		end := o.sessions.at(n).end
		least, most = min(least, end), max(most, end)
	}
	width := (most-least)/int64(len(list)/8) + 1
	first := make([]uint32, (most-least)/width+2) // where each stretch begins, once they are added up
	for _, n := range list {
		first[(o.sessions.at(n).end-least)/width+1]++
	}
	for k := 1; k < len(first); k++ {
		first[k] += first[k-1]
	}
	ranked, next := make([]uint32, len(list)), slices.Clone(first)
	for _, n := range list {
		k := (o.sessions.at(n).end - least) / width
		ranked[next[k]] = n
		next[k]++
	}
	for k := 1; k < len(first); k++ {
		slices.SortFunc(ranked[first[k-1]:first[k]], o.compare)
	}
	copy(list, ranked)
}

func (o *Op) compare(a, b uint32) int {
	x, y := o.sessions.at(a), o.sessions.at(b)
	if d := cmp.Or(cmp.Compare(x.end, y.end), cmp.Compare(x.start, y.start)); d != 0 {
		return d
	}
	o.row.key = o.appendKey(o.row.key[:0], x.user)
	o.row.other = o.appendKey(o.row.other[:0], y.user)
	return bytes.Compare(o.row.key, o.row.other)
}

// appendKey appends the JSON of a user's key.
func (o *Op) appendKey(dst []byte, user uint32) []byte {
	kind, text := o.users.key(user)
	return o.keys.AppendKey(dst, kind, text)
}

// write writes the row of a session.
func (o *Op) write(n uint32, out stream.Output) error {
	row, err := o.writer.Row(out)
	if err != nil {
		return err
	}
	s := o.sessions.at(n)
	kind, text := o.users.key(s.user)
	row.Data = append(row.Data, `{"session_id":"`...)
	row.Data = o.appendID(row.Data, kind, text, s.start)
	row.Data = o.keys.AppendFields(append(row.Data, '"'), kind, text)
	row.Data = stamp.AppendRFC3339(append(row.Data, `,"session_start":"`...), s.start)
	row.Data = stamp.AppendRFC3339(append(row.Data, `","session_end":"`...), s.end)
	row.Data = appendMillis(append(row.Data, `","duration_ms":`...), s.end-s.start)
	row.Data = strconv.AppendUint(append(row.Data, `,"events":`...), o.sessions.events(n), 10)
	if o.set != nil {
		row.Data = o.set.AppendFields(row.Data, aggregate.Row{
			Cells: o.cells, Group: n, Length: time.Duration(s.end - s.start),
		})
	}
	row.Data = append(row.Data, '}')
	o.row.key = o.keys.AppendKey(o.row.key[:0], kind, text)
	o.writer.End(s.end, o.row.key)
	o.stats.rows.Add(1)
	return nil
}

// appendID appends what names a session: a hash of its key and its start.
func (o *Op) appendID(dst []byte, kind record.Kind, text []byte, start int64) []byte {
	o.row.id = append(append(o.row.id[:0], byte(kind)), text...)
	o.row.id = binary.LittleEndian.AppendUint64(o.row.id, uint64(start))
	hash := xxh3.Hash128(o.row.id).Bytes()
	return hex.AppendEncode(dst, hash[:12])
}

// appendMillis appends nanoseconds as milliseconds.
func appendMillis(dst []byte, ns int64) []byte {
	if ns%1e6 == 0 {
		return strconv.AppendInt(dst, ns/1e6, 10)
	}
	return record.AppendNumber(dst, float64(ns)/1e6)
}

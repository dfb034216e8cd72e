package window

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// Kept are the rows of closed windows, for queries. They stand in blocks, the oldest
// first, and are forgotten by blocks.
type kept struct {
	*Op
	blocks   []*keptBlock
	bytes    int64
	newest   int64 // end of a window
	announce []announced
	gone     [][]byte
	unsorted bool // what was restored came in any order
}

// An announced row is being written.
type announced struct {
	start int64
	hash  uint64
	final bool
}

// A keptBlock is rows and their bytes: each the JSON of its key, then its own.
type keptBlock struct {
	data  []byte
	rows  []keptRow
	last  int64 // greatest end
	saved int   // rows that Changes has given away
}

type keptRow struct {
	start, end      int64
	hash            uint64 // of the key in plain text
	at, keyLen, len uint32
}

const keptBlockBytes = 64 << 10

// coming notes a row that is being written.
func (k *kept) coming(r *result) {
	k.announce = append(k.announce, announced{r.start, plainHash(k.plainKey(r.kind, r.text)), r.final})
}

// take keeps the rows that were announced, as far as they are written, and forgets
// what is too much then: many may come at once.
func (k *kept) take(rows record.Rows) {
	k.sort()
	for i, a := range k.announce {
		rec := &rows.Recs[rows.Lo+i]
		if a.final && rec.Live() {
			k.add(keptRow{start: a.start, end: rec.Time, hash: a.hash}, rows.Bytes(rec.Key), rows.Value(rows.Lo+i))
		}
	}
	k.announce = k.announce[:0]
	k.expire()
}

func (k *kept) add(row keptRow, key, text []byte) {
	n := len(k.blocks)
	if n == 0 || len(k.blocks[n-1].data) > keptBlockBytes {
		k.blocks = append(k.blocks, &keptBlock{last: math.MinInt64})
		n++
	}
	b := k.blocks[n-1]
	row.at, row.keyLen, row.len = uint32(len(b.data)), uint32(len(key)), uint32(len(text))
	b.data = append(append(b.data, key...), text...)
	b.rows = append(b.rows, row)
	b.last, k.newest = max(b.last, row.end), max(k.newest, row.end)
	k.bytes += int64(len(key)+len(text)) + keptOverhead
}

const keptOverhead = 48

func (b *keptBlock) key(r *keptRow) []byte  { return b.data[r.at : r.at+r.keyLen] }
func (b *keptBlock) text(r *keptRow) []byte { return b.data[r.at+r.keyLen : r.at+r.keyLen+r.len] }

// expire forgets blocks of rows that are too old, or too many.
func (k *kept) expire() {
	k.sort()
	for len(k.blocks) > 1 || len(k.blocks) == 1 && k.blocks[0].last < k.newest-int64(k.cfg.Retention) {
		b := k.blocks[0]
		if b.last >= k.newest-int64(k.cfg.Retention) && (k.cfg.KeptBytes == 0 || k.bytes <= k.cfg.KeptBytes) {
			return
		}
		for i := range b.rows {
			r := &b.rows[i]
			k.bytes -= int64(r.keyLen+r.len) + keptOverhead
			if i < b.saved {
				k.gone = append(k.gone, b.entryKey(nil, r))
			}
		}
		k.blocks = k.blocks[1:]
	}
}

// sort orders what was restored, before a row comes to it.
func (k *kept) sort() {
	if !k.unsorted {
		return
	}
	k.unsorted = false
	old := k.blocks
	k.blocks, k.bytes = nil, 0
	type place struct {
		*keptBlock
		*keptRow
	}
	var all []place
	for _, b := range old {
		for i := range b.rows {
			all = append(all, place{b, &b.rows[i]})
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.start, b.start),
			bytes.Compare(a.key(a.keptRow), b.key(b.keptRow)))
	})
	for _, p := range all {
		k.add(*p.keptRow, p.key(p.keptRow), p.text(p.keptRow))
	}
	for _, b := range k.blocks {
		b.saved = len(b.rows)
	}
}

// plainKey returns a group's key as people write it: text without quotes, parts
// with commas between them.
func (o *Op) plainKey(kind record.Kind, text []byte) []byte {
	return plainJSON(o.keys.AppendKey(nil, kind, text), o.keys.Len() > 1)
}

// plainJSON returns the JSON of a key as people write it.
func plainJSON(key []byte, several bool) []byte {
	if several {
		var parts []json.RawMessage
		if json.Unmarshal(key, &parts) != nil {
			return key
		}
		var plain []byte
		for i, p := range parts {
			if i > 0 {
				plain = append(plain, ',')
			}
			plain = append(plain, plainJSON(p, false)...)
		}
		return plain
	}
	if len(key) == 0 || key[0] != '"' {
		return key
	}
	return record.AppendUnescaped(nil, key[1:len(key)-1])
}

func plainHash(plain []byte) uint64 { return aggregate.HashKey(record.String, plain) }

// changes gives away the rows that have come.
func (k *kept) changes(s *saver) error {
	k.sort()
	if err := s.gone(&k.gone); err != nil {
		return err
	}
	for _, b := range k.blocks {
		for ; b.saved < len(b.rows); b.saved++ {
			r := &b.rows[b.saved]
			s.key = b.entryKey(s.key[:0], r)
			if err := s.put(s.key, b.text(r)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *kept) unsave() {
	k.sort()
	k.gone = nil
	for _, b := range k.blocks {
		b.saved = 0
	}
}

func (b *keptBlock) entryKey(key []byte, r *keptRow) []byte {
	key = binary.BigEndian.AppendUint64(appendTimeKey(key, entryKept, r.end), uint64(r.start))
	return append(key, b.key(r)...)
}

// restore takes back a row.
func (k *kept) restore(key, value []byte) error {
	if len(key) < timeKey+8 || len(value) == 0 || !json.Valid(value) {
		return errState
	}
	end := int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63)
	start := int64(binary.BigEndian.Uint64(key[timeKey:]))
	text := key[timeKey+8:]
	if !possible(start) || !possible(end) || len(text) > 0 && !json.Valid(text) {
		return errState
	}
	row := keptRow{start: start, end: end, hash: plainHash(plainJSON(text, k.keys.Len() > 1))}
	k.add(row, text, value)
	b := k.blocks[len(k.blocks)-1]
	b.saved = len(b.rows)
	k.unsorted = true
	return nil
}

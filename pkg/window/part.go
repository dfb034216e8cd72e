package window

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// A part is groups of a pane that no record is added to any more: their keys come
// again in later parts, or in the pane itself, and the cells of all belong together.
// It stands in memory, or in a blob of the Spill, in the order of keys.
type part struct {
	number  uint32 // tells entries of the state apart
	*groups        // in memory; nil where it is in a blob
	blob    int64
	size    int64
	n       int
	index   []mark  // of a blob
	unsaved bool    // Changes has to give away all of it
	given   bool    // Changes has given away some of it
	left    entries // what of it Changes goes on with, behind next
	next    *entry
}

// A mark is where a group stands in a blob.
type mark struct {
	key []byte // JSON
	off int64
}

// indexEvery is how many groups there are in a blob for a mark.
const indexEvery = 128

// besideKeys is about how many bytes a blob has for each group, besides its key.
const besideKeys = 64

// freeze returns the groups of p as a part in memory; p begins anew.
func (p *pane) freeze(fresh groups) *part {
	gs := p.groups
	t := &part{number: p.run, groups: &gs, n: gs.Len(), unsaved: gs.unsaved, given: gs.saved > 0}
	p.groups, p.counted, p.run = fresh, 0, p.run+1
	p.older = append(p.older, t)
	return t
}

// spill takes a part out of memory.
func (a *aligned) spill(t *part) error {
	groups, size := a.ranked(t.groups), t.Text()
	for _, k := range groups {
		size += len(k.key) + besideKeys
	}
	blob := make([]byte, 0, size) // while it grew, its keys would be in memory once more
	for i, k := range groups {
		if i%indexEvery == 0 {
			t.index = append(t.index, mark{bytes.Clone(k.key), int64(len(blob))})
		}
		kind, text := t.Key(k.group)
		at := len(blob)
		blob = append(blob, 0, 0, 0, 0)
		blob = wire.AppendBytes(wire.AppendBytes(blob, k.key), append([]byte{byte(kind)}, text...))
		blob = t.cells.Encode(append(blob, 0), k.group) // what was not said in updates is said before
		binary.LittleEndian.PutUint32(blob[at:], uint32(len(blob)-at-4))
	}
	id, err := a.cfg.Spill.Put(blob)
	if err != nil {
		return err
	}
	t.blob, t.size, t.groups = id, int64(len(blob)), nil
	a.stats.spilled.Add(t.size)
	return nil
}

// An entry is a group in the order of keys, wherever it stands.
type entry struct {
	key   []byte // JSON
	kind  record.Kind
	text  []byte
	value []byte           // of a blob: as an entry of the state has it
	cells *aggregate.Cells // in memory
	group uint32
	mark  uint8
}

// empty reports whether it is of a key that has no records.
func (e *entry) empty() bool { return e.cells == nil }

// Entries gives groups in the order of their keys, io.EOF behind the last one.
type entries interface {
	next() (*entry, error)
}

// ranks are entries in memory.
type ranks struct {
	gs   *groups
	list []ranking
	e    entry
}

func (r *ranks) next() (*entry, error) {
	if len(r.list) == 0 {
		return nil, io.EOF
	}
	k := r.list[0]
	r.list = r.list[1:]
	kind, text := r.gs.Key(k.group)
	r.e = entry{key: k.key, kind: kind, text: text, cells: r.gs.cells, group: k.group}
	if r.gs.is(unsaid, k.group) {
		r.e.mark = unsaid
	}
	return &r.e, nil
}

// A blobReader is the entries of a blob, from an offset on.
type blobReader struct {
	a   *aligned
	t   *part
	off int64 // of what is not read yet
	buf []byte
	e   entry
}

const blobChunk = 64 << 10

// fill reads until there are n bytes.
func (r *blobReader) fill(n int) error {
	for len(r.buf) < n {
		more := min(max(int64(n-len(r.buf)), blobChunk), r.t.size-r.off)
		if more <= 0 {
			return io.ErrUnexpectedEOF
		}
		chunk := make([]byte, len(r.buf)+int(more))
		copy(chunk, r.buf)
		if err := r.a.cfg.Spill.ReadAt(chunk[len(r.buf):], r.t.blob, r.off); err != nil {
			return err
		}
		r.buf, r.off = chunk, r.off+more
	}
	return nil
}

func (r *blobReader) next() (*entry, error) {
	if len(r.buf) == 0 && r.off == r.t.size {
		return nil, io.EOF
	}
	if err := r.fill(4); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(r.buf))
	if err := r.fill(4 + n); err != nil {
		return nil, err
	}
	part := wire.Read(r.buf[4 : 4+n])
	r.buf = r.buf[4+n:]
	key, group := part.Bytes(), part.Bytes()
	if len(group) == 0 || len(part.Rest()) == 0 {
		return nil, errState
	}
	r.e = entry{key: key, kind: record.Kind(group[0]), text: group[1:], value: part.Rest()}
	return &r.e, nil
}

// read returns the entries of a part.
func (a *aligned) read(t *part) entries {
	if t.groups != nil {
		return &ranks{gs: t.groups, list: a.ranked(t.groups)}
	}
	return &blobReader{a: a, t: t}
}

// find returns the entry of a key in a part; nil where it has none.
func (a *aligned) find(t *part, key []byte) (*entry, error) {
	from := int64(0)
	for _, m := range t.index {
		if bytes.Compare(m.key, key) > 0 {
			break
		}
		from = m.off
	}
	r := &blobReader{a: a, t: t, off: from}
	for {
		e, err := r.next()
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if d := bytes.Compare(e.key, key); d >= 0 {
			if d > 0 {
				e = nil
			}
			return e, nil
		}
	}
}

// addTo adds the cells of an entry. tmp is for decoding.
func (e *entry) addTo(to, tmp *aggregate.Cells) error {
	if e.cells != nil {
		to.Merge(0, e.cells, e.group)
		return nil
	}
	if _, err := tmp.Decode(0, e.value[1:]); err != nil {
		return err
	}
	to.Merge(0, tmp, 0)
	return nil
}

// discard forgets a part of a pane that is no more.
func (a *aligned) discard(p *pane, t *part) error {
	if t.left = nil; t.given {
		a.goneParts = append(a.goneParts, gonePart{p.start, t})
		return nil
	}
	return a.forgetPart(t)
}

func (a *aligned) forgetPart(t *part) error {
	if t.groups != nil {
		return nil
	}
	a.stats.spilled.Add(-t.size)
	return a.cfg.Spill.Delete(t.blob)
}

// A gonePart is a part whose entries are in the state, but are no more.
type gonePart struct {
	start int64
	*part
}

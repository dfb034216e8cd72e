package route

import (
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/rules"
	"github.com/logctl/logctl/pkg/transform"
)

// The decision for a record is kept in words of its batch. The first words have a
// bit for each destination. If the table has edits, the next ones say where the
// record's changed forms are in the arena; if it has limits, the next ones say
// where the rules are that have to be asked in order.

// A worker decides for one batch at a time.
type worker struct {
	matcher *rules.Matcher
	editor  transform.Editor
	hits    []int64
	one     [1]int32
	sampled int64
	def     int64

	to     []uint64          // of the record at hand
	chain  []*transform.Edit // of a destination
	last   []*transform.Edit // of the destination before
	out    []byte            // changed records, a newline behind each
	forms  []byte            // entries of forms: destination, offset in out, length
	asked  []byte            // entries of rules with limits
	marked []int             // rows with forms
}

// Prepare decides for all records of a batch that was parsed for the table's
// plan. It may be called from several goroutines at a time.
func (t *Table) Prepare(b *record.Batch) {
	w := t.workers.Get().(*worker)
	defer t.workers.Put(w)
	w.begin(t)
	origin := originHash(b.Origin)
	words := t.columns(b)
	for i := range b.Recs {
		for k := range words {
			words[k][i] = 0
		}
		if b.Recs[i].Live() {
			w.decide(t, b, i, words, origin)
		}
	}
	w.finish(t, b, words)
}

// columns returns the columns of words: destinations, forms, rules with limits.
func (t *Table) columns(b *record.Batch) [][]uint64 {
	var buf [4][]uint64
	words := buf[:0]
	for k := range t.words + 2 {
		words = append(words, b.Words(k))
	}
	return words
}

func (w *worker) begin(t *Table) {
	clear(w.hits)
	w.sampled, w.def = 0, 0
	w.out, w.forms, w.asked, w.marked = w.out[:0], w.forms[:0], w.asked[:0], w.marked[:0]
	w.to = slices.Grow(w.to[:0], t.words)[:t.words]
}

// decide decides for record i.
func (w *worker) decide(t *Table, b *record.Batch, i int, words [][]uint64, origin uint64) {
	match := w.match(t, b, i)
	if len(match) == 0 {
		w.def++
		w.send(t, b, i, words, t.def)
		return
	}
	clear(w.to)
	asked := uint64(0)
	edits := false
	for _, k := range match {
		r := &t.rules[k]
		w.hits[k]++
		if r.sample != ^uint64(0) && mix(origin^r.seed^uint64(b.Recs[i].Offset)) >= r.sample {
			w.sampled++
			continue
		}
		edits = edits || r.edit != nil
		if r.bucket != nil {
			w.asked = binary.LittleEndian.AppendUint32(w.asked, uint32(k))
			asked++
			continue
		}
		for d, bits := range r.to {
			w.to[d] |= bits
		}
	}
	w.send(t, b, i, words, w.to)
	if asked > 0 {
		words[t.words+1][i] = uint64(len(w.asked)/4)<<16 | asked
		b.Recs[i].Flags &^= record.Dropped
	}
	if edits && b.Recs[i].Flags&record.Tombstone == 0 {
		w.edit(t, b, i, match, words)
	}
}

func (w *worker) match(t *Table, b *record.Batch, i int) []int32 {
	if !t.first {
		return w.matcher.Match(b, i)
	}
	if w.one[0] = w.matcher.First(b, i); w.one[0] < 0 {
		return nil
	}
	return w.one[:]
}

// send notes where record i goes. A record that goes nowhere is dropped.
func (w *worker) send(t *Table, b *record.Batch, i int, words [][]uint64, to []uint64) {
	all := uint64(0)
	for d, bits := range to[:t.words] {
		words[d][i] = bits
		all |= bits
	}
	if all == 0 && t.leaves == nil {
		b.Recs[i].Flags |= record.Dropped
	}
}

// edit makes the changed forms of record i. Destinations that want the same changes
// share a form.
func (w *worker) edit(t *Table, b *record.Batch, i int, match []int32, words [][]uint64) {
	first := len(w.forms) / formSize
	w.last = w.last[:0]
	var form record.Span
	for d := range t.names {
		w.chain = w.chain[:0]
		for _, k := range match {
			if r := &t.rules[k]; r.edit != nil && r.to[d>>6]>>(d&63)&1 != 0 {
				w.chain = append(w.chain, r.edit)
			}
		}
		if len(w.chain) == 0 {
			continue
		}
		if !slices.Equal(w.chain, w.last) {
			form.Off = uint32(len(w.out))
			w.out = append(w.editor.Append(w.out, b, i, w.chain), '\n')
			form.Len = uint32(len(w.out)) - form.Off - 1
			w.last = append(w.last[:0], w.chain...)
		}
		w.forms = binary.LittleEndian.AppendUint32(w.forms, uint32(d))
		w.forms = binary.LittleEndian.AppendUint32(w.forms, form.Off)
		w.forms = binary.LittleEndian.AppendUint32(w.forms, form.Len)
	}
	if n := len(w.forms)/formSize - first; n > 0 {
		words[t.words][i] = uint64(first)<<16 | uint64(n)
		w.marked = append(w.marked, i)
	}
}

// formSize is the size of a form's entry.
const formSize = 12

// finish copies what the worker has prepared into the arena, and counts.
func (w *worker) finish(t *Table, b *record.Batch, words [][]uint64) {
	if len(w.forms) > 0 {
		text := uint32(len(b.Data))
		b.Data = append(b.Data, w.out...)
		for at := 4; at < len(w.forms); at += formSize {
			binary.LittleEndian.PutUint32(w.forms[at:], text+binary.LittleEndian.Uint32(w.forms[at:]))
		}
		table := uint64(len(b.Data))
		b.Data = append(b.Data, w.forms...)
		for _, i := range w.marked {
			v := words[t.words][i]
			words[t.words][i] = (table+v>>16*formSize)<<16 | v&0xffff
		}
	}
	if len(w.asked) > 0 {
		table := uint64(len(b.Data))
		b.Data = append(b.Data, w.asked...)
		for i, v := range words[t.words+1] {
			if n := v & 0xffff; n > 0 {
				words[t.words+1][i] = (table+4*(v>>16-n))<<16 | n
			}
		}
	}
	t.count(w)
}

// count adds what a worker has counted.
func (t *Table) count(w *worker) {
	for k, n := range w.hits {
		if n > 0 {
			t.rules[k].counts.Hits.Add(n)
		}
	}
	t.stats.Default.Add(w.def)
	t.stats.Sampled.Add(w.sampled)
}

// formOf returns the form of record i for destination d; false if the record goes
// as it came.
func (t *Table) formOf(b *record.Batch, i, d int) (record.Span, bool) {
	v := b.Words(t.words)[i]
	entries := b.Data[v>>16:][:v&0xffff*formSize]
	for ; len(entries) > 0; entries = entries[formSize:] {
		if binary.LittleEndian.Uint32(entries) == uint32(d) {
			return record.Span{
				Off: binary.LittleEndian.Uint32(entries[4:]),
				Len: binary.LittleEndian.Uint32(entries[8:]),
			}, true
		}
	}
	return record.Span{}, false
}

// gate asks the rules with limits, in the order of the records, whether they send
// record i. The time is that of the records.
func (t *Table) gate(b *record.Batch, i int) {
	v := b.Words(t.words + 1)[i]
	if v == 0 {
		return
	}
	rec := &b.Recs[i]
	now := rec.Time
	if now == record.NoTime {
		now = b.Arrived
	}
	all := uint64(0)
	for entries := b.Data[v>>16:][:v&0xffff*4]; len(entries) > 0; entries = entries[4:] {
		r := &t.rules[binary.LittleEndian.Uint32(entries)]
		if _, ok := r.bucket.TakeWithin(now, 1, 0); !ok {
			r.counts.Limited.Add(1)
			continue
		}
		for d, bits := range r.to {
			b.Words(d)[i] |= bits
		}
	}
	for d := range t.words {
		all |= b.Words(d)[i]
	}
	if all == 0 {
		rec.Flags |= record.Dropped
	}
}

// originHash tells partitions apart. It is the same in every run.
func originHash(o *record.Origin) uint64 {
	if o == nil {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(o.Source)) // it cannot fail
	return mix(h.Sum64() + uint64(o.Partition))
}

// mix spreads the bits of x (splitmix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

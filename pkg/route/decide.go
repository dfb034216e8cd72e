package route

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/rules"
	"github.com/logctl/logctl/pkg/transform"
)

// The decision for a record is kept in words of its batch. The first words have a
// bit for each destination. If the table has edits, the next ones say where the
// record's changed forms are in the arena. The last ones say where the rules are that
// it matches: what they did is counted when the record is processed, for one that was
// read ahead may never be.

// A worker decides for one batch at a time.
type worker struct {
	matcher *rules.Matcher
	editor  transform.Editor
	one     [1]int32

	to     []uint64          // of the record at hand
	sends  []int32           // the rules that send it, but for limits
	chain  []*transform.Edit // of a destination
	last   []*transform.Edit // of the destination before
	out    []byte            // changed records, a newline behind each
	forms  []byte            // entries of forms: destination, offset in out, length
	rules  []byte            // entries of rules that match
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

// columns returns the columns of words: destinations, forms, rules.
func (t *Table) columns(b *record.Batch) [][]uint64 {
	var buf [4][]uint64
	words := buf[:0]
	for k := range t.words + 2 {
		words = append(words, b.Words(k))
	}
	return words
}

func (w *worker) begin(t *Table) {
	w.out, w.forms, w.rules, w.marked = w.out[:0], w.forms[:0], w.rules[:0], w.marked[:0]
	w.to = slices.Grow(w.to[:0], t.words)[:t.words]
}

// decide decides for record i.
func (w *worker) decide(t *Table, b *record.Batch, i int, words [][]uint64, origin uint64) {
	match := w.match(t, b, i)
	if len(match) == 0 {
		words[t.words+1][i] = unmatched
		w.send(t, b, i, words, t.def)
		return
	}
	clear(w.to)
	w.sends = w.sends[:0]
	asked, edits := false, false
	for _, k := range match {
		r := &t.rules[k]
		if r.sample != ^uint64(0) && mix(origin^r.seed^uint64(b.Recs[i].Offset)) >= r.sample {
			w.rules = binary.LittleEndian.AppendUint32(w.rules, uint32(k)<<ruleShift|sampledOut)
			continue
		}
		w.rules = binary.LittleEndian.AppendUint32(w.rules, uint32(k)<<ruleShift)
		w.sends = append(w.sends, k)
		edits = edits || r.edit != nil
		if r.bucket != nil {
			asked = true
			continue
		}
		for d, bits := range r.to {
			w.to[d] |= bits
		}
	}
	words[t.words+1][i] = uint64(len(w.rules)/ruleSize)<<16 | uint64(len(match))
	w.send(t, b, i, words, w.to)
	if asked {
		b.Recs[i].Flags &^= record.Dropped
	}
	if edits {
		w.edit(t, b, i, words)
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

// edit makes the forms of record i that the rules in w.sends change. Destinations that
// want the same changes share a form.
func (w *worker) edit(t *Table, b *record.Batch, i int, words [][]uint64) {
	if b.Recs[i].Flags&record.Tombstone != 0 {
		return
	}
	first := len(w.forms) / formSize
	w.last = w.last[:0]
	var form record.Span
	for d := range t.names {
		w.chain = w.chain[:0]
		for _, k := range w.sends {
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

// The entry of a rule that matches has its number and what it did.
const (
	ruleSize   = 4
	sampledOut = 1
	limitedOut = 2
	ruleShift  = 2
)

// unmatched is the word of a record that no rule matches: there are no entries. That
// of a record that was not decided is 0.
const unmatched = 1 << 16

// finish copies what the worker has prepared into the arena.
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
	if len(w.rules) > 0 {
		table := uint64(len(b.Data))
		b.Data = append(b.Data, w.rules...)
		for i, v := range words[t.words+1] {
			if n := v & 0xffff; n > 0 {
				words[t.words+1][i] = (table+ruleSize*(v>>16-n))<<16 | n
			}
		}
	}
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

// matched returns the entries of the rules that record i matches.
func (t *Table) matched(b *record.Batch, i int) []byte {
	v := b.Words(t.words + 1)[i]
	if v&0xffff == 0 {
		return nil
	}
	return b.Data[v>>16:][:v&0xffff*ruleSize]
}

// count counts what became of rows that were processed.
func (t *Table) count(rows record.Rows) {
	def, sampled := int64(0), int64(0)
	words := rows.Words(t.words + 1)
	for i := rows.Lo; i < rows.Hi; i++ {
		if words[i] == unmatched {
			def++
			continue
		}
		for entries := t.matched(rows.Batch, i); len(entries) > 0; entries = entries[ruleSize:] {
			entry := binary.LittleEndian.Uint32(entries)
			n := &t.tally[entry>>ruleShift]
			n.hits++
			n.limited += int64(entry & limitedOut / limitedOut)
			sampled += int64(entry & sampledOut)
		}
	}
	t.stats.Default.Add(def)
	t.stats.Sampled.Add(sampled)
	for k := range t.tally {
		if n := &t.tally[k]; n.hits > 0 {
			t.rules[k].counts.Hits.Add(n.hits)
			t.rules[k].counts.Limited.Add(n.limited)
			*n = tally{}
		}
	}
}

// A tally is what one rule did with the rows at hand.
type tally struct{ hits, limited int64 }

// disorder is how far records may come behind newer ones without time being set back:
// otherwise each of them would give a limit the same moments once more.
const disorder = int64(time.Minute)

// gate asks the rules with limits, in the order of the records, whether they send
// record i. The time is that of the records.
func (t *Table) gate(b *record.Batch, i int) {
	rec := &b.Recs[i]
	now := rec.Time
	if now == record.NoTime {
		now = b.Arrived
	}
	if now < t.stats.newest && t.stats.newest-now < disorder {
		now = t.stats.newest
	}
	t.stats.newest = now
	asked, edited, all := false, false, uint64(0)
	for entries := t.matched(b, i); len(entries) > 0; entries = entries[ruleSize:] {
		entry := binary.LittleEndian.Uint32(entries)
		r := &t.rules[entry>>ruleShift]
		if r.bucket == nil || entry&sampledOut != 0 {
			continue
		}
		asked = true
		if _, ok := r.bucket.TakeWithin(now, 1, 0); !ok {
			binary.LittleEndian.PutUint32(entries, entry|limitedOut)
			edited = edited || r.edit != nil
			continue
		}
		for d, bits := range r.to {
			b.Words(d)[i] |= bits
		}
	}
	if !asked {
		return
	}
	for d := range t.words {
		all |= b.Words(d)[i]
	}
	switch {
	case all == 0 && t.leaves == nil:
		rec.Flags |= record.Dropped
	case all != 0 && edited:
		t.edit(b, i)
	}
}

// edit makes the forms of record i anew, without the changes of rules whose limits have
// left it out.
func (t *Table) edit(b *record.Batch, i int) {
	w := t.workers.Get().(*worker)
	defer t.workers.Put(w)
	w.begin(t)
	w.sends = w.sends[:0]
	for entries := t.matched(b, i); len(entries) > 0; entries = entries[ruleSize:] {
		if entry := binary.LittleEndian.Uint32(entries); entry&(sampledOut|limitedOut) == 0 {
			w.sends = append(w.sends, int32(entry>>ruleShift))
		}
	}
	words := t.columns(b)
	words[t.words][i] = 0
	w.edit(t, b, i, words)
	w.finish(t, b, words)
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

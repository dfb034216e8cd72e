package aggregate

import (
	"cmp"
	"math"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// grown returns cells with n of them.
func grown[T any](cells []T, n int) []T {
	if n <= cap(cells) {
		return cells[:n]
	}
	wider := make([]T, n, n+n/2+4)
	copy(wider, cells)
	return wider
}

// counts counts rows.
type counts struct{ cells []uint64 }

func (c *counts) grow(n int) { c.cells = grown(c.cells, n) }

func (c *counts) add(_ *record.Batch, _ []int32, groups []uint32) {
	for _, g := range groups {
		c.cells[g]++
	}
}

func (c *counts) merge(to uint32, from column, g uint32) { c.cells[to] += from.(*counts).cells[g] }

// matches counts rows for which a condition is true.
type matches struct {
	in    *input // a bit of its words
	cells []uint64
}

func (c *matches) grow(n int) { c.cells = grown(c.cells, n) }

func (c *matches) add(b *record.Batch, rows []int32, groups []uint32) {
	words := b.Words(c.in.at)
	for k, i := range rows {
		c.cells[groups[k]] += words[i]
	}
}

func (c *matches) merge(to uint32, from column, g uint32) { c.cells[to] += from.(*matches).cells[g] }

// sums adds numbers and counts them. Of whole numbers that a float64 rounds,
// where they are fields and not computed, it adds what was lost as well.
type sums struct {
	in    *input
	cells []total
}

type total struct {
	sum sketch.Sum
	n   uint64
}

func (c *sums) grow(n int) { c.cells = grown(c.cells, n) }

func (c *sums) add(b *record.Batch, rows []int32, groups []uint32) {
	values := b.Floats(c.in.at)
	for k, i := range rows {
		if v := values[i]; v == v {
			t := &c.cells[groups[k]]
			t.sum.Add(v)
			t.n++
			if (v >= 1<<53 || v <= -1<<53) && c.in.col >= 0 {
				t.sum.Add(record.Rounded(b.Text(b.Col(c.in.col)[i]), v))
			}
		}
	}
}

func (c *sums) merge(to uint32, from column, g uint32) {
	o := &from.(*sums).cells[g]
	c.cells[to].sum.Merge(&o.sum)
	c.cells[to].n += o.n
}

// extremes keeps the smallest and the largest number.
type extremes struct {
	in    *input
	cells []span
}

type span struct {
	min, max float64
	any      bool
}

func (s *span) add(low, high float64) {
	if !s.any {
		*s = span{low, high, true}
		return
	}
	s.min, s.max = math.Min(s.min, low), math.Max(s.max, high)
}

func (c *extremes) grow(n int) { c.cells = grown(c.cells, n) }

func (c *extremes) add(b *record.Batch, rows []int32, groups []uint32) {
	values := b.Floats(c.in.at)
	for k, i := range rows {
		if v := values[i]; v == v {
			c.cells[groups[k]].add(v, v)
		}
	}
}

func (c *extremes) merge(to uint32, from column, g uint32) {
	if q, ok := from.(*quantiles); ok { // c is of edges
		if o := &q.cells[g]; o.Count() > 0 {
			c.cells[to].add(o.Min(), o.Max())
		}
		return
	}
	if o := from.(*extremes).cells[g]; o.any {
		c.cells[to].add(o.min, o.max)
	}
}

// quantiles keeps histograms of numbers.
type quantiles struct {
	in    *input
	cells []sketch.Quantiles
}

func (c *quantiles) grow(n int) { c.cells = grown(c.cells, n) }

func (c *quantiles) add(b *record.Batch, rows []int32, groups []uint32) {
	values := b.Floats(c.in.at)
	for k, i := range rows {
		if v := values[i]; v == v {
			c.cells[groups[k]].Add(v)
		}
	}
}

func (c *quantiles) merge(to uint32, from column, g uint32) {
	c.cells[to].Merge(&from.(*quantiles).cells[g])
}

// variances keeps sums of squares.
type variances struct {
	in    *input
	cells []sketch.Variance
}

func (c *variances) grow(n int) { c.cells = grown(c.cells, n) }

func (c *variances) add(b *record.Batch, rows []int32, groups []uint32) {
	values := b.Floats(c.in.at)
	for k, i := range rows {
		if v := values[i]; v == v {
			c.cells[groups[k]].Add(v)
		}
	}
}

func (c *variances) merge(to uint32, from column, g uint32) {
	c.cells[to].Merge(&from.(*variances).cells[g])
}

// distincts counts different values by their hashes.
type distincts struct {
	in    *input
	cells []sketch.Distinct
}

func (c *distincts) grow(n int) { c.cells = grown(c.cells, n) }

func (c *distincts) add(b *record.Batch, rows []int32, groups []uint32) {
	hashes, values := b.Words(c.in.at), b.Words(c.in.at+1)
	for k, i := range rows {
		if record.Value(values[i]).Kind() != record.Missing {
			c.cells[groups[k]].Add(hashes[i])
		}
	}
}

func (c *distincts) merge(to uint32, from column, g uint32) {
	c.cells[to].Merge(&from.(*distincts).cells[g])
}

// tops keeps the most frequent values, as the byte of their kind and their
// text.
type tops struct {
	in    *input
	n     int
	cells []*sketch.Top
	key   []byte
}

func (c *tops) grow(n int) {
	old := len(c.cells)
	c.cells = grown(c.cells, n)
	for g := old; g < n; g++ {
		c.cells[g] = sketch.NewTop(c.n)
	}
}

func (c *tops) add(b *record.Batch, rows []int32, groups []uint32) {
	hashes, values := b.Words(c.in.at), b.Words(c.in.at+1)
	for k, i := range rows {
		if v := record.Value(values[i]); v.Kind() != record.Missing {
			c.key = append(append(c.key[:0], byte(v.Kind())), textOf(b, v)...)
			c.cells[groups[k]].Add(c.key, hashes[i])
		}
	}
}

func (c *tops) merge(to uint32, from column, g uint32) { c.cells[to].Merge(from.(*tops).cells[g]) }

// picks keeps the value of the first or the last record that has one, by
// event time, then partition, then offset.
type picks struct {
	in      *input
	sign    int  // 1 for the first, -1 for the last
	numbers bool // others do not count
	origins
	cells []pick
}

type pick struct {
	time, turn int64
	origin     *record.Origin
	kind       record.Kind // Missing: there is none yet
	text       []byte
}

func (c *picks) grow(n int) { c.cells = grown(c.cells, n) }

func (c *picks) add(b *record.Batch, rows []int32, groups []uint32) {
	values := b.Words(c.in.at + 1)
	for k, i := range rows {
		v, rec := record.Value(values[i]), &b.Recs[i]
		if v.Kind() == record.Missing {
			continue
		}
		c.put(groups[k], &pick{rec.Time, rec.Turn(), b.Origin, v.Kind(), textOf(b, v)})
	}
}

// put replaces a cell by p where that comes before it.
func (c *picks) put(g uint32, p *pick) {
	cell := &c.cells[g]
	if cell.kind != record.Missing && c.sign*p.compare(cell) >= 0 {
		return
	}
	if c.numbers {
		if _, ok := p.number(); !ok {
			return
		}
	}
	cell.set(p)
}

// set replaces a value by another one, whose text it copies.
func (p *pick) set(by *pick) {
	text := append(p.text[:0], by.text...)
	*p = *by
	p.text = text
}

func (p *pick) compare(o *pick) int {
	if p.time != o.time {
		return cmp.Compare(p.time, o.time)
	}
	if p.origin != o.origin && p.origin != nil && o.origin != nil {
		a, b := p.origin, o.origin
		if d := cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Partition, b.Partition)); d != 0 {
			return d
		}
	}
	return cmp.Compare(p.turn, o.turn)
}

func (c *picks) merge(to uint32, from column, g uint32) {
	if o := &from.(*picks).cells[g]; o.kind != record.Missing {
		c.put(to, o)
	}
}

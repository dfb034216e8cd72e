package aggregate

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// The limits of lists: how many values one is asked for at most, how many
// values() has where nothing is said, and how many counts() tells apart.
const (
	maxList     = 1000
	defaultList = 100
)

// listLength reads the number of values of a list.
func listLength(c call, k, otherwise int) (int, error) {
	if len(c.args) <= k {
		return otherwise, nil
	}
	n, err := strconv.Atoi(c.args[k])
	if err != nil || n < 1 || n > maxList {
		return 0, fault.Usagef("as in "+c.name+"(path, 20)", "%s of %q values: want a number from 1 to %d",
			c.name, c.args[k], maxList)
	}
	return n, nil
}

// buildAny makes whether a condition was true for any row.
func buildAny(bd *builder, c call) (appender, error) {
	k, err := bd.matching(c.args[0])
	return func(dst []byte, r Row) []byte {
		return strconv.AppendBool(dst, r.Cells.cols[k].(*matches).cells[r.Group] > 0)
	}, err
}

// buildUntil makes the milliseconds from the row's start to the first record for
// which a condition is true.
func buildUntil(bd *builder, c call) (appender, error) {
	in, err := bd.condition(c.args[0])
	k := bd.state("earliest "+c.args[0], func() column { return &earliest{in: in} })
	return func(dst []byte, r Row) []byte {
		at := r.Cells.cols[k].(*earliest).cells[r.Group]
		if !at.any {
			return append(dst, "null"...)
		}
		return record.AppendNumber(dst, float64(at.time-r.Start)/1e6)
	}, err
}

// buildCounts makes an object of the values and how often each of them was.
func buildCounts(bd *builder, c call) (appender, error) {
	in, err := bd.value(c.args[0])
	k := bd.state("tallies "+c.args[0], func() column { return &tallies{in: in} })
	return func(dst []byte, r Row) []byte { return r.Cells.cols[k].(*tallies).appendJSON(dst, r.Group) }, err
}

// buildValues makes an array of the different values, in the order in which they
// first were.
func buildValues(bd *builder, c call) (appender, error) {
	n, err := listLength(c, 1, defaultList)
	if err != nil {
		return nil, err
	}
	in, err := bd.value(c.args[0])
	id := "firsts " + strconv.Itoa(n) + " " + c.args[0]
	k := bd.state(id, func() column { return &firsts{in: in, n: n} })
	return func(dst []byte, r Row) []byte { return appendPicks(dst, r.Cells.cols[k].(*firsts).sorted(r.Group)) }, err
}

// tailOf makes an array of the values of the first or the last rows that have one.
func tailOf(name string, sign int) func(*builder, call) (appender, error) {
	return func(bd *builder, c call) (appender, error) {
		n, err := listLength(c, 1, 0)
		if err != nil {
			return nil, err
		}
		in, err := bd.value(c.args[0])
		id := name + " " + strconv.Itoa(n) + " " + c.args[0]
		k := bd.state(id, func() column { return &tails{in: in, n: n, sign: sign} })
		return func(dst []byte, r Row) []byte {
			list := r.Cells.cols[k].(*tails).sorted(r.Group)
			if sign < 0 {
				list = slices.Clone(list)
				slices.Reverse(list)
			}
			return appendPicks(dst, list)
		}, err
	}
}

func comparePicks(a, b pick) int { return a.compare(&b) }

func appendPicks(dst []byte, list []pick) []byte {
	dst = append(dst, '[')
	for k := range list {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, list[k].kind, list[k].text)
	}
	return append(dst, ']')
}

// earliest keeps when a condition was first true.
type earliest struct {
	in    *input
	cells []moment
}

type moment struct {
	time int64
	any  bool
}

func (c *earliest) grow(n int) { c.cells = grown(c.cells, n) }

func (c *earliest) add(b *record.Batch, rows []int32, groups []uint32) {
	words := b.Words(c.in.at)
	for k, i := range rows {
		if words[i] != 0 {
			c.put(groups[k], b.Recs[i].Time)
		}
	}
}

func (c *earliest) put(g uint32, t int64) {
	if m := &c.cells[g]; !m.any || t < m.time {
		*m = moment{t, true}
	}
}

func (c *earliest) merge(to uint32, from column, g uint32) {
	if m := from.(*earliest).cells[g]; m.any {
		c.put(to, m.time)
	}
}

func (c *earliest) reset(g uint32) { c.cells[g] = moment{} }

func (c *earliest) encode(dst []byte, g uint32) []byte {
	if m := c.cells[g]; m.any {
		return binary.AppendVarint(append(dst, 1), m.time)
	}
	return append(dst, 0)
}

func (c *earliest) decode(g uint32, src []byte) (rest []byte, err error) {
	c.cells[g] = moment{}
	switch {
	case len(src) > 0 && src[0] == 0:
		return src[1:], nil
	case len(src) == 0 || src[0] != 1:
		return nil, errCell
	}
	r := wire.Read(src[1:])
	c.cells[g] = moment{r.Varint(), true}
	return left(&r)
}

// tails keeps the values of the last n rows that have one, or of the first. A cell
// may have as many more.
type tails struct {
	in   *input
	n    int
	sign int // 1 for the last, -1 for the first
	origins
	cells [][]pick
}

func (c *tails) grow(n int) { c.cells = grown(c.cells, n) }

func (c *tails) add(b *record.Batch, rows []int32, groups []uint32) {
	values := b.Words(c.in.at + 1)
	for k, i := range rows {
		if v, rec := record.Value(values[i]), &b.Recs[i]; v.Kind() != record.Missing {
			c.put(groups[k], &pick{rec.Time, rec.Turn(), b.Origin, v.Kind(), textOf(b, v)})
		}
	}
}

func (c *tails) put(g uint32, p *pick) {
	if len(c.cells[g]) >= 2*c.n {
		c.tidy(g)
	}
	list := extended(c.cells[g])
	list[len(list)-1].set(p)
	c.cells[g] = list
}

// tidy sorts a cell and leaves the last n.
func (c *tails) tidy(g uint32) {
	list := c.cells[g]
	slices.SortFunc(list, func(a, b pick) int { return c.sign * a.compare(&b) })
	if more := len(list) - c.n; more > 0 {
		for k := range c.n { // the others keep their memory behind them
			list[k], list[k+more] = list[k+more], list[k]
		}
		c.cells[g] = list[:c.n]
	}
}

func (c *tails) merge(to uint32, from column, g uint32) {
	o := from.(*tails).cells[g]
	for k := range o {
		c.put(to, &o[k])
	}
}

func (c *tails) reset(g uint32) { c.cells[g] = c.cells[g][:0] }

func (c *tails) sorted(g uint32) []pick {
	c.tidy(g)
	return c.cells[g]
}

func (c *tails) encode(dst []byte, g uint32) []byte { return encodePicks(dst, c.sorted(g)) }

func (c *tails) decode(g uint32, src []byte) (rest []byte, err error) {
	c.reset(g)
	return c.decodePicks(src, c.n, func(p *pick) { c.put(g, p) })
}

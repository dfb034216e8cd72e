package aggregate

import (
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// Aggregates of how a number goes: by how much it has changed, what it tends to, and
// how it is spread.

// buildDelta makes the difference of the last and the first number.
func buildDelta(bd *builder, c call) (appender, error) {
	in, err := bd.value(c.args[0])
	first := bd.state("first number "+c.args[0], func() column { return &picks{in: in, sign: 1, numbers: true} })
	last := bd.state("last number "+c.args[0], func() column { return &picks{in: in, sign: -1, numbers: true} })
	return func(dst []byte, r Row) []byte {
		from, ok := r.Cells.cols[first].(*picks).cells[r.Group].number()
		to, too := r.Cells.cols[last].(*picks).cells[r.Group].number()
		if !ok || !too {
			return append(dst, "null"...)
		}
		var sum sketch.Sum // 0.3 less 0.1 is 0.2
		sum.Add(to)
		sum.Add(-from)
		return appendNumber(dst, sum.Float())
	}, err
}

// number returns a picked value as a number.
func (p *pick) number() (float64, bool) {
	if p.kind != record.Number && p.kind != record.String {
		return 0, false
	}
	return record.ParseNumber(p.text)
}

// buildEwma makes a mean in which what is older by a half-life weighs half as much.
func buildEwma(bd *builder, c call) (appender, error) {
	halfLife := time.Minute
	if len(c.args) > 1 {
		var err error
		if halfLife, err = human.ParseDuration(c.args[1]); err != nil || halfLife < time.Millisecond {
			return nil, fault.Usagef("as in ewma(latency_ms, 5m)", "half-life %q: want a duration of 1ms or more", c.args[1])
		}
	}
	in, err := bd.number(c.args[0])
	id := "ewmas " + halfLife.String() + " " + c.args[0]
	k := bd.state(id, func() column { return &ewmas{in: in, halfLife: halfLife} })
	return func(dst []byte, r Row) []byte {
		return appendNumber(dst, r.Cells.cols[k].(*ewmas).cells[r.Group].Mean())
	}, err
}

// buildHistogram makes an array of how many numbers are between powers of two. The
// bound behind the largest float is null.
func buildHistogram(bd *builder, c call) (appender, error) {
	in, err := bd.number(c.args[0])
	k := bd.state("quantiles "+c.args[0], func() column { return &quantiles{in: in} })
	return func(dst []byte, r Row) []byte {
		dst = append(dst, '[')
		for i, o := range r.Cells.cols[k].(*quantiles).cells[r.Group].Octaves() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendNumber(append(dst, `{"from":`...), o.From)
			dst = appendNumber(append(dst, `,"to":`...), o.To)
			dst = strconv.AppendUint(append(dst, `,"count":`...), o.Count, 10)
			dst = append(dst, '}')
		}
		return append(dst, ']')
	}, err
}

// ewmas keeps means in which what is older weighs less.
type ewmas struct {
	in       *input
	halfLife time.Duration
	cells    []sketch.Ewma
}

func (c *ewmas) grow(n int) { c.cells = grown(c.cells, n) }

func (c *ewmas) add(b *record.Batch, rows []int32, groups []uint32) {
	values := b.Floats(c.in.at)
	for k, i := range rows {
		if v := values[i]; v == v {
			c.cells[groups[k]].Add(v, b.Recs[i].Time, c.halfLife)
		}
	}
}

func (c *ewmas) merge(to uint32, from column, g uint32) { c.cells[to].Merge(&from.(*ewmas).cells[g]) }

func (c *ewmas) reset(g uint32) { c.cells[g] = sketch.Ewma{} }

func (c *ewmas) encode(dst []byte, g uint32) []byte { return c.cells[g].Append(dst) }

func (c *ewmas) decode(g uint32, src []byte) (rest []byte, err error) { return c.cells[g].Decode(src) }

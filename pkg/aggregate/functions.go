package aggregate

import (
	"strconv"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// A function is an aggregate by its name.
type function struct {
	min, max int    // arguments
	usage    string // how they are written
	build    func(*builder, call) (appender, error)
}

// A call is a function with its arguments as they were written.
type call struct {
	name string
	args []string
}

// An appender appends the value of an aggregate as JSON.
type appender = func(dst []byte, r Row) []byte

// functions are the aggregates. pNN stands for p50, p99.9 and the like.
var functions = map[string]function{
	"count":    {0, 1, "count() or count(EXPR)", buildCount},
	"rate":     {0, 0, "rate()", buildRate},
	"ratio":    {1, 1, "ratio(EXPR)", buildRatio},
	"sum":      {1, 1, "sum(X)", sumsOf(appendSum)},
	"avg":      {1, 1, "avg(X)", sumsOf(appendMean)},
	"min":      {1, 1, "min(X)", extremesOf(func(s *span) float64 { return s.min })},
	"max":      {1, 1, "max(X)", extremesOf(func(s *span) float64 { return s.max })},
	"stddev":   {1, 1, "stddev(X)", buildStdDev},
	"variance": {1, 1, "variance(X)", buildVariance},
	"pNN":      {1, 1, "one, as in p99(X)", buildPercentile},
	"quantile": {2, 2, "quantile(X, Q)", buildQuantile},
	"distinct": {1, 1, "distinct(X)", buildDistinct},
	"topk":     {2, 2, "topk(X, N)", buildTop},
	"mode":     {1, 1, "mode(X)", buildMode},
	"first":    {1, 1, "first(X)", pickOf("first", 1)},
	"last":     {1, 1, "last(X)", pickOf("last", -1)},
	"any":      {1, 1, "any(EXPR)", buildAny},
	"until":    {1, 1, "until(EXPR)", buildUntil},
	"counts":   {1, 1, "counts(X)", buildCounts},
	"values":   {1, 2, "values(X) or values(X, N)", buildValues},
	"tail":     {2, 2, "tail(X, N)", tailOf("tails", 1)},
	"collect":  {2, 2, "collect(X, N)", tailOf("heads", -1)},
	"delta":    {1, 1, "delta(X)", buildDelta},
	"ewma":     {1, 2, "ewma(X) or ewma(X, HALF_LIFE)", buildEwma},

	"histogram": {1, 1, "histogram(X)", buildHistogram},
}

// rows returns the state that counts a group's rows.
func (bd *builder) rows() int { return bd.state("rows", func() column { return new(counts) }) }

// matching returns the state that counts the rows for which src is true.
func (bd *builder) matching(src string) (int, error) {
	in, err := bd.condition(src)
	return bd.state("matches "+src, func() column { return &matches{in: in} }), err
}

func buildCount(bd *builder, c call) (appender, error) {
	if len(c.args) == 0 {
		rows := bd.rows()
		return func(dst []byte, r Row) []byte {
			return strconv.AppendUint(dst, r.Cells.cols[rows].(*counts).cells[r.Group], 10)
		}, nil
	}
	k, err := bd.matching(c.args[0])
	return func(dst []byte, r Row) []byte {
		return strconv.AppendUint(dst, r.Cells.cols[k].(*matches).cells[r.Group], 10)
	}, err
}

// buildRate makes the number of rows a second, over the row's whole length.
func buildRate(bd *builder, _ call) (appender, error) {
	rows := bd.rows()
	return func(dst []byte, r Row) []byte {
		return appendNumber(dst, float64(r.Cells.cols[rows].(*counts).cells[r.Group])/r.Length.Seconds())
	}, nil
}

// buildRatio makes the share of rows for which a condition is true.
func buildRatio(bd *builder, c call) (appender, error) {
	rows := bd.rows()
	k, err := bd.matching(c.args[0])
	return func(dst []byte, r Row) []byte {
		n, all := r.Cells.cols[k].(*matches).cells[r.Group], r.Cells.cols[rows].(*counts).cells[r.Group]
		return appendNumber(dst, float64(n)/float64(all))
	}, err
}

// sumsOf has what follows from the sum and the count of numbers written; null
// where there are none.
func sumsOf(write func([]byte, *total) []byte) func(*builder, call) (appender, error) {
	return func(bd *builder, c call) (appender, error) {
		in, err := bd.number(c.args[0])
		k := bd.state("sums "+c.args[0], func() column { return &sums{in: in} })
		return func(dst []byte, r Row) []byte {
			t := &r.Cells.cols[k].(*sums).cells[r.Group]
			if t.n == 0 {
				return append(dst, "null"...)
			}
			return write(dst, t)
		}, err
	}
}

// appendSum appends the sum, whole numbers in full.
func appendSum(dst []byte, t *total) []byte {
	if dst, ok := t.sum.AppendWhole(dst); ok {
		return dst
	}
	return appendNumber(dst, t.sum.Float())
}

func appendMean(dst []byte, t *total) []byte { return appendNumber(dst, t.sum.Float()/float64(t.n)) }

func extremesOf(f func(*span) float64) func(*builder, call) (appender, error) {
	return func(bd *builder, c call) (appender, error) {
		in, err := bd.number(c.args[0])
		k := bd.state("extremes "+c.args[0], func() column { return &extremes{in: in} })
		return func(dst []byte, r Row) []byte {
			s := &r.Cells.cols[k].(*extremes).cells[r.Group]
			if !s.any {
				return append(dst, "null"...)
			}
			return appendNumber(dst, f(s))
		}, err
	}
}

func buildStdDev(bd *builder, c call) (appender, error) {
	k, err := bd.variances(c.args[0])
	return func(dst []byte, r Row) []byte {
		return appendNumber(dst, r.Cells.cols[k].(*variances).cells[r.Group].StdDev())
	}, err
}

func buildVariance(bd *builder, c call) (appender, error) {
	k, err := bd.variances(c.args[0])
	return func(dst []byte, r Row) []byte {
		return appendNumber(dst, r.Cells.cols[k].(*variances).cells[r.Group].Variance())
	}, err
}

func (bd *builder) variances(src string) (int, error) {
	in, err := bd.number(src)
	return bd.state("variances "+src, func() column { return &variances{in: in} }), err
}

func buildPercentile(bd *builder, c call) (appender, error) {
	q, err := percentile(c.name)
	if err != nil {
		return nil, err
	}
	return bd.quantile(c.args[0], q)
}

func buildQuantile(bd *builder, c call) (appender, error) {
	q, ok := record.ParseNumber([]byte(c.args[1]))
	if !ok || q < 0 || q > 1 {
		return nil, fault.Usagef("as in quantile(latency_ms, 0.99)", "quantile %q: want a number from 0 to 1", c.args[1])
	}
	return bd.quantile(c.args[0], q)
}

func (bd *builder) quantile(src string, q float64) (appender, error) {
	in, err := bd.number(src)
	k := bd.state("quantiles "+src, func() column { return &quantiles{in: in} })
	return func(dst []byte, r Row) []byte {
		return appendNumber(dst, r.Cells.cols[k].(*quantiles).cells[r.Group].Quantile(q))
	}, err
}

func buildDistinct(bd *builder, c call) (appender, error) {
	in, err := bd.value(c.args[0])
	k := bd.state("distincts "+c.args[0], func() column { return &distincts{in: in} })
	return func(dst []byte, r Row) []byte {
		return strconv.AppendUint(dst, r.Cells.cols[k].(*distincts).cells[r.Group].Count(), 10)
	}, err
}

// maxTop is the largest number of values that topk is asked for.
const maxTop = 10_000

func buildTop(bd *builder, c call) (appender, error) {
	n, err := strconv.Atoi(c.args[1])
	if err != nil || n < 1 || n > maxTop {
		return nil, fault.Usagef("as in topk(path, 5)", "topk of %q values: want a number from 1 to %d", c.args[1], maxTop)
	}
	k, err := bd.tops(c.args[0], n)
	return func(dst []byte, r Row) []byte {
		return appendTop(dst, r.Cells.cols[k].(*tops).cells[r.Group], n)
	}, err
}

func buildMode(bd *builder, c call) (appender, error) {
	k, err := bd.tops(c.args[0], 1)
	return func(dst []byte, r Row) []byte {
		items := r.Cells.cols[k].(*tops).cells[r.Group].Items(1)
		if len(items) == 0 {
			return append(dst, "null"...)
		}
		return appendJSON(dst, record.Kind(items[0].Key[0]), items[0].Key[1:])
	}, err
}

// tops returns the state for the n most frequent values of src. All up to a
// hundred are the same sketch.
func (bd *builder) tops(src string, n int) (int, error) {
	in, err := bd.value(src)
	n = max(n, 100)
	id := "tops " + strconv.Itoa(n) + " " + src
	return bd.state(id, func() column { return &tops{in: in, n: n} }), err
}

func pickOf(name string, sign int) func(*builder, call) (appender, error) {
	return func(bd *builder, c call) (appender, error) {
		in, err := bd.value(c.args[0])
		k := bd.state(name+" "+c.args[0], func() column { return &picks{in: in, sign: sign} })
		return func(dst []byte, r Row) []byte {
			cell := &r.Cells.cols[k].(*picks).cells[r.Group]
			return appendJSON(dst, cell.kind, cell.text)
		}, err
	}
}

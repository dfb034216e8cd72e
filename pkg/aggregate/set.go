// Package aggregate groups records by keys and keeps mergeable aggregates of the
// groups. Windows and sessions share it.
//
// Keys numbers the keys of a batch while it is prepared, a Table gives each key its
// group, and Cells hold the states of a Set's aggregates for every group, in columns.
// The state of a group can be merged into another one, encoded and decoded.
package aggregate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// A Set is a compiled list of aggregates: what they read of a record, the state that
// they keep for a group, and the fields of a row that they produce.
type Set struct {
	fields []field
	states []func() column
	inputs inputs
	free   int // the first column of words that the set leaves to its operator
}

// A field is an aggregate of a row.
type field struct {
	name   string
	label  []byte
	append appender
	empty  string // what it is of no record, where that is asked for as zero
}

// A Row is a group whose aggregates are to be written.
type Row struct {
	Cells  *Cells
	Group  uint32
	Start  int64         // where what the group covers begins, in ns since 1970,
	Length time.Duration // and how long it is, for rates
}

// Compile compiles a list of aggregates, as in `n=count(), p99(latency_ms)`, and adds
// the fields that they read to plan. The list may be empty. Errors are usage errors.
func Compile(src string, plan *record.Plan) (*Set, error) {
	bd := &builder{plan: plan, set: new(Set), index: map[string]int{}, calls: map[string]*input{}}
	if strings.TrimSpace(src) != "" {
		if err := bd.aggregates(src); err != nil {
			return nil, err
		}
	}
	bd.set.free = bd.set.inputs.number()
	return bd.set, nil
}

// Len returns how many aggregates there are.
func (s *Set) Len() int { return len(s.fields) }

// Names returns the names of the aggregates.
func (s *Set) Names() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return names
}

// Words returns the first column of a batch's words that neither the set nor
// Keys use.
func (s *Set) Words() int { return s.free }

// Prepare evaluates the arguments for all records of b. Parsers call it.
func (s *Set) Prepare(b *record.Batch) {
	for _, in := range s.inputs.numbers {
		in.prepareNumbers(b)
	}
	for _, in := range s.inputs.conditions {
		in.prepareConditions(b)
	}
	for _, in := range s.inputs.values {
		in.prepareValues(b)
	}
}

// Mismatches returns how many comparisons in arguments met a value of another type,
// plus how many values that should be numbers were not. It may be called from any
// goroutine.
func (s *Set) Mismatches() (n int64) {
	for _, list := range [][]*input{s.inputs.numbers, s.inputs.conditions, s.inputs.values} {
		for _, in := range list {
			n += in.value.Mismatches() + in.texts.Load()
		}
	}
	return n
}

// AppendFields appends all aggregates of a group as fields, each with a comma
// before it.
func (s *Set) AppendFields(dst []byte, r Row) []byte {
	for k := range s.fields {
		dst = s.AppendField(dst, k, r)
	}
	return dst
}

// AppendField appends an aggregate of a group by its place among Names, as a
// field with a comma before it.
func (s *Set) AppendField(dst []byte, k int, r Row) []byte {
	f := &s.fields[k]
	return f.append(append(dst, f.label...), r)
}

// Numeric reports whether an aggregate is a number.
func (s *Set) Numeric(k int) bool { return s.fields[k].empty == "0" }

// AppendEmpty appends the JSON of an aggregate without records: zero (0, [], {}) or
// null.
func (s *Set) AppendEmpty(dst []byte, k int, zero bool) []byte {
	if zero {
		return append(dst, s.fields[k].empty...)
	}
	return append(dst, "null"...)
}

// AppendEmptyFields appends all aggregates without records as fields, each with a comma
// before it.
func (s *Set) AppendEmptyFields(dst []byte, zero bool) []byte {
	for k := range s.fields {
		dst = s.AppendEmpty(append(dst, s.fields[k].label...), k, zero)
	}
	return dst
}

// emptyOf returns what an aggregate is of no record, as zero.
func emptyOf(name string) string {
	switch name {
	case "topk", "collect", "tail", "values", "histogram":
		return "[]"
	case "counts":
		return "{}"
	case "first", "last", "mode", "until":
		return "null"
	case "any":
		return "false"
	default:
		return "0"
	}
}

// AppendValue appends the JSON of an aggregate of a group.
func (s *Set) AppendValue(dst []byte, k int, r Row) []byte { return s.fields[k].append(dst, r) }

// A builder compiles aggregates. States and inputs are shared by all that need
// the same.
type builder struct {
	plan  *record.Plan
	set   *Set
	index map[string]int // of states, by what they are
	calls map[string]*input
}

// compile compiles an expression, and finds the column of a plain field.
func compile(src string, plan *record.Plan) (*expr.Expr, int, error) {
	e, err := expr.Compile(src, plan)
	if err != nil {
		return nil, 0, err
	}
	if path, ok := e.Field(); ok {
		return e, plan.Column(path), nil
	}
	return e, -1, nil
}

// aggregates compiles a list of aggregates.
func (bd *builder) aggregates(src string) error {
	calls, err := expr.Calls(src)
	if err != nil {
		return err
	}
	for _, c := range calls {
		f, ok := functions[c.Func]
		if !ok && isPercentile(c.Func) {
			f, ok = functions["pNN"], true
		}
		if !ok {
			return wrong(src, c.Pos, likely(c.Func), "unknown aggregate %q", c.Func)
		}
		if len(c.Args) < f.min || len(c.Args) > f.max {
			return wrong(src, c.Pos, "write "+f.usage, "%s does not take %d arguments", c.Func, len(c.Args))
		}
		add, err := f.build(bd, call{c.Func, c.Args})
		if err != nil {
			return err
		}
		name := c.Name
		if name == "" {
			name = defaultName(c.Func, c.Args)
		}
		bd.set.fields = append(bd.set.fields, field{name, label(name), add, emptyOf(c.Func)})
	}
	return nil
}

// wrong returns the error of an expression with a caret under pos.
func wrong(src string, pos int, hint, format string, args ...any) error {
	e := &expr.SyntaxError{Src: src, Pos: min(pos, len(src)), Msg: fmt.Sprintf(format, args...)}
	return &fault.Error{Err: e, Status: fault.Usage, Hint: hint}
}

// instead are the names that other languages have for aggregates.
var instead = map[string]string{
	"mean": "avg", "average": "avg", "median": "p50", "std": "stddev", "stdev": "stddev", "var": "variance",
	"uniq": "distinct", "count_distinct": "distinct", "cardinality": "distinct", "dc": "distinct",
	"percentile": "quantile", "minimum": "min", "maximum": "max", "total": "sum", "top": "topk",
}

// likely returns the hint for the name of no aggregate.
func likely(name string) string {
	if known, ok := instead[strings.ToLower(name)]; ok {
		return "did you mean " + known + "?"
	}
	if digits, ok := strings.CutPrefix(name, "p"); ok && strings.Trim(digits, "0123456789.") == "" {
		return "percentiles go from p0 to p100"
	}
	return fault.DidYouMean(name, names())
}

func names() []string {
	all := []string{"p50", "p90", "p95", "p99", "p99.9"}
	for name := range functions {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// defaultName names an aggregate after its call: p99_latency_ms. Numbers that
// qualify an argument, as in topk(path, 5), are left out.
func defaultName(name string, args []string) string {
	if name != "quantile" && len(args) > 1 {
		args = args[:1]
	}
	text := strings.Join(append([]string{name}, args...), "_")
	words := strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	return strings.Join(words, "_")
}

func isPercentile(name string) bool {
	_, err := percentile(name)
	return err == nil
}

// percentile returns the 0.999 of p99.9.
func percentile(name string) (float64, error) {
	digits, ok := strings.CutPrefix(name, "p")
	if !ok || strings.Trim(digits, "0123456789.") != "" || digits == "" || digits[0] == '.' {
		return 0, fmt.Errorf("%q is no percentile", name)
	}
	q, err := strconv.ParseFloat(digits+"e-2", 64)
	if err == nil && q > 1 {
		err = fmt.Errorf("%q is beyond p100", name)
	}
	return q, err
}

// number returns the shared input of a numeric argument; likewise condition
// and value.
func (bd *builder) number(src string) (*input, error) {
	return bd.input(&bd.set.inputs.numbers, "number", src)
}

func (bd *builder) condition(src string) (*input, error) {
	return bd.input(&bd.set.inputs.conditions, "condition", src)
}

func (bd *builder) value(src string) (*input, error) {
	return bd.input(&bd.set.inputs.values, "value", src)
}

func (bd *builder) input(list *[]*input, what, src string) (*input, error) {
	id := what + " " + src
	if in := bd.calls[id]; in != nil {
		return in, nil
	}
	e, col, err := compile(src, bd.plan)
	if err != nil {
		return nil, err
	}
	in := &input{value: e, col: col}
	bd.calls[id] = in
	*list = append(*list, in)
	return in, nil
}

// state returns the index of the column that all Cells have for a state.
func (bd *builder) state(id string, make func() column) int {
	k, ok := bd.index[id]
	if !ok {
		k = len(bd.set.states)
		bd.index[id] = k
		bd.set.states = append(bd.set.states, make)
	}
	return k
}

// appendNumber appends f, null where there is no such number.
func appendNumber(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return record.AppendNumber(dst, f)
}

// appendTop appends the n most frequent values as an array.
func appendTop(dst []byte, t *sketch.Top, n int) []byte {
	dst = append(dst, '[')
	for k, it := range t.Items(n) {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"value":`...)
		dst = appendJSON(dst, record.Kind(it.Key[0]), it.Key[1:])
		dst = append(dst, `,"count":`...)
		dst = strconv.AppendUint(dst, it.Count, 10)
		dst = append(dst, `,"error":`...)
		dst = strconv.AppendUint(dst, it.Err, 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

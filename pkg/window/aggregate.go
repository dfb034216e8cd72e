package window

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// An aggregate is a field of the rows.
type aggregate struct {
	name   string
	append func(dst []byte, p *pane, g uint32) []byte // its value as JSON
}

// A builder compiles keys and aggregates. States and inputs are shared by all
// that need the same.
type builder struct {
	plan  *record.Plan
	op    *Op
	index map[string]int // of states, by what they are
	calls map[string]*input
}

func (bd *builder) keys(by []string) error {
	for _, src := range by {
		list, err := expr.Assignments(src)
		if err != nil {
			return err
		}
		for _, a := range list {
			e, col, err := bd.compile(a.Src)
			if err != nil {
				return err
			}
			bd.op.keys = append(bd.op.keys, key{a.Name, e, col})
		}
	}
	bd.op.single = len(bd.op.keys) == 1
	return nil
}

// compile compiles an expression, and finds the column of a plain field.
func (bd *builder) compile(src string) (*expr.Expr, int, error) {
	e, err := expr.Compile(src, bd.plan)
	if err != nil {
		return nil, 0, err
	}
	if path, ok := e.Field(); ok {
		return e, bd.plan.Column(path), nil
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
			return wrong(src, c.Pos, fault.DidYouMean(c.Func, names()), "unknown aggregate %q", c.Func)
		}
		if len(c.Args) < f.min || len(c.Args) > f.max {
			return wrong(src, c.Pos, "", "%s has %d arguments: want %s", c.Func, len(c.Args), f.usage)
		}
		add, err := f.build(bd, call{c.Func, c.Args})
		if err != nil {
			return err
		}
		name := c.Name
		if name == "" {
			name = defaultName(c.Func, c.Args)
		}
		bd.op.aggs = append(bd.op.aggs, aggregate{name, add})
	}
	return nil
}

// wrong returns the error of an expression with a caret under pos.
func wrong(src string, pos int, hint, format string, args ...any) error {
	e := &expr.SyntaxError{Src: src, Pos: min(pos, len(src)), Msg: fmt.Sprintf(format, args...)}
	return &fault.Error{Err: e, Status: fault.Usage, Hint: hint}
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
	return bd.input(&bd.op.inputs.numbers, "number", src)
}

func (bd *builder) condition(src string) (*input, error) {
	return bd.input(&bd.op.inputs.conditions, "condition", src)
}

func (bd *builder) value(src string) (*input, error) {
	return bd.input(&bd.op.inputs.values, "value", src)
}

func (bd *builder) input(list *[]*input, what, src string) (*input, error) {
	id := what + " " + src
	if in := bd.calls[id]; in != nil {
		return in, nil
	}
	e, col, err := bd.compile(src)
	if err != nil {
		return nil, err
	}
	in := &input{value: e, col: col}
	if bd.calls == nil {
		bd.calls = map[string]*input{}
	}
	bd.calls[id] = in
	*list = append(*list, in)
	return in, nil
}

// state returns the index of the column that every pane has for a state.
func (bd *builder) state(id string, make func() column) int {
	k, ok := bd.index[id]
	if !ok {
		k = len(bd.op.states)
		bd.index[id] = k
		bd.op.states = append(bd.op.states, make)
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

// Package expr is logctl's expression language: conditions over the fields of
// a record (--where, count(EXPR)), and values computed from them (--set,
// --key, --by). An expression compiles to closures over the columns of a batch,
// and the compiler tells the plan which fields to read.
//
// docs/EXPRESSIONS.md describes the language; the tests run its examples.
package expr

import (
	"sync/atomic"

	"github.com/logctl/logctl/pkg/record"
)

// Type is what an expression yields.
type Type uint8

// The types of expressions. Any is only known when a record is at hand.
const (
	Any Type = iota
	Bool
	Num
	Text
	Time     // nanoseconds since 1970
	Duration // nanoseconds
)

// String returns the type as messages name it.
func (t Type) String() string {
	return [...]string{"a value", "a condition", "a number", "text", "a time", "a duration"}[t]
}

// A Val is the value of an expression for one record.
type Val struct {
	Type Type    // never Any, except with Null
	Null bool    // missing: no other member counts
	Num  float64 // Num and, as 0 or 1, Bool; never NaN nor an infinity
	NS   int64   // Time and Duration
	Text []byte  // Text, and the text of a field's number; valid as long as the batch is

	// raw is a field's value as the record holds it. Within the package, no
	// other member counts beside it, so that unescaping waits until it is due.
	raw record.Value
}

// An Expr is a compiled expression. It is immutable and may be used from
// several goroutines at a time, each with its own batch. Its results are in
// the batch's arena or point into it, whose end it may write to.
type Expr struct {
	tree       *node
	code       code
	test       testFn
	num        numFn
	val        valFn
	mismatches *atomic.Int64
}

// Compile compiles an expression and adds the fields that it reads to plan.
// Errors wrap a *SyntaxError.
func Compile(src string, plan *record.Plan) (*Expr, error) {
	tree, err := parse(src)
	if err != nil {
		return nil, err
	}
	c := &compiler{src: src, plan: plan, mismatches: new(atomic.Int64)}
	out, err := c.compile(tree)
	if err != nil {
		return nil, err
	}
	c.mismatches.Store(0) // those of constants
	return &Expr{tree, out, out.asTest(), out.asNum(), out.asVal(), c.mismatches}, nil
}

// CompileBool compiles a condition: it refuses an expression that is surely
// none.
func CompileBool(src string, plan *record.Plan) (*Expr, error) {
	e, err := Compile(src, plan)
	if err != nil {
		return nil, err
	}
	if t := e.Type(); t != Any && t != Bool {
		return nil, syntaxError(src, e.tree.pos, "compare it with something: "+conditionOf(e), "want a condition, not %s", t)
	}
	return e, nil
}

// conditionOf returns an example of a condition with e in it.
func conditionOf(e *Expr) string {
	literal := map[Type]string{Num: "> 0", Text: `== "text"`, Time: `>= time("2026-11-24")`, Duration: "> 5s"}
	return string(e.tree.append(nil, precAdd)) + " " + literal[e.Type()]
}

// Type returns what the expression yields; Any where only a record can tell.
func (e *Expr) Type() Type { return e.code.typ }

// String returns the expression in its normal form, which compiles to the
// same expression.
func (e *Expr) String() string { return e.tree.String() }

// Field returns the path where the expression is just a field.
func (e *Expr) Field() (path string, ok bool) {
	if e.code.col < 0 {
		return "", false
	}
	return e.tree.name, true
}

// Mismatches returns how many comparisons met a value that cannot be compared
// with what stood beside it: text beside a number, a time or a duration, an
// unknown word where a level was to be ordered.
func (e *Expr) Mismatches() int64 { return e.mismatches.Load() }

// True reports whether the condition holds for record i. It leaves the arena
// as it found it.
func (e *Expr) True(b *record.Batch, i int) bool {
	mark := len(b.Data)
	ok := e.test(b, i)
	b.Data = b.Data[:mark]
	return ok
}

// Num returns the value for record i as a number, as the function num does:
// times and durations in milliseconds. It leaves the arena as it found it.
func (e *Expr) Num(b *record.Batch, i int) (float64, bool) {
	mark := len(b.Data)
	f, ok := e.num(b, i)
	b.Data = b.Data[:mark]
	return f, ok
}

// AppendJSON appends the value for record i as JSON: fields as they stand in
// the record, times as RFC 3339 text, durations as numbers of milliseconds,
// what is missing as null. dst must not be the arena, which is left as it was.
func (e *Expr) AppendJSON(dst []byte, b *record.Batch, i int) []byte {
	mark := len(b.Data)
	dst = appendJSON(dst, b, e.val(b, i))
	b.Data = b.Data[:mark]
	return dst
}

// Value returns the value for record i as a value of the batch: that of a
// field as its column has it, a computed one appended to the arena in the
// form that AppendJSON gives it.
func (e *Expr) Value(b *record.Batch, i int) record.Value {
	if e.code.col >= 0 {
		return b.At(e.code.col, i)
	}
	mark := len(b.Data)
	v := e.val(b, i)
	if v.raw != 0 {
		b.Data = b.Data[:mark]
		return v.raw
	}
	return intoArena(b, v, mark)
}

// Package expr is logctl's expression language: conditions over the fields of
// a record (--where, count(EXPR)), and values computed from them (--set,
// --key, --by). An expression compiles to closures over the columns of a batch,
// and the compiler tells the plan which fields to read.
package expr

import (
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

// A Val is the value of an expression for one record.
type Val struct {
	Type Type // never Any, except with Null
	Null bool // missing: no other member counts
	Num  float64 // Num and, as 0 or 1, Bool
	NS   int64   // Time and Duration
	Text []byte  // Text; valid as long as the batch is
}

// An Expr is a compiled expression. It is immutable and may be used from
// several goroutines at a time, each with its own batch.
type Expr struct {
	src string
	typ Type
}

var _ = record.NoTime

package main

import (
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
)

// A onceFlag reads an expression or a list. It refuses a second one: that the last one
// counts, as for other flags, would leave the first out without a word.
type onceFlag struct {
	value *string
	both  string // how both are written as one
	given bool
}

func (f *onceFlag) Type() string   { return "string" }
func (f *onceFlag) String() string { return *f.value }
func (f *onceFlag) Set(s string) error {
	if f.given {
		return fault.Usagef("write both as one: "+f.both, "it is given twice, before as %q", *f.value)
	}
	*f.value, f.given = s, true
	return nil
}

// The ways to write two as one.
const (
	bothTrue = "'(A) and (B)'"
	bothIn   = "'A, B'"
)

// onceVar declares a flag that is given once. What p holds is the default.
func onceVar(fs *pflag.FlagSet, p *string, name, both, usage string) {
	fs.Var(&onceFlag{value: p, both: both}, name, usage)
}

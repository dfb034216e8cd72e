package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
)

// A choiceFlag reads a text that is one of a few. It refuses others with the nearest
// name, before anything is done; the shell completes those that there are. Upper and
// lower case are alike.
type choiceFlag struct {
	value *string
	known []string
}

func (c choiceFlag) Type() string   { return "string" }
func (c choiceFlag) String() string { return *c.value }
func (c choiceFlag) Set(s string) error {
	at := slices.IndexFunc(c.known, func(k string) bool { return strings.EqualFold(k, s) })
	if at < 0 {
		return fault.Usagef(fault.DidYouMean(s, c.known), "%q: want one of %s", s, strings.Join(c.known, ", "))
	}
	*c.value = c.known[at]
	return nil
}

// choiceVar declares a flag that takes one of known. What p holds is the default.
func choiceVar(fs *pflag.FlagSet, p *string, name string, known []string, usage string) {
	choiceVarP(fs, p, name, "", known, usage)
}

// choiceVarP is choiceVar with a letter for the flag.
func choiceVarP(fs *pflag.FlagSet, p *string, name, letter string, known []string, usage string) {
	fs.VarP(choiceFlag{p, known}, name, letter, usage)
}

// forms are the ways to print rows.
var forms = []string{"json", "table", "csv", "tsv"}

// addForm declares how rows are printed; the first of these forms is the default.
func addForm(fs *pflag.FlagSet, p *string, forms ...string) {
	*p = forms[0]
	choiceVarP(fs, p, "output", "o", forms, "`FORM` of the output: "+strings.Join(forms, ", "))
}

// guarantees are the values of --delivery.
var guarantees = []string{atMostOnce, atLeastOnce, exactlyOnce}

// addDelivery declares --delivery, on every command that reads Kafka.
func addDelivery(fs *pflag.FlagSet, p *string) {
	*p = atLeastOnce
	choiceVar(fs, p, "delivery", guarantees, "`GUARANTEE`: at-most-once, at-least-once or exactly-once")
}

package main

import (
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/transform"
)

// changeFlags say what becomes of records on their way.
type changeFlags struct {
	set    string
	fields string
}

func (f *changeFlags) add(fs *pflag.FlagSet) {
	onceVar(fs, &f.set, "set", bothIn, "set fields: `NAME=EXPR,…`")
	onceVar(fs, &f.fields, "select", bothIn, "write JSON objects of these fields: `FIELD,NAME=EXPR,…`")
}

// apply has the pipeline change records: first --set, then --select.
func (f *changeFlags) apply(p *pipeline) error {
	if f.set != "" {
		set, err := transform.NewSet(f.set, p.Plan)
		if err != nil {
			return err
		}
		p.Prepare = append(p.Prepare, set)
	}
	if f.fields != "" {
		sel, err := transform.NewSelect(f.fields, p.Plan)
		if err != nil {
			return err
		}
		p.Prepare = append(p.Prepare, sel)
	}
	return nil
}

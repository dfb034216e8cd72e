package main

import (
	"bytes"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// explainFlags is everything that can be said to logctl route explain.
type explainFlags struct {
	stream streamFlags
	kafka  kafkaInput
	rules  rulesFlags
	every  bool
}

func newRouteExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain --rules FILE [FILE…]",
		Short: "Say for each record which rules matched, why, and where it would go",
		Example: `  logctl route explain --rules rules.yaml app.log
  logctl route explain --rules rules.yaml --unmatched --limit 1 app.log`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, readingSection, f.kafka.add)
	f.rules.add(fs)
	fs.BoolVar(&f.every, "unmatched", false, "explain the rules that did not match, too")
	return cmd
}

func (f *explainFlags) run(cmd *cobra.Command, args []string) error {
	p, err := f.stream.newPipeline(cmd, args)
	if err != nil {
		return err
	}
	r := newRouting(&f.rules, p)
	r.options.Explain = true
	if err := r.load(); err != nil {
		return err
	}
	t, err := route.Compile(r.file, r.options)
	if err != nil {
		return err
	}
	r.live.Set(t)
	p.consumer = &f.kafka
	p.Parser = func() engine.Parser { return codec.NewLiveParser(p.decoder, r.live.Plan) }
	p.Plan, p.Operator, p.Order = t.Plan(), &explainer{Table: t, every: f.every}, routeOrder(p)
	return p.run()
}

// An explainer writes explanations in the place of records.
type explainer struct {
	*route.Table
	every bool
	text  bytes.Buffer
}

// Process explains rows.
func (e *explainer) Process(rows record.Rows, out stream.Output) error {
	b := rows.Batch
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		x := e.Explain(b, i, e.every)
		x.Record = engine.Place(b, i)
		e.text.Reset()
		enc := json.NewEncoder(&e.text)
		enc.SetEscapeHTML(false) // tests are full of < and >
		if err := enc.Encode(x); err != nil {
			return err
		}
		rec := &b.Recs[i]
		rec.Value = record.AppendSpan(b, bytes.TrimSuffix(e.text.Bytes(), []byte{'\n'}))
		rec.Flags &^= record.Tombstone
	}
	return out.Emit(rows)
}

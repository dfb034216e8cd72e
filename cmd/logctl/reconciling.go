package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/store"
)

// mend reads the missing records again and writes them, as consume would.
func (f *reconcileFlags) mend(cmd *cobra.Command, c *store.Comparison) error {
	p, err := f.pipeline(cmd)
	if err != nil {
		return err
	}
	at, err := c.Begin(cmd.Context())
	if err != nil {
		return err
	}
	k := f.consume.kafka
	k.partitions = nil
	for _, p := range at {
		if !slices.Contains(k.partitions, p.Partition) {
			k.partitions = append(k.partitions, p.Partition)
		}
	}
	src, err := k.open(p, p.endpoints[0])
	if err != nil {
		return err
	}
	if err := src.Seek(at); err != nil {
		return p.close(err)
	}
	chosen := &lacking{Comparison: c, ctx: cmd.Context()}
	p.made = src
	if p.Limit, err = c.Wanting(cmd.Context()); err != nil {
		return p.close(err)
	}
	p.Prepare = append(p.Prepare, chosen)
	if err := p.openSinks(); err != nil {
		return p.close(err)
	}
	err = p.feed(p.Sink)
	return errors.Join(err, chosen.err, p.close(nil))
}

// lacking drops the records that are not missing.
type lacking struct {
	*store.Comparison
	ctx context.Context //nolint:containedctx // Prepare has none

	mu  sync.Mutex
	err error
}

// Prepare drops the rows of b that are there.
func (l *lacking) Prepare(b *record.Batch) {
	if len(b.Recs) == 0 {
		return
	}
	lo, hi := b.Recs[0].Offset, b.Recs[len(b.Recs)-1].Offset
	missing, err := l.Lacks(l.ctx, b.Origin.Source, b.Origin.Partition, lo, hi)
	if err != nil {
		l.mu.Lock()
		l.err = errors.Join(l.err, err)
		l.mu.Unlock()
	}
	for i := range b.Recs {
		if _, ok := slices.BinarySearch(missing, b.Recs[i].Offset); !ok {
			b.Recs[i].Flags |= record.Dropped
		}
	}
}

// tallied says what was compared and what was found.
func tallied(t store.Tally) string {
	s := "records " + human.Count(t.Records) + ", rows " + human.Count(t.Rows) +
		", missing " + human.Count(t.Missing) + ", duplicate " + human.Count(t.Duplicate) +
		", surplus " + human.Count(t.Surplus)
	if t.Waiting > 0 {
		s += ", waiting " + human.Count(t.Waiting)
	}
	if t.Nameless > 0 {
		s += ", without a name " + human.Count(t.Nameless)
	}
	return s
}

// pageRows is how many rows are printed at a time.
const pageRows = 1000

// printDifferences prints rows as they come, in a form.
func printDifferences(cmd *cobra.Command, form string, found iter.Seq2[store.Difference, error]) error {
	enc, err := codec.NewEncoder(form, codec.EncodeOptions{})
	if err != nil {
		return err
	}
	b := record.NewBatch()
	page := func(finish bool) error {
		out := enc.Append(nil, b.All())
		if f, ok := enc.(codec.FinishingEncoder); ok && finish {
			out = f.Finish(out)
		}
		b.Reset()
		_, err := cmd.OutOrStdout().Write(out)
		return err
	}
	for d, err := range found {
		if err != nil {
			return err
		}
		line, err := json.Marshal(d)
		if err != nil {
			return err
		}
		b.Add(line)
		if len(b.Recs) == pageRows {
			if err := page(false); err != nil {
				return err
			}
		}
	}
	return page(true)
}

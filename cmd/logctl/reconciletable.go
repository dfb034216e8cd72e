package main

import (
	"context"
	"errors"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/postgres"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// serverWithin is for how long the server of the table may be down: as long as brokers.
const serverWithin = time.Minute

// uniqueFields asks the table what makes its rows unique.
func (f *reconcileFlags) uniqueFields(ctx context.Context) ([]string, error) {
	switch f.table.Scheme {
	case stream.SQLite:
		return store.UniqueFields(ctx, f.table.Path, f.table.Table)
	case stream.Postgres:
		r, err := postgres.OpenReader(ctx, f.table.URL, f.table.Table, postgres.SinkOptions{})
		if err != nil {
			return nil, err
		}
		fields, err := r.UniqueFields(ctx)
		return fields, errors.Join(err, r.Close())
	default:
		return nil, fault.Usagef("as in --sink sqlite:logs.db#logs",
			"--sink %q: rows are compared in sqlite: and postgres: alone", f.sink)
	}
}

// open opens the table to compare with. Column is that of the key in the plan.
func (f *reconcileFlags) open(ctx context.Context, p *pipeline, column int) (c *store.Comparison, err error) {
	if f.table.Scheme == stream.SQLite {
		c, err = store.OpenComparison(ctx, f.table.Path, f.table.Table, f.key, column)
	} else {
		var r *postgres.Reader
		opt := postgres.SinkOptions{Options: table.Options{Busy: p.busy(nil)}, Within: p.tables.within}
		if r, err = postgres.OpenReader(ctx, f.table.URL, f.table.Table, opt); err != nil {
			return nil, err
		}
		p.atEnd(r.Close)
		c, err = store.OpenCopyComparison(ctx, r, r.String(), f.key, column)
	}
	if err == nil {
		p.atEnd(c.Close)
	}
	return c, err
}

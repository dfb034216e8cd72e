package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// SinkOptions say how rows are written. The zero value is the default.
type SinkOptions struct {
	table.Options

	// Spill takes the rows of a large transaction, so that it can be made again
	// however often the server goes down. Without it they stay in memory.
	Spill stream.Spill

	// Within is for how long a server may be down. By default Busy decides alone.
	Within time.Duration
}

// OpenSink connects to the database that a URL names. An empty name of the table means
// table.Default.
func OpenSink(ctx context.Context, url, name string, opt SinkOptions) (*Sink, error) {
	if name == "" {
		name = table.Default
	}
	if err := checkTable(name); err != nil {
		return nil, err
	}
	srv, err := newServer(url)
	if err != nil {
		return nil, err
	}
	s := &Sink{
		server: srv, name: name, opt: opt, once: map[string]bool{"stdin": true}, at: positions{sink: name},
		state: &states{sink: name}, lines: lines{spill: opt.Spill},
	}
	if opt.Once != nil {
		s.marks = &seen{sink: name, namer: opt.Once, ttl: int64(opt.OnceTTL)}
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, srv.close())
	}
	return s, nil
}

// begin makes the tables of positions, reads them and the table of rows.
func (s *Sink) begin(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.keepers(ctx); err != nil {
		return s.failed("opening", err)
	}
	if _, err := s.at.load(ctx, s.server); err != nil {
		return s.failed("reading the positions of", err)
	}
	if err := s.findTable(ctx); err != nil {
		return s.failed("opening", err)
	}
	return nil
}

// keepers makes what keeps the positions and, where there is an operator, its state.
func (s *Sink) keepers(ctx context.Context) error {
	if err := s.create(ctx, "_logctl_positions", createPositions); err != nil {
		return err
	}
	if err := s.create(ctx, "_logctl_clusters", createClusters); err != nil {
		return err
	}
	if s.marks != nil {
		if err := s.create(ctx, "_logctl_seen", createSeen); err != nil {
			return err
		}
	}
	if s.opt.Signature == "" {
		return nil
	}
	if err := s.create(ctx, "_logctl_state", createState); err != nil {
		return err
	}
	if err := s.create(ctx, "_logctl_operators", createOperators); err != nil {
		return err
	}
	if s.opt.Reset {
		if err := s.discard(ctx); err != nil {
			return err
		}
	}
	return s.state.claim(ctx, s.server, s.opt.Signature)
}

// create makes what has a name where there is nothing of it: only that takes the
// right to. Another process may be about to.
func (s *Sink) create(ctx context.Context, name, statement string) error {
	rows, err := s.query(ctx, "SELECT 1 WHERE to_regclass($1) IS NOT NULL", quote(name))
	if err != nil || len(rows) > 0 {
		return err
	}
	return s.exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('logctl'));"+statement)
}

// findTable reads the columns of the table where it exists, and makes the stage for
// it.
func (s *Sink) findTable(ctx context.Context) error {
	columns, err := s.columnsOf(ctx, s.name)
	if err != nil || len(columns) == 0 {
		return err
	}
	l, err := newLayout(s.name, columns, s.opt.Unique)
	if err != nil {
		return err
	}
	index := indexName(s.name, s.opt.Unique)
	if err := s.create(ctx, index, l.createIndex(index)); err != nil {
		return l.apart(err)
	}
	s.rows = l
	return s.exec(ctx, l.createStage())
}

// connected has a connection with a stage.
func (s *Sink) connected(ctx context.Context) error {
	if s.c != nil && !s.c.IsClosed() {
		return nil
	}
	if err := s.connect(ctx); err != nil || s.rows == nil {
		return err
	}
	return s.exec(ctx, s.rows.createStage())
}

// makeTable makes the table of the fields that the first rows have, if one of
// them is live and has any, unless another process has made it meanwhile.
func (s *Sink) makeTable(ctx context.Context, rows record.Rows) error {
	fields := table.Fields(rows, s.opt.Unique, limits)
	if len(fields) == 0 {
		return nil
	}
	return s.patiently(ctx, "creating", func(ctx context.Context) error {
		if err := s.create(ctx, s.name, createTable(s.name, rows.Origin, fields)); err != nil {
			return err
		}
		return s.findTable(ctx)
	})
}

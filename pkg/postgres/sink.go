package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// SinkOptions say how rows are written. The zero value is the default.
type SinkOptions struct {
	// Once drops records whose name came before within OnceTTL, by marks in the
	// transaction of the rows. Dropped is told how many. All may be unset.
	Once    table.Namer
	OnceTTL time.Duration
	Dropped func(int)

	// Spill takes the rows of a large transaction, so that it can be made again
	// however often the server goes down. Without it they stay in memory.
	Spill stream.Spill

	// Busy is called when the server is down, and every ten seconds while it is.
	// It returns an error to give up, or nil to wait on. Without it, a server that
	// is down is an error at once.
	Busy func(error) error

	// Breaker is told how attempts fare. Busy is called after each that fails while it
	// is open, and may wait as long as it says. nil: there is none.
	Breaker *limit.Breaker

	// Within is for how long a server may be down. By default Busy decides alone.
	Within time.Duration

	Unique    []string // the fields that make a row unique; by default where it came from
	Signature string   // of the operator whose state is kept beside the rows; "" for none
	Reset     bool     // discard the positions and the state that are kept
}

// A Sink writes records into a table of a PostgreSQL database: a row each, JSON
// objects by their fields, anything else into a column "value". The table is made
// of the fields of the first records; what later ones have besides, and what a
// column cannot hold, goes into a jsonb column "_extra".
//
// A row with the key of an earlier one replaces it. The key is where the record
// came from (topic, partition and offset, or file and byte), or the fields of
// SinkOptions.Unique. Records of stdin and of pipes have no place to come back
// to and so no key.
//
// All that is written between two Flushes is one transaction, with the positions
// in it. They must be what this sink last saw: of two writers that believe to own
// a partition only the first to commit does, the other fails.
//
// It is a vault, too: the state of an operator is committed with the rows that it
// has made.
//
// A Sink is for one goroutine, except Load.
type Sink struct {
	*server
	name   string // of the table
	opt    SinkOptions
	rows   *layout // nil until the first rows are known
	at     positions
	state  *states
	marks  *seen           // of names, with SinkOptions.Once
	once   map[string]bool // sources whose bytes come only once
	lines  lines           // rows of the transaction
	unsure bool            // it was committed or not: the answer was lost
}

// OpenSink connects to the database that a URL names. An empty name of the table is
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
		return err
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

func (s *Sink) failed(doing string, err error) error {
	return fmt.Errorf("%s table %q of postgres %s: %w", doing, s.name, s.server, err)
}

// Positions returns how far the committed rows go, and remembers it as what
// this sink has seen. Who takes over a partition asks again.
func (s *Sink) Positions(ctx context.Context) (at []stream.Position, err error) {
	err = s.patiently(ctx, "reading the positions of", func(ctx context.Context) error {
		at, err = s.at.load(ctx, s.server)
		return err
	})
	return at, err
}

// Write adds rows to the transaction.
func (s *Sink) Write(rows record.Rows) error {
	ctx := context.Background() // Busy bounds it; Flush has the caller's
	if s.rows == nil {
		if err := s.makeTable(ctx, rows); err != nil || s.rows == nil {
			return err
		}
	}
	if o := rows.Origin; o != nil && table.ComesOnce(o) {
		s.once[o.Source] = true
	}
	if _, err := table.Live(rows, s.rows.whole); err != nil {
		return s.failed("writing to", err)
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		var err error
		if s.lines.held, err = s.rows.appendRow(s.lines.held, rows.Batch, i); err != nil {
			return s.failed("writing to", err)
		}
		if s.marks != nil {
			s.marks.add(rows.Batch, i)
		}
	}
	return s.lines.trim(maxHeld)
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

// copy sends the rows: straight into the table where they are known by where they
// came from, for then they are new as a rule, and that costs the server half. Where
// one is there already they go over the stage.
func (s *Sink) copy(ctx context.Context) error {
	var dropped []bool
	if s.marks != nil {
		dropped = s.marks.dropped
	}
	if len(s.opt.Unique) == 0 {
		there, err := s.copyNew(ctx, dropped)
		if err != nil || !there {
			return err
		}
	}
	if _, err := s.c.CopyFrom(ctx, s.lines.reader(dropped, true), s.rows.copyToStage()); err != nil {
		return s.told(err)
	}
	return s.exec(ctx, s.rows.merge())
}

// copyNew sends the rows into the table, or nothing where one of them is there
// already.
func (s *Sink) copyNew(ctx context.Context, dropped []bool) (there bool, _ error) {
	if err := s.exec(ctx, "SAVEPOINT rows"); err != nil {
		return false, err
	}
	_, err := s.c.CopyFrom(ctx, s.lines.reader(dropped, false), s.rows.copyIn())
	if err = s.told(err); stateOf(err) != uniqueViolation {
		return false, err
	}
	return true, s.exec(ctx, "ROLLBACK TO SAVEPOINT rows")
}

const uniqueViolation = "23505"

// Keep adds positions to what the next Flush commits.
func (s *Sink) Keep(at []stream.Position) {
	for _, p := range at {
		if !s.once[p.Source] {
			s.at.keep[partition{p.Source, p.Partition}] = p.Next
		}
	}
}

// Flush commits the rows and the positions.
func (s *Sink) Flush(ctx context.Context) error {
	if s.lines.empty() && len(s.at.keep) == 0 && len(s.state.held) == 0 {
		return nil
	}
	if err := s.patiently(ctx, "writing to", s.commit); err != nil {
		return err
	}
	s.unsure = false
	s.at.committed()
	s.state.committed()
	if s.marks != nil {
		if n := s.marks.committed(); n > 0 && s.opt.Dropped != nil {
			s.opt.Dropped(n)
		}
	}
	return s.lines.clear()
}

// commit is one attempt at the transaction.
func (s *Sink) commit(ctx context.Context) error {
	if s.unsure {
		if arrived, err := s.arrived(ctx); err != nil || arrived {
			return err
		}
	}
	if err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := s.at.write(ctx, s.server); err != nil {
		return err
	}
	if err := s.state.write(ctx, s.server); err != nil {
		return err
	}
	if !s.lines.empty() {
		if err := s.writeRows(ctx); err != nil {
			return err
		}
	}
	s.unsure = true
	return s.exec(ctx, "COMMIT")
}

// writeRows puts the rows into the transaction under way, less those that came before.
func (s *Sink) writeRows(ctx context.Context) error {
	if s.marks != nil {
		if err := s.marks.write(ctx, s.server); err != nil {
			return err
		}
	}
	return s.copy(ctx)
}

// arrived reports whether the last attempt has been committed.
func (s *Sink) arrived(ctx context.Context) (bool, error) {
	if arrived, err := s.at.arrived(ctx, s.server); err != nil || arrived {
		return arrived, err
	}
	return s.state.arrived(ctx, s.server)
}

// Close ends the connection. What was not flushed is undone.
func (s *Sink) Close() error {
	if err := s.close(); err != nil {
		return s.failed("closing", err)
	}
	return nil
}

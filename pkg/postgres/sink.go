package postgres

import (
	"context"
	"fmt"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// A Sink writes records into a table of a PostgreSQL database, one row for each: the
// fields of JSON objects into columns, other records into a column "value". The table
// is created with the fields of the first records. Other fields, and values that a
// column cannot hold, go into a jsonb column "_extra".
//
// A row replaces an earlier one with the same key. The key is where the record came
// from (topic, partition and offset, or file and byte), or the fields of
// SinkOptions.Unique. Records of stdin and pipes cannot be read again, so they have no
// key.
//
// Everything that is written between two Flushes is one transaction, together with the
// positions. A commit fails if the stored positions are not those that this sink last
// saw: when two writers believe to own a partition, only the first to commit succeeds.
//
// It is also a stream.Vault: the state of an operator is committed together with its
// rows.
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

func (s *Sink) failed(doing string, err error) error {
	err = fmt.Errorf("%s table %q of postgres %s: %w", doing, s.name, s.server, err)
	if stateOf(err) == forbidden {
		return fault.Hint(err, fmt.Sprintf("user %s needs the right to create tables in this schema, or SELECT, INSERT and "+
			"UPDATE on those that are there, also on _logctl_positions and _logctl_clusters", s.config.User))
	}
	return err
}

const forbidden = "42501"

// Positions returns the committed positions, and remembers them as those that this sink
// has seen. A run that takes over a partition calls it again.
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

// Keep adds positions to the transaction that the next Flush commits.
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

// Close ends the connection. Rows that were not flushed are rolled back.
func (s *Sink) Close() error {
	if err := s.close(); err != nil {
		return s.failed("closing", err)
	}
	return nil
}

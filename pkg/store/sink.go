package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// DefaultTable is the table of a sink where none is named.
const DefaultTable = "logs"

// SinkOptions say how rows are written. The zero value is the default.
type SinkOptions struct {
	Unique []string // the fields that make a row unique; by default where it came from
}

// A Sink writes records into a table of a SQLite database: a row each, JSON
// objects by their fields, anything else into a column "value". The table is
// made of the fields of the first records; what later ones have besides goes
// into a JSON column "_extra".
//
// A row with the key of an earlier one replaces it. The key is where the record
// came from (topic, partition and offset, or file and byte), or the fields of
// SinkOptions.Unique. Records of stdin and of pipes have no place to come back
// to and so no key.
//
// All that is written between two Flushes is one transaction, with the
// positions in it. They must be what this sink last saw: of two writers that
// believe to own a partition only the first to commit does, the other fails.
//
// A Sink is for one goroutine, except Close.
type Sink struct {
	c     conn
	path  string
	name  string // of the table
	opt   SinkOptions
	table *table // nil until the first rows are known
	open  bool   // a transaction is under way
	seen  map[partition]int64
	keep  map[partition]int64
	once  map[string]bool // sources whose bytes come only once
}

type partition struct {
	source string
	number int32
}

// OpenSink opens or creates the database at path. An empty table is
// DefaultTable.
func OpenSink(ctx context.Context, path, table string, opt SinkOptions) (*Sink, error) {
	if table == "" {
		table = DefaultTable
	}
	if err := checkTable(table); err != nil {
		return nil, err
	}
	c, err := open(path, "_pragma=journal_mode(wal)&_pragma=synchronous(normal)")
	if err != nil {
		return nil, err
	}
	s := &Sink{c: c, path: path, name: table, opt: opt, once: map[string]bool{"stdin": true}}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

// begin makes the table of positions, reads it and the table of rows.
func (s *Sink) begin(ctx context.Context) error {
	_, err := exec(ctx, s.c, `CREATE TABLE IF NOT EXISTS _logctl_positions (
		sink TEXT NOT NULL, source TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
		PRIMARY KEY (sink, source, partition)) WITHOUT ROWID`)
	if err != nil {
		return s.failed("opening", err)
	}
	if _, err := s.Positions(ctx); err != nil {
		return err
	}
	return s.findTable(ctx)
}

// findTable opens the table where it exists.
func (s *Sink) findTable(ctx context.Context) error {
	columns, err := columnsOf(ctx, s.c, s.name)
	if err != nil {
		return s.failed("opening", err)
	}
	if len(columns) > 0 {
		s.table, err = s.openTable(ctx, columns)
	}
	return err
}

func (s *Sink) failed(doing string, err error) error {
	return fmt.Errorf("%s table %q of sqlite %q: %w", doing, s.name, s.path, err)
}

// Positions returns how far the committed rows go, and remembers it as what
// this sink has seen. Who takes over a partition asks again.
func (s *Sink) Positions(ctx context.Context) ([]stream.Position, error) {
	s.seen, s.keep = map[partition]int64{}, map[partition]int64{}
	var at []stream.Position
	err := query(ctx, s.c, "SELECT source, partition, next FROM _logctl_positions WHERE sink = ? ORDER BY 1, 2",
		func(row []driver.Value) {
			number, _ := row[1].(int64)
			next, _ := row[2].(int64)
			p := stream.Position{Source: text(row[0]), Partition: int32(number), Next: next}
			s.seen[partition{p.Source, p.Partition}] = next
			at = append(at, p)
		}, s.name)
	if err != nil {
		return nil, s.failed("reading the positions of", err)
	}
	return at, nil
}

// Write adds rows to the transaction.
func (s *Sink) Write(rows record.Rows) error {
	ctx := context.Background() // the busy time-out bounds it; Flush has the caller's
	if err := s.transaction(ctx); err != nil {
		return err
	}
	if s.table == nil {
		// Another process may have made it meanwhile.
		if err := s.findTable(ctx); err != nil {
			return err
		}
	}
	if s.table == nil {
		if err := s.createTable(ctx, rows); err != nil || s.table == nil {
			return err
		}
	}
	if o := rows.Origin; o != nil && comesOnce(o) {
		s.once[o.Source] = true
	}
	if err := s.table.insert(ctx, rows); err != nil {
		return s.failed("writing to", err)
	}
	return nil
}

// comesOnce reports whether an origin is a pipe, which cannot be read again:
// files have a number, and topics are topics.
func comesOnce(o *record.Origin) bool { return !o.Topic && (o.Partition == 0 || o.Source == "stdin") }

func (s *Sink) transaction(ctx context.Context) error {
	if s.open {
		return nil
	}
	if _, err := exec(ctx, s.c, "BEGIN IMMEDIATE"); err != nil {
		return s.failed("writing to", err)
	}
	s.open = true
	return nil
}

// Keep adds positions to what the next Flush commits.
func (s *Sink) Keep(at []stream.Position) {
	for _, p := range at {
		if !s.once[p.Source] {
			s.keep[partition{p.Source, p.Partition}] = p.Next
		}
	}
}

// Flush commits the rows and the positions.
func (s *Sink) Flush(ctx context.Context) error {
	if !s.open && len(s.keep) == 0 {
		return nil
	}
	if err := s.transaction(ctx); err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return errors.Join(err, s.undo(context.WithoutCancel(ctx)))
	}
	s.open = false
	maps.Copy(s.seen, s.keep)
	clear(s.keep)
	return nil
}

// undo ends the transaction without a trace. The table may have been part of it.
func (s *Sink) undo(ctx context.Context) error {
	var err error
	if s.table != nil {
		err = s.table.close()
		s.table = nil
	}
	s.open = false
	_, _ = exec(ctx, s.c, "ROLLBACK") // where the disk is full, SQLite has rolled back by itself
	return err
}

func (s *Sink) commit(ctx context.Context) error {
	for p, next := range s.keep {
		if err := s.move(ctx, p, next); err != nil {
			return err
		}
	}
	if _, err := exec(ctx, s.c, "COMMIT"); err != nil {
		return s.failed("writing to", err)
	}
	return nil
}

// move stores the position of a partition if the stored one is the one that
// this sink has seen.
func (s *Sink) move(ctx context.Context, p partition, next int64) error {
	seen, known := s.seen[p]
	statement := `UPDATE _logctl_positions SET next = ?4
		WHERE sink = ?1 AND source = ?2 AND partition = ?3 AND next = ?5`
	values := []driver.Value{s.name, p.source, int64(p.number), next, seen}
	if !known {
		statement = `INSERT INTO _logctl_positions (sink, source, partition, next)
			VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`
		values = values[:4]
	}
	n, err := exec(ctx, s.c, statement, values...)
	if err != nil {
		return s.failed("storing a position of", err)
	}
	if n == 0 {
		return fault.Hint(s.failed("writing to", fmt.Errorf("another writer has moved on with partition %d of %q",
			p.number, p.source)), "one run at a time may write what it reads there into this table")
	}
	return nil
}

// Close closes the database. What was not flushed is undone.
func (s *Sink) Close() error {
	var err error
	if s.table != nil {
		err = s.table.close()
	}
	if err := errors.Join(err, s.c.Close()); err != nil {
		return s.failed("closing", err)
	}
	return nil
}

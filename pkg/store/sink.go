package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// A Sink writes records into a table of a SQLite database: a row each, JSON
// objects by their fields, anything else into a column "value". The table is
// made of the fields of the first records; what later ones have besides goes
// into a JSON column "_extra".
//
// A row with the key of an earlier one replaces it. The key is where the record
// came from (topic, partition and offset, or file and byte), or the fields of
// SinkOptions.Unique. With SinkOptions.Onward no row can have an earlier one's
// place, and it is not looked for. Records of stdin and of pipes have no place to come back
// to and so no key.
//
// All that is written between two Flushes is one transaction, with the
// positions in it. They must be what this sink last saw: of two writers that
// believe to own a partition only the first to commit does, the other fails.
//
// It is a vault, too: the state of an operator is committed with the rows that it
// has made.
//
// A Sink is for one goroutine, except Load.
type Sink struct {
	c     *conn
	path  string
	name  string // of the table
	opt   SinkOptions
	marks *seen     // of names, with SinkOptions.Once
	table *rowTable // nil until the first rows are known
	open  bool      // a transaction is under way
	at    positions
	state *states
	once  map[string]bool // sources whose bytes come only once
}

// OpenSink opens or creates the database at path. An empty name
// of the table is table.Default.
func OpenSink(ctx context.Context, path, name string, opt SinkOptions) (*Sink, error) {
	if name == "" {
		name = table.Default
	}
	if err := checkTable(name); err != nil {
		return nil, err
	}
	var s *Sink
	err := opt.patient(func() (err error) {
		s, err = openSink(ctx, path, name, opt)
		return err
	})
	return s, err
}

func openSink(ctx context.Context, path, name string, opt SinkOptions) (*Sink, error) {
	c, err := open(ctx, path, unsynced)
	if err != nil {
		return nil, err
	}
	s := &Sink{
		c: c, path: path, name: name, opt: opt, once: map[string]bool{"stdin": true},
		at: positions{c: c, sink: name}, state: &states{c: c, path: path, sink: name},
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

// begin makes the tables of positions and state, reads the positions and the table
// of rows.
func (s *Sink) begin(ctx context.Context) error {
	if err := s.keepers(ctx); err != nil {
		return s.failed("opening", err)
	}
	if _, err := s.Positions(ctx); err != nil {
		return err
	}
	if s.opt.Once != nil {
		var err error
		if s.marks, err = openSeen(ctx, s.c, s.name, &s.opt); err != nil {
			return s.failed("opening", err)
		}
	}
	return s.findTable(ctx)
}

// keepers makes what keeps the positions and, where there is an operator, its state.
func (s *Sink) keepers(ctx context.Context) error {
	if err := s.at.create(ctx); err != nil {
		return err
	}
	if err := exec(ctx, s.c, createClusters); err != nil {
		return err
	}
	if s.opt.Signature == "" {
		return nil
	}
	if err := s.state.create(ctx); err != nil {
		return err
	}
	if s.opt.Reset {
		if err := s.discard(ctx); err != nil {
			return err
		}
	}
	return s.state.claim(ctx, s.opt.Signature)
}

// discard forgets in one transaction what earlier runs have kept.
func (s *Sink) discard(ctx context.Context) error {
	if err := s.transaction(ctx); err != nil {
		return err
	}
	for _, table := range []string{"_logctl_positions", "_logctl_clusters"} {
		if err := exec(ctx, s.c, "DELETE FROM "+table+" WHERE sink = ?", s.name); err != nil {
			return err
		}
	}
	if err := s.state.reset(ctx); err != nil {
		return err
	}
	err := exec(ctx, s.c, "COMMIT")
	s.open = false
	return err
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
	at, err := s.at.load(ctx)
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
	if s.marks != nil {
		if err := s.marks.filter(ctx, rows); err != nil {
			return s.failed("marking what comes into", err)
		}
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
	if o := rows.Origin; o != nil && table.ComesOnce(o) {
		s.once[o.Source] = true
	}
	if err := s.table.insert(rows); err != nil {
		return s.failed("writing to", err)
	}
	return nil
}

// Load gives what is kept of a task's state.
func (s *Sink) Load(ctx context.Context, task stream.Task, put func(key, value []byte) error) error {
	if err := s.state.load(ctx, task, put); err != nil {
		return s.failed("reading the state of", err)
	}
	return nil
}

// Save adds to a task's state with the next Flush.
func (s *Sink) Save(task stream.Task, entries stream.Entries, all bool) error {
	ctx := context.Background() // as in Write
	if err := s.transaction(ctx); err != nil {
		return err
	}
	if err := s.state.save(ctx, task, entries, all); err != nil {
		return s.failed("storing the state of", err)
	}
	return nil
}

// Stale reports whether the next Save of a task had better be all of it.
func (s *Sink) Stale(task stream.Task) bool { return s.state.logs.Stale(task) }

// Keep adds positions to what the next Flush commits.
func (s *Sink) Keep(at []stream.Position) {
	for _, p := range at {
		if !s.once[p.Source] {
			s.at.add(p)
		}
	}
}

func (s *Sink) closeTable() {
	if s.table != nil {
		s.table.close()
		s.table = nil
	}
}

// Close closes the database. What was not flushed is undone.
func (s *Sink) Close() error {
	s.closeTable()
	s.at.close()
	if s.marks != nil {
		s.marks.close()
	}
	if err := s.c.Close(); err != nil {
		return s.failed("closing", err)
	}
	return nil
}

package store

import (
	"context"
	"errors"

	"github.com/zeebo/xxh3"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// states keep the state of each task of one sink as a log (see stream.Logs) in a
// table of the sink's database, in the sink's transactions.
type states struct {
	c    *conn
	path string // of the database
	sink string
	logs stream.Logs
}

// create makes the tables where there are none.
func (s *states) create(ctx context.Context) error {
	err := exec(ctx, s.c, `CREATE TABLE IF NOT EXISTS _logctl_state (
		sink TEXT NOT NULL, source TEXT NOT NULL, partition INTEGER NOT NULL, number INTEGER NOT NULL,
		whole INTEGER NOT NULL, hash INTEGER NOT NULL, entries BLOB,
		PRIMARY KEY (sink, source, partition, number));
		CREATE TABLE IF NOT EXISTS _logctl_operators (sink TEXT PRIMARY KEY, signature TEXT NOT NULL) WITHOUT ROWID`)
	return err
}

// claim makes sure that what is kept is an operator's with the given signature,
// and remembers it where nothing is kept yet.
func (s *states) claim(ctx context.Context, signature string) error {
	kept, found := "", false
	err := query(ctx, s.c, "SELECT signature FROM _logctl_operators WHERE sink = ?",
		func(row []any) { kept, found = text(row[0]), true }, s.sink)
	switch {
	case err != nil:
		return err
	case found:
		return stream.CheckSignature("it", kept, signature)
	}
	err = exec(ctx, s.c, "INSERT INTO _logctl_operators (sink, signature) VALUES (?, ?)", s.sink, signature)
	return err
}

// reset discards the states of all tasks, and the signature.
func (s *states) reset(ctx context.Context) error {
	if err := exec(ctx, s.c, "DELETE FROM _logctl_state WHERE sink = ?", s.sink); err != nil {
		return err
	}
	err := exec(ctx, s.c, "DELETE FROM _logctl_operators WHERE sink = ?", s.sink)
	return err
}

// save adds a chunk to the transaction under way.
func (s *states) save(ctx context.Context, task stream.Task, entries stream.Entries, all bool) error {
	number, err := s.logs.Add(task, entries, all)
	if err != nil {
		return err
	}
	if all {
		err := exec(ctx, s.c, "DELETE FROM _logctl_state WHERE sink = ? AND source = ? AND partition = ?",
			s.sink, task.Source, int64(task.Partition))
		if err != nil {
			return err
		}
	}
	err = exec(ctx, s.c, `INSERT INTO _logctl_state (sink, source, partition, number, whole, hash, entries)
		VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.sink, task.Source, int64(task.Partition), number, all, int64(xxh3.Hash(entries)), []byte(entries))
	if e, ok := errors.AsType[*Error](err); ok && e.Code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return moved(task.Source, task.Partition)
	}
	return err
}

// load gives each entry of a task once, with its last value, as the last
// transaction has left them. It reads over a connection of its own, so that others
// may write meanwhile.
func (s *states) load(ctx context.Context, task stream.Task, put func(key, value []byte) error) error {
	c, err := open(ctx, s.path, readOnly)
	if err != nil {
		return err
	}
	var state stream.Image
	err = s.image(ctx, c, task, &state)
	if err := errors.Join(err, c.Close()); err != nil {
		return err
	}
	return state.Each(put)
}

// image reads a log into m, which is empty.
func (s *states) image(ctx context.Context, c *conn, task stream.Task, m *stream.Image) error {
	return s.logs.Image(task, m, func(whole bool, each func(number int64, entries stream.Entries) error) error {
		return s.chunks(ctx, c, task, whole, each)
	})
}

// chunks calls each for the chunks of a task, in order: those with everything, or
// those with changes. They stay where SQLite has them.
func (s *states) chunks(ctx context.Context, c *conn, task stream.Task, whole bool,
	each func(number int64, entries stream.Entries) error,
) error {
	q, err := c.prepare(`SELECT number, hash, entries FROM _logctl_state
		WHERE sink = ? AND source = ? AND partition = ? AND whole = ? ORDER BY number`)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := q.begin(ctx, s.sink, task.Source, int64(task.Partition), whole); err != nil {
		return err
	}
	for {
		more, err := q.step()
		if err != nil || !more {
			return err
		}
		entries := q.bytes(2)
		if q.integer(1) != int64(xxh3.Hash(entries)) {
			return errBroken
		}
		if err := each(q.integer(0), entries); err != nil {
			return err
		}
	}
}

var errBroken = fault.Hint(errors.New("the state that is kept there is damaged"), "--reset discards it and begins anew")

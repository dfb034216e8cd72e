package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// states keep the state of each task of one sink as a log: a blob for each Save,
// all of it from time to time, and what has changed since. They are kept in a
// table of the sink's database, in the sink's transactions.
type states struct {
	c     *conn
	path  string // of the database
	sink  string
	mu    sync.Mutex
	tasks map[stream.Task]*taskLog // those that were loaded
}

// A taskLog is what is known of the log of a task.
type taskLog struct {
	last    int64 // number of its last chunk
	whole   int64 // bytes of the last chunk with everything
	changes int64 // bytes of those behind it
}

// leastLog is the size below which a log of changes is not worth replacing.
const leastLog = 1 << 20

// create makes the tables where there are none.
func (s *states) create(ctx context.Context) error {
	_, err := exec(ctx, s.c, `CREATE TABLE IF NOT EXISTS _logctl_state (
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
	case found && kept != signature:
		return fault.Hint(fmt.Errorf("it holds the state of another command:\n  kept  %s\n  now   %s", kept, signature),
			"--reset discards that state and begins anew")
	case found:
		return nil
	}
	_, err = exec(ctx, s.c, "INSERT INTO _logctl_operators (sink, signature) VALUES (?, ?)", s.sink, signature)
	return err
}

// reset discards the states of all tasks, and the signature.
func (s *states) reset(ctx context.Context) error {
	if _, err := exec(ctx, s.c, "DELETE FROM _logctl_state WHERE sink = ?", s.sink); err != nil {
		return err
	}
	_, err := exec(ctx, s.c, "DELETE FROM _logctl_operators WHERE sink = ?", s.sink)
	return err
}

// stale reports whether the log of a task has grown so long that all of its state
// is better written again.
func (s *states) stale(task stream.Task) bool {
	log := s.log(task)
	return log != nil && log.changes > max(log.whole, leastLog)
}

func (s *states) log(task stream.Task) *taskLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks[task]
}

// save adds a chunk to the transaction under way.
func (s *states) save(ctx context.Context, task stream.Task, entries stream.Entries, all bool) error {
	log := s.log(task)
	if log == nil {
		return fmt.Errorf("state of %s is saved that was not loaded", taskName(task))
	}
	whole := int64(0)
	if all {
		whole = 1
		_, err := exec(ctx, s.c, "DELETE FROM _logctl_state WHERE sink = ? AND source = ? AND partition = ?",
			s.sink, task.Source, int64(task.Partition))
		if err != nil {
			return err
		}
		log.whole, log.changes = int64(len(entries)), 0
	} else {
		log.changes += int64(len(entries))
	}
	log.last++
	_, err := exec(ctx, s.c, `INSERT INTO _logctl_state (sink, source, partition, number, whole, hash, entries)
		VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.sink, task.Source, int64(task.Partition), log.last, whole, int64(xxh3.Hash(entries)), []byte(entries))
	return err
}

// load gives each entry of a task once, with its last value, as the last
// transaction has left it. It reads over a connection of its own, so that others
// may write meanwhile.
func (s *states) load(ctx context.Context, task stream.Task, put func(key, value []byte) error) error {
	c, err := open(s.path, readOnly)
	if err != nil {
		return err
	}
	log, err := s.replay(ctx, c, task, put)
	if err := errors.Join(err, c.Close()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tasks == nil {
		s.tasks = map[stream.Task]*taskLog{}
	}
	s.tasks[task] = log
	return nil
}

// replay reads a log. Only what has changed since the last chunk with everything is
// held in memory.
func (s *states) replay(ctx context.Context, c *conn, task stream.Task, put func(key, value []byte) error,
) (*taskLog, error) {
	log, changed := &taskLog{}, map[string][]byte{}
	err := s.chunks(ctx, c, task, false, func(number int64, entries stream.Entries) error {
		log.last, log.changes = number, log.changes+int64(len(entries))
		return entries.Each(func(key, value []byte) error {
			changed[string(key)] = value
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	err = s.chunks(ctx, c, task, true, func(number int64, entries stream.Entries) error {
		log.last, log.whole = max(log.last, number), int64(len(entries))
		return entries.Each(func(key, value []byte) error {
			if _, ok := changed[string(key)]; ok {
				return nil
			}
			return put(key, value)
		})
	})
	if err != nil {
		return nil, err
	}
	for key, value := range changed {
		if value == nil {
			continue
		}
		if err := put([]byte(key), value); err != nil {
			return nil, err
		}
	}
	return log, nil
}

// chunks calls each for the chunks of a task, in order: those with everything, or
// those with changes.
func (s *states) chunks(ctx context.Context, c *conn, task stream.Task, whole bool,
	each func(number int64, entries stream.Entries) error,
) error {
	var failed error
	err := query(ctx, c, `SELECT number, hash, entries FROM _logctl_state
		WHERE sink = ? AND source = ? AND partition = ? AND whole = ? ORDER BY number`,
		func(row []any) {
			number, _ := row[0].(int64)
			hash, _ := row[1].(int64)
			entries, _ := row[2].([]byte)
			switch {
			case failed != nil:
			case hash != int64(xxh3.Hash(entries)):
				failed = errBroken
			default:
				failed = each(number, entries)
			}
		}, s.sink, task.Source, int64(task.Partition), whole)
	return errors.Join(err, failed)
}

var errBroken = fault.Hint(errors.New("the state that is kept there is damaged"), "--reset discards it and begins anew")

func taskName(task stream.Task) string {
	if task == (stream.Task{}) {
		return "the run"
	}
	return fmt.Sprintf("%s/%d", task.Source, task.Partition)
}

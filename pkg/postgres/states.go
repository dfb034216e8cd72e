package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

const createState = `CREATE TABLE IF NOT EXISTS _logctl_state (
	sink text NOT NULL, source text NOT NULL, partition integer NOT NULL, number bigint NOT NULL,
	whole boolean NOT NULL, hash bigint NOT NULL, entries bytea NOT NULL,
	PRIMARY KEY (sink, source, partition, number))`

const createOperators = `CREATE TABLE IF NOT EXISTS _logctl_operators (sink text PRIMARY KEY, signature text NOT NULL)`

// states keep the state of each task of one sink as a log (see stream.Logs) in a
// table of its database, in the sink's transactions.
type states struct {
	sink string
	logs stream.Logs
	held []chunk // of the transaction
	size int     // bytes of those
}

// A chunk is one of a task's log.
type chunk struct {
	task    stream.Task
	number  int64
	whole   bool
	entries stream.Entries
}

func (c *chunk) hash() string { return strconv.FormatInt(int64(xxh3.Hash(c.entries)), 10) }

// claim makes sure that what is kept is an operator's with the given signature,
// and remembers it where nothing is kept yet.
func (s *states) claim(ctx context.Context, srv *server, signature string) error {
	_, err := srv.query(ctx, `INSERT INTO _logctl_operators (sink, signature) VALUES ($1, $2)
		ON CONFLICT DO NOTHING`, s.sink, signature)
	if err != nil {
		return err
	}
	rows, err := srv.query(ctx, "SELECT signature FROM _logctl_operators WHERE sink = $1", s.sink)
	if err != nil {
		return err
	}
	return stream.CheckSignature("it", rows[0][0], signature)
}

// save adds a chunk to what is held for the transaction.
func (s *states) save(task stream.Task, entries stream.Entries, all bool) error {
	number, err := s.logs.Add(task, entries, all)
	if err != nil {
		return err
	}
	s.held = append(s.held, chunk{task, number, all, slices.Clone(entries)})
	s.size += len(entries)
	return nil
}

// write puts what is held into the transaction under way. A number that is there
// already is another writer's.
func (s *states) write(ctx context.Context, srv *server) error {
	for i := range s.held {
		c := &s.held[i]
		partition, number := strconv.Itoa(int(c.task.Partition)), strconv.FormatInt(c.number, 10)
		if c.whole {
			_, err := srv.query(ctx, `DELETE FROM _logctl_state WHERE sink = $1 AND source = $2 AND partition = $3
				AND number < $4`, s.sink, c.task.Source, partition, number)
			if err != nil {
				return err
			}
		}
		rows, err := srv.insertChunk(ctx, s.sink, c)
		if err != nil {
			return err
		}
		if rows == 0 {
			return errMoved
		}
	}
	return nil
}

// insertChunk adds a chunk where there is none of its number, and returns how many
// it has added.
func (s *server) insertChunk(ctx context.Context, sink string, c *chunk) (int64, error) {
	args := [][]byte{
		[]byte(sink), []byte(c.task.Source), strconv.AppendInt(nil, int64(c.task.Partition), 10),
		strconv.AppendInt(nil, c.number, 10), strconv.AppendBool(nil, c.whole), []byte(c.hash()), c.entries,
	}
	if c.entries == nil {
		args[6] = []byte{}
	}
	r := s.c.ExecParams(ctx, `INSERT INTO _logctl_state (sink, source, partition, number, whole, hash, entries)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`, args, nil, []int16{0, 0, 0, 0, 0, 0, 1}, nil).Read()
	return r.CommandTag.RowsAffected(), s.told(r.Err)
}

// arrived reports whether the last chunk that is held is there: whether a transaction
// whose end was not seen has been committed.
func (s *states) arrived(ctx context.Context, srv *server) (bool, error) {
	if len(s.held) == 0 {
		return false, nil
	}
	c := &s.held[len(s.held)-1]
	rows, err := srv.query(ctx, `SELECT 1 FROM _logctl_state
		WHERE sink = $1 AND source = $2 AND partition = $3 AND number = $4 AND hash = $5`, s.sink, c.task.Source,
		strconv.Itoa(int(c.task.Partition)), strconv.FormatInt(c.number, 10), c.hash())
	return len(rows) > 0, err
}

// committed forgets what was held.
func (s *states) committed() { s.held, s.size = s.held[:0], 0 }

// read returns the chunks of a task, as the last transaction has left them.
func (s *states) read(ctx context.Context, srv *server, task stream.Task) ([]chunk, error) {
	args := [][]byte{[]byte(s.sink), []byte(task.Source), strconv.AppendInt(nil, int64(task.Partition), 10)}
	r := srv.c.ExecParams(ctx, `SELECT number, whole, hash, entries FROM _logctl_state
		WHERE sink = $1 AND source = $2 AND partition = $3 ORDER BY number`, args, nil, nil, []int16{1, 1, 0, 1}).Read()
	if r.Err != nil {
		return nil, srv.told(r.Err)
	}
	var all []chunk
	for _, row := range r.Rows {
		c := chunk{task, int64(binary.BigEndian.Uint64(row[0])), row[1][0] != 0, row[3]}
		if c.hash() != string(row[2]) {
			return nil, errBroken
		}
		all = append(all, c)
	}
	return all, nil
}

var errBroken = fault.Hint(errors.New("the state that is kept there is damaged"), "--reset discards it and begins anew")

// chunksOf gives chunks as they are asked for.
func chunksOf(all []chunk) stream.Chunks {
	return func(whole bool, each func(number int64, entries stream.Entries) error) error {
		for _, c := range all {
			if c.whole != whole {
				continue
			}
			if err := each(c.number, c.entries); err != nil {
				return err
			}
		}
		return nil
	}
}

// Load reads the state of a task over a connection of its own, so that the sink can be
// written to meanwhile.
func (s *Sink) Load(ctx context.Context, task stream.Task, put func(key, value []byte) error) error {
	var all []chunk
	waits := s.patience()
	for {
		srv := &server{config: s.config}
		err := srv.connect(ctx)
		if err == nil {
			all, err = s.state.read(ctx, srv, task)
		}
		_ = srv.close() // nothing was written
		if err == nil {
			return s.state.logs.Load(task, chunksOf(all), put)
		}
		if err := waits.out(ctx, s.failed("reading the state of", err)); err != nil {
			return err
		}
	}
}

// Save adds entries to the state of a task, with the next Flush.
func (s *Sink) Save(task stream.Task, entries stream.Entries, all bool) error {
	if err := s.state.save(task, entries, all); err != nil {
		return s.failed("storing the state of", err)
	}
	return nil
}

// Stale reports whether the next Save of a task should have all of its entries.
func (s *Sink) Stale(task stream.Task) bool { return s.state.logs.Stale(task) }

// discard forgets in one transaction what earlier runs have kept.
func (s *Sink) discard(ctx context.Context) error {
	if err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	for _, table := range []string{"_logctl_positions", "_logctl_clusters", "_logctl_state", "_logctl_operators"} {
		if _, err := s.query(ctx, "DELETE FROM "+table+" WHERE sink = $1", s.name); err != nil {
			return err
		}
	}
	return s.exec(ctx, "COMMIT")
}

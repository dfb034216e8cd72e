package store

import (
	"context"
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/stream"
)

// A seal tells whether a checkpoint is what was written: SQLite notices bytes that
// have changed only where they make no sense. It is kept in the checkpoint, and is the
// sum, without carrying, of the hashes of all its rows; of a chunk of state the row
// has the hash of its entries.
type seal struct {
	sum   uint64
	tasks map[stream.Task]uint64 // of the chunks of each
}

// What a seal is about. Chunks are looked for as they are when they are loaded: in an
// index that has changed a search does not find what is there.
const (
	sealedPositions = "SELECT source, partition, next FROM _logctl_positions WHERE sink = ''"
	sealedOutputs   = "SELECT name, length, mark FROM _logctl_outputs"
	sealedOperators = "SELECT sink, signature FROM _logctl_operators"
	sealedTasks     = "SELECT DISTINCT source, partition FROM _logctl_state"
	sealedChunks    = `SELECT source, partition, number, whole, hash FROM _logctl_state
		WHERE sink = '' AND source = ? AND partition = ? AND whole = ? ORDER BY number`
)

// read takes in what the checkpoint holds.
func (s *seal) read(ctx context.Context, c *conn) error {
	*s = seal{tasks: map[stream.Task]uint64{}}
	for _, rows := range []string{sealedPositions, sealedOutputs, sealedOperators} {
		if err := query(ctx, c, rows, func(row []any) { s.sum ^= rowHash(row...) }); err != nil {
			return err
		}
	}
	var tasks []stream.Task
	err := query(ctx, c, sealedTasks, func(row []any) {
		number, _ := row[1].(int64)
		tasks = append(tasks, stream.Task{Source: text(row[0]), Partition: int32(number)})
	})
	for _, task := range tasks {
		for _, whole := range []bool{true, false} {
			if err == nil {
				err = s.readChunks(ctx, c, task, whole)
			}
		}
	}
	return err
}

func (s *seal) readChunks(ctx context.Context, c *conn, task stream.Task, whole bool) error {
	return query(ctx, c, sealedChunks, func(row []any) {
		hash := rowHash(row...)
		s.sum ^= hash
		s.tasks[task] ^= hash
	}, task.Source, int64(task.Partition), whole)
}

// begin seals what the checkpoint holds.
func (s *seal) begin(ctx context.Context, c *conn) error {
	if err := s.read(ctx, c); err != nil {
		return err
	}
	err := exec(ctx, c, "INSERT INTO _logctl_seal (sum) VALUES (?)", int64(s.sum))
	return err
}

// write seals what was told.
func (s *seal) write(ctx context.Context, c *conn) error {
	err := exec(ctx, c, "UPDATE _logctl_seal SET sum = ?", int64(s.sum))
	return err
}

// check takes in what the checkpoint holds, and refuses what was not sealed.
func (s *seal) check(ctx context.Context, c *conn) error {
	if err := s.read(ctx, c); err != nil {
		return err
	}
	whole := false
	err := query(ctx, c, "SELECT sum FROM _logctl_seal", func(row []any) {
		sum, ok := row[0].(int64)
		whole = ok && uint64(sum) == s.sum
	})
	if err == nil && !whole {
		err = errBroken
	}
	return err
}

// position tells that a position moves on, or with -1 that it goes away.
func (s *seal) position(p *positions, at partition, next int64) {
	if seen, known := p.seen[at]; known {
		s.sum ^= rowHash(at.source, int64(at.number), seen)
	}
	if next >= 0 {
		s.sum ^= rowHash(at.source, int64(at.number), next)
	}
}

// output tells of the mark of an output.
func (s *seal) output(o *output) {
	s.sum ^= o.sealed
	o.sealed = rowHash(o.name, o.length, int64(o.check))
	s.sum ^= o.sealed
}

// chunk tells of a chunk of a task's state that is added, or with all of it, is
// instead of those that are there.
func (s *seal) chunk(task stream.Task, number int64, entries stream.Entries, all bool) {
	whole := int64(0)
	if all {
		s.sum ^= s.tasks[task]
		s.tasks[task], whole = 0, 1
	}
	hash := rowHash(task.Source, int64(task.Partition), number, whole, int64(xxh3.Hash(entries)))
	s.sum ^= hash
	s.tasks[task] ^= hash
}

// rowHash returns the hash of a row of texts and integers. A value of another type
// differs from all of these.
func rowHash(row ...any) uint64 {
	var b []byte
	for _, v := range row {
		switch v := v.(type) {
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...)
		default:
			b = append(b, '?')
		}
	}
	return xxh3.Hash(b)
}

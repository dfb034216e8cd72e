package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

const createPositions = `CREATE TABLE IF NOT EXISTS _logctl_positions (
	sink text NOT NULL, source text NOT NULL, partition integer NOT NULL, next bigint NOT NULL,
	PRIMARY KEY (sink, source, partition))`

// movePositions takes the positions ($2) on, if they are those that were seen, and
// says how many it has moved.
const movePositions = `WITH v AS (
	SELECT * FROM json_to_recordset($2::json) AS v(source text, partition integer, next bigint, seen bigint)
), moved AS (
	UPDATE _logctl_positions p SET next = v.next FROM v
	WHERE p.sink = $1 AND p.source = v.source AND p.partition = v.partition AND p.next = v.seen RETURNING 1
), added AS (
	INSERT INTO _logctl_positions (sink, source, partition, next)
	SELECT $1, v.source, v.partition, v.next FROM v WHERE v.seen IS NULL
	ON CONFLICT DO NOTHING RETURNING 1
) SELECT (SELECT count(*) FROM moved) + (SELECT count(*) FROM added)`

// positions are how far one sink has come with each partition, kept in a table
// of its database.
type positions struct {
	sink string
	seen map[partition]int64 // what the last transaction known here holds
	keep map[partition]int64 // what the next one adds
}

type partition struct {
	source string
	number int32
}

// stored returns what the last transaction holds.
func (p *positions) stored(ctx context.Context, s *server) ([]stream.Position, error) {
	rows, err := s.query(ctx, `SELECT source, partition, next FROM _logctl_positions
		WHERE sink = $1 ORDER BY 1, 2`, p.sink)
	if err != nil {
		return nil, err
	}
	at := make([]stream.Position, len(rows))
	for i, row := range rows {
		number, _ := strconv.ParseInt(row[1], 10, 32) // the server prints what it has as integers
		next, _ := strconv.ParseInt(row[2], 10, 64)
		at[i] = stream.Position{Source: row[0], Partition: int32(number), Next: next}
	}
	return at, nil
}

// load returns what the last transaction holds, and remembers it as seen.
func (p *positions) load(ctx context.Context, s *server) ([]stream.Position, error) {
	at, err := p.stored(ctx, s)
	if err != nil {
		return nil, err
	}
	p.seen, p.keep = map[partition]int64{}, map[partition]int64{}
	for _, a := range at {
		p.seen[partition{a.Source, a.Partition}] = a.Next
	}
	return at, nil
}

// arrived reports whether what was added is what is stored, and not what was
// there before: whether a transaction whose end was not seen has been committed.
func (p *positions) arrived(ctx context.Context, s *server) (bool, error) {
	if maps.Equal(p.keep, p.seen) || len(p.keep) == 0 {
		return false, nil
	}
	at, err := p.stored(ctx, s)
	if err != nil {
		return false, err
	}
	now, moved := map[partition]int64{}, false
	for _, a := range at {
		now[partition{a.Source, a.Partition}] = a.Next
	}
	for at, next := range p.keep {
		if n, ok := now[at]; !ok || n != next {
			return false, nil
		}
		before, known := p.seen[at]
		moved = moved || !known || before != next
	}
	return moved, nil
}

// A move is one of a partition.
type move struct {
	Source    string `json:"source"`
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"`
	Seen      *int64 `json:"seen"`
}

// write puts what was added into the transaction under way. The stored positions
// must be those that were seen.
func (p *positions) write(ctx context.Context, s *server) error {
	if len(p.keep) == 0 {
		return nil
	}
	var moves []move
	for at, next := range p.keep {
		m := move{Source: at.source, Partition: at.number, Next: next}
		if seen, known := p.seen[at]; known {
			m.Seen = &seen
		}
		moves = append(moves, m)
	}
	text, err := json.Marshal(moves)
	if err != nil {
		return fmt.Errorf("writing positions: %w", err)
	}
	rows, err := s.query(ctx, movePositions, p.sink, string(text))
	if err != nil {
		return err
	}
	if rows[0][0] != strconv.Itoa(len(moves)) {
		return errMoved
	}
	return nil
}

var errMoved = fault.Hint(fmt.Errorf("%w with partitions that are read here", stream.ErrMoved),
	"one run at a time may write what it reads there into this table")

// committed takes what was added as seen.
func (p *positions) committed() {
	maps.Copy(p.seen, p.keep)
	clear(p.keep)
}

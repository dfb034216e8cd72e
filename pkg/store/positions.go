package store

import (
	"context"
	"fmt"
	"maps"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// positions are how far one sink has come with each partition, kept in a table
// of its database.
type positions struct {
	c    *conn
	sink string
	seen map[partition]int64 // what the last transaction known here holds
	keep map[partition]int64 // what the next one adds

	update, insert *stmt // nil until there is something to write
}

type partition struct {
	source string
	number int32
}

// create makes the table where there is none.
func (p *positions) create(ctx context.Context) error {
	err := exec(ctx, p.c, `CREATE TABLE IF NOT EXISTS _logctl_positions (
		sink TEXT NOT NULL, source TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
		PRIMARY KEY (sink, source, partition)) WITHOUT ROWID`)
	return err
}

// load returns what the last transaction holds, and remembers it as seen.
func (p *positions) load(ctx context.Context) ([]stream.Position, error) {
	p.seen, p.keep = map[partition]int64{}, map[partition]int64{}
	var at []stream.Position
	err := query(ctx, p.c, "SELECT source, partition, next FROM _logctl_positions WHERE sink = ? ORDER BY 1, 2",
		func(row []any) {
			number, _ := row[1].(int64)
			next, _ := row[2].(int64)
			at = append(at, stream.Position{Source: text(row[0]), Partition: int32(number), Next: next})
			p.seen[partition{text(row[0]), int32(number)}] = next
		}, p.sink)
	return at, err
}

// add notes a position for the next transaction.
func (p *positions) add(at stream.Position) {
	p.keep[partition{at.Source, at.Partition}] = at.Next
}

// write puts what was added into the transaction under way. The stored
// positions must be those that were seen.
func (p *positions) write(ctx context.Context) error {
	if len(p.keep) > 0 && p.update == nil {
		if err := p.prepare(); err != nil {
			return err
		}
	}
	for at, next := range p.keep {
		if err := p.move(ctx, at, next); err != nil {
			return err
		}
	}
	return nil
}

// prepare compiles what is run for each of thousands of files.
func (p *positions) prepare() (err error) {
	p.insert, err = p.c.prepare(`INSERT INTO _logctl_positions (sink, source, partition, next)
		VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`)
	if err == nil {
		p.update, err = p.c.prepare(`UPDATE _logctl_positions SET next = ?4
			WHERE sink = ?1 AND source = ?2 AND partition = ?3 AND next = ?5`)
	}
	return err
}

// close forgets the statements.
func (p *positions) close() {
	for _, s := range []*stmt{p.insert, p.update} {
		if s != nil {
			s.Close()
		}
	}
}

func (p *positions) move(ctx context.Context, at partition, next int64) error {
	seen, known := p.seen[at]
	statement := p.insert
	if known {
		statement = p.update
	}
	err := statement.run(ctx, p.sink, at.source, int64(at.number), next, seen)
	if err == nil && p.c.changes() == 0 {
		err = moved(at.source, at.number)
	}
	return err
}

// moved says that this writer does not own a partition any more, as one that was
// stopped for longer than its session.
func moved(source string, number int32) error {
	return fault.Hint(fmt.Errorf("%w with partition %d of %q", stream.ErrMoved, number, source),
		"one run at a time may write what it reads there into this table; this one can be started again")
}

// committed takes what was added as seen.
func (p *positions) committed() {
	maps.Copy(p.seen, p.keep)
	clear(p.keep)
}

// forget removes the positions of partitions that there are no more.
func (p *positions) forget(ctx context.Context, gone []stream.Position) error {
	for _, at := range gone {
		err := exec(ctx, p.c, "DELETE FROM _logctl_positions WHERE sink = ? AND source = ? AND partition = ?",
			p.sink, at.Source, int64(at.Partition))
		if err != nil {
			return err
		}
		delete(p.seen, partition{at.Source, at.Partition})
	}
	return nil
}

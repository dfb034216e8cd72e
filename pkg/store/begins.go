package store

import (
	"context"

	"github.com/logctl/logctl/pkg/stream"
)

// begins are how the files begin in which a checkpoint has positions, so that they are
// known again when they were copied or compressed. The seal does not need them.
type begins struct {
	c     *conn
	known map[partition]uint64 // what is in the table, or will be with the next transaction
	fresh []partition          // of which it will
}

// load makes the table where there is none, and returns what is in it.
func (b *begins) load(ctx context.Context) error {
	b.known = map[partition]uint64{}
	err := exec(ctx, b.c, `CREATE TABLE IF NOT EXISTS _logctl_begins (
		source TEXT NOT NULL, partition INTEGER NOT NULL, begins INTEGER NOT NULL,
		PRIMARY KEY (source, partition)) WITHOUT ROWID`)
	if err != nil {
		return err
	}
	return query(ctx, b.c, "SELECT source, partition, begins FROM _logctl_begins", func(row []any) {
		number, _ := row[1].(int64)
		value, _ := row[2].(int64)
		b.known[partition{text(row[0]), int32(number)}] = uint64(value)
	})
}

// add notes how a file begins for the next transaction.
func (b *begins) add(p stream.Position) {
	at := partition{p.Source, p.Partition}
	if _, known := b.known[at]; !known && p.Begins != 0 {
		b.known[at] = p.Begins
		b.fresh = append(b.fresh, at)
	}
}

// write puts what was added into the transaction under way.
func (b *begins) write(ctx context.Context) error {
	if len(b.fresh) == 0 {
		return nil
	}
	insert, err := b.c.prepare("INSERT OR REPLACE INTO _logctl_begins (source, partition, begins) VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, at := range b.fresh {
		if err := insert.run(ctx, at.source, int64(at.number), int64(b.known[at])); err != nil {
			return err
		}
	}
	b.fresh = b.fresh[:0]
	return nil
}

// forget removes files that there are no more.
func (b *begins) forget(ctx context.Context, gone []stream.Position) error {
	for _, p := range gone {
		err := exec(ctx, b.c, "DELETE FROM _logctl_begins WHERE source = ? AND partition = ?", p.Source, int64(p.Partition))
		if err != nil {
			return err
		}
		delete(b.known, partition{p.Source, p.Partition})
	}
	return nil
}

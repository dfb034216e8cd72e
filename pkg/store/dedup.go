package store

import (
	"context"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// seen remembers the names of the rows of a sink in its database, in the
// transaction of the rows: a row and its mark are there both or neither.
type seen struct {
	c       *conn
	sink    string
	namer   table.Namer
	ttl     int64
	mark    *stmt
	newest  int64
	swept   int64
	dropped func(int)
}

func openSeen(ctx context.Context, c *conn, sink string, opt *SinkOptions) (*seen, error) {
	err := exec(ctx, c, `CREATE TABLE IF NOT EXISTS _logctl_seen (
		sink TEXT NOT NULL, name BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (sink, name)) WITHOUT ROWID`)
	if err != nil {
		return nil, err
	}
	s := &seen{c: c, sink: sink, namer: opt.Once, ttl: int64(opt.OnceTTL), dropped: opt.Dropped}
	s.mark, err = c.prepare(`INSERT INTO _logctl_seen (sink, name, at) VALUES (?1, ?2, ?3)
		ON CONFLICT DO UPDATE SET at = ?3 WHERE abs(at - ?3) > ?4`)
	return s, err
}

// filter drops the rows whose name was seen before, and marks the others.
func (s *seen) filter(ctx context.Context, rows record.Rows) error {
	dropped := 0
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		name, at, ok := s.namer.Name(rows.Batch, i)
		if !ok {
			continue
		}
		s.newest = max(s.newest, at)
		if err := s.mark.run(ctx, s.sink, name[:], at, s.ttl); err != nil {
			return err
		}
		if s.c.changes() == 0 {
			rows.Recs[i].Flags |= record.Dropped
			dropped++
		}
	}
	if dropped > 0 && s.dropped != nil {
		s.dropped(dropped)
	}
	return nil
}

// sweep forgets what is too old to matter, now and then.
func (s *seen) sweep(ctx context.Context) error {
	if s.newest-s.swept < s.ttl {
		return nil
	}
	s.swept = s.newest
	err := exec(ctx, s.c, "DELETE FROM _logctl_seen WHERE sink = ? AND at < ?", s.sink, s.newest-2*s.ttl)
	return err
}

func (s *seen) close() { s.mark.Close() }

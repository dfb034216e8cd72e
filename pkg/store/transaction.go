package store

import (
	"context"
	"time"
)

// transaction begins one, unless one is under way. Where tables or indexes have come or
// gone since the sink's table was opened, it is to be opened again.
func (s *Sink) transaction(ctx context.Context) error {
	if s.open {
		return nil
	}
	if err := s.opt.patient(func() error { return s.lock(ctx) }); err != nil {
		return err
	}
	s.open = true
	if s.table == nil {
		return nil
	}
	version, err := schemaVersion(ctx, s.c)
	if err != nil {
		return s.failed("writing to", err)
	}
	if version == s.table.version {
		return nil
	}
	s.undo(ctx)
	return s.transaction(ctx)
}

// lock begins a transaction that nothing but this one writes in.
func (s *Sink) lock(ctx context.Context) error {
	err := exec(ctx, s.c, "BEGIN IMMEDIATE")
	if s.opt.Breaker != nil {
		s.opt.Breaker.Done(time.Now().UnixNano(), err == nil)
	}
	if err != nil {
		return s.failed("writing to", err)
	}
	return nil
}

// Flush commits the rows and the positions.
func (s *Sink) Flush(ctx context.Context) error {
	if !s.open && len(s.at.keep) == 0 {
		return nil
	}
	if err := s.transaction(ctx); err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		s.undo(context.WithoutCancel(ctx))
		return err
	}
	s.open = false
	s.at.committed()
	return nil
}

// undo ends the transaction without a trace. The table may have been part of it.
func (s *Sink) undo(ctx context.Context) {
	_ = exec(ctx, s.c, "ROLLBACK") // where the disk is full, SQLite has rolled back by itself
	s.open = false
	s.closeTable()
}

func (s *Sink) commit(ctx context.Context) error {
	if err := s.at.write(ctx); err != nil {
		return s.failed("writing to", err)
	}
	if s.marks != nil {
		if err := s.marks.sweep(ctx); err != nil {
			return s.failed("writing to", err)
		}
	}
	if err := s.c.commit(ctx); err != nil {
		return s.failed("writing to", err)
	}
	return nil
}

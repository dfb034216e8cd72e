package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// An Output is a file that a run writes to, and that a later run cuts back to
// what was in it at the last checkpoint.
type Output interface {
	stream.Flusher
	// Mark returns how long the file is after a Flush, and a check of what
	// its end looks like.
	Mark() (length int64, check uint64, err error)
	// CutBack makes the file as long as it was when Mark returned these. A file
	// that is shorter, or whose bytes there are others, is an error.
	CutBack(length int64, check uint64) error
}

// CheckpointOptions say whose checkpoint it is. The zero value is no one's.
type CheckpointOptions struct {
	Signature string // what the state and the rows depend on
	Reset     bool   // discard what is kept
}

// A Checkpoint makes a run over files into files exactly once. It keeps, in one
// transaction of a SQLite database, how far the inputs were dealt with, the
// state of the operator, and how long the outputs were. The next run cuts what
// is behind that off the outputs, and goes on.
//
// It is the sink and the vault of the run. One process at a time owns the file.
// A Checkpoint is for one goroutine, except Load.
type Checkpoint struct {
	c       *conn
	path    string
	lock    *os.File
	at      positions
	begins  begins
	states  *states
	seal    seal
	sink    stream.Sink // takes the rows
	outputs []output
	open    bool // a transaction is under way
}

// An output is one file with its mark in the last transaction.
type output struct {
	name string
	Output
	length int64
	check  uint64
	known  bool   // it has a mark
	sealed uint64 // the hash of its row, 0 for none
}

func (k *Checkpoint) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if damaged(err) {
		err = fault.Hint(err, "--reset discards what is in that file and begins anew")
	}
	return fmt.Errorf("%s checkpoint %q: %w", doing, k.path, err)
}

// damaged reports whether SQLite could not make sense of a file, or of a statement: as
// those are always the same, it did not find a table.
func damaged(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains([]int{sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}, e.Code&0xff)
}

// Attach sets where rows go, and all the files that are written to: those behind
// sink and, by name, others. Files that the checkpoint knows are cut back.
func (k *Checkpoint) Attach(ctx context.Context, sink stream.Sink, files map[string]Output) error {
	k.sink = sink
	for name, f := range files {
		k.outputs = append(k.outputs, output{name: name, Output: f})
	}
	var strange []string
	err := query(ctx, k.c, "SELECT name, length, mark FROM _logctl_outputs", func(row []any) {
		for i := range k.outputs {
			if o := &k.outputs[i]; o.name == text(row[0]) {
				mark, _ := row[2].(int64)
				o.length, _ = row[1].(int64)
				o.check, o.known = uint64(mark), true
				o.sealed = rowHash(o.name, o.length, mark)
				return
			}
		}
		strange = append(strange, text(row[0]))
	})
	if err != nil {
		return k.failed("reading", err)
	}
	if len(strange) > 0 {
		return fault.Hint(k.failed("going on from", fmt.Errorf("its rows go to %q, which is not written to now", strange)),
			"write to the same files, or discard the checkpoint with --reset")
	}
	for _, o := range k.outputs {
		if !o.known {
			continue
		}
		if err := o.CutBack(o.length, o.check); err != nil {
			return fault.Hint(k.failed("going on from", err),
				"put the file back as it was, or discard the checkpoint with --reset")
		}
	}
	if err := k.Flush(ctx); err != nil { // what new files hold already is not to be cut
		return err
	}
	// Were the log of the database to get lost, the run would begin anew from here.
	err = exec(ctx, k.c, "PRAGMA wal_checkpoint")
	return k.failed("writing to", err)
}

// Positions returns how far the inputs were dealt with.
func (k *Checkpoint) Positions(ctx context.Context) ([]stream.Position, error) {
	at, err := k.at.load(ctx)
	for i, p := range at {
		at[i].Begins = k.begins.known[partition{p.Source, p.Partition}]
	}
	return at, k.failed("reading", err)
}

// Forget removes positions in files that there are no more.
func (k *Checkpoint) Forget(ctx context.Context, gone []stream.Position) error {
	if len(gone) == 0 {
		return nil
	}
	err := k.transaction(ctx)
	if err == nil {
		for _, at := range gone {
			k.seal.position(&k.at, partition{at.Source, at.Partition}, -1)
		}
		err = k.at.forget(ctx, gone)
	}
	if err == nil {
		err = k.begins.forget(ctx, gone)
	}
	if err == nil {
		err = k.commit(ctx, nil)
	}
	return k.failed("writing to", err)
}

// Load gives what is kept of a task's state.
func (k *Checkpoint) Load(ctx context.Context, task stream.Task, put func(key, value []byte) error) error {
	return k.failed("reading", k.states.load(ctx, task, put))
}

// Save adds to a task's state with the next Flush.
func (k *Checkpoint) Save(task stream.Task, entries stream.Entries, all bool) error {
	ctx := context.Background() // nothing is waited for: no other process writes
	err := k.transaction(ctx)
	if err == nil {
		err = k.states.save(ctx, task, entries, all)
	}
	if err == nil {
		k.seal.chunk(task, k.states.logs.Last(task), entries, all)
	}
	return k.failed("writing to", err)
}

// Stale reports whether the next Save of a task had better be all of it.
func (k *Checkpoint) Stale(task stream.Task) bool { return k.states.logs.Stale(task) }

// Keep adds positions to the next Flush.
func (k *Checkpoint) Keep(at []stream.Position) {
	for _, p := range at {
		k.at.add(p)
		k.begins.add(p)
	}
}

// Write passes rows on.
func (k *Checkpoint) Write(rows record.Rows) error { return k.sink.Write(rows) }

// Push passes on what the sink holds.
func (k *Checkpoint) Push() error {
	if p, ok := k.sink.(stream.Pusher); ok {
		return p.Push()
	}
	return nil
}

// Flush brings all rows to disk, and then commits: what is behind the rows'
// length when this fails is cut off by the next run.
func (k *Checkpoint) Flush(ctx context.Context) error {
	var moved []*output
	for i := range k.outputs {
		o := &k.outputs[i]
		if err := o.Flush(ctx); err != nil {
			return err
		}
		length, check, err := o.Mark()
		if err != nil {
			return err
		}
		if !o.known || length != o.length {
			o.length, o.check = length, check
			moved = append(moved, o)
		}
	}
	if !k.open && len(moved) == 0 && len(k.at.keep) == 0 {
		return nil
	}
	return k.failed("writing to", k.commit(ctx, moved))
}

func (k *Checkpoint) transaction(ctx context.Context) error {
	if k.open {
		return nil
	}
	err := exec(ctx, k.c, "BEGIN IMMEDIATE")
	k.open = err == nil
	return err
}

func (k *Checkpoint) commit(ctx context.Context, moved []*output) error {
	if err := k.transaction(ctx); err != nil {
		return err
	}
	for at, next := range k.at.keep {
		k.seal.position(&k.at, at, next)
	}
	if err := k.at.write(ctx); err != nil {
		return err
	}
	if err := k.begins.write(ctx); err != nil {
		return err
	}
	for _, o := range moved {
		err := exec(ctx, k.c, `INSERT INTO _logctl_outputs (name, length, mark) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET length = excluded.length, mark = excluded.mark`, o.name, o.length, int64(o.check))
		if err != nil {
			return err
		}
		k.seal.output(o)
		o.known = true
	}
	if err := k.seal.write(ctx, k.c); err != nil {
		return err
	}
	if err := k.c.commit(ctx); err != nil {
		return err
	}
	k.open = false
	k.at.committed()
	return nil
}

// Close closes the checkpoint. What was not flushed is undone.
func (k *Checkpoint) Close() error {
	var errs []error
	k.at.close()
	if k.c != nil {
		errs = append(errs, k.c.Close())
	}
	if k.lock != nil {
		errs = append(errs, k.lock.Close()) // the last: closing any file of it ends SQLite's own locks
	}
	return k.failed("closing", errors.Join(errs...))
}

package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/logctl/logctl/pkg/stream"
)

// Copies keep on this machine what a changelog elsewhere has of the states of
// tasks, so that a restart reads only the end of it. They are for speed: what does
// not fit the changelog any more is dropped, and a crash of the machine may cost
// the last of them. A Copies is for one goroutine, except Load.
type Copies struct {
	c      *conn
	states *states
}

// copiesSink is the name under which the states stand in their tables.
const copiesSink = "copy"

// OpenCopies opens the copies of a changelog, which of says. Copies of another
// one, or that are damaged, are dropped.
func OpenCopies(ctx context.Context, path, of string) (*Copies, error) {
	k, err := openCopies(ctx, path, of)
	if err == nil {
		return k, nil
	}
	if err := removeDatabase(path); err != nil {
		return nil, err
	}
	return openCopies(ctx, path, of)
}

func removeDatabase(path string) error {
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func openCopies(ctx context.Context, path, of string) (*Copies, error) {
	c, err := open(path, unsynced)
	if err != nil {
		return nil, err
	}
	k := &Copies{c: c, states: &states{c: c, path: path, sink: copiesSink}}
	err = k.states.create(ctx)
	if err == nil {
		_, err = exec(ctx, c, `CREATE TABLE IF NOT EXISTS _logctl_behind (
			source TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (source, partition))`)
	}
	if err == nil {
		err = k.states.claim(ctx, of)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the copy of state %q: %w", path, err), c.Close())
	}
	return k, nil
}

// Load returns a task's copy and the offset behind it, 0 where there is no copy. One
// that is damaged is none.
func (k *Copies) Load(ctx context.Context, task stream.Task) (*stream.Image, int64, error) {
	state, next, err := k.load(ctx, task)
	switch {
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case err != nil:
		return &stream.Image{}, 0, nil //nolint:nilerr // it is all in the changelog
	}
	return state, next, nil
}

func (k *Copies) load(ctx context.Context, task stream.Task) (*stream.Image, int64, error) {
	c, err := open(k.states.path, readOnly)
	if err != nil {
		return nil, 0, err
	}
	next := int64(0)
	state, err := k.states.image(ctx, c, task)
	if err == nil {
		err = query(ctx, c, "SELECT next FROM _logctl_behind WHERE source = ? AND partition = ?",
			func(row []any) { next, _ = row[0].(int64) }, task.Source, int64(task.Partition))
	}
	return state, next, errors.Join(err, c.Close())
}

// Save brings a task's copy up to date.
func (k *Copies) Save(ctx context.Context, c stream.Copy) error {
	if _, err := exec(ctx, k.c, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := k.save(ctx, c)
	if err == nil {
		_, err = exec(ctx, k.c, "COMMIT")
	}
	if err != nil {
		_, _ = exec(ctx, k.c, "ROLLBACK") // the first error says what is wrong
		return fmt.Errorf("copying state to %q: %w", k.states.path, err)
	}
	return nil
}

func (k *Copies) save(ctx context.Context, c stream.Copy) error {
	if c.All {
		if err := k.states.save(ctx, c.Task, c.Base, true); err != nil {
			return err
		}
	}
	if err := k.states.save(ctx, c.Task, c.Changes, false); err != nil {
		return err
	}
	if k.states.logs.Stale(c.Task) {
		if err := k.shorten(ctx, c.Task); err != nil {
			return err
		}
	}
	_, err := exec(ctx, k.c, "INSERT OR REPLACE INTO _logctl_behind (source, partition, next) VALUES (?, ?, ?)",
		c.Task.Source, int64(c.Task.Partition), c.Next)
	return err
}

// shorten replaces a log of changes by what they come to.
func (k *Copies) shorten(ctx context.Context, task stream.Task) error {
	state, err := k.states.image(ctx, k.c, task)
	if err != nil {
		return err
	}
	all := make(stream.Entries, 0, state.Size())
	err = state.Each(func(key, value []byte) error {
		all.Append(key, value)
		return nil
	})
	if err != nil {
		return err
	}
	return k.states.save(ctx, task, all, true)
}

// Close closes the copies.
func (k *Copies) Close() error { return k.c.Close() }

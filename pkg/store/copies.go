package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/stream"
)

// Copies keep on this machine what a changelog elsewhere has of the states of
// tasks, so that a restart reads only the end of it. They are for speed: what does
// not fit the changelog any more is dropped, and a crash of the machine may cost
// the last of them. A Copies is for one goroutine, except Load.
type Copies struct {
	c       *conn
	states  *states
	note    func(string)
	dropped bool // the file was damaged, or there is no room

	state stream.Image // of the log that is shortened
	all   stream.Entries
}

// copiesSink is the name under which the states stand in their tables.
const copiesSink = "copy"

// OpenCopies opens the copies of a changelog, which of says. Copies of another
// one, or that are damaged, are dropped. note takes what a person should know.
func OpenCopies(ctx context.Context, path, of string, note func(string)) (*Copies, error) {
	k, err := openCopies(ctx, path, of)
	if err != nil {
		if err = removeDatabase(path); err == nil {
			k, err = openCopies(ctx, path, of)
		}
	}
	if err != nil {
		return nil, err
	}
	k.note = note
	return k, nil
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
	c, err := open(ctx, path, unsynced)
	if err != nil {
		return nil, err
	}
	k := &Copies{c: c, states: &states{c: c, path: path, sink: copiesSink}}
	err = k.states.create(ctx)
	if err == nil {
		err = exec(ctx, c, `CREATE TABLE IF NOT EXISTS _logctl_copies (
			source TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, at INTEGER NOT NULL,
			hash INTEGER NOT NULL, PRIMARY KEY (source, partition))`)
	}
	if err == nil {
		err = k.states.claim(ctx, of)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the copy of state %q: %w", path, err), c.Close())
	}
	return k, nil
}

// Load returns a task's copy and the offset behind it, 0 where there is no copy since
// the given time. One that is damaged is none.
func (k *Copies) Load(ctx context.Context, task stream.Task, since int64) (*stream.Image, int64, error) {
	state, next, err := k.load(ctx, task, since)
	switch {
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case err != nil || next == 0:
		return &stream.Image{}, 0, nil //nolint:nilerr // it is all in the changelog
	}
	return state, next, nil
}

func (k *Copies) load(ctx context.Context, task stream.Task, since int64) (*stream.Image, int64, error) {
	c, err := open(ctx, k.states.path, readOnly)
	if err != nil {
		return nil, 0, err
	}
	next := int64(0)
	state := &stream.Image{}
	err = k.states.image(ctx, c, task, state)
	if err == nil {
		err = query(ctx, c, "SELECT next, at, hash FROM _logctl_copies WHERE source = ? AND partition = ?",
			func(row []any) {
				b := behind{task: task, last: k.states.logs.Last(task)}
				b.next, _ = row[0].(int64)
				b.at, _ = row[1].(int64)
				if hash, _ := row[2].(int64); hash == b.hash() && b.at >= since {
					next = b.next
				}
			}, task.Source, int64(task.Partition))
	}
	return state, next, errors.Join(err, c.Close())
}

// behind is where a copy ends.
type behind struct {
	task           stream.Task
	next, at, last int64 // offset, time, number of the last chunk
}

// hash tells whether that was damaged, or is of other chunks.
func (b *behind) hash() int64 {
	text := []byte(b.task.Source)
	for _, n := range []int64{int64(b.task.Partition), b.next, b.at, b.last} {
		text = binary.BigEndian.AppendUint64(text, uint64(n))
	}
	return int64(xxh3.Hash(text))
}

// Save brings a task's copy up to date. Where the file is damaged, or its disk is full,
// all copies are dropped, and none are made in this run.
func (k *Copies) Save(ctx context.Context, c stream.Copy) error {
	if k.dropped {
		return nil
	}
	err := exec(ctx, k.c, "BEGIN IMMEDIATE")
	if err == nil {
		err = k.save(ctx, c)
	}
	if err == nil {
		err = exec(ctx, k.c, "COMMIT")
	}
	switch {
	case err == nil:
		return nil
	case damaged(err) || full(err) || errors.Is(err, errBroken):
		k.dropped = true
		k.note(fmt.Sprintf("no copy of the state is kept on this machine any more: writing to %q: %v; "+
			"a restart reads all of it from the cluster", k.states.path, err))
		_ = k.c.Close() // it is of no use
		err = removeDatabase(k.states.path)
	default:
		_ = exec(ctx, k.c, "ROLLBACK") // the first error says what is wrong
	}
	if err != nil {
		err = fmt.Errorf("copying state to %q: %w", k.states.path, err)
	}
	return err
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
	b := behind{task: c.Task, next: c.Next, at: c.At, last: k.states.logs.Last(c.Task)}
	err := exec(ctx, k.c, `INSERT OR REPLACE INTO _logctl_copies (source, partition, next, at, hash)
		VALUES (?, ?, ?, ?, ?)`, c.Task.Source, int64(c.Task.Partition), c.Next, c.At, b.hash())
	return err
}

// mostKept is how many bytes of memory are kept for the next time.
const mostKept = 32 << 20

// shorten replaces a log of changes by what they come to.
func (k *Copies) shorten(ctx context.Context, task stream.Task) error {
	defer k.state.Reset()
	defer func() {
		if cap(k.all) > mostKept {
			k.all = nil
		}
	}()
	if err := k.states.image(ctx, k.c, task, &k.state); err != nil {
		return err
	}
	k.all = slices.Grow(k.all[:0], k.state.Size())
	err := k.state.Each(func(key, value []byte) error {
		k.all.Append(key, value)
		return nil
	})
	if err != nil {
		return err
	}
	return k.states.save(ctx, task, k.all, true)
}

// Close closes the copies.
func (k *Copies) Close() error { return k.c.Close() }

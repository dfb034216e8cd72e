package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/fault"
)

// OpenCheckpoint opens or creates a checkpoint. It is an error when another
// process has it, or when it is another command's.
func OpenCheckpoint(ctx context.Context, path string, opt CheckpointOptions) (*Checkpoint, error) {
	k := &Checkpoint{path: path}
	if err := k.begin(ctx, opt); err != nil {
		return nil, errors.Join(k.failed("opening", err), k.Close())
	}
	return k, nil
}

func (k *Checkpoint) begin(ctx context.Context, opt CheckpointOptions) error {
	var err error
	if k.lock, err = lockFile(k.path); err != nil {
		return err
	}
	if opt.Reset {
		// SQLite drops the log of a database that is empty.
		if err := k.lock.Truncate(0); err != nil {
			return fault.Reason(err)
		}
	}
	if k.c, err = open(ctx, k.path, synced); err != nil {
		return err
	}
	k.at, k.states = positions{c: k.c}, &states{c: k.c, path: k.path}
	sealed, err := k.identify(ctx)
	if err == nil && !sealed {
		err = k.create(ctx, opt.Signature)
	}
	if err == nil {
		err = k.seal.check(ctx, k.c)
	}
	if err == nil {
		err = k.states.claim(ctx, opt.Signature)
	}
	if err == nil {
		_, err = k.at.load(ctx)
	}
	if err == nil {
		k.begins.c = k.c
		err = k.begins.load(ctx)
	}
	return err
}

// lockFile opens or creates a file and makes sure that no other process has it.
// The lock lasts until it is closed.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Reason(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = fault.Hint(errors.New("another run has it"), "wait for that run to end, or give each its own checkpoint")
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// The application ids of the database: "lgcs", and "lgck" of one without a seal.
const (
	checkpointID = 0x6c676373
	unsealedID   = 0x6c67636b
)

// identify reports whether a database is a checkpoint, which has all its tables and a
// seal. It refuses one that is something else.
func (k *Checkpoint) identify(ctx context.Context) (sealed bool, err error) {
	var id, tables int64
	err = query(ctx, k.c, "SELECT (SELECT application_id FROM pragma_application_id), count(*) FROM sqlite_schema",
		func(row []any) { id, _ = row[0].(int64); tables, _ = row[1].(int64) })
	switch {
	case err != nil:
		return false, err
	case id == checkpointID:
		return true, nil
	case id == unsealedID || id == 0 && tables == 0:
		return false, nil
	}
	return false, fault.Hint(errors.New("it is no checkpoint but another database"), "name another file")
}

// create makes the tables of a checkpoint that is new, or has no seal yet.
func (k *Checkpoint) create(ctx context.Context, signature string) error {
	if err := k.transaction(ctx); err != nil {
		return err
	}
	err := k.tables(ctx)
	if err == nil {
		err = k.states.claim(ctx, signature)
	}
	if err == nil {
		err = k.seal.begin(ctx, k.c)
	}
	if err == nil {
		err = exec(ctx, k.c, fmt.Sprintf("PRAGMA application_id = %d; COMMIT", checkpointID))
	}
	k.open = err != nil
	return err
}

func (k *Checkpoint) tables(ctx context.Context) error {
	if err := k.at.create(ctx); err != nil {
		return err
	}
	if err := k.states.create(ctx); err != nil {
		return err
	}
	err := exec(ctx, k.c, `CREATE TABLE IF NOT EXISTS _logctl_outputs (
		name TEXT PRIMARY KEY, length INTEGER NOT NULL, mark INTEGER NOT NULL) WITHOUT ROWID;
		CREATE TABLE IF NOT EXISTS _logctl_seal (sum INTEGER NOT NULL)`)
	return err
}

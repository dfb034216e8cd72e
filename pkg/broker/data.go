package broker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/logctl/logctl/pkg/fault"
)

const (
	lockName    = ".lock"     // holds the owner's process id
	metaName    = "meta.json" // kfake's first file
	secretsName = "sasl.json" // kfake's users, with their passwords
	idName      = ".cluster"  // the id of the cluster
)

// A dataDir is a directory that this process owns until close.
type dataDir struct {
	path string
	lock *os.File
	temp bool // to be removed
}

// openDataDir locks the directory at path, or a new one if path is "".
func openDataDir(path string) (*dataDir, error) {
	d := &dataDir{path: path}
	if path == "" {
		temp, err := os.MkdirTemp("", "logctl-broker-")
		if err != nil {
			return nil, fmt.Errorf("making a data directory: %w", err)
		}
		d.path, d.temp = temp, true
	} else if err := prepare(path); err != nil {
		return nil, err
	}
	if err := d.acquire(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := d.removeSecrets(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// prepare makes the directory if it is missing and closes it to other users,
// but leaves one alone that is not ours.
func prepare(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("data directory %q: %w", path, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("data directory %q: %w", path, err)
	}
	ours := len(entries) == 0
	for _, e := range entries {
		ours = ours || e.Name() == metaName || e.Name() == lockName
	}
	if !ours {
		return fault.Usagef("give an empty or a new directory",
			"data directory %q holds other files (%s)", path, entries[0].Name())
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return fmt.Errorf("data directory %q: %w", path, err)
	}
	return nil
}

// acquire takes the lock and writes the process id into it. The kernel gives
// the lock back when the process dies.
func (d *dataDir) acquire() error {
	f, err := os.OpenFile(filepath.Join(d.path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("locking data directory %q: %w", d.path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close() //nolint:errcheck // nothing was written
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("locking data directory %q: %w", d.path, err)
		}
		owner, _ := io.ReadAll(io.LimitReader(f, 32)) // an unknown owner is told as such
		return inUse(d.path, strings.TrimSpace(string(owner)))
	}
	d.lock = f
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		return fmt.Errorf("locking data directory %q: %w", d.path, err)
	}
	return nil
}

// lost reports whether the directory is not there any more, or another one is.
func (d *dataDir) lost() bool {
	there, err := os.Stat(filepath.Join(d.path, lockName))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	held, err := d.lock.Stat()
	return err == nil && !os.SameFile(there, held)
}

func inUse(path, owner string) error {
	if owner == "" {
		owner = "unknown"
	}
	return fault.Hint(fmt.Errorf("data directory %q is in use by another broker (process %s)", path, owner),
		"stop that one, or give another --data")
}

// removeSecrets removes the passwords that kfake writes.
func (d *dataDir) removeSecrets() error {
	if err := os.Remove(filepath.Join(d.path, secretsName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data directory %q: %w", d.path, err)
	}
	return nil
}

// clusterID returns the id that the cluster of this directory has for ever:
// whoever remembers positions can tell its topics from another's.
func (d *dataDir) clusterID() (string, error) {
	path := filepath.Join(d.path, idName)
	id, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(id) == 0 {
		id = []byte(rand.Text()[:22])
		err = os.WriteFile(path, id, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("data directory %q: %w", d.path, err)
	}
	return string(id), nil
}

// size returns the bytes of all files. One that vanishes while we look has no
// size.
func (d *dataDir) size() (int64, error) {
	var total int64
	err := filepath.WalkDir(d.path, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = e.Info(); err == nil {
				total += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return total, err
}

// close gives up the directory, and removes it if it was made for this broker.
func (d *dataDir) close() error {
	var err error
	if d.lock != nil {
		err = errors.Join(d.removeSecrets(), d.lock.Close())
	}
	if d.temp {
		err = errors.Join(err, os.RemoveAll(d.path))
	}
	return err
}

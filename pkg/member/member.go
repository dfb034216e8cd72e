// Package member keeps the names of this machine's instances in their consumer groups.
// An instance that is restarted takes its old name, and with it at once its old
// partitions (KIP-345).
package member

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxSlots bounds how many instances of one group a machine runs.
const maxSlots = 1024

// A Slot is the place of one running instance. No other instance gets it until Release,
// or until the process dies.
type Slot struct {
	ID   string // the member's name, the same as long as the directory is kept
	Dir  string // of the slot, for state that belongs to it
	lock *os.File
}

// Claim takes the first free slot of a group: a numbered directory of
// root/group.
func Claim(root, group string) (*Slot, error) {
	for n := range maxSlots {
		dir := filepath.Join(root, safe(group), strconv.Itoa(n))
		slot, err := claim(dir)
		if err != nil {
			return nil, fmt.Errorf("claiming a place in group %q: %w", group, err)
		}
		if slot != nil {
			return slot, nil
		}
	}
	return nil, fmt.Errorf("claiming a place in group %q: all %d of %q are taken", group, maxSlots, root)
}

// claim takes the slot in dir, or returns nil where it is taken.
func claim(dir string) (*Slot, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "member"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = nil
		}
		return nil, errors.Join(err, f.Close())
	}
	id, err := name(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Slot{ID: id, Dir: dir, lock: f}, nil
}

// name reads the member's name from f, or makes one.
func name(f *os.File) (string, error) {
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return "", err
	}
	if id := strings.TrimSpace(string(text)); id != "" {
		return id, nil
	}
	id := "logctl-" + strings.ToLower(rand.Text()[:12])
	if _, err := f.WriteAt([]byte(id+"\n"), 0); err != nil {
		return "", err
	}
	return id, f.Sync()
}

// Release gives the slot up.
func (s *Slot) Release() error { return s.lock.Close() }

// safe makes a group's name the name of a directory.
func safe(group string) string {
	clean := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == 0 {
			return '_'
		}
		return r
	}, group)
	if clean == "." || clean == ".." || clean == "" {
		return "_" + clean
	}
	return clean
}

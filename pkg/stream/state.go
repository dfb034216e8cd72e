package stream

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// A Stateful Operator can save its state as entries of key and value, and restore it in
// another run. So it survives a crash, and moves with its partition to another
// instance.
type Stateful interface {
	// Signature says what the entries mean: the operator and all of its
	// settings that they depend on. Only state of an equal signature is taken
	// back.
	Signature() string
	// Changes calls put for every entry that is new, different or gone (a nil
	// value) since the last call; with all, for every entry that there is. Keys
	// are not empty, and do not begin with a zero. put's error ends it: the entry that it refused and those that
	// are left, also of all, are for the next call, behind what changes meanwhile.
	// An entry that came and went between two calls need not be mentioned.
	Changes(all bool, put func(key, value []byte) error) error
	// Restore takes back an entry. It is called before the first Process, once
	// for each key, in any order. Bytes that Changes has not written are an
	// error. What was restored has not changed.
	Restore(key, value []byte) error
}

// A Leaver is an Operator that is told when its partition moves to another run. It must
// stop counting its state in statistics, and remove what it keeps on disk. It is not
// used again.
type Leaver interface{ Leave() }

// A Task is the part of a run that has a state of its own: a partition in a consumer
// group, elsewhere the whole run, which is the zero Task.
type Task struct {
	Source    string // topic
	Partition int32
}

// String returns the name of the task for messages.
func (t Task) String() string {
	if t == (Task{}) {
		return "the run"
	}
	return fmt.Sprintf("%s/%d", t.Source, t.Partition)
}

// A Vault keeps the states of tasks. If it is also the Keeper of positions, state,
// positions and output are committed in one transaction. If it is a Flusher of its own,
// it is flushed after the output and before the positions are committed.
type Vault interface {
	// Load calls put for each entry of a task that was last committed. It may
	// be called from any goroutine, also while others Save and Flush.
	Load(ctx context.Context, task Task, put func(key, value []byte) error) error
	// Save adds entries to what the next Flush commits; of several under one key
	// the last counts. With all, each key comes once, and they are instead of those
	// that are there. The bytes are valid until it returns.
	Save(task Task, entries Entries, all bool) error
}

// Entries are encoded entries of state. Each is the length of its key and the length of
// its value plus one (0 if the entry is deleted), both as varints, then the key and the
// value.
type Entries []byte

// Append adds an entry; a nil value says that it is deleted.
func (e *Entries) Append(key, value []byte) {
	dst := binary.AppendUvarint(*e, uint64(len(key)))
	n := uint64(0)
	if value != nil {
		n = uint64(len(value)) + 1
	}
	dst = binary.AppendUvarint(dst, n)
	*e = append(append(dst, key...), value...)
}

// Each calls f for each entry, in order. It returns an error for malformed or truncated
// entries.
func (e Entries) Each(f func(key, value []byte) error) error {
	for len(e) > 0 {
		key, value, rest, err := e.cut()
		if err == nil {
			err = f(key, value)
		}
		if err != nil {
			return err
		}
		e = rest
	}
	return nil
}

// Take calls f for each entry, in order, and drops those for which f returns no error.
func (e *Entries) Take(f func(key, value []byte) error) error {
	for len(*e) > 0 {
		key, value, rest, err := e.cut()
		if err == nil {
			err = f(key, value)
		}
		if err != nil {
			return err
		}
		*e = rest
	}
	*e = nil
	return nil
}

// cut cuts the first entry off.
func (e Entries) cut() (key, value []byte, rest Entries, err error) {
	k, a := binary.Uvarint(e)
	if a <= 0 {
		return nil, nil, nil, errEntries
	}
	v, b := binary.Uvarint(e[a:])
	rest = e[a+max(b, 0):]
	if b <= 0 || k > uint64(len(rest)) || v > uint64(len(rest))-k+1 {
		return nil, nil, nil, errEntries
	}
	key, rest = rest[:k:k], rest[k:]
	if v > 0 {
		value, rest = rest[:v-1:v-1], rest[v-1:]
	}
	return key, value, rest, nil
}

var errEntries = errors.New("decoding state: not what was encoded")

// A Refresher is a Vault that wants all entries of a task now and then, so that it can
// drop those that were replaced.
type Refresher interface {
	Vault
	// Stale reports whether the next Save should be of all entries.
	Stale(task Task) bool
}

// A Copy is what a copy of a task's state lacks.
type Copy struct {
	Task    Task
	All     bool    // the copy is to begin anew,
	Base    Entries // with these: each key once, none gone
	Changes Entries // what has changed since, in order
	Next    int64   // the offset of the changelog behind them
	At      int64   // when that was so, ns since 1970
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/route"
)

// save puts a changed book in force and keeps it: in the file, or in the topic,
// from which all others have it.
func (b *rulebook) save(ctx context.Context, book *route.Book) error {
	text, entries, err := b.textOf(book)
	if err != nil {
		return err
	}
	t, err := b.try(text)
	if err != nil {
		b.seen = nil // files that rules name may have been read anew for nothing
		return asked(err)
	}
	if b.table == nil {
		err = replaceFile(b.flags.rules, text)
	} else {
		err = b.saveTopic(ctx, entries)
	}
	if err == nil {
		b.enforce(t, text)
	}
	return err
}

// textOf returns the text of a book, of a topic as all have it who follow that, and then
// the topic's entries, too.
func (b *rulebook) textOf(book *route.Book) (text []byte, entries map[string][]byte, err error) {
	if b.table == nil {
		text, err = book.Bytes()
		return text, nil, err
	}
	if entries, err = book.Entries(); err != nil {
		return nil, nil, err
	}
	text, err = route.FromEntries(entries)
	return text, entries, err
}

// asked makes an error of rules one of whoever sent them: a destination that does not
// exist is named by them. That no broker answers is not theirs.
func asked(err error) error {
	if kafka.Unreachable(err) {
		return err
	}
	return &fault.Error{Err: err, Status: fault.Usage, Hint: fault.HintOf(err)}
}

// saveTopic puts the entries that have changed, together: followers are not to see one
// half of a set of rules in force.
func (b *rulebook) saveTopic(ctx context.Context, entries map[string][]byte) error {
	changes, before := map[string][]byte{}, b.table.Values()
	for name, text := range entries {
		if old, known := before[name]; !known || !bytes.Equal(old, text) {
			changes[name] = text
		}
	}
	for name := range before {
		if _, kept := entries[name]; !kept {
			changes[name] = nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	err := b.table.Put(ctx, changes)
	if kafka.Unreachable(err) {
		return httpapi.Unavailable("%w; the change may be in the topic later", err)
	}
	return err
}

// putWithin is how long a change may take to be in the topic: others wait for it, who ask
// for the rules or change them.
const putWithin = 10 * time.Second

// kept returns the text that a change changes: of a topic what stands in it now, which may
// be more than is in force. A file that holds something else than the rules in force was
// changed by somebody, and would lose that.
func (b *rulebook) kept() ([]byte, error) {
	if b.table != nil {
		return route.FromEntries(b.table.Values())
	}
	text, err := os.ReadFile(b.flags.rules)
	if err == nil && !bytes.Equal(text, b.text) {
		return nil, fmt.Errorf("%s holds changes that are not in force, and would lose them", b.flags.rules)
	}
	return b.text, nil
}

// replaceFile writes a file as a whole or not at all; where it is a link, the file behind it.
func replaceFile(path string, text []byte) error {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		path = file
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it is gone when all went well
	if info, err := os.Stat(path); err == nil {
		_ = tmp.Chmod(info.Mode()) // as it was, where that can be
	}
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/route"
)

// save puts a changed book in force and keeps it: in the file, or in the topic,
// from which all others have it.
func (b *rulebook) save(ctx context.Context, book *route.Book) error {
	text, err := book.Bytes()
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
		err = b.saveTopic(ctx, book)
	}
	if err == nil {
		b.enforce(t, text)
	}
	return err
}

// asked makes an error of rules one of whoever sent them: a destination that does not
// exist is named by them. That no broker answers is not theirs.
func asked(err error) error {
	if kafka.Unreachable(err) {
		return err
	}
	return &fault.Error{Err: err, Status: fault.Usage, Hint: fault.HintOf(err)}
}

// saveTopic puts the entries that have changed.
func (b *rulebook) saveTopic(ctx context.Context, book *route.Book) error {
	now, err := book.Entries()
	if err != nil {
		return err
	}
	before := b.table.Values()
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if old, known := before[name]; known && bytes.Equal(old, now[name]) {
			continue
		}
		if err := b.table.Put(ctx, name, now[name]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, kept := now[name]; !kept {
			if err := b.table.Put(ctx, name, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceFile writes a file as a whole or not at all.
func replaceFile(path string, text []byte) error {
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

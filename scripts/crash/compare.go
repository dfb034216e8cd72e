package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// compare compares the outputs of the killed runs with those of the unbroken one.
// Dead letters and late records are compared by their values: the files that they
// come from had other names.
func (t *trial) compare() error {
	got, err := read(filepath.Join(t.dir, "killed"+t.rows))
	if err != nil {
		return err
	}
	want, err := read(filepath.Join(t.dir, "unbroken"+t.rows))
	if err != nil {
		return err
	}
	t.tally.rows = bytes.Count(want, []byte("\n"))
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the rows differ at byte %d: there are %d bytes, want %d", common(got, want), len(got), len(want))
	}
	if t.tally.rows == 0 {
		return errors.New("there are no rows")
	}
	for _, name := range []string{"-late.ndjson", "-dead.ndjson"} {
		got, err := values(filepath.Join(t.dir, "killed"+name))
		if err != nil {
			return err
		}
		want, err := values(filepath.Join(t.dir, "unbroken"+name))
		if err != nil {
			return err
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("of %s there are %d lines, want %d, or others", name[1:], len(got), len(want))
		}
	}
	return nil
}

// common returns how many bytes a and b have in common at their beginnings.
func common(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// read returns a file, decompressed.
func read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil || filepath.Ext(path) != ".gz" {
		return data, err
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// values returns the values of a file of envelopes, sorted.
func values(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []string
	for line := range strings.Lines(string(data)) {
		var e struct{ Value json.RawMessage }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, string(e.Value))
	}
	slices.Sort(list)
	return list, nil
}

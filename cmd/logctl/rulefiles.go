package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// maxRuleFile bounds a file that a rule names.
const maxRuleFile = 1 << 20

// ruleFiles are the files that the rules of a file name, such as Sigma rules. They
// keep what was read last of each, so that it can be told what has changed.
type ruleFiles struct {
	dir string // that paths are relative to

	mu   sync.Mutex
	seen map[string][]byte // by path; nil for what cannot be read
}

// newRuleFiles returns the files that the given file of rules names.
func newRuleFiles(rules string) *ruleFiles {
	return &ruleFiles{dir: filepath.Dir(rules), seen: map[string][]byte{}}
}

// read returns what a file holds.
func (f *ruleFiles) read(path string) ([]byte, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir, path)
	}
	text, err := readRuleFile(path)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[path] = text
	return text, err
}

func readRuleFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Usagef("", "%s is not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxRuleFile+1))
	if err == nil && len(text) > maxRuleFile {
		return nil, fault.Usagef("", "%s is larger than %s", path, human.Size(maxRuleFile))
	}
	return text, err
}

// paths returns the files that were ever read, or tried to be.
func (f *ruleFiles) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.seen))
}

// changed reports whether a file holds something else than when it was read last.
// What cannot be read has not changed.
func (f *ruleFiles) changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, old := range f.seen {
		if text, err := readRuleFile(path); err == nil && (old == nil || !bytes.Equal(text, old)) {
			return true
		}
	}
	return false
}

package stdio

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Rest looks for the files in which earlier runs ended and that none of sources
// reads: a log that was rotated since has another name in the same directory. It
// returns a source for what is left of each, and the positions in files that are
// nowhere.
//
// A file whose name another file has taken while its rest is nowhere is told to
// opt.Note: what was written to it after it was last read is not known.
func Rest(sources []stream.Source, at []stream.Position, opt Options,
) (rest []stream.Source, gone []stream.Position, _ error) {
	reading := map[int32]string{} // the files that are read, by what tells them from others
	taken := map[string]int32{}
	for _, s := range sources {
		if f, ok := s.(*Source); ok && f.path != "" {
			id := identify(f.path, opt)
			reading[id], taken[f.path] = f.path, id
		}
	}
	opt.Follow, opt.Grows = false, false // it has another name: it is complete
	known := map[int32]bool{}
	for _, p := range at {
		known[p.Partition] = true
	}
	beside := map[string]map[int32]string{}
	for _, p := range at {
		if _, ok := reading[p.Partition]; ok || p.Partition == 0 || p.Source == stdinName {
			continue
		}
		dir := filepath.Dir(p.Source)
		if beside[dir] == nil {
			beside[dir] = identifyAll(dir, opt)
		}
		name, ok := beside[dir][p.Partition]
		if !ok {
			gone = append(gone, p)
			if id, ok := taken[p.Source]; ok && !known[id] {
				opt.withDefaults().Note(p.Source + " was replaced: what came after its earlier run is not in its directory")
			}
			continue
		}
		s, err := newFile(name, opt)
		if err != nil {
			return nil, nil, err
		}
		reading[p.Partition] = name
		rest = append(rest, s)
	}
	return rest, gone, nil
}

// identifyAll returns the regular files of a directory by what tells them from
// others.
func identifyAll(dir string, opt Options) map[int32]string {
	names := map[int32]string{}
	entries, _ := os.ReadDir(dir) // one that is gone has no files
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			names[identify(name, opt)] = name
		}
	}
	return names
}

// identify returns what the partition of a file's records is; 0 where it has none
// or cannot be read.
func identify(path string, opt Options) int32 {
	opt.Follow = false
	s, err := newFile(path, opt)
	if err != nil || !s.lazy {
		return 0
	}
	err = s.Read(context.Background(), &record.Batch{Data: make([]byte, 0, chunk)})
	if err == nil {
		_ = s.fail(io.EOF)
	}
	if s.origin == nil || err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	return s.origin.Partition
}

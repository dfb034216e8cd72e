package stdio

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Rest looks for the files in which earlier runs ended and that none of sources
// reads: a log that was rotated since has another name in the same directory. It
// returns a source for what is left of each, and for the files that have come and
// gone between it and the one that has its name now; and the positions in files
// that are nowhere.
//
// A file whose name another file has taken while its rest is nowhere is told to
// opt.Note: what was written to it after it was last read is not known.
func Rest(sources []stream.Source, at []stream.Position, opt Options,
) (rest []stream.Source, gone []stream.Position, _ error) {
	s := search{
		opt: opt, dirs: map[string][]found{}, reading: map[int32]bool{}, taken: map[string]int32{}, known: map[int32]bool{},
	}
	s.opt.Follow, s.opt.Grows = false, false // what has another name is complete
	for _, p := range at {
		s.known[p.Partition] = true
	}
	for _, source := range sources {
		if f, ok := source.(*Source); ok && f.path != "" {
			f.meant = identify(f.path, opt)
			s.reading[f.meant], s.taken[f.path] = true, f.meant
		}
	}
	for _, p := range at {
		if p.Partition == 0 || p.Source == stdinName || s.reading[p.Partition] {
			continue
		}
		names := s.renamed(p)
		if len(names) == 0 {
			gone = append(gone, p)
			s.miss(p)
		}
		for _, f := range names {
			source, err := newFile(f.path, s.opt)
			if err != nil {
				return nil, nil, err
			}
			s.reading[f.id] = true
			rest = append(rest, source)
		}
	}
	return rest, gone, nil
}

// A search is that of Rest.
type search struct {
	opt     Options
	dirs    map[string][]found // the files of directories that were looked at
	reading map[int32]bool     // what tells the files that are read from others
	taken   map[string]int32   // by their paths
	known   map[int32]bool     // what positions are in
}

// found is a file of a directory.
type found struct {
	path     string
	id       int32
	modified time.Time
}

// rotated is what is added to the name of a log when it is rotated.
var rotated = regexp.MustCompile(`^[._-]?[0-9][0-9TZ:._-]*$`)

// renamed returns the file that a position is in and, where it is an older one of a
// log that was rotated several times, those that were written after it.
func (s *search) renamed(p stream.Position) (names []found) {
	var old *found
	dir := s.look(filepath.Dir(p.Source))
	for i := range dir {
		if dir[i].id == p.Partition {
			old = &dir[i]
		}
	}
	if old == nil {
		return nil
	}
	for _, f := range dir {
		suffix, ok := strings.CutPrefix(f.path, filepath.Clean(p.Source))
		newer := ok && rotated.MatchString(suffix) && !f.modified.Before(old.modified)
		if f == *old || newer && f.id != 0 && !s.known[f.id] && !s.reading[f.id] {
			names = append(names, f)
		}
	}
	return names
}

// goBack opens the file that Rest has seen under the name of the one that was just
// opened: a log that was rotated in between. It is read first, as it would have been
// a moment before. It returns false where it is nowhere.
func (s *Source) goBack(ctx context.Context) (bool, error) {
	sought := search{opt: s.opt, dirs: map[string][]found{}}
	for _, f := range sought.look(filepath.Dir(s.path)) {
		if f.id != s.meant {
			continue
		}
		in, err := s.openFile(ctx, f.path)
		if err != nil {
			return false, err
		}
		if s.heirs != nil {
			s.heirs.forget(s.in.info)
		}
		s.in.close()
		s.in = in
		return true, s.place(in.sniff(ctx))
	}
	return false, nil
}

// look returns the regular files of a directory.
func (s *search) look(dir string) []found {
	if files, ok := s.dirs[dir]; ok {
		return files
	}
	var files []found
	entries, _ := os.ReadDir(dir) // one that is gone has no files
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			files = append(files, found{path, identify(path, s.opt), info.ModTime()})
		}
	}
	s.dirs[dir] = files
	return files
}

// miss tells that a file is gone, when its name is first seen on another one.
func (s *search) miss(p stream.Position) {
	if id, ok := s.taken[p.Source]; ok && !s.known[id] {
		s.opt.withDefaults().Note(p.Source + " was replaced: what came after its earlier run is not in its directory")
	}
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

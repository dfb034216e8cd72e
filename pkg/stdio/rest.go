package stdio

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Rest looks for the files in which earlier runs ended and that none of sources
// reads: a log that was rotated since has another name in the same directory. It
// returns a source for what is left of each, and for the files that have come and
// gone between it and the one that has its name now, the oldest first; and the
// positions in files that are nowhere.
//
// A file whose name another file has taken while its rest is nowhere is told to
// opt.Note: what was written to it after it was last read is not known.
func Rest(sources []stream.Source, at []stream.Position, opt Options,
) (rest []stream.Source, gone []stream.Position, _ error) {
	if len(at) == 0 {
		return nil, nil, nil // and no file has to be looked at
	}
	opt.Follow, opt.Grows = false, false // what has another name is complete
	s := search{
		opt: newCommon(opt), dirs: map[string][]found{}, reading: map[identity]bool{}, read: map[int32]bool{},
		taken: map[string]int32{}, known: map[int32]bool{},
	}
	for _, p := range at {
		s.known[p.Partition] = true
	}
	for _, source := range sources {
		if f, ok := source.(*Source); ok && f.kind != noFile {
			f.found = identify(f.name, s.opt)
			f.meant = f.found.id != identity{}
			s.reading[f.found.id], s.read[f.found.partition], s.taken[f.name] = true, true, f.found.partition
		}
	}
	var left []listed
	for _, p := range at {
		if p.Partition == 0 || p.Source == stdinName || s.read[p.Partition] {
			continue
		}
		names := s.renamed(p)
		if len(names) == 0 {
			gone = append(gone, p)
			s.miss(p)
		}
		for _, f := range names {
			s.reading[f.id], s.read[f.partition] = true, true
			left = append(left, f.listed)
		}
	}
	slices.SortFunc(left, older)
	for _, f := range left {
		source, err := newFile(f.path, s.opt)
		if err != nil {
			return nil, nil, err
		}
		rest = append(rest, source)
	}
	return rest, gone, nil
}

// A search is that of Rest.
type search struct {
	opt     *common
	dirs    map[string][]found // the files of directories that were looked at
	reading map[identity]bool  // files that are read
	read    map[int32]bool     // their partitions
	taken   map[string]int32   // by their paths
	known   map[int32]bool     // what positions are in
}

// found is a file of a directory, and what the partition of its records is.
type found struct {
	listed
	partition int32
}

// rotated is what is added to the name of a log when it is rotated, and inserted what is put
// before its extension: a number behind a dot, or a date. A number behind something else, as
// in worker-2.log, rather tells it from other logs.
var (
	rotated  = regexp.MustCompile(`^[._-]?[0-9][0-9TZ:._-]*$`)
	inserted = regexp.MustCompile(`^(\.[0-9]+|[._-]?[0-9]{4}[._-]?[0-9]{2}[._-]?[0-9]{2}[0-9TZ:._-]*)$`)
)

// isRotated reports whether path is a name that the log of another one is given.
func isRotated(path, log string) bool {
	log = filepath.Clean(log)
	if suffix, ok := strings.CutPrefix(path, log); ok {
		return rotated.MatchString(suffix)
	}
	ext := filepath.Ext(log)
	between, begins := strings.CutPrefix(path, strings.TrimSuffix(log, ext))
	between, ends := strings.CutSuffix(between, ext)
	return ext != "" && begins && ends && inserted.MatchString(between)
}

// renamed returns the file that a position is in and, where it is an older one of a
// log that was rotated several times, those that were written after it.
func (s *search) renamed(p stream.Position) (names []found) {
	var old *found
	dir := s.look(filepath.Dir(p.Source))
	for i := range dir {
		if dir[i].partition == p.Partition {
			old = &dir[i]
		}
	}
	if old == nil {
		return nil
	}
	for _, f := range dir {
		newer := isRotated(f.path, p.Source) && !f.modified.Before(old.modified)
		if f == *old || newer && f.partition != 0 && !s.known[f.partition] && !s.reading[f.id] {
			names = append(names, f)
		}
	}
	return names
}

// goBack opens the file that Rest has seen under the name of in, which was just opened:
// a log that was rotated in between. It is read first, as it would have been a moment
// before. Where it is nowhere, goBack returns in.
func (s *Source) goBack(ctx context.Context, in *input) (*input, error) {
	for _, f := range list(pathsIn(filepath.Dir(s.name))) {
		if f.id != s.found.id {
			continue
		}
		if s.heirs != nil {
			s.heirs.forget(in.id)
		}
		in.close()
		return s.openFile(ctx, f.path)
	}
	return in, nil
}

// look returns the regular files of a directory.
func (s *search) look(dir string) []found {
	if files, ok := s.dirs[dir]; ok {
		return files
	}
	var files []found
	for _, f := range list(pathsIn(dir)) {
		files = append(files, found{f, identify(f.path, s.opt).partition})
	}
	s.dirs[dir] = files
	return files
}

// miss tells that a file is gone, when its name is first seen on another one.
func (s *search) miss(p stream.Position) {
	if id, ok := s.taken[p.Source]; ok && !s.known[id] {
		s.opt.Note(p.Source + " was replaced: what came after its earlier run is not in its directory")
	}
}

// identify looks at a file. The partition of its records is 0 where it has none, or
// cannot be read.
func identify(path string, opt *common) glance {
	s, err := newFile(path, opt)
	if err != nil || s.kind != plainFile {
		return glance{}
	}
	err = s.Read(context.Background(), &record.Batch{Data: make([]byte, 0, chunk)})
	if err == nil {
		_ = s.fail(io.EOF)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return glance{id: s.found.id}
	}
	return s.found
}

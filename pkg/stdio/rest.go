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
// positions in files that are nowhere. The rest of a file that was copied and cut, or
// compressed, is in the copy: it has a name of a rotated log and begins with what was read.
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
		opt: newCommon(opt), dirs: map[string][]found{}, reading: map[identity]*Source{}, read: map[int32]bool{},
		taken: map[string]int32{}, known: map[int32]bool{}, begun: map[uint64]bool{},
	}
	for _, p := range at {
		s.known[p.Partition], s.begun[p.Begins] = true, p.Begins != 0
	}
	for _, source := range sources {
		if f, ok := source.(*Source); ok && f.kind != noFile {
			f.found = identify(f.name, s.opt)
			f.meant = f.found.id != identity{}
			s.reading[f.found.id], s.read[f.found.partition], s.taken[f.name] = f, true, f.found.partition
		}
	}
	type heir struct {
		listed
		source *Source
	}
	var left []heir
	for _, p := range at {
		if p.Partition == 0 || p.Source == stdinName || s.read[p.Partition] {
			continue
		}
		names, was := s.renamed(p)
		if !was {
			gone = append(gone, p)
		}
		for _, f := range names {
			source, err := newFile(f.path, s.opt)
			if err != nil {
				return nil, nil, err
			}
			source.copied = f.copied
			s.reading[f.id], s.read[f.partition] = source, true
			left = append(left, heir{f.listed, source})
		}
	}
	slices.SortFunc(left, func(a, b heir) int { return older(a.listed, b.listed) })
	for _, h := range left {
		rest = append(rest, h.source)
	}
	return rest, gone, nil
}

// A search is that of Rest.
type search struct {
	opt     *common
	dirs    map[string][]found   // the files of directories that were looked at
	reading map[identity]*Source // files that are read
	read    map[int32]bool       // their partitions
	taken   map[string]int32     // by their paths
	known   map[int32]bool       // what positions are in
	begun   map[uint64]bool      // how those files begin
}

// found is a file of a directory, what the partition of its records is, and how it begins.
type found struct {
	listed
	partition int32
	first     uint64
	copied    *stream.Position // where it goes on as the copy of a file that is no more
}

// rotated is what is added to the name of a log when it is rotated, and inserted what is put
// before its extension: a number behind a dot, or a date. A number behind something else, as
// in worker-2.log, rather tells it from other logs.
var (
	rotated    = regexp.MustCompile(`^[._-]?[0-9][0-9TZ:._-]*$`)
	rotatedEnd = regexp.MustCompile(`[._-]?[0-9][0-9TZ:._-]*$`)
	inserted   = regexp.MustCompile(`^(\.[0-9]+|[._-]?[0-9]{4}[._-]?[0-9]{2}[._-]?[0-9]{2}[0-9TZ:._-]*)$`)
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

// renamed returns the file that a position is in, or a copy of it, and, where it is an
// older one of a log that was rotated several times, those that were written after it. It
// reports whether there is such a file; of a compressed one nothing may be left.
func (s *search) renamed(p stream.Position) (names []found, was bool) {
	dir := s.look(filepath.Dir(p.Source))
	i := slices.IndexFunc(dir, func(f found) bool { return f.partition == p.Partition })
	switch {
	case i >= 0 && readToEnd(dir[i].path, p.Next):
		return nil, true
	case i < 0:
		if i = s.copyOf(p, dir); i < 0 {
			return nil, false
		}
		if own := s.reading[dir[i].id]; own != nil {
			own.copied = &p
			return nil, true
		}
	}
	for j, f := range dir {
		newer := isRotated(unpackedName(f.path), p.Source) && !f.modified.Before(dir[i].modified)
		switch {
		case j == i && f.partition != p.Partition:
			f.copied = &p
			names = append(names, f)
		case j == i || newer && f.partition != 0 && !s.known[f.partition] && !s.begun[f.first] && s.reading[f.id] == nil:
			names = append(names, f)
		}
	}
	return names, true
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
		it := identify(f.path, s.opt)
		files = append(files, found{listed: f, partition: it.partition, first: it.first})
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

package stdio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/stream"
)

// Open returns a source for each file that paths name: files, patterns such as
// logs/*.log, directories (their files in order of name, without hidden files and
// subdirectories), and "-" for stdin. All files are checked before any is read, so that
// a missing or unreadable file is an error at once. With opt.Follow a file need not
// exist yet.
func Open(paths []string, opt Options) ([]stream.Source, error) {
	var sources []stream.Source
	all := newCommon(opt)
	stdin := false
	for _, path := range paths {
		if path == "-" {
			if stdin {
				return nil, fault.Usagef("", "stdin is named twice")
			}
			stdin = true
			sources = append(sources, Stdin(os.Stdin, opt))
			continue
		}
		files, err := expand(path, opt.Follow)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			s, err := newFile(name, all)
			if err != nil {
				return nil, err
			}
			sources = append(sources, s)
		}
	}
	return sources, nil
}

// expand returns the files that path names.
func expand(path string, follow bool) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return filesOf(path)
	case err == nil:
		return []string{path}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("input %q: %w", path, fault.Reason(err))
	}
	if !strings.ContainsAny(path, "*?[") {
		if follow {
			return []string{path}, nil
		}
		return nil, fmt.Errorf("input %q: %w", path, fault.Reason(err))
	}
	matches, err := filepath.Glob(path)
	if err != nil {
		return nil, fault.Usagef("", "input %q: %w", path, err)
	}
	var files []string
	for _, name := range matches {
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("input %q: no file matches", path)
	}
	return files, nil
}

func filesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("input directory %q: %w", dir, fault.Reason(err))
	}
	var files []string
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if !strings.HasPrefix(e.Name(), ".") && (e.Type().IsRegular() || isRegular(name)) {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("input directory %q holds no files", dir)
	}
	return files, nil
}

// isRegular reports whether a regular file is at a path, or where a link there leads.
func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// newFile returns the source of one file.
func newFile(path string, opt *common) (*Source, error) {
	s := newSource(path, opt)
	s.kind = followed
	if opt.Follow {
		s.heirs = &succession{path: path, dirs: &opt.dirs}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && opt.Follow:
		return s, nil
	case err != nil:
		return nil, fmt.Errorf("input %q: %w", path, fault.Reason(err))
	case !info.Mode().IsRegular():
		s.kind = noFile
		if opt.Follow && !namedPipe(path, info) {
			s.opt = opt.once()
		}
	case !opt.Follow:
		s.kind, s.size = plainFile, info.Size()
	}
	return s, readable(path)
}

// namedPipe reports whether a path is of a pipe that others may open, too. One that a
// shell has made for a command, as /dev/fd/63, has no name that it could be found by.
func namedPipe(path string, info fs.FileInfo) bool {
	_, err := filepath.EvalSymlinks(path)
	return info.Mode()&fs.ModeNamedPipe != 0 && err == nil
}

// readable asks whether a file may be opened without opening it, which would make the
// writer of a pipe believe in a reader.
func readable(path string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("input %q: %w", path, err)
	}
	return nil
}

// openFile opens a file, waiting for it where it is to be followed.
func (s *Source) openFile(ctx context.Context, path string) (*input, error) {
	for waiting := false; ; waiting = true {
		name := path
		if s.heirs != nil && path == s.heirs.path {
			name = s.heirs.next()
		}
		// Opened so, a named pipe does not wait for its writer; reading it does.
		f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err == nil {
			in, err := newInput(f, &s.read, false)
			if err == nil && s.opt.Follow {
				s.follow(in, name)
			}
			if err != nil { // a pipe needs two more
				err = unopened(path, err)
			}
			return in, err
		}
		if !s.opt.Follow || !errors.Is(err, fs.ErrNotExist) {
			return nil, unopened(path, err)
		}
		if !waiting {
			s.opt.Note(fmt.Sprintf("%q does not exist yet: waiting for it", path))
		}
		if err := sleep(ctx, s.opt.Poll); err != nil {
			return nil, err
		}
	}
}

// unopened says why a file cannot be opened.
func unopened(path string, err error) error {
	if !errors.Is(err, unix.EMFILE) {
		return fmt.Errorf("input %q: %w", path, fault.Reason(err))
	}
	return fault.Hint(fmt.Errorf("input %q: %w", path, stream.ErrTooMany),
		allowMore()+": files that are followed, and those whose times overlap, are open together")
}

// allowMore says what to do where a process has as much open as it may.
func allowMore() string {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return "allow more with `ulimit -n`"
	}
	return "allow more than " + human.Count(int64(limit.Cur)) + " with `ulimit -n`"
}

// follow has the end of a file, or of the writer of a named pipe, not be the end.
func (s *Source) follow(in *input, path string) {
	if !in.regular() {
		in.wait.again = s.opt.Poll
		return
	}
	s.read.Store(0)
	s.heirs.add(in.id)
	in.tail = &tail{path: s.heirs.path, heirs: s.heirs, poll: s.opt.Poll, note: s.opt.Note, patience: patience}
	if path != s.heirs.path {
		in.tail.patience = hastiness
		s.opt.Note(fmt.Sprintf("%s was rotated meanwhile: reading %s first", s.heirs.path, path))
	}
}

package stdio

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A succession is the files that have a name that is followed, one after the other. A
// log may be rotated several times before its reader comes to the end of the file that
// it has open: those that came and went meanwhile have names of rotated files.
type succession struct {
	path  string
	begun bool
	known []successor // files of such names that were read, or that were there before
}

// A successor is a file of a succession.
type successor struct {
	path string
	info os.FileInfo
	born uint64 // inodes are used again
}

// next returns which file is to be opened: the oldest one that has come and gone, else
// the one that has the name.
func (c *succession) next() string {
	files := c.files()
	if !c.begun {
		c.begun, c.known = true, files
		return c.path
	}
	var fresh, known []successor
	for _, f := range files {
		if c.knows(f) {
			known = append(known, f)
		} else {
			fresh = append(fresh, f)
		}
	}
	c.known = known
	if len(fresh) == 0 {
		return c.path
	}
	return slices.MinFunc(fresh, older).path
}

// files returns the files of the directory that have names of rotated ones.
func (c *succession) files() (files []successor) {
	dir := filepath.Dir(c.path)
	entries, _ := os.ReadDir(dir) // one that cannot be listed has none
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		suffix, ok := strings.CutPrefix(path, filepath.Clean(c.path))
		if !ok || !rotated.MatchString(suffix) {
			continue
		}
		if f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				files = append(files, successor{path, info, birth(f)})
			}
			_ = f.Close() // it was only looked at
		}
	}
	return files
}

// older compares two rotated files by when they were made and written to. Of two that
// are of one moment the one that has moved on further (app.log.2) is older.
func older(a, b successor) int {
	return cmp.Or(cmp.Compare(a.born, b.born), a.info.ModTime().Compare(b.info.ModTime()),
		cmp.Compare(len(b.path), len(a.path)), strings.Compare(b.path, a.path))
}

func (c *succession) knows(f successor) bool {
	return slices.ContainsFunc(c.known, func(k successor) bool { return os.SameFile(k.info, f.info) && k.born == f.born })
}

// add has a file that was opened be known, whatever name it goes by later.
func (c *succession) add(f *os.File, info os.FileInfo) {
	c.known = append(c.known, successor{f.Name(), info, birth(f)})
}

// forget has a file be as if it had not been opened.
func (c *succession) forget(info os.FileInfo) {
	c.known = slices.DeleteFunc(c.known, func(k successor) bool { return os.SameFile(k.info, info) })
}

// copyOf opens the copy of a file that was cut, in which it is to be read on: one that
// is not known yet and has what was seen. It returns nil where there is none, or nothing
// more is in it.
func (c *succession) copyOf(s *seen) *os.File {
	for _, f := range c.files() {
		first := s.first[:max(0, min(int64(len(s.first)), f.info.Size()-s.start))]
		if len(first) == 0 || c.knows(f) {
			continue
		}
		file, err := os.Open(f.path)
		if err != nil {
			continue
		}
		if s.has(file, first, s.start) {
			c.known = append(c.known, f)
			if s.stands(file) {
				return file
			}
		}
		_ = file.Close() // it was only looked at
	}
	return nil
}

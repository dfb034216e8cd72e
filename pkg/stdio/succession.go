package stdio

import (
	"cmp"
	"os"
	"slices"
	"strings"
)

// A succession is the files that have a name that is followed, one after the other. A
// log may be rotated several times before its reader comes to the end of the file that
// it has open: those that came and went meanwhile have names of rotated files.
type succession struct {
	path  string
	dirs  *directories
	begun bool
	known []identity // files that were read, or had a name of a rotated one before
}

// next returns which file is to be opened: the oldest one that has come and gone, else
// the one that has the name.
func (c *succession) next() string {
	files := c.files()
	var fresh []listed
	known := make([]identity, 0, len(files))
	for _, f := range files {
		if !c.begun || slices.Contains(c.known, f.id) {
			known = append(known, f.id)
		} else {
			fresh = append(fresh, f)
		}
	}
	c.begun, c.known = true, known
	if len(fresh) == 0 {
		return c.path
	}
	return slices.MinFunc(fresh, older).path
}

// files returns the files of the directory that have names of rotated ones.
func (c *succession) files() []listed {
	var paths []string
	for _, path := range c.dirs.begin(c.path) {
		if isRotated(path, c.path) {
			paths = append(paths, path)
		}
	}
	return list(paths)
}

// older compares two rotated files by when they were made and written to. Of two that
// are of one moment the one that has moved on further (app.log.2) is older.
func older(a, b listed) int {
	return cmp.Or(cmp.Compare(a.id.born, b.id.born), a.modified.Compare(b.modified),
		cmp.Compare(len(b.path), len(a.path)), strings.Compare(b.path, a.path))
}

// add has a file that was opened be known, whatever name it goes by later.
func (c *succession) add(id identity) { c.known = append(c.known, id) }

// forget has a file be as if it had not been opened.
func (c *succession) forget(id identity) {
	c.known = slices.DeleteFunc(c.known, func(k identity) bool { return k == id })
}

// copyOf opens the copy of a file that was cut, in which it is to be read on: one that
// is not known yet and has what was seen. It returns nil where there is none, or nothing
// more is in it.
func (c *succession) copyOf(s *seen) *os.File {
	for _, f := range c.files() {
		first := s.first[:max(0, min(int64(len(s.first)), f.size-s.start))]
		if len(first) == 0 || slices.Contains(c.known, f.id) {
			continue
		}
		file, err := os.Open(f.path)
		if err != nil {
			continue
		}
		if s.has(file, first, s.start) {
			c.add(f.id)
			if s.stands(file) {
				return file
			}
		}
		_ = file.Close() // it was only looked at
	}
	return nil
}

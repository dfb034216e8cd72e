package stdio

import (
	"bytes"
	"cmp"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A succession is the files that have a name that is followed, one after the other. A
// log may be rotated several times before its reader comes to the end of the file that
// it has open: those that came and went meanwhile have names of rotated files.
type succession struct {
	path   string
	dirs   *directories
	begun  bool
	known  []identity // files that were read, or had a name of a rotated one before
	looked time.Time  // when their directory was like this, and had none that was not known
}

// mostGone is how many files are known that are not there. Where the others are renamed
// while they are looked at, one may seem to be gone.
const mostGone = 256

// next returns which file is to be opened: the oldest one that has come and gone, else
// the one that has the name.
func (c *succession) next() string {
	files := c.files()
	if !c.begun {
		c.begun = true
		for _, f := range files {
			c.add(f.id)
		}
	}
	fresh := c.fresh(files)
	c.tidy(files)
	if len(fresh) == 0 {
		return c.path
	}
	return slices.MinFunc(fresh, older).path
}

// fresh returns those of files that are not known.
func (c *succession) fresh(files []listed) []listed {
	return slices.DeleteFunc(slices.Clone(files), func(f listed) bool { return slices.Contains(c.known, f.id) })
}

// tidy forgets files that are gone, but for those that were there last.
func (c *succession) tidy(files []listed) {
	var gone, there []identity
	for _, k := range c.known {
		if slices.ContainsFunc(files, func(f listed) bool { return f.id == k }) {
			there = append(there, k)
		} else {
			gone = append(gone, k)
		}
	}
	c.known = append(gone[max(0, len(gone)-mostGone):], there...)
}

// overtaken reports whether a file has come that is not known, as the copy of one that
// was cut. One that begins as that which has the name is a copy that is still being made.
func (c *succession) overtaken() bool {
	_, at := c.dirs.begin(c.path)
	if at.Equal(c.looked) {
		return false
	}
	fresh := c.fresh(c.files())
	if len(fresh) == 0 {
		c.looked = at
	}
	return slices.ContainsFunc(fresh, func(f listed) bool {
		begin := headOf(f.path)
		return len(begin) > 0 && !bytes.HasPrefix(headOf(c.path), begin)
	})
}

// headOf returns the first bytes of a file, none where there is none.
func headOf(path string) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	begin := make([]byte, seenSize)
	n, _ := f.ReadAt(begin, 0)
	_ = f.Close() // it was only looked at
	return begin[:n]
}

// files returns the files of the directory that have names of rotated ones. As they may
// be renamed meanwhile, it looks until it has seen the same twice.
func (c *succession) files() []listed {
	files := c.look()
	for range mostLooks {
		again := c.look()
		if slices.EqualFunc(files, again, func(a, b listed) bool { return a.id == b.id && a.path == b.path }) {
			return again
		}
		files = again
	}
	return files
}

// mostLooks bounds looking at files that are renamed all the time.
const mostLooks = 100

func (c *succession) look() []listed {
	all, _ := c.dirs.begin(c.path)
	var paths []string
	for _, path := range all {
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

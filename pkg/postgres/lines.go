package postgres

import (
	"bytes"
	"io"
	"strconv"

	"github.com/logctl/logctl/pkg/stream"
)

// maxHeld is how many bytes of rows are kept in memory. What is beyond goes to disk.
const maxHeld = 32 << 20

// lines are the rows of a transaction, as lines of COPY: they can be read for as many
// attempts at it as it takes.
type lines struct {
	spill stream.Spill // nil keeps all in memory
	held  []byte
	parts []part // those before held, on disk
}

// A part is a blob of whole lines.
type part struct {
	id   int64
	size int
}

// empty reports whether there are none.
func (l *lines) empty() bool { return len(l.held) == 0 && len(l.parts) == 0 }

// trim moves what is held to disk when it is more than limit.
func (l *lines) trim(limit int) error {
	if len(l.held) <= limit || l.spill == nil {
		return nil
	}
	id, err := l.spill.Put(l.held)
	if err != nil {
		return err
	}
	l.parts = append(l.parts, part{id, len(l.held)})
	l.held = l.held[:0]
	return nil
}

// clear forgets them.
func (l *lines) clear() error {
	for len(l.parts) > 0 {
		if err := l.spill.Delete(l.parts[0].id); err != nil {
			return err
		}
		l.parts = l.parts[1:]
	}
	l.held, l.parts = l.held[:0], nil
	return nil
}

// reader returns what reads them, less those for which dropped (nil for none) is set.
// Numbered lines have another column behind the others: their numbers in the order in
// which they were written.
func (l *lines) reader(dropped []bool, numbered bool) io.Reader {
	return &lineReader{lines: l, parts: l.parts, dropped: dropped, numbered: numbered}
}

// A lineReader reads lines once.
type lineReader struct {
	*lines
	parts    []part // not read yet
	last     bool   // what is held is read
	dropped  []bool
	numbered bool

	blob []byte // of a part
	rest []byte // of lines that are read
	n    int    // lines cut off them
	line []byte // a numbered one
	out  []byte // not given to a caller yet
}

// Read implements io.Reader.
func (r *lineReader) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if len(r.out) == 0 {
			err = r.next()
		}
		k := copy(p[n:], r.out)
		r.out, n = r.out[k:], n+k
	}
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// next sets out to what comes next: a line, or all there is where lines stay as they
// are.
func (r *lineReader) next() error {
	if len(r.rest) == 0 {
		if err := r.load(); err != nil {
			return err
		}
	}
	if !r.numbered && r.dropped == nil {
		r.out, r.rest = r.rest, nil
		return nil
	}
	end := bytes.IndexByte(r.rest, '\n') + 1
	r.out, r.rest, r.n = r.rest[:end], r.rest[end:], r.n+1
	switch {
	case r.dropped != nil && r.dropped[r.n-1]:
		r.out = nil
	case r.numbered:
		r.line = append(append(r.line[:0], r.out[:end-1]...), '\t')
		r.line = append(strconv.AppendInt(r.line, int64(r.n), 10), '\n')
		r.out = r.line
	}
	return nil
}

// load sets rest to the lines of the next part, or to those that are held.
func (r *lineReader) load() error {
	if len(r.parts) == 0 {
		if r.last || len(r.held) == 0 {
			return io.EOF
		}
		r.rest, r.last = r.held, true
		return nil
	}
	p := r.parts[0]
	r.parts = r.parts[1:]
	if cap(r.blob) < p.size {
		r.blob = make([]byte, p.size)
	}
	r.rest = r.blob[:p.size]
	return r.spill.ReadAt(r.rest, p.id, 0)
}

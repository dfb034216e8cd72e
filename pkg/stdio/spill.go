package stdio

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/logctl/logctl/pkg/fault"
)

// A Spill keeps blobs in an unnamed file, of which nothing is left however the process
// ends. It is a stream.Spill that several goroutines may use.
type Spill struct {
	mu    sync.Mutex
	dir   string
	f     *os.File // nil until something is kept
	end   int64
	next  int64
	blobs map[int64]extent
	free  []extent // in order, none next to another one
}

// An extent is a stretch of the file.
type extent struct{ off, size int64 }

// NewSpill returns a Spill whose file will be in dir, by default the directory of
// temporary files.
func NewSpill(dir string) *Spill { return &Spill{dir: dir, blobs: map[int64]extent{}} }

// Put implements stream.Spill.
func (s *Spill) Put(blob []byte) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return 0, err
	}
	e := s.take(int64(len(blob)))
	if _, err := s.f.WriteAt(blob, e.off); err != nil {
		return 0, s.failed(err)
	}
	s.next++
	s.blobs[s.next] = e
	return s.next, nil
}

func (s *Spill) open() error {
	if s.f != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "logctl-spill-")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return s.failed(err)
	}
	s.f = f
	return nil
}

// failed says of an error where there is no room, or no right to it. Nobody knows the
// file by its name.
func (s *Spill) failed(err error) error {
	dir := cmp.Or(s.dir, os.TempDir())
	return fault.Hint(fmt.Errorf("spilling to disk in %q: %w", dir, fault.Reason(err)),
		"TMPDIR=DIR names another directory; a greater --max-memory needs less of it")
}

// take returns room for size bytes: the first gap that is large enough, or the end.
func (s *Spill) take(size int64) extent {
	for i := range s.free {
		gap := &s.free[i]
		if gap.size < size {
			continue
		}
		e := extent{gap.off, size}
		gap.off, gap.size = gap.off+size, gap.size-size
		if gap.size == 0 {
			s.free = slices.Delete(s.free, i, i+1)
		}
		return e
	}
	e := extent{s.end, size}
	s.end += size
	return e
}

// ReadAt implements stream.Spill.
func (s *Spill) ReadAt(p []byte, id, off int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.blobs[id]
	if !ok || off < 0 || off+int64(len(p)) > e.size {
		return fmt.Errorf("reading what was spilled to disk: no bytes %d to %d of blob %d", off, off+int64(len(p)), id)
	}
	if _, err := s.f.ReadAt(p, e.off+off); err != nil {
		return fmt.Errorf("reading what was spilled to disk: %w", err)
	}
	return nil
}

// Delete implements stream.Spill.
func (s *Spill) Delete(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.blobs[id]
	if !ok {
		return nil
	}
	delete(s.blobs, id)
	if len(s.blobs) == 0 {
		s.free, s.end = nil, 0
		return s.f.Truncate(0)
	}
	i, _ := slices.BinarySearchFunc(s.free, e, func(a, b extent) int { return int(min(max(a.off-b.off, -1), 1)) })
	s.free = slices.Insert(s.free, i, e)
	if i+1 < len(s.free) && e.off+e.size == s.free[i+1].off {
		s.free[i].size += s.free[i+1].size
		s.free = slices.Delete(s.free, i+1, i+2)
	}
	if i > 0 && s.free[i-1].off+s.free[i-1].size == s.free[i].off {
		s.free[i-1].size += s.free[i].size
		s.free = slices.Delete(s.free, i, i+1)
	}
	return nil
}

// Close frees the space on the disk.
func (s *Spill) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.f == nil {
		return nil
	}
	return s.f.Close()
}

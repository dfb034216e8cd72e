package stdio

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// directories remember what is in directories, for very many files that are followed
// there: each of them looks for its rotated ones. They may be used by many goroutines.
type directories struct {
	mu   sync.Mutex
	seen map[string]directory
}

// A directory is what was in one.
type directory struct {
	sight
	paths []string // in order
}

// A sight is what a file or directory was like at a time, before it was read.
type sight struct {
	info os.FileInfo
	at   time.Time
}

// grain is more than the steps in which file systems take the time: what is changed
// within one of them may not show.
const grain = 100 * time.Millisecond

// stands reports whether nothing has changed since.
func (s *sight) stands(now os.FileInfo) bool {
	if s.info == nil {
		return false
	}
	changed := s.info.ModTime()
	return os.SameFile(s.info, now) && s.info.Size() == now.Size() && changed.Equal(now.ModTime()) &&
		s.at.Sub(changed) > grain
}

// begin returns the paths in the directory of path that begin with it, in order, and
// when the directory was listed.
func (d *directories) begin(path string) ([]string, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path = filepath.Clean(path)
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err != nil {
		return nil, time.Time{}
	}
	was := d.seen[dir]
	if !was.stands(info) {
		was.sight = sight{info, time.Now()}
		was.paths = pathsIn(dir)
		if d.seen == nil {
			d.seen = map[string]directory{}
		}
		d.seen[dir] = was
	}
	from, _ := slices.BinarySearch(was.paths, path)
	to := from
	for to < len(was.paths) && strings.HasPrefix(was.paths[to], path) {
		to++
	}
	return was.paths[from:to], was.at
}

// pathsIn returns the paths of all that is in a directory, in order. One that cannot be
// listed has nothing.
func pathsIn(dir string) (paths []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths
}

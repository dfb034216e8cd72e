package stdio

import (
	"context"
	"os"
	"time"
)

// watchEvery is how often watched files are looked at.
const watchEvery = 200 * time.Millisecond

// Settling is how long after a file was written it is read again at every look.
const Settling = 2 * time.Second

// Watch calls changed at the first look at a file and whenever its content may have
// changed, until ctx is done. Files may be written in place or replaced, and one that goes
// away has changed. paths is called at every look.
func Watch(ctx context.Context, paths func() []string, changed func()) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var seen map[string]os.FileInfo
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := look(paths())
		if differ(seen, now) {
			changed()
		}
		seen = now
	}
}

// look returns what the files are like that are there.
func look(paths []string) map[string]os.FileInfo {
	seen := make(map[string]os.FileInfo, len(paths))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			seen[path] = info
		}
	}
	return seen
}

// differ reports whether a file of now is another than before, or may be: what was
// written within the grain of the file's time is looked at again.
func differ(before, now map[string]os.FileInfo) bool {
	for path := range before {
		if _, there := now[path]; !there {
			return true
		}
	}
	for path, info := range now {
		old, known := before[path]
		if !known || !os.SameFile(old, info) || old.Size() != info.Size() || !old.ModTime().Equal(info.ModTime()) ||
			time.Since(info.ModTime()) < Settling {
			return true
		}
	}
	return false
}

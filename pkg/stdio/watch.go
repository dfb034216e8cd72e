package stdio

import (
	"bytes"
	"context"
	"os"
	"time"
)

// watchEvery is how often a watched file is looked at.
const watchEvery = 200 * time.Millisecond

// Watch calls changed with what a file holds whenever that is another than it
// was, last at first, until ctx is done. The file may be written in place or be
// replaced. While it is not there, or cannot be read, nothing has changed.
func Watch(ctx context.Context, path string, last []byte, changed func(text []byte)) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var before os.FileInfo
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := os.Stat(path)
		if err != nil || before != nil && os.SameFile(before, now) && sameLook(before, now) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// What was written within the grain of the file's time is looked at again.
		if before = now; time.Since(now.ModTime()) < time.Second {
			before = nil
		}
		if !bytes.Equal(text, last) {
			last = text
			changed(text)
		}
	}
}

// sameLook reports whether a file seems not to have been written to.
func sameLook(a, b os.FileInfo) bool { return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) }

package term

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/logctl/logctl/pkg/human"
)

// A State is how far a run is.
type State struct {
	Records int64
	Bytes   int64 // read so far
	Total   int64 // bytes in all, 0 where that is not known
}

// The line appears when a run takes longer than a person waits without asking,
// and changes as fast as one can read.
const (
	firstShown = time.Second
	redrawn    = 200 * time.Millisecond
)

// A Progress is the line that says how far a run is.
type Progress struct {
	w    io.Writer
	now  func() State
	stop chan struct{}
	done sync.WaitGroup
}

// StartProgress shows how far a run is on w, if that is a terminal and quiet is
// not set, after a second and until Stop. now is called from another goroutine.
func StartProgress(w io.Writer, quiet bool, now func() State) *Progress {
	p := &Progress{w: w, now: now, stop: make(chan struct{})}
	if !quiet && IsTerminal(w) {
		p.done.Go(p.run)
	}
	return p
}

// Stop erases the line.
func (p *Progress) Stop() {
	close(p.stop)
	p.done.Wait()
}

func (p *Progress) run() {
	start := time.Now()
	wait := time.NewTimer(firstShown)
	defer wait.Stop()
	shown := false
	for {
		select {
		case <-p.stop:
			if shown {
				fmt.Fprint(p.w, "\r\x1b[K")
			}
			return
		case <-wait.C:
			line := Line(p.now(), time.Since(start))
			if width := Width(p.w); width > 0 && len(line) >= width {
				line = line[:width-1]
			}
			fmt.Fprint(p.w, "\r\x1b[K"+line)
			shown = true
			wait.Reset(redrawn)
		}
	}
}

// Line says how far a run is after the given time: records, bytes, their rate
// and, where the total is known, the share done and the time that is left.
func Line(s State, took time.Duration) string {
	seconds := max(took.Seconds(), 1e-9)
	parts := []string{
		human.Count(s.Records) + " records",
		human.Bytes(s.Bytes),
		human.Bytes(int64(float64(s.Bytes)/seconds)) + "/s",
	}
	if s.Total > 0 && s.Bytes > 0 {
		share := min(float64(s.Bytes)/float64(s.Total), 1)
		left := time.Duration(float64(took) * (1 - share) / share)
		parts = append(parts, fmt.Sprintf("%.0f %%", 100*share), human.Duration(left.Round(time.Second))+" left")
	}
	return strings.Join(parts, "  ")
}

package stdio_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// A follower reads a followed file in the background.
type follower struct {
	t       *testing.T
	records chan string
	quiet   chan struct{} // gets something whenever the file had no more
	mu      sync.Mutex
	notes   []string
	last    stream.Position
	stop    func()
}

func follow(t *testing.T, path string) *follower {
	t.Helper()
	f := &follower{t: t, records: make(chan string, 1000), quiet: make(chan struct{}, 1000)}
	s := open(t, stdio.Options{Follow: true, Poll: 10 * time.Millisecond, Note: f.note}, path)[0]
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			b := &record.Batch{Data: make([]byte, 0, 64)}
			if err := s.Read(ctx, b); err != nil {
				if !errors.Is(err, context.Canceled) && err != io.EOF {
					t.Error(err)
				}
				return
			}
			f.mu.Lock()
			f.last = stream.Position{Source: path, Partition: b.Origin.Partition, Next: b.Next}
			f.mu.Unlock()
			for _, r := range frame(b, 1000) {
				f.records <- r.Value
			}
			if b.AtEnd {
				f.quiet <- struct{}{}
			}
		}
	}()
	f.stop = func() { cancel(); <-done }
	t.Cleanup(f.stop)
	return f
}

func (f *follower) note(s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, s)
}

func (f *follower) want(records ...string) {
	f.t.Helper()
	for _, want := range records {
		select {
		case got := <-f.records:
			if got != want {
				f.t.Fatalf("got %q, want %q", got, want)
			}
		case <-time.After(time.Minute):
			f.t.Fatalf("%q has not come", want)
		}
	}
}

func (f *follower) wantNote(text string) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.Contains(strings.Join(f.notes, "\n"), text) {
		f.t.Errorf("no note with %q in %q", text, f.notes)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFollowNamedPipe: a pipe that is followed has one writer after the other, and
// another pipe may take its name.
func TestFollowNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	pipe := func() {
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write := func(text string) {
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			w, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0) // which does not wait for a reader
			switch {
			case err == nil:
				_, err = w.WriteString(text)
				if err := errors.Join(err, w.Close()); err != nil {
					t.Fatal(err)
				}
				return
			case time.Now().After(end):
				t.Fatal("nobody reads the pipe: ", err)
			}
		}
	}
	pipe()
	f := follow(t, path)
	write("one\ntwo\n")
	f.want("one", "two")
	write("three\nits writer was ki")
	f.want("three", "its writer was ki")
	write(strings.Repeat("x", 300) + "\n")
	f.want(strings.Repeat("x", 300))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	pipe()
	write("of another pipe\n")
	f.want("of another pipe")
}

func TestFollowGrowth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := follow(t, path) // it does not exist yet
	time.Sleep(30 * time.Millisecond)
	appendTo(t, path, "")
	<-f.quiet // the empty file is announced
	appendTo(t, path, "one\ntwo\nhal")
	f.want("one", "two")
	<-f.quiet
	appendTo(t, path, "f\n"+strings.Repeat("x", 200)+"\n")
	f.want("half", strings.Repeat("x", 200))
}

// The old file is read to its end first, what is written to it after it was
// renamed and an unfinished last line included.
func TestFollowAcrossRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	appendTo(t, path, "one\n")
	f := follow(t, path)
	f.want("one")
	for i := range 3 {
		old := path + "." + strings.Repeat("1", i+1)
		if err := os.Rename(path, old); err != nil {
			t.Fatal(err)
		}
		appendTo(t, old, "late\nunfinished")
		appendTo(t, path, "new\n")
		f.want("late", "unfinished", "new")
	}
	f.wantNote("was replaced")
}

func TestFollowWithoutANewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	appendTo(t, path, "one\n")
	f := follow(t, path)
	f.want("one")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	appendTo(t, path+".1", "two\n")
	f.want("two")
	appendTo(t, path, "three\n")
	f.want("three")
}

func TestFollowAcrossTruncation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	appendTo(t, path, "one\ntwo\n")
	f := follow(t, path)
	f.want("one", "two")
	<-f.quiet
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	appendTo(t, path, "three\n")
	f.want("three")
	f.wantNote("was cut ") // to 0 bytes, or written anew where it was not looked at between
}

// A run that follows again goes on where the last one ended, and begins a file
// anew that has taken the place of the old one.
func TestFollowResumes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	appendTo(t, path, "one\ntwo\n")
	f := follow(t, path)
	f.want("one", "two")
	f.stop()
	appendTo(t, path, "three\n")
	s := open(t, stdio.Options{Follow: true}, path)[0].(*stdio.Source)
	if err := s.Seek([]stream.Position{f.last}); err != nil {
		t.Fatal(err)
	}
	b := &record.Batch{Data: make([]byte, 0, 64)}
	if err := s.Read(t.Context(), b); err != nil || string(b.Data) != "three\n" || b.Base != 8 {
		t.Errorf("%q at %d, %v", b.Data, b.Base, err)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := follow(t, path)
	time.Sleep(20 * time.Millisecond)
	begin := time.Now()
	f.stop()
	if d := time.Since(begin); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

// A file that is copied away and cut, and written anew beyond the place that was
// reached before anybody looks, is another file: its beginning is not passed over.
func TestFollowCutAndRefilledBetweenPolls(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"longer":         {"one\ntwo\n", "first\nsecond\nthird\n"},
		"as long":        {"one\ntwo\n", "six\nten\n"},
		"same end":       {"one\nsame\n", "new\nsame\nmore\n"},
		"same beginning": {"same\none\n", "same\nnew\nmore\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			appendTo(t, path, c.before)
			f := follow(t, path)
			f.want(strings.Fields(c.before)...)
			<-f.quiet
			rewrite(t, path, c.after)
			f.want(strings.Fields(c.after)...)
			f.wantNote("was cut and written anew")
			appendTo(t, path, "last\n")
			f.want("last")
		})
	}
}

// rewrite replaces what is in a file without ever showing less than it had.
func rewrite(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// A big file is followed across growth in small steps: what is remembered of it
// does not depend on how it was read.
func TestFollowRemembersWhatItRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	var all []string
	text := ""
	for i := range 400 {
		all = append(all, strings.Repeat("x", i%37)+"y")
		text += all[i] + "\n"
	}
	appendTo(t, path, text)
	f := follow(t, path)
	f.want(all...)
	for i := range 20 {
		<-f.quiet
		appendTo(t, path, all[i]+"\n")
		f.want(all[i])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.notes) > 0 {
		t.Errorf("a file that only grew is said to be another one: %q", f.notes)
	}
}

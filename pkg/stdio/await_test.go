package stdio_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// TestAwait: who waits for more of a followed file needs no batch for it, and misses neither
// what is added to it nor the file that follows it.
func TestAwait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	s := open(t, stdio.Options{Follow: true, Poll: 1}, path)[0].(*stdio.Source)
	read := func(want string) {
		t.Helper()
		for {
			b := &record.Batch{Data: make([]byte, 0, 64)}
			if err := s.Read(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if len(b.Data) > 0 && string(b.Data) != want {
				t.Fatalf("read %q, want %q", b.Data, want)
			}
			if len(b.Data) > 0 {
				return
			}
		}
	}
	await := func(meanwhile func()) {
		t.Helper()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Await(t.Context())
		}()
		meanwhile()
		<-done
	}
	await(func() { appendTo(t, path, "one\n") })
	read("one\n")
	await(func() { appendTo(t, path, "two\n") })
	read("two\n")
	await(func() {
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		appendTo(t, path, "three\n")
	})
	read("three\n")
}

// TestAwaitEnds: waiting ends with its context, and so does the source; one that cannot be
// opened fails as if it had been read.
func TestAwaitEnds(t *testing.T) {
	dir := t.TempDir()
	s := open(t, stdio.Options{Follow: true}, filepath.Join(dir, "never"))[0].(*stdio.Source)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Await(ctx)
	if err := s.Read(ctx, new(record.Batch)); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	s.Await(t.Context()) // does nothing any more
	var _ stream.Awaiter = s
	plain := stdio.NewReader(errReader{}, "r", stdio.Options{})
	plain.Await(t.Context()) // is not read before its time
	if err := plain.Read(t.Context(), &record.Batch{Data: make([]byte, 0, 8)}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("it fails with %v", err)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

package stdio_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/stdio"
)

func TestWatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	seen := make(chan string, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := "one"
		stdio.Watch(ctx, func() []string { return []string{"not/there", path} }, func() {
			if text, err := os.ReadFile(path); err == nil && string(text) != last {
				last = string(text)
				seen <- last
			}
		})
	}()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-seen:
			if got != want {
				t.Errorf("saw %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q was not seen", want)
		}
	}
	write("two")
	expect("two")
	write("owt") // as long, within the grain of the time
	expect("owt")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write("owt") // the same again
	other := path + ".new"
	if err := os.WriteFile(other, []byte("three"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	expect("three")
	cancel()
	<-done
}

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
			text, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				text = []byte("gone")
			}
			if len(text) > 0 && string(text) != last { // empty: a write is half done
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
		case <-time.After(time.Minute):
			t.Fatalf("%q was not seen", want)
		}
	}
	write("two")
	expect("two")
	write("owt") // as long, within the grain of the time
	expect("owt")
	replace := func(text string) {
		t.Helper()
		other := path + ".new"
		if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
	}
	replace("owt") // the same again
	replace("three")
	expect("three")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect("gone")
	cancel()
	<-done
}

package stream_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/stream"
)

func TestEntries(t *testing.T) {
	var e stream.Entries
	e.Append([]byte("a"), []byte("1"))
	e.Append([]byte("gone"), nil)
	e.Append([]byte("empty"), []byte{})
	var got string
	err := e.Each(func(key, value []byte) error {
		got += fmt.Sprintf("%s=%q %v;", key, value, value == nil)
		return nil
	})
	if want := `a="1" false;gone="" true;empty="" false;`; err != nil || got != want {
		t.Errorf("got %s %v, want %s", got, err, want)
	}
}

// TestTakeKeepsWhatWasRefused: an entry that could not be taken is the first one the next time.
func TestTakeKeepsWhatWasRefused(t *testing.T) {
	var e stream.Entries
	for _, key := range "abc" {
		e.Append([]byte(string(key)), []byte("1"))
	}
	var got string
	full := errors.New("no room")
	take := func(room int) error {
		return e.Take(func(key, _ []byte) error {
			if room--; room < 0 {
				return full
			}
			got += string(key)
			return nil
		})
	}
	if err := take(1); !errors.Is(err, full) || got != "a" {
		t.Errorf("took %q: %v", got, err)
	}
	if err := take(2); err != nil || got != "abc" || len(e) != 0 {
		t.Errorf("took %q, %d bytes are left: %v", got, len(e), err)
	}
}

// Every prefix is either whole entries or an error; nothing else is read.
func FuzzEntries(f *testing.F) {
	var e stream.Entries
	e.Append([]byte("key"), []byte("value"))
	e.Append([]byte("k"), nil)
	for n := range len(e) + 1 {
		f.Add([]byte(e[:n]))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var again stream.Entries
		err := stream.Entries(src).Each(func(key, value []byte) error {
			again.Append(key, value)
			return nil
		})
		if err == nil && len(again) > len(src) {
			t.Errorf("%d bytes became %d", len(src), len(again))
		}
	})
}

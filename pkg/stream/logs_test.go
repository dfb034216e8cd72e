package stream_test

import (
	"errors"
	"testing"

	"github.com/logctl/logctl/pkg/stream"
)

// TestLogIsStaleWhenItsChangesOutgrowTheWhole: a large state may have many changes, and
// what is saved whole begins anew.
func TestLogIsStaleWhenItsChangesOutgrowTheWhole(t *testing.T) {
	const mebibyte = 1 << 20
	var logs stream.Logs
	var m stream.Image
	task := stream.Task{Source: "app", Partition: 3}
	none := func(bool, func(int64, stream.Entries) error) error { return nil }
	if err := logs.Image(task, &m, none); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		bytes      int
		all, stale bool
	}{
		{8 * mebibyte, true, false},
		{8 * mebibyte, false, false},
		{1, false, true},
		{2 * mebibyte, true, false},
		{2*mebibyte + 1, false, true},
	} {
		n, err := logs.Add(task, make(stream.Entries, c.bytes), c.all)
		if err != nil || n != int64(i+1) || logs.Last(task) != n {
			t.Errorf("chunk %d has number %d, the last is %d: %v", i+1, n, logs.Last(task), err)
		}
		if logs.Stale(task) != c.stale {
			t.Errorf("after chunk %d: stale is %v", i+1, !c.stale)
		}
	}
	if _, err := logs.Add(stream.Task{}, nil, true); err == nil || err.Error() != "state of the run is saved that was not loaded" {
		t.Errorf("what was never loaded: %v", err)
	}
}

// TestLogOfWhichAPartCannotBeRead: what follows does not hide it.
func TestLogOfWhichAPartCannotBeRead(t *testing.T) {
	broken := errors.New("a bad disk")
	for _, bad := range []bool{true, false} {
		var logs stream.Logs
		err := logs.Load(stream.Task{}, func(whole bool, _ func(int64, stream.Entries) error) error {
			if whole == bad {
				return broken
			}
			return nil
		}, func(_, _ []byte) error { return nil })
		if !errors.Is(err, broken) {
			t.Errorf("whole %v: %v", bad, err)
		}
	}
}

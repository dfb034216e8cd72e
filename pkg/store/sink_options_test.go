package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/table"
)

// A database that another process has locked is waited for from its opening on, as
// long as Busy likes.
func TestOpenSinkWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	other := opened(t, path)
	if err := exec(t.Context(), other, "PRAGMA journal_mode = delete; BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	defer func(was time.Duration) { busyTimeout = was }(busyTimeout)
	busyTimeout = time.Millisecond
	waited := 0
	s, err := OpenSink(t.Context(), path, "", SinkOptions{Options: table.Options{Busy: func(error) error {
		if waited++; waited < 3 {
			return nil
		}
		err := exec(context.Background(), other, "COMMIT")
		return err
	}}})
	if err != nil || waited != 3 {
		t.Fatalf("waited %d times, %v; want it open after 3", waited, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

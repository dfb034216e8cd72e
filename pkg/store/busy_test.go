package store

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logctl/logctl/pkg/table"
)

// TestInterruptedWhileBusy: a run that is to end waits no longer for a database that
// another process keeps for itself; it says so, and what it has committed stays.
func TestInterruptedWhileBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	run, interrupt := context.WithCancel(t.Context())
	s, err := OpenSink(run, path, "", SinkOptions{Options: table.Options{Busy: func(err error) error { return err }}})
	if err != nil {
		t.Fatal(err)
	}
	other := opened(t, path)
	if err := exec(t.Context(), other, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	defer func(was time.Duration) { busyTimeout = was }(busyTimeout)
	busyTimeout = time.Minute
	time.AfterFunc(10*time.Millisecond, interrupt)
	begin := time.Now()
	if err := s.transaction(context.Background()); !busy(err) || time.Since(begin) >= busyTimeout {
		t.Errorf("%v after %s; want it to say at once that the database is locked", err, time.Since(begin))
	}
	if err := exec(t.Context(), other, "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := s.transaction(context.Background()); err != nil {
		t.Errorf("when nobody has it, what is in flight can still be written: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestBusyForAMoment: a run that is to end still waits for a short transaction; for one
// that lasts, no longer than that, and other runs wait for as long as they may.
func TestBusyForAMoment(t *testing.T) {
	for within, run := range map[time.Duration]context.Context{leaveTimeout: ended(t), busyTimeout: t.Context()} {
		synctest.Test(t, func(t *testing.T) {
			w, began := wait{run: run}, time.Now()
			for count := int32(0); w.again(count); count++ {
			}
			if took := time.Since(began); took < within || took > within+50*time.Millisecond {
				t.Errorf("given up after %v, want %v", took, within)
			}
		})
	}
}

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

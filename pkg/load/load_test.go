package load_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/load"
	"github.com/logctl/logctl/pkg/record"
)

func drain(t *testing.T, cfg load.Config) (n int) {
	t.Helper()
	cfg.Records.Profile = "app"
	s, err := load.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	pool := record.NewPool(1, 64<<10)
	for {
		b, err := pool.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = s.Read(t.Context(), b)
		for i := range b.Recs {
			if b.Recs[i].Offset != int64(n) {
				t.Fatalf("offset %d, want %d", b.Recs[i].Offset, n)
			}
			n++
		}
		b.Release()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLimitIsExact(t *testing.T) {
	if n := drain(t, load.Config{Limit: 12_345}); n != 12_345 {
		t.Errorf("%d records, want 12345", n)
	}
}

func TestPaceKeepsToTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate, err := limit.ParseSchedule("2000/s")
		if err != nil {
			t.Fatal(err)
		}
		// The schedule bounds what is sent however slow the machine is.
		if n := drain(t, load.Config{Schedule: rate, Duration: 100 * time.Millisecond}); n == 0 || n > 201 {
			t.Errorf("%d records in 100 ms at 2000/s, want 1 to 201", n)
		}
	})
}

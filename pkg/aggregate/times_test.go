package aggregate_test

import (
	"math"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// TestTimesOfFilteredRecords has the time of a record that was filtered out count only
// where it could count if it had passed.
func TestTimesOfFilteredRecords(t *testing.T) {
	hour := int64(time.Hour)
	times := &aggregate.Times{MaxAhead: time.Hour}
	for name, c := range map[string]struct {
		time  int64
		flags record.Flags
		want  int64
	}{
		"past":      {time: 3 * hour, want: 3 * hour},
		"soon":      {time: 6*hour - 1, want: 6*hour - 1},
		"far ahead": {time: 6 * hour, want: record.NoTime},
		"long ago":  {time: math.MinInt64 / 2, want: record.NoTime},
		"no time":   {time: record.NoTime, want: record.NoTime},
		"not dated": {time: 5 * hour, flags: record.Undated, want: record.NoTime},
	} {
		pool := record.NewPool(1, 1024)
		batch, err := pool.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		batch.Arrived = 5 * hour
		batch.Add([]byte("x"))
		rec := &batch.Recs[0]
		rec.Time, rec.Flags = c.time, record.Dropped|record.Filtered|c.flags
		times.Prepare(batch)
		if got := rec.Passed(); got != c.want || len(batch.Faults) > 0 {
			t.Errorf("%s: its time is %d, faults %v, want %d and none", name, got, batch.Faults, c.want)
		}
	}
}

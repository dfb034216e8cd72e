package window_test

import (
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/window"
)

// TestTrendsAreOfAggregates has rows with other numbers: a key, and what --trend adds.
func TestTrendsAreOfAggregates(t *testing.T) {
	minute := int64(time.Minute)
	trends := window.Trends([]window.Found{
		{Start: 0, End: minute, Row: []byte(`{"status":200,"n":4,"n_vs_previous":null}`)},
		{Start: minute, End: 2 * minute, Row: []byte(`{"status":200,"n":6,"n_vs_previous":0.5}`)},
	}, []string{"n"})
	if len(trends) != 1 {
		t.Fatalf("got %+v, want one of n", trends)
	}
	got := trends[0]
	if got.Field != "n" || got.Windows != 2 || got.Last != 6 || got.Mean != 5 || got.Previous == nil || *got.Previous != 0.5 {
		t.Errorf("got %+v", got)
	}
}

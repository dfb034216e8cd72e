package limit_test

import (
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/limit"
)

func TestSchedules(t *testing.T) {
	for _, tt := range []struct {
		spec string
		at   time.Duration
		want int64
	}{
		{"500/s", 2 * time.Second, 1000},
		{"60/m", 10 * time.Second, 10},
		{"ramp:0.000001..100/10s", 10 * time.Second, 500},
		{"ramp:100..300/10s", 5 * time.Second, 750},
		{"ramp:100..300/10s", 20 * time.Second, 2000 + 3000},
		{"burst:10..110/2s/10s", time.Second, 110},
		{"burst:10..110/2s/10s", 10 * time.Second, 100 + 200},
		{"burst:10..110/2s/10s", 21 * time.Second, 210 + 500},
	} {
		s, err := limit.ParseSchedule(tt.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Due(tt.at); got != tt.want {
			t.Errorf("%s: %d records due after %v, want %d", tt.spec, got, tt.at, tt.want)
		}
	}
	for _, spec := range []string{"fast", "ramp:1..2", "ramp:1-2/3s", "burst:1..2/9s/3s", "burst:1..2/3s/3s", "wave:1..2/3s", "-5/s", "0"} {
		if _, err := limit.ParseSchedule(spec); fault.Status(err) != fault.Usage {
			t.Errorf("%q: %v, want wrong usage", spec, err)
		}
	}
}

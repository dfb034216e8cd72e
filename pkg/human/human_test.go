package human_test

import (
	"math"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/human"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "7d": 168 * time.Hour,
		"2w": 336 * time.Hour, "250ms": 250 * time.Millisecond, "-1h": -time.Hour, "10us": 10 * time.Microsecond, "1d12h": 36 * time.Hour,
	} {
		if got, err := human.ParseDuration(s); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-", "5", "5x", "h", "1h5", "1..5s", "1 h", "99999999999w", "s5"} {
		if got, err := human.ParseDuration(s); err == nil {
			t.Errorf("%q is no duration, got %v", s, got)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", time.Minute: "1m", 90 * time.Second: "1m30s", 90 * time.Minute: "1h30m", 48 * time.Hour: "2d", -24 * time.Hour: "-1d",
		36 * time.Hour: "36h", 250 * time.Millisecond: "250ms", time.Hour + time.Second: "1h0m1s", 1500 * time.Microsecond: "1.5ms",
	} {
		got := human.Span(d)
		if back, err := human.ParseDuration(got); got != want || err != nil || back != d {
			t.Errorf("%v is written %s and read %v, %v; want %s", d, got, back, err, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"512": 512, "64KiB": 65536, "10MB": 10_000_000, "1.5G": 1_500_000_000, "1GiB": 1 << 30, "2k": 2000, "0": 0, "1B": 1,
	} {
		if got, err := human.ParseSize(s); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "MB", "-1", "5X", "1.2.3M", "9999999T"} {
		if got, err := human.ParseSize(s); err == nil {
			t.Errorf("%q is no size, got %v", s, got)
		}
	}
	for _, n := range []int64{0, 1, 1000, 1024, 10_000_000, 1 << 30, 12345} {
		if got, err := human.ParseSize(human.Size(n)); err != nil || got != n {
			t.Errorf("%d is written as %s and read as %d, %v", n, human.Size(n), got, err)
		}
	}
}

func TestParseRate(t *testing.T) {
	for s, want := range map[string]float64{"500": 500, "500/s": 500, "30/m": 0.5, "50k/s": 50_000, "1.5M/s": 1_500_000, "3600/h": 1} {
		if got, err := human.ParseRate(s); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "0", "-1/s", "fast", "5/d", "5x/s"} {
		if got, err := human.ParseRate(s); err == nil {
			t.Errorf("%q is no rate, got %v", s, got)
		}
	}
}

func TestWriting(t *testing.T) {
	for got, want := range map[string]string{
		human.Bytes(0): "0 B", human.Bytes(999): "999 B", human.Bytes(1234): "1.2 kB", human.Bytes(999_999): "1.0 MB",
		human.Bytes(56_000_000): "56 MB", human.Count(12): "12", human.Count(1234567): "1,234,567", human.Count(-1234): "-1,234",
		human.Count(56_000_000): "56 M", human.Whole(16 << 20): "16,777,216", human.Duration(350 * time.Millisecond): "350 ms", human.Duration(12300 * time.Millisecond): "12.3 s",
		human.Duration(250 * time.Second): "4m10s", human.Duration(200 * time.Minute): "3h20m", human.Duration(52 * time.Hour): "2d4h",
		human.Duration(-time.Second): "-1.0 s", human.Duration(math.MinInt64): "-106751d23h",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Package human reads and writes durations, sizes, counts and rates as people
// write them.
package human

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are the durations that a letter stands for, beyond Go's own.
var units = map[string]time.Duration{
	"ns": time.Nanosecond, "us": time.Microsecond, "µs": time.Microsecond, "ms": time.Millisecond,
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// ParseDuration reads a duration such as 90s, 1h30m, 1.5h, 7d or 2w, with an
// optional sign. A number without a unit is an error, except 0.
func ParseDuration(s string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(s, "-")
	if rest == "0" {
		return 0, nil
	}
	var sum float64
	for rest != "" {
		n := numberPrefix(rest)
		u := unitPrefix(rest[n:])
		value, err := strconv.ParseFloat(rest[:n], 64)
		unit, ok := units[rest[n:n+u]]
		if err != nil || !ok {
			return 0, fmt.Errorf("%q is no duration: want a number and one of ns us ms s m h d w, as in 90s or 1h30m", s)
		}
		sum += value * float64(unit)
		rest = rest[n+u:]
	}
	if s == "" || s == "-" || sum >= 1<<63 {
		return 0, fmt.Errorf("%q is no duration: want a number and one of ns us ms s m h d w, as in 90s or 1h30m", s)
	}
	if negative {
		sum = -sum
	}
	return time.Duration(sum), nil
}

// Span writes a duration in full, so that ParseDuration reads it back: 0, 250ms,
// 90s as 1m30s, 1h30m, 7d.
func Span(d time.Duration) string {
	s := d.String()
	switch {
	case d == 0:
		return "0"
	case d%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	case d%time.Hour == 0:
		return strings.TrimSuffix(s, "0m0s")
	case d%time.Minute == 0:
		return strings.TrimSuffix(s, "0s")
	default:
		return s
	}
}

// ParseSize reads a number of bytes such as 512, 64KiB, 10MB, 1.5G. K, M, G
// and T are powers of 1000, Ki, Mi, Gi and Ti of 1024; a final B is ignored.
func ParseSize(s string) (int64, error) {
	n := numberPrefix(s)
	value, err := strconv.ParseFloat(s[:n], 64)
	unit := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s[n:])), "b")
	scale, ok := map[string]float64{
		"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40,
	}[unit]
	if err != nil || !ok || value < 0 || value*scale >= 1<<63 {
		return 0, fmt.Errorf("%q is no size: want a number of bytes, as in 512, 64KiB or 10MB", s)
	}
	return int64(value * scale), nil
}

// ParseRate reads a number of things a second such as 500, 50000/s, 50k/s or
// 30/m.
func ParseRate(s string) (float64, error) {
	num, per, _ := strings.Cut(s, "/")
	seconds, ok := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[per]
	n := numberPrefix(num)
	value, err := strconv.ParseFloat(num[:n], 64)
	scale, known := map[string]float64{"": 1, "k": 1e3, "m": 1e6}[strings.ToLower(num[n:])]
	if err != nil || !ok || !known || value <= 0 {
		return 0, fmt.Errorf("%q is no rate: want a number and a unit of time, as in 500/s, 50k/s or 30/m", s)
	}
	return value * scale / seconds, nil
}

func numberPrefix(s string) int {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
		n++
	}
	return n
}

func unitPrefix(s string) int {
	n := 0
	for n < len(s) && s[n] != '.' && (s[n] < '0' || s[n] > '9') {
		n++
	}
	return n
}

// Bytes writes a number of bytes for people: 0 B, 1.2 MB.
func Bytes(n int64) string { return scaled(float64(n), "B") }

// Count writes a number for people: 12, 1,234, 5.6 M.
func Count(n int64) string {
	if n >= 10_000_000 {
		return strings.TrimSuffix(scaled(float64(n), ""), " ")
	}
	return Whole(n)
}

// Whole writes a number with all its digits: 12,345,678.
func Whole(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func scaled(f float64, unit string) string {
	if f < 1000 {
		return fmt.Sprintf("%.0f %s", f, unit)
	}
	i := -1
	for ; f >= 999.5 && i < 4; i++ {
		f /= 1000
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f %c%s", f, "kMGTP"[i], unit)
	}
	return fmt.Sprintf("%.0f %c%s", f, "kMGTP"[i], unit)
}

// Duration writes a duration for people, at most three digits of it: 350 ms,
// 12.3 s, 4m10s, 3h20m, 2d4h.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-max(d, -math.MaxInt64)) // the least of all has no opposite
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
	}
}

// Size writes a number of bytes so that ParseSize reads the same number back:
// 64KiB, 10MB, 1234.
func Size(n int64) string {
	for _, u := range []struct {
		unit string
		size int64
	}{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"KB", 1e3},
	} {
		if n >= u.size && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.unit
		}
	}
	return strconv.FormatInt(n, 10)
}

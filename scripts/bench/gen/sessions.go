package main

import (
	"bufio"
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// A click is an event of a user, in milliseconds of a day.
type click struct {
	ms   int64
	user uint32
}

// clicks makes n events of some of the users in time order: sessions of a
// geometric length of 8, a minute between events on average.
func clicks(r *rand.Rand, n, users int) []click {
	all := make([]click, 0, n)
	for len(all) < n {
		user := uint32(math.Pow(r.Float64(), 1.7) * float64(users))
		at := r.Float64() * 86_400_000
		for len(all) < n {
			all = append(all, click{int64(at), user})
			if r.IntN(8) == 0 {
				break
			}
			at += r.ExpFloat64() * 60_000
		}
	}
	slices.SortStableFunc(all, func(a, b click) int { return cmp.Compare(a.ms, b.ms) })
	return all
}

// writeSessions writes n events as NDJSON of 76 bytes each.
func writeSessions(w *bufio.Writer, n, users int) error {
	r := rand.New(rand.NewPCG(3, 4))
	day := time.Date(2026, 4, 18, 0, 0, 0, 0, time.UTC)
	var line []byte
	for _, c := range clicks(r, n, users) {
		line = append(line[:0], `{"user_id":"u`...)
		line = strconv.AppendUint(line, uint64(c.user), 10)
		line = append(line, `","timestamp":"`...)
		line = day.Add(time.Duration(c.ms)*time.Millisecond).AppendFormat(line, "2006-01-02T15:04:05.000Z")
		line = append(line, `","url":"/p/`...)
		line = strconv.AppendInt(line, int64(r.IntN(2000)), 10)
		line = append(line, "\"}\n"...)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

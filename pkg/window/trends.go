package window

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// A Trend says how an aggregate of a key has changed over its closed windows of one
// length.
type Trend struct {
	Field   string  `json:"field"`
	Seconds float64 `json:"window_seconds"`
	Windows int     `json:"windows"` // that have it
	Last    float64 `json:"last"`
	Mean    float64 `json:"mean"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	// Changes of the last value, as shares of earlier ones; null where there is none.
	Previous *float64 `json:"vs_previous"`
	Day      *float64 `json:"vs_day"`
	Week     *float64 `json:"vs_week"`
}

// Trends returns the trends of the numbers among the given aggregates in the rows of one
// key, which are in order.
func Trends(rows []Found, aggregates []string) []Trend {
	type id struct {
		field  string
		length int64
	}
	trends := map[id]*Trend{}
	at := map[id]map[int64]float64{} // by start
	last := map[id]int64{}
	for _, r := range rows {
		var fields map[string]any
		if json.Unmarshal(r.Row, &fields) != nil {
			continue
		}
		for _, name := range aggregates {
			v, ok := fields[name].(float64)
			if !ok {
				continue
			}
			k := id{name, r.End - r.Start}
			t := trends[k]
			if t == nil {
				t = &Trend{Field: name, Seconds: time.Duration(k.length).Seconds(), Min: v, Max: v}
				trends[k], at[k] = t, map[int64]float64{}
			} else {
				t.Previous = change(v, t.Last, true)
			}
			t.Windows++
			t.Last, t.Min, t.Max = v, min(t.Min, v), max(t.Max, v)
			t.Mean += (v - t.Mean) / float64(t.Windows)
			at[k][r.Start], last[k] = v, r.Start
		}
	}
	const day = int64(24 * time.Hour)
	all := make([]Trend, 0, len(trends))
	for k, t := range trends {
		before, ok := at[k][last[k]-day]
		t.Day = change(t.Last, before, ok)
		before, ok = at[k][last[k]-weekDays*day]
		t.Week = change(t.Last, before, ok)
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b Trend) int {
		return cmp.Or(cmp.Compare(a.Seconds, b.Seconds), cmp.Compare(a.Field, b.Field))
	})
	return all
}

func change(now, before float64, ok bool) *float64 {
	if !ok || before == 0 {
		return nil
	}
	share := (now - before) / max(before, -before)
	return &share
}

package window

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// A trend compares rows with those of earlier windows of their size: the one before
// (a hop earlier), and those of the same time a day or a week ago. A change is a
// share of the earlier value, 0.25 for a quarter more; null where there is none.
//
// What it compares with is kept for as long as it may be needed, a week at most, but
// of the last maxPast rows only.
type trend struct {
	*Op
	shapes   []*shape
	against  []string // of trendNames
	fields   []trendField
	past     map[pastKey]*past
	order    [][]pastKey // of each shape, the oldest first
	rows     int         // in past
	unsorted bool        // order is, for what was restored
	gone     []*past
}

// trendNames are what can be compared with.
var trendNames = []string{"previous", "day", "week"}

// maxPast bounds the rows that are kept to be compared with.
const maxPast = 2_000_000

// A trendField is an aggregate that is a number.
type trendField struct {
	field  int
	labels [][]byte // of its changes
}

// A pastKey is a closed window of a shape.
type pastKey struct {
	shape int
	start int64
}

// A past is what the aggregates of a closed window were.
type past struct {
	pastKey
	*aggregate.Table
	values []float64 // of each group, each field; NaN where there was none
	saved  int       // groups that Changes has given away
}

// checkTrend makes sure of what can be compared.
func (c *Config) checkTrend() error {
	for _, name := range c.Trend {
		if !slices.Contains(trendNames, name) {
			return fault.Usagef(fault.DidYouMean(name, trendNames), "trend %q: want previous, day or week", name)
		}
	}
	if len(c.Trend) > 0 && (c.Slide || c.Gap > 0) {
		return fault.Usagef("", "a trend needs windows that follow one another: neither --slide nor --gap")
	}
	return nil
}

func (o *Op) newTrend(shapes []*shape) *trend {
	t := &trend{Op: o, shapes: shapes, against: o.cfg.Trend, past: map[pastKey]*past{}}
	t.order = make([][]pastKey, len(shapes))
	for k, name := range o.set.Names() {
		if !o.set.Numeric(k) {
			continue
		}
		f := trendField{field: k}
		for _, to := range t.against {
			f.labels = append(f.labels, append(record.AppendQuoted([]byte{','}, []byte(name+"_vs_"+to)), ':'))
		}
		t.fields = append(t.fields, f)
	}
	return t
}

// names returns the fields that a trend adds to a row.
func (c *Config) trendNames(set *aggregate.Set) (names []string) {
	for k, name := range set.Names() {
		for _, to := range c.Trend {
			if set.Numeric(k) {
				names = append(names, name+"_vs_"+to)
			}
		}
	}
	return names
}

// append appends the changes of a row's aggregates, and keeps those of final rows.
func (t *trend) append(dst []byte, r *result, row aggregate.Row) ([]byte, error) {
	hash := aggregate.HashKey(r.kind, r.text)
	before := make([][]float64, len(t.against))
	for i, to := range t.against {
		if p := t.past[pastKey{r.shape, t.shapes[r.shape].earlier(r.window, to)}]; p != nil {
			if g, ok := p.Find(hash, r.kind, r.text); ok {
				before[i] = p.values[int(g)*len(t.fields):][:len(t.fields)]
			}
		}
	}
	values := make([]float64, len(t.fields))
	var text []byte
	for k, f := range t.fields {
		values[k] = math.NaN()
		if row.Cells != nil {
			text = t.set.AppendValue(text[:0], f.field, row)
		} else {
			text = t.set.AppendEmpty(text[:0], f.field, t.cfg.Fill == FillZero)
		}
		if v, ok := record.ParseNumber(text); ok {
			values[k] = v
		}
		for i, label := range f.labels {
			dst = append(dst, label...)
			change := math.NaN()
			if before[i] != nil {
				change = (values[k] - before[i][k]) / math.Abs(before[i][k])
			}
			dst = appendNumber(dst, change)
		}
	}
	if !r.final {
		return dst, nil
	}
	return dst, t.keep(r, hash, values)
}

func appendNumber(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return record.AppendNumber(dst, f)
}

// earlier returns the start of the window that one is compared with, as far as there
// is one that starts then.
func (s *shape) earlier(w window, to string) int64 {
	days := map[string]int{"day": 1, "week": weekDays}[to]
	switch {
	case days == 0:
		return s.start(w.number - s.hop)
	case s.size.calendar():
		return time.Unix(0, w.start).In(s.size.Zone).AddDate(0, 0, -days).UnixNano()
	default:
		return w.start - int64(days)*int64(24*time.Hour)
	}
}

// keep keeps the values of a row.
func (t *trend) keep(r *result, hash uint64, values []float64) error {
	p := t.at(pastKey{r.shape, r.start})
	g, err := p.Group(hash, r.kind, r.text)
	if err == nil && int(g)*len(values) == len(p.values) {
		p.values = append(p.values, values...)
		t.rows++
	}
	return err
}

// at returns the past of a window, which it makes where there is none.
func (t *trend) at(key pastKey) *past {
	p := t.past[key]
	if p == nil {
		p = &past{pastKey: key, Table: aggregate.NewTable(nil)}
		t.past[key] = p
		t.order[key.shape] = append(t.order[key.shape], key)
	}
	return p
}

// expire forgets what no window that is still to close is compared with.
func (t *trend) expire() {
	for k, s := range t.shapes {
		list := t.order[k]
		if t.unsorted {
			slices.SortFunc(list, func(a, b pastKey) int { return cmp.Compare(a.start, b.start) })
		}
		for len(list) > 0 && (list[0].start < t.oldest(s) || t.rows > maxPast) {
			p := t.past[list[0]]
			t.rows -= p.Len()
			if p.saved > 0 {
				t.gone = append(t.gone, p)
			}
			delete(t.past, list[0])
			list = list[1:]
		}
		t.order[k] = list
	}
	t.unsorted = false
}

// oldest returns the start of the first window that will be compared with.
func (t *trend) oldest(s *shape) int64 {
	if t.limit == math.MinInt64 {
		return math.MinInt64
	}
	next := window{number: s.first(t.limit)}
	next.start = s.start(next.number)
	least := next.start
	for _, to := range t.against {
		least = min(least, s.earlier(next, to))
	}
	return least
}

// changes gives away what is kept.
func (t *trend) changes(s *saver) error {
	for ; len(t.gone) > 0; t.gone = t.gone[1:] {
		for p := t.gone[0]; p.saved > 0; p.saved-- {
			if err := s.put(s.pastKey(p, uint32(p.saved-1)), nil); err != nil {
				return err
			}
		}
	}
	for _, list := range t.order {
		for _, key := range list {
			if err := s.past(t.past[key], len(t.fields)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *trend) unsave() {
	t.gone = nil
	for _, p := range t.past {
		p.saved = 0
	}
}

// past gives away what has come to a closed window.
func (s *saver) past(p *past, fields int) error {
	for ; p.saved < p.Len(); p.saved++ {
		s.value = s.value[:0]
		for _, v := range p.values[p.saved*fields:][:fields] {
			s.value = binary.LittleEndian.AppendUint64(s.value, math.Float64bits(v))
		}
		if err := s.put(s.pastKey(p, uint32(p.saved)), s.value); err != nil {
			return err
		}
	}
	return nil
}

func (s *saver) pastKey(p *past, g uint32) []byte {
	s.key = append(appendTimeKey(s.key[:0], entryPast, p.start), byte(p.shape))
	s.key = appendGroupKey(s.key, p.Table, g)
	return s.key
}

// restore takes back a row.
func (t *trend) restore(key, value []byte) (bool, error) {
	if len(key) < timeKey+2 || int(key[timeKey]) >= len(t.shapes) || len(value) != 8*len(t.fields) {
		return false, nil
	}
	start, _, _ := splitTimeKey(key)
	kind, text := record.Kind(key[timeKey+1]), key[timeKey+2:]
	if !possible(start) || !t.keys.Valid(kind, text) {
		return false, nil
	}
	p := t.at(pastKey{int(key[timeKey]), start})
	g, err := p.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil || int(g)*len(t.fields) != len(p.values) {
		return false, err
	}
	for ; len(value) > 0; value = value[8:] {
		p.values = append(p.values, math.Float64frombits(binary.LittleEndian.Uint64(value)))
	}
	p.saved = p.Len()
	t.rows++
	t.unsorted = true
	return true, nil
}

// ParseTrend reads a list of what to compare with.
func ParseTrend(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// Package window aggregates records over windows of event time.
//
// Time is cut into panes of the greatest common divisor of a window's size and
// hop, and a group of a pane holds mergeable aggregates. A tumbling window is
// one pane; a hopping one merges its panes when it closes, so that a record
// costs the same however many windows it belongs to.
//
// The rows do not depend on the order of the records, as far as none is late.
// Where panes have to be merged, that includes topk and mode only while a
// group has no more than ten times as many keys as are asked for, or 1,000.
package window

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// Config says what to compute. Size is all that has to be set.
type Config struct {
	Size time.Duration // length of a window, a millisecond or more
	Hop  time.Duration // a window begins every so often, from 1970 on in UTC, or from a Monday if weekly; 0: every Size
	By   []string      // keys: fields or NAME=EXPR
	Aggs string        // aggregates, as in `n=count(), p99(latency_ms)`; by default count()

	Grace          time.Duration // how far the watermark passes a window's end before it closes
	GraceUnlimited bool          // windows close at the end of the input only

	// MaxAhead, where set, makes records bad that are stamped more than this
	// beyond the time when they were read, so that one bad clock does not
	// close everyone's windows.
	MaxAhead time.Duration

	// Update has rows written as they change, every Every at most, with the
	// field `final` that tells them from the row of a closed window.
	Update bool
	Every  time.Duration
}

// The limits of what is reasonable, and of what can be computed.
const (
	manyWindows = 1000
	minSize     = time.Millisecond
	maxTime     = math.MaxInt64 / 2 // the year 2116; windows of any size end before overflow
)

// An Op is the operator. Its rows are JSON objects: window_start, window_end,
// the keys, the aggregates; their time is the window's end, their key the
// JSON of the group's key (an array where there are several). They come in the
// order of window end, window start and key.
type Op struct {
	cfg             Config
	size, hop, pane int64
	origin          int64 // a time at which a window begins
	zone            *time.Location
	keys            *aggregate.Keys
	set             *aggregate.Set

	panes  map[int64]*pane
	starts []int64 // of panes
	sorted bool
	limit  int64 // windows that end at or before it are closed
	due    int64 // the least end of a window that is open
	groups int
	newest int64 // time of a record

	rows    []int32  // of the run of rows in one pane: their index,
	members []uint32 // and their group
	known   []uint32 // the groups, plus one, of the keys that are numbered; 0 where it was not looked up
	updated int64    // when rows were last written for change

	tracking bool    // Changes is called: it has to be noted what changes
	mark     uint8   // what is noted of a group that a record is added to
	saved    clock   // what Changes has given away
	gone     []*pane // keys of panes that Changes has given away and that are no more

	late   stream.Sink
	writer writer
	stats  counters
}

// New returns an operator that reads fields of plan. Errors are of wrong usage.
func New(cfg Config, plan *record.Plan) (*Op, error) {
	o := &Op{
		cfg: cfg, size: int64(cfg.Size), hop: int64(cfg.Hop), zone: plan.Zone, panes: map[int64]*pane{},
		limit: math.MinInt64, due: math.MaxInt64, newest: math.MinInt64,
	}
	if o.hop == 0 {
		o.hop = o.size
	}
	if cfg.Update {
		o.mark = unsaid
	}
	if err := o.checkTimes(); err != nil {
		return nil, err
	}
	o.pane = gcd(o.size, o.hop)
	o.origin = stamp.IntervalOrigin(o.hop)
	var err error
	if o.keys, err = aggregate.CompileKeys(cfg.By, plan); err != nil {
		return nil, err
	}
	aggs := cfg.Aggs
	if strings.TrimSpace(aggs) == "" {
		aggs = "count()"
	}
	if o.set, err = aggregate.Compile(aggs, plan); err != nil {
		return nil, err
	}
	return o, o.checkNames()
}

func (o *Op) checkTimes() error {
	c := &o.cfg
	switch {
	case c.Size < minSize:
		return fault.Usagef("as in --size 1m", "window size %s: want at least %s", human.Span(c.Size), human.Span(minSize))
	case c.Hop < 0 || c.Hop > c.Size:
		return fault.Usagef("with gaps between them records would be lost; for fewer rows choose a larger size",
			"window hop %s: want at most the size, %s", human.Span(c.Hop), human.Span(c.Size))
	case c.Grace < 0:
		return fault.Usagef("", "grace %s: want 0 or more", human.Span(c.Grace))
	case c.Size > maxTime/4 || c.Grace > maxTime/4:
		return fault.Usagef("", "window size %s and grace %s: want less than 36 years", human.Span(c.Size), human.Span(c.Grace))
	default:
		return nil
	}
}

// checkNames makes sure that the fields of a row have different names.
func (o *Op) checkNames() error {
	names := []string{"window_start", "window_end", "final"}
	for _, name := range slices.Concat(o.keys.Names(), o.set.Names()) {
		if slices.Contains(names, name) {
			return fault.Usagef("give one of them another name: other="+name, "two fields of a row are called %q", name)
		}
		names = append(names, name)
	}
	return nil
}

// Warnings says what is allowed but seldom meant.
func (o *Op) Warnings() []string {
	if n := o.size / o.hop; n > manyWindows {
		return []string{fmt.Sprintf("each record belongs to %d windows: size %s is more than %d times the hop %s",
			n, human.Span(o.cfg.Size), manyWindows, human.Span(o.cfg.Hop))}
	}
	return nil
}

// RowKey returns the names of the fields that tell one row from another.
func (o *Op) RowKey() []string {
	return append([]string{"window_start", "window_end"}, o.keys.Names()...)
}

// Mismatches returns how many comparisons in keys and aggregates met a value of
// another type, as text beside a number. It may be called from any goroutine.
func (o *Op) Mismatches() int64 { return o.keys.Mismatches() + o.set.Mismatches() }

// SetLate has records that are too late for every window written to a sink.
func (o *Op) SetLate(to stream.Sink) { o.late = to }

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// floor rounds t down to a multiple of step.
func floor(t, step int64) int64 {
	m := t % step
	if m < 0 {
		m += step
	}
	return t - m
}

// paneOf returns the start of the pane that holds a time.
func (o *Op) paneOf(t int64) int64 { return floor(t-o.origin, o.pane) + o.origin }

// windowAt returns the start of the last window that begins at t or before it.
func (o *Op) windowAt(t int64) int64 { return floor(t-o.origin, o.hop) + o.origin }

// lastWindow returns the start of the last window that holds the pane.
func (o *Op) lastWindow(pane int64) int64 { return o.windowAt(pane) }

// firstWindow returns the start of the first window that holds the pane.
func (o *Op) firstWindow(pane int64) int64 { return o.windowAt(pane+o.pane-o.size-1) + o.hop }

// firstOpen returns the start of the first window that holds the pane and is
// not closed.
func (o *Op) firstOpen(pane int64) int64 {
	s := o.firstWindow(pane)
	if s+o.size <= o.limit {
		s = o.windowAt(o.limit-o.size) + o.hop
	}
	return s
}

// Package window aggregates records over windows of time.
//
// Windows that begin at given times (tumbling, hopping, of the calendar, of
// several sizes at once) share panes: stretches of time in which no window begins
// or ends. A group of a pane holds mergeable aggregates, so that a record costs
// the same however many windows it belongs to (aligned.go, tree.go). A session's
// window lasts as long as no gap is longer than allowed (sessions.go), and a
// sliding one ends at each record (sliding.go).
//
// The rows do not depend on the order of the records, as far as none is late.
// Where panes have to be merged, that includes topk and mode only while a
// group has no more than ten times as many keys as are asked for, or 1,000.
package window

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Config says what to compute. Sizes, Slide or Gap must be set; they define the
// windows.
type Config struct {
	Sizes []Size        // lengths of windows, a millisecond or more each
	Hop   Size          // a window begins every so often, from 1970 on, or from a Monday if weekly; zero: every size
	Slide bool          // instead: a window of the one size ends at each record
	Gap   time.Duration // instead of a size: a window lasts until nothing came for longer than this
	By    []string      // keys: fields or NAME=EXPR
	Aggs  string        // aggregates, as in `n=count(), p99(latency_ms)`; by default count()

	Grace          time.Duration // how far the watermark passes a window's end before it closes
	GraceUnlimited bool          // windows close at the end of the input only
	Arrival        bool          // the time of a record is when it was read, and the clock closes windows

	// MaxAhead, where set, makes records bad that are stamped more than this
	// beyond the time when they were read, so that one bad clock does not
	// close everyone's windows.
	MaxAhead time.Duration

	Emit   Emit
	Every  time.Duration // how often updates are written
	Having string        // a condition over the fields of a row that it has to meet
	Fill   Fill          // rows for empty windows of known keys
	Trend  []string      // what rows are compared with: previous, day, week

	// Retention is how long the rows of closed windows are kept for queries, by
	// their ends and as far as they fit into KeptBytes; 0: not at all.
	Retention time.Duration
	KeptBytes int64

	// MaxMemory bounds about how many bytes windows take: beyond it groups go to
	// Spill. 0: it is not bounded.
	MaxMemory int64
	Spill     stream.Spill
}

// Emit says when rows are emitted. Except with Final, a field `final` tells the rows of
// closed windows from others.
type Emit int

// The times when rows are written.
const (
	Final  Emit = iota // when a window closes
	Update             // as they change; when a window closes, those that have changed since the last time
	Both               // as they change, and when a window closes
)

// The limits of what is reasonable, and of what can be computed.
const (
	manyWindows = 1000
	minSize     = time.Millisecond
	maxTime     = math.MaxInt64 / 2 // the year 2116; windows of any size end before overflow
	maxSize     = maxTime / 4
)

// An Op is the operator. Its rows are JSON objects: window_start, window_end, the keys
// and the aggregates. The time of a row is the end of the window, its key the JSON of
// the group's key (an array if there are several). Rows come in the order of window
// end, window start and key.
type Op struct {
	cfg   Config
	keys  *aggregate.Keys
	set   *aggregate.Set
	times *aggregate.Times
	check *aggregate.Times // the same, where they are seen to here
	zone  *time.Location   // in which times are written; nil: UTC
	open  machine

	limit  int64 // windows that end at or before it are closed
	newest int64 // time of a record
	seen   int64 // likewise, of those that were observed

	known   []uint32 // the groups, plus one, of the keys that are numbered; 0 where it was not looked up
	hashes  []uint64 // of keys, for warm
	updated int64    // when rows were last written for change
	late    stream.Sink
	rows    stream.RowWriter
	rowHead rowHead
	having  *having
	trend   *trend
	kept    *kept

	tracking bool     // Changes is called: it has to be noted what changes
	mark     uint8    // what is noted of a group that a record is added to
	saved    clock    // what Changes has given away
	strays   [][]byte // keys of entries that were given back, but are not wanted

	held  [2]int64 // what it has added to the counts of open windows and groups
	stats *counters
}

// A machine keeps the open windows of one kind.
type machine interface {
	windows
	timing
	holder
}

// Windows are what a machine does with records and time.
type windows interface {
	// add adds the live ones of rows.
	add(rows record.Rows) error
	// close writes the rows of windows that end at or before limit, drops those,
	// and sets Op.limit. At math.MaxInt64 the input has ended.
	close(limit int64, out stream.Output) error
	// update writes the rows of open windows that have changed.
	update(out stream.Output) error
}

// Timing says when windows close.
type timing interface {
	// closesAt returns the limit at which the first window closes that holds t.
	closesAt(t int64) int64
	// next returns the least limit beyond the present one that makes a difference,
	// whether there are records or not.
	next() int64
	// settle rounds a limit down to one that makes a difference.
	settle(limit int64) int64
}

// A holder holds windows.
type holder interface {
	keeper
	// size returns how many windows, or their parts, and groups are held.
	size() (open, groups int)
}

// A keeper gives what it holds away, and takes it back.
type keeper interface {
	// changes gives away the entries that have changed. Those that s refuses are
	// for the next call.
	changes(s *saver) error
	// unsave makes all entries such that have changed.
	unsave()
	// restore takes back an entry; false where it cannot be one.
	restore(key, value []byte) (bool, error)
}

// New returns an operator that reads fields of plan. Errors are usage errors.
func New(cfg Config, plan *record.Plan) (*Op, error) {
	o := &Op{cfg: cfg, zone: plan.Zone, stats: new(counters)}
	o.times = &aggregate.Times{MaxAhead: cfg.MaxAhead, Arrival: cfg.Arrival}
	o.check = o.times
	if err := o.checkConfig(); err != nil {
		return nil, err
	}
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
	if err := o.checkNames(); err != nil {
		return nil, err
	}
	if cfg.Having != "" {
		if o.having, err = o.newHaving(cfg.Having); err != nil {
			return nil, err
		}
	}
	o.begin()
	return o, nil
}

// Another returns an operator like o without records, for another task of the same run.
// Batches that o has prepared can be given to both, and both count in the same Stats.
// All are called by one goroutine.
func (o *Op) Another() *Op {
	other := &Op{
		cfg: o.cfg, zone: o.zone, keys: o.keys, set: o.set, times: o.times, check: o.check, late: o.late,
		having: o.having, stats: o.stats,
	}
	other.begin()
	return other
}

// begin makes an operator that has seen nothing.
func (o *Op) begin() {
	o.limit, o.newest, o.seen = math.MinInt64, math.MinInt64, math.MinInt64
	if o.cfg.Emit != Final {
		o.mark = unsaid
	}
	if o.cfg.Retention > 0 {
		o.kept = &kept{Op: o}
	}
	switch {
	case o.cfg.Gap > 0:
		o.open = newSessions(o)
	case o.cfg.Slide:
		o.open = newSliding(o)
	default:
		o.open = newAligned(o)
	}
}

// names returns the fields of a row.
func (o *Op) names() []string {
	names := []string{"window_start", "window_end"}
	names = slices.Concat(names, o.keys.Names(), o.set.Names(), o.cfg.trendNames(o.set))
	if o.cfg.Emit != Final {
		names = append(names, "final")
	}
	return names
}

// checkNames makes sure that the fields of a row have different names.
func (o *Op) checkNames() error {
	names := append(o.names(), "final")
	if o.cfg.Emit != Final {
		names = o.names()
	}
	for i, name := range names {
		if slices.Contains(names[i+1:], name) {
			return fault.Usagef("give one of them another name: other="+name, "two fields of a row are called %q", name)
		}
	}
	return nil
}

// RowKey returns the names of the fields that identify a row. The end of a session is
// not among them, because it moves while the session is open.
func (o *Op) RowKey() []string {
	if o.cfg.Gap > 0 {
		return append([]string{"window_start"}, o.keys.Names()...)
	}
	return append([]string{"window_start", "window_end"}, o.keys.Names()...)
}

// Aggregates returns the names of the aggregates of a row.
func (o *Op) Aggregates() []string { return o.set.Names() }

// Mismatches returns how many comparisons in keys and aggregates met a value of
// another type, as text beside a number. It may be called from any goroutine.
func (o *Op) Mismatches() int64 { return o.keys.Mismatches() + o.set.Mismatches() }

// SetLate sets the sink for records that are too late for every window.
func (o *Op) SetLate(to stream.Sink) { o.late = to }

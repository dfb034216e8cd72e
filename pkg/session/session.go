// Package session collects the records of each user into sessions: series of events
// with no more than a gap between neighbours.
//
// An open session is a start, an end and a count, and cells of mergeable aggregates if
// they are asked for. An event that comes out of order extends a session or joins two,
// so that the rows do not depend on the order of records, as long as none is late.
//
// Where the order of events matters (sessions that are cut by length or by a condition,
// funnels, numbered events), events are held until no earlier one is expected, and are
// then processed in order. See order.go.
package session

import (
	"math"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Config says what a session is and what its row has. Only Gap must be set.
type Config struct {
	Key []string      // fields or NAME=EXPR; by default user
	Gap time.Duration // a session is over so long after its last event
	Details
	Cuts

	Grace          time.Duration // how late a record may come
	GraceUnlimited bool          // none is late; sessions close at the end of the input only

	// MaxAhead, where set, makes records bad that are stamped more than this
	// beyond the time when they were read, so that one bad clock does not
	// close everyone's sessions.
	MaxAhead time.Duration

	// Update has rows written as they change, every Every at most, with the
	// fields op and final. A row that is no more true, since its session became
	// part of another one, is retracted.
	Update bool
	Every  time.Duration

	// MaxMemory bounds about how many bytes users, sessions and events take that
	// wait for time to come to them: beyond it they go to Spill. 0: it is not
	// bounded.
	MaxMemory int64
	Spill     stream.Spill
}

// Cuts say what ends a session other than the gap. The zero value is nothing.
type Cuts struct {
	MaxLength time.Duration // no event of a session is farther from its start
	MaxEvents uint64        // the event with this number is the last one
	StartWhen string        // an event for which it is true is the first one
	EndWhen   string        // an event for which it is true is the last one
}

// DefaultKey is the key by which records are grouped by default.
const DefaultKey = "user"

const maxSpan = math.MaxInt64 / 8 // of gap and grace: 36 years

// An Op is the operator. Its rows are JSON objects: session_id, the keys,
// session_start, session_end, duration_ms, events, and what else is asked for. The time
// of a row is the end of the session, its key the JSON of the session's key (an array
// if there are several). Rows come in the order of end, start and key.
//
// Time advances in steps of a second at most, so that what closes and what is late does
// not depend on where batches end.
type Op struct {
	cfg        Config
	gap, grace int64
	zone       *time.Location // in which rows show times
	keys       *aggregate.Keys
	fields     *fields
	times      *aggregate.Times
	check      *aggregate.Times // the same, where they are seen to here

	users    users
	sessions sessions
	cells    *aggregate.Cells // nil where there are no aggregates
	timers   timers
	order    *order // nil where the order of events does not matter
	marks    marks
	state    state
	history  *history         // nil where nothing is kept
	shelf    *aggregate.Shelf // what is spilled; nil where memory is not bounded
	bound    aggregate.Bound  // of memory
	silence  silence
	limit    int64 // no record before it is awaited
	newest   int64 // time of a record

	known   []knownUser // by the numbers that a batch gives its keys
	round   uint32
	wanted  []wanted // keys that are being looked up
	rows    []int32  // that wait for being added to cells,
	members []uint32 // and their sessions
	closing []ending // sessions that are over
	open    int      // sessions that are open

	late      stream.Sink
	abandoned stream.Sink
	out       stream.Output // while rows are processed
	failed    error         // what went wrong with it
	writer    stream.RowWriter
	row       rowBuffers
	updated   int64    // when rows were last written for change
	counted   [4]int64 // open sessions, users, held events and spilled bytes, as they are in stats
	stats     *counters
}

// An ending is a session that is over, since a time.
type ending struct {
	over int64
	n    uint32
	turn uint32 // which ended first, of those of a user and a moment
}

// A knownUser is what a key was found to be in a round.
type knownUser struct{ round, user uint32 }

// New returns an operator that reads fields of plan. Errors are usage errors.
func New(cfg Config, plan *record.Plan) (*Op, error) {
	if err := checkSpans(&cfg); err != nil {
		return nil, err
	}
	if err := cfg.checkMemory(); err != nil {
		return nil, err
	}
	if len(cfg.Key) == 0 {
		cfg.Key = []string{DefaultKey}
	}
	keys, err := aggregate.CompileKeys(cfg.Key, plan)
	if err != nil {
		return nil, err
	}
	if keys.Len() == 0 {
		return nil, fault.Usagef("as in --key user", "sessions need a key")
	}
	fields, err := compileFields(&cfg, keys.Names(), plan)
	if err != nil {
		return nil, err
	}
	o := &Op{
		cfg: cfg, zone: plan.Zone, keys: keys, fields: fields, times: &aggregate.Times{MaxAhead: cfg.MaxAhead},
		stats: new(counters),
	}
	o.check = o.times
	o.start()
	return o, o.checkNames()
}

// start makes an operator that has seen nothing.
func (o *Op) start() {
	o.gap, o.grace = int64(o.cfg.Gap), int64(o.cfg.Grace)
	o.limit, o.newest = math.MinInt64, math.MinInt64
	o.row.compare = o.compare
	o.timers.step = min(max(o.gap/stepsInGap, int64(time.Millisecond)), int64(time.Second))
	if o.fields.set.Len() > 0 {
		o.cells = o.fields.set.NewCells()
	}
	if o.fields.ordered() {
		o.order = newOrder(o)
	}
	if o.cfg.MaxMemory > 0 {
		o.shelf = aggregate.NewShelf(o.cfg.Spill)
	}
	if o.cfg.Update && !o.cfg.Events {
		o.marks.wanted = unsaid
	}
}

// stepsInGap is how many steps of time a gap has at least, as far as they are not
// shorter than a millisecond.
const stepsInGap = 64

func checkSpans(c *Config) error {
	switch {
	case c.Gap < time.Millisecond:
		return fault.Usagef("as in --gap 30m", "session gap %s: want at least 1ms", human.Span(c.Gap))
	case c.Grace < 0:
		return fault.Usagef("", "grace %s: want 0 or more", human.Span(c.Grace))
	case c.MaxLength < 0:
		return fault.Usagef("as in --max-length 12h", "longest session %s: want more than 0", human.Span(c.MaxLength))
	case c.Gap > maxSpan || c.Grace > maxSpan || c.MaxLength > maxSpan:
		return fault.Usagef("", "session gap %s and grace %s: want less than 36 years",
			human.Span(c.Gap), human.Span(c.Grace))
	default:
		return nil
	}
}

// checkNames makes sure that the fields of a row have different names.
func (o *Op) checkNames() error {
	names := o.fields.reserved()
	for _, name := range slices.Concat(o.keys.Names(), o.fields.set.Names()) {
		if slices.Contains(names, name) {
			return fault.Usagef("give one of them another name: other="+name, "two fields of a row are called %q", name)
		}
		names = append(names, name)
	}
	return nil
}

// RowKey returns the names of the fields that identify a row.
func (o *Op) RowKey() []string { return []string{"session_id"} }

// Mismatches returns how many comparisons in keys and expressions met a value of
// another type, as text beside a number. It may be called from any goroutine.
func (o *Op) Mismatches() int64 { return o.keys.Mismatches() + o.fields.mismatches() }

// SetLate sets the sink for late records.
func (o *Op) SetLate(to stream.Sink) { o.late = to }

// TakeTimes returns the part that checks the times of records, for a pipeline that does
// this before records come to the operator. The operator does it no more then.
func (o *Op) TakeTimes() *aggregate.Times {
	o.check = new(aggregate.Times)
	return o.times
}

// Prepare numbers the keys of all records and evaluates arguments. It marks records
// whose time cannot be right as bad.
func (o *Op) Prepare(b *record.Batch) {
	o.check.Prepare(b)
	o.keys.Prepare(b)
	o.fields.prepare(b)
}

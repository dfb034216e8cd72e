package kafka

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// boundKind says what a bound is counted from.
type boundKind int

const (
	atDefault boundKind = iota // start: the beginning; stop: never
	atBeginning
	atEnd
	atTime   // n is ms since 1970
	atOffset // n is an offset
	fromEnd  // the last n of each partition
	forCount // n offsets after the start
)

// A Bound is where reading begins or ends in each partition.
type Bound struct {
	kind boundKind
	n    int64
}

// ParseStart reads where to begin: beginning, end, -10 (the last ten of each
// partition), -1h (that long ago), a time in RFC 3339, or an offset.
func ParseStart(s string, now time.Time) (Bound, error) {
	switch s {
	case "":
		return Bound{}, nil
	case "beginning":
		return Bound{kind: atBeginning}, nil
	case "end":
		return Bound{kind: atEnd}, nil
	}
	if last, ok := strings.CutPrefix(s, "-"); ok {
		if n, ok := parseCount(last); ok {
			return Bound{fromEnd, n}, nil
		}
	}
	if b, ok := parsePoint(s, now); ok {
		return b, nil
	}
	return Bound{}, fault.Usagef("beginning, end, -1h, -10, 2026-01-31T12:00:00Z or an offset",
		"%q is no place to start at", s)
}

// ParseStop reads where to end: end (the stable offsets at the start of the
// run), +10 (ten offsets after the start of each partition), a time as for
// ParseStart, or an offset. The empty string is never.
func ParseStop(s string, now time.Time) (Bound, error) {
	switch s {
	case "":
		return Bound{}, nil
	case "end":
		return Bound{kind: atEnd}, nil
	}
	if count, ok := strings.CutPrefix(s, "+"); ok {
		if n, ok := parseCount(count); ok {
			return Bound{forCount, n}, nil
		}
	}
	if b, ok := parsePoint(s, now); ok {
		return b, nil
	}
	return Bound{}, fault.Usagef("end, +10, -1h, 2026-01-31T12:00:00Z or an offset", "%q is no place to stop at", s)
}

// parseCount reads digits and nothing else.
func parseCount(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

// layouts are how times are written; those without a zone are UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02",
}

// parsePoint reads a duration before now, a time or an offset.
func parsePoint(s string, now time.Time) (Bound, bool) {
	if n, ok := parseCount(s); ok {
		return Bound{atOffset, n}, true
	}
	if strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "--") {
		if d, err := human.ParseDuration(s); err == nil {
			return Bound{atTime, now.Add(d).UnixMilli()}, true
		}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return Bound{atTime, t.UnixMilli()}, true
		}
	}
	return Bound{}, false
}

// offsets are the marks of partitions that bounds are resolved against.
type offsets struct {
	first, last kadm.ListedOffsets // last is the end that readers see: the stable offset, or the high watermark
	start, stop kadm.ListedOffsets // of bounds that are times
}

// An inquiry asks for the marks of topics.
type inquiry struct {
	cfg    SourceConfig // its bounds, and its patience
	admin  *kadm.Client
	topics []string
	outage func(error) // is told once that a broker is waited for, and why
}

// A lister asks for one offset of each partition of topics.
type lister func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error)

// listOffsets asks for the marks of topics.
func (s *Source) listOffsets(ctx context.Context, topics []string) (offsets, error) {
	q := inquiry{cfg: s.cfg, admin: s.admin, topics: topics, outage: s.noteOutage}
	return q.marks(ctx)
}

// marks asks for all that the bounds are resolved against.
func (q *inquiry) marks(ctx context.Context) (o offsets, err error) {
	if len(q.topics) == 0 {
		return o, nil
	}
	last := q.admin.ListCommittedOffsets
	if q.cfg.Uncommitted {
		last = q.admin.ListEndOffsets
	}
	if o.first, err = q.ask(ctx, q.admin.ListStartOffsets); err != nil {
		return o, err
	}
	if o.last, err = q.ask(ctx, last); err != nil {
		return o, err
	}
	if o.start, err = q.askTime(ctx, q.cfg.Start); err != nil {
		return o, err
	}
	o.stop, err = q.askTime(ctx, q.cfg.Stop)
	return o, err
}

// askTime asks for the first offsets from a time on; of another bound there is nothing
// to ask.
func (q *inquiry) askTime(ctx context.Context, b Bound) (kadm.ListedOffsets, error) {
	if b.kind != atTime {
		return nil, nil
	}
	return q.ask(ctx, func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return q.admin.ListOffsetsAfterMilli(ctx, b.n, topics...)
	})
}

// ask asks until the offsets of all topics are known: metadata may lag a fresh topic, and
// where a leader has died it takes ten seconds until another one takes over.
func (q *inquiry) ask(ctx context.Context, list lister) (kadm.ListedOffsets, error) {
	said := false
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		all, err := list(ctx, q.topics...)
		if err == nil {
			err = all.Error()
		}
		if !said && time.Since(began) > longSilence/2 && ctx.Err() == nil {
			q.outage(err)
			said = true
		}
		patience := freshWithin
		if passes(err) {
			patience = q.cfg.Timeout
		}
		if err == nil || time.Since(began) > patience || ctx.Err() != nil {
			return all, q.cfg.explain(err, "")
		}
	}
}

// offsetOf returns the offset that is listed for a partition, 0 where none is.
func offsetOf(l kadm.ListedOffsets, id part) int64 {
	at, _ := l.Lookup(id.topic, id.n)
	return at.Offset
}

// begin returns where a partition without a position begins.
func (o offsets) begin(b Bound, id part) int64 {
	first := offsetOf(o.first, id)
	last := offsetOf(o.last, id)
	switch b.kind {
	case atEnd:
		return last
	case atTime:
		at := offsetOf(o.start, id)
		return min(at, last)
	case atOffset:
		return min(max(b.n, first), last)
	case fromEnd:
		return max(first, last-b.n)
	default:
		return first
	}
}

// never is the stop of a partition that is read for ever.
const never = -1

// end returns the offset to stop at, as seen at the start of the run.
func (o offsets) end(b Bound, id part) int64 {
	switch b.kind {
	case atEnd:
		last := offsetOf(o.last, id)
		return last
	case atTime:
		at := offsetOf(o.stop, id)
		last := offsetOf(o.last, id)
		return min(at, last)
	case atOffset:
		return b.n
	default:
		return never
	}
}

// checkStop refuses a stop that is still to come: what would be read until
// then depends on the clocks of the producers.
func (b Bound) checkStop(now time.Time) error {
	if b.kind == atTime && b.n > now.UnixMilli() {
		return fault.Usagef("use --stop end, or a time that has passed",
			"stop at %s lies in the future", time.UnixMilli(b.n).UTC().Format(time.RFC3339))
	}
	return nil
}

// A Span is the offsets of a partition that a run has read: from From to before To.
type Span struct {
	Topic     string
	Partition int32
	From, To  int64
}

// Spans returns what has been read of each partition, without a group.
func (s *Source) Spans() []Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var spans []Span
	for id, p := range s.parts {
		spans = append(spans, Span{id.topic, id.n, s.marks.begin(s.cfg.Start, id), p.next})
	}
	return spans
}

package route

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Destination is where rules send records: an endpoint that is open.
type Destination struct {
	Name  string
	First bool // the first one of a rule, or of the default
	Sink  stream.Sink
	Sent  atomic.Int64 // records given to Sink
	Bytes atomic.Int64 // of their values
}

// Destinations are all that were opened so far, each once.
type Destinations struct {
	opens func(name string, first bool) (stream.Sink, error)
	mu    sync.Mutex
	list  atomic.Pointer[[]*Destination]
}

// NewDestinations returns a set that opens what is new with open, which is told
// whether the destination is the first one of some rule.
func NewDestinations(open func(name string, first bool) (stream.Sink, error)) *Destinations {
	d := &Destinations{opens: open}
	d.list.Store(new([]*Destination))
	return d
}

// All returns the destinations in the order in which they were opened.
func (d *Destinations) All() []*Destination { return *d.list.Load() }

// A Requirer is a sink that may lose what it is given, until it is required: the
// sink of a destination that becomes the first one of a rule.
type Requirer interface{ Require() }

// open returns the destinations of the given names, opening those that are new.
// What was opened stays open, whatever goes wrong.
func (d *Destinations) open(names []string, first func(name string) bool) ([]*Destination, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []*Destination
	for _, name := range names {
		all := d.All()
		k := slices.IndexFunc(all, func(o *Destination) bool { return o.Name == name })
		if k >= 0 {
			if r, ok := all[k].Sink.(Requirer); ok && first(name) {
				r.Require()
			}
			found = append(found, all[k])
			continue
		}
		sink, err := d.opens(name, first(name))
		if err != nil {
			return nil, fmt.Errorf("destination %q: %w", stream.HidePassword(name), err)
		}
		o := &Destination{Name: name, First: first(name), Sink: sink}
		grown := append(slices.Clone(all), o)
		d.list.Store(&grown)
		found = append(found, o)
	}
	return found, nil
}

// A Router is the part of a pipeline that decides: a stream.Operator whose
// batches were parsed for the plan of a Table.
type Router struct {
	*Live
	Stats *Stats
	Now   func() int64 // the wall clock, for measuring; nil measures nothing
}

// Live is the table that is in force. It may be changed while records are routed.
type Live struct{ table atomic.Pointer[Table] }

// Set puts a table in force: for all batches that are parsed from now on.
func (l *Live) Set(t *Table) { l.table.Store(t) }

// Table returns the table that is in force; nil before the first one.
func (l *Live) Table() *Table { return l.table.Load() }

// Plan returns what that table reads.
func (l *Live) Plan() *record.Plan { return l.Table().plan }

// Mismatches returns how many comparisons met a value of another type.
func (l *Live) Mismatches() int64 { return l.Table().Mismatches() }

// Prepare decides for all records of a batch.
func (r *Router) Prepare(b *record.Batch) {
	if t := tableOf(b); t != nil {
		t.Prepare(b)
	}
}

// tableOf returns the table by which a batch is routed; nil for a batch that
// nobody has parsed, which has no records.
func tableOf(b *record.Batch) *Table {
	if b.Plan == nil {
		return nil
	}
	t, _ := b.Plan.Use.(*Table)
	return t
}

// Process asks the rules with limits and passes the records on.
func (r *Router) Process(rows record.Rows, out stream.Output) error {
	t := tableOf(rows.Batch)
	if t == nil {
		return nil
	}
	if t.limits {
		for i := rows.Lo; i < rows.Hi; i++ {
			if rows.Recs[i].Live() {
				t.gate(rows.Batch, i)
			}
		}
	}
	if r.Now != nil && rows.Arrived > 0 {
		r.Stats.decided(r.Now() - rows.Arrived)
	}
	err := out.Emit(rows)
	t.count(stream.Taken(rows, err))
	return err
}

// A Switch is the sink behind a Router: it gives each destination its records, in
// their order.
type Switch struct{ dests *Destinations }

// NewSwitch returns the sink of destinations.
func NewSwitch(d *Destinations) *Switch { return &Switch{d} }

// Write stops at the first destination that fails: the pipeline ends, and nothing
// that only some of them have is committed.
func (s *Switch) Write(rows record.Rows) error {
	t := tableOf(rows.Batch)
	if t == nil {
		return errors.New("records that were not routed")
	}
	for w := range t.words {
		used := uint64(0)
		for i, bits := range rows.Words(w)[rows.Lo:rows.Hi] {
			if rows.Recs[rows.Lo+i].Live() {
				used |= bits
			}
		}
		for ; used != 0; used &= used - 1 {
			if err := t.write(rows, w<<6+bits.TrailingZeros64(used)); err != nil {
				return err
			}
		}
	}
	return nil
}

// write gives destination d its records of rows.
func (t *Table) write(rows record.Rows, d int) error {
	view, err := t.view()
	if err != nil {
		return err
	}
	defer func() {
		if view.Reuse() {
			t.spare = view
			return
		}
		view.Release()
	}()
	view.View(rows.Batch)
	words, forms := rows.Words(d>>6), rows.Words(t.words)
	size := int64(0)
	for i := rows.Lo; i < rows.Hi; i++ {
		if words[i]>>(d&63)&1 == 0 || !rows.Recs[i].Live() {
			continue
		}
		view.Recs = append(view.Recs, rows.Recs[i])
		if forms[i] != 0 {
			if form, ok := t.formOf(rows.Batch, i, d); ok {
				view.Recs[len(view.Recs)-1].Value = form
			}
		}
		size += int64(view.Recs[len(view.Recs)-1].Value.Len)
	}
	dest := t.dests[d]
	dest.Sent.Add(int64(len(view.Recs)))
	dest.Bytes.Add(size)
	return dest.Sink.Write(view.All())
}

// view returns an empty view. When all are held by sinks that wait for
// acknowledgements, it waits with them: they know when it is in vain.
func (t *Table) view() (*record.Batch, error) {
	if v := t.spare; v != nil {
		t.spare = nil
		return v, nil
	}
	v, err := t.views.Get(noWait)
	for k := 0; err != nil && k < len(t.dests); k++ {
		if f, ok := t.dests[k].Sink.(stream.Flusher); ok {
			if err := f.Flush(context.Background()); err != nil {
				return nil, err
			}
		}
		v, err = t.views.Get(noWait)
	}
	if err != nil {
		return t.views.Get(context.Background())
	}
	return v, nil
}

// noWait is a context that is done.
var noWait = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Flush returns when every destination has what it was given.
func (s *Switch) Flush(ctx context.Context) error {
	var errs []error
	for _, d := range s.dests.All() {
		if f, ok := d.Sink.(stream.Flusher); ok {
			errs = append(errs, f.Flush(ctx))
		}
	}
	return errors.Join(errs...)
}

// Push passes on what destinations have gathered.
func (s *Switch) Push() error {
	var errs []error
	for _, d := range s.dests.All() {
		if p, ok := d.Sink.(stream.Pusher); ok {
			errs = append(errs, p.Push())
		}
	}
	return errors.Join(errs...)
}

// A Tracked is a Switch with destinations that finish records at their own pace:
// it implements stream.Tracker over those that do.
type Tracked struct{ *Switch }

// trackers returns the destinations that finish records at their own pace.
func (s Tracked) trackers() (list []stream.Tracker) {
	for _, d := range s.dests.All() {
		if t, ok := d.Sink.(stream.Tracker); ok {
			list = append(list, t)
		}
	}
	return list
}

// Finished returns p, lowered to what every destination has finished.
func (s Tracked) Finished(p stream.Position) stream.Position {
	for _, t := range s.trackers() {
		p = t.Finished(p)
	}
	return p
}

// Leave has all destinations give up partitions.
func (s Tracked) Leave(gone []*record.Origin) {
	for _, t := range s.trackers() {
		t.Leave(gone)
	}
}

// Drain returns when every destination has finished everything.
func (s Tracked) Drain(ctx context.Context, again bool) error {
	var errs []error
	for _, t := range s.trackers() {
		errs = append(errs, t.Drain(ctx, again))
	}
	return errors.Join(errs...)
}

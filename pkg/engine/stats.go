package engine

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// Stats count what a run does. All members may be read while it runs.
type Stats struct {
	In          atomic.Int64 // records read
	Bytes       atomic.Int64 // bytes of them; of those that are too long, what was looked at
	Out         atomic.Int64 // records written
	Bad         atomic.Int64 // records that did not parse
	Dropped     atomic.Int64 // records that a filter took out
	Empty       atomic.Int64 // empty lines between structured records
	Remarks     atomic.Int64 // likewise: lines that begin with #, where these are no records
	Undated     atomic.Int64 // records whose time is when they were read, where the time was looked for
	Watermark   atomic.Int64 // event time, ns since 1970
	Behind      atomic.Int64 // ns between the last batch's arrival and its newest record's time
	CommitNanos atomic.Int64 // how long the last commit took
	Stalls      atomic.Int64 // how often records waited for a commit
	StallNanos  atomic.Int64 // how long in all
	StallMost   atomic.Int64 // and at most
	Restoring   atomic.Int64 // tasks whose state is not there yet
	StateBytes  atomic.Int64 // bytes of state that the last commit saved

	Restored      atomic.Int64 // entries of state that were taken back
	RestoredBytes atomic.Int64 // bytes of them
	RestoreNanos  atomic.Int64 // how long it took to restore the last task

	found []bool   // columns of the plan that held a value so far
	other bool     // records were read by another plan: which fields they had is not known
	names []string // fields that the first records had
	bad   string   // where the first bad record is, and what is wrong with it
}

// read counts a batch that has been parsed and prepared.
func (s *Stats) read(b *job) {
	s.add(b, 0, 1)
	if n := len(b.Recs); n > 0 {
		if t := b.Recs[n-1].Time; t != record.NoTime {
			s.Behind.Store(b.Arrived - t)
		}
	}
}

// add counts the records of a batch from the given row on, so many times: -1 of
// those that were read ahead and that nobody will process. Which of some of a
// batch's rows are empty lines it does not say: the last ones count as such.
func (s *Stats) add(b *job, from int, times int64) {
	var dropped, bad, undated int64
	for i := from; i < len(b.Recs); i++ {
		switch flags := b.Recs[i].Flags; {
		case flags&record.Bad != 0:
			bad++
		case flags&record.Dropped != 0:
			dropped++
		case flags&record.Undated != 0:
			undated++
		}
	}
	n, empty := int64(len(b.Recs)-from), min(int64(b.Empty), dropped)
	remarks := min(int64(b.Remarks), dropped-empty)
	size := b.size
	if from > 0 {
		size = size * n / int64(len(b.Recs))
	}
	s.In.Add(times * (n - empty - remarks))
	s.Bytes.Add(times * size)
	s.Bad.Add(times * bad)
	s.Empty.Add(times * empty)
	s.Remarks.Add(times * remarks)
	s.Undated.Add(times * undated)
	s.Dropped.Add(times * (dropped - empty - remarks))
}

// stood notes that records have waited for a commit.
func (s *Stats) stood(ns int64) {
	s.Stalls.Add(1)
	s.StallNanos.Add(ns)
	s.StallMost.Store(max(s.StallMost.Load(), ns))
}

// TakeInput copies the counts of the input from another run, which has read it for this
// one.
func (s *Stats) TakeInput(from *Stats) {
	for _, n := range []struct{ to, from *atomic.Int64 }{
		{&s.In, &from.In},
		{&s.Bytes, &from.Bytes},
		{&s.Bad, &from.Bad},
		{&s.Dropped, &from.Dropped},
		{&s.Empty, &from.Empty},
		{&s.Remarks, &from.Remarks},
		{&s.Undated, &from.Undated},
	} {
		n.to.Store(n.from.Load())
	}
	s.names, s.bad = from.names, from.bad
}

// notice remembers which fields of the plan have been seen. A batch with a
// field that has not been costs a look at its column.
func (s *Stats) notice(p *record.Plan, b *record.Batch) {
	if b.Plan != nil && b.Plan != p {
		s.other = s.other || len(b.Recs) > 0
		return
	}
	for len(s.found) < len(p.Fields) {
		s.found = append(s.found, false)
	}
	for k, found := range s.found {
		if found {
			continue
		}
		for i, v := range b.Col(k) {
			if v.Kind() != record.Missing && b.Recs[i].Flags&record.Bad == 0 {
				s.found[k] = true
				break
			}
		}
	}
}

// Names returns the fields of the first records, for saying which one was
// meant. It is for after the run.
func (s *Stats) Names() []string { return s.names }

// FirstBad returns where the first bad record is and what is wrong with it, or "". It is
// for after the run.
func (s *Stats) FirstBad() string {
	if s.Bad.Load() == 0 {
		return ""
	}
	return s.bad
}

// Unseen returns the fields of the plan that no record had: none where some were read
// by another plan. It is for after the run.
func (s *Stats) Unseen(p *record.Plan) []string {
	if s.other {
		return nil
	}
	var paths []string
	for k, found := range s.found {
		if !found && k != p.Time {
			paths = append(paths, p.Fields[k].Path)
		}
	}
	return paths
}

// Timeless reports whether the plan reads a time and no record had one of its own. It
// is for after the run.
func (s *Stats) Timeless(p *record.Plan) bool {
	return !s.other && p.Time >= 0 && p.Time < len(s.found) && !s.found[p.Time]
}

// Summary says in one line what came in and what became of it.
func (s *Stats) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "in %s (%s), out %s, bad %s", human.Count(s.In.Load()),
		human.Bytes(s.Bytes.Load()), human.Count(s.Out.Load()), human.Count(s.Bad.Load()))
	for _, x := range []struct {
		what string
		n    int64
	}{
		{"filtered out", s.Dropped.Load()}, {"empty lines", s.Empty.Load()}, {"comment lines", s.Remarks.Load()},
	} {
		if x.n > 0 {
			fmt.Fprintf(&b, ", %s %s", x.what, human.Count(x.n))
		}
	}
	return b.String()
}

// Package engine runs pipelines. It owns the goroutines, the order of the records, the
// watermark and the commits.
//
// One goroutine for each source reads batches, a few parse them in parallel
// (nine tenths of the work), and one takes them in order through the operator
// into the sink. Batches come from fixed pools: a slow sink stops the readers.
// The output does not depend on the number of parsers nor, within a partition
// or in time order, on where batches begin and end.
package engine

import (
	"context"
	"runtime"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Order says in which order the partitions of a pipeline are read.
type Order int

// The orders. Within a partition records keep their order in all of them.
const (
	InSequence  Order = iota // one source after the other, as cat does
	AsItArrives              // whichever has something
	InTime                   // the least event time first, as far as partitions are ahead of each other
)

// A Parser splits a batch into records, fills its columns and marks bad records. It
// belongs to one goroutine.
type Parser interface {
	Parse(b *record.Batch)
}

// A Doubter is a Parser that may find that a batch, and everything after it, cannot be
// read. The run ends then.
type Doubter interface {
	Parser
	// Err returns what was wrong with the last batch.
	Err() error
}

// A Pipeline is what one run does. The zero value of a field is its default.
type Pipeline struct {
	Sources  []stream.Source
	Parser   func() Parser                    // makes a parser for each parsing goroutine; nil: records come ready
	Begin    func([]byte, *record.Origin) int // finds the format of a source of records by its first ones
	Prepare  []stream.Preparer                // filters and setters, in order, run beside the parsing
	Operator stream.Operator                  // nil: what is read is written
	Sink     stream.Sink
	Dead     stream.Sink                  // takes records that do not parse; nil: they are counted
	Sides    []*Gate                      // what else the operator writes to: flushed before positions are committed
	Names    func(*record.Batch) []string // the fields of some records, for saying which one was meant
	Plan     *record.Plan                 // what Parser fills, for noticing fields that no record has

	// New returns another operator like Operator, which then only prepares. With it every
	// partition of the sources is a task with its own operator, watermark and state, which
	// moves with it to other instances of a group.
	New func(stream.Task) stream.Operator

	Vault     stream.Vault // keeps the state of the operator, a stream.Stateful, between runs
	Continues bool         // the input goes on in another run: its end closes nothing
	Ask       *Asker       // passes questions to the operators; may be nil

	// OnFailed is told why a source has ended before its time while others may go on;
	// the error of the run has it too. It may be nil.
	OnFailed func(error)

	// GiveWay has the goroutine that calls it give way, for as long as it lasts, to the
	// operators and to those who ask them. The goroutines that read, parse, and commit
	// beside operators call it; may be nil.
	GiveWay func()

	// Yield lets others have the core at once that wait for it. Goroutines that work
	// long call it after each piece of work, of some tenths of a millisecond; may be nil.
	Yield func()

	Order      Order
	Choose     stream.Chooser // of the sources, says whose records come next, instead of Order; may be nil
	AtMostOnce bool           // positions are committed before records are processed
	Exactly    bool           // positions are kept by the sink, a stream.Keeper, with its output
	Held       bool           // the sink holds batches while it sends them: there are more of them
	Counts     bool           // the sink counts in Stats.Out what comes out of it
	Strict     bool           // the first bad record ends the run
	Limit      int64          // end after so many records have been written; 0 for no limit

	Parsers     int           // parsing goroutines, by default one a core
	Arena       int           // bytes of a batch, by default 256 KiB
	Idle        time.Duration // how long a partition at its end may hold the watermark
	CommitEvery time.Duration // by default half a second
	Drain       time.Duration // how long an interrupted run may finish what it has read

	Stats *Stats       // filled while running; may be nil
	Now   func() int64 // the wall clock, ns since 1970; by default the machine's
}

// Run runs p until its sources end, its limit is reached, ctx is done, or
// something fails. When ctx is done it stops reading, finishes what is in
// flight, commits and returns nil.
func Run(ctx context.Context, p Pipeline) error {
	r := newRun(p)
	return r.run(ctx)
}

const defaultArena = 256 << 10

func (p *Pipeline) setDefaults() {
	setDefault(&p.Parsers, runtime.GOMAXPROCS(0))
	setDefault(&p.Idle, 30*time.Second)
	setDefault(&p.CommitEvery, 500*time.Millisecond)
	setDefault(&p.Drain, 30*time.Second)
	if p.Arena == 0 {
		p.Arena = arenaFor(len(p.Sources))
	}
	if p.Stats == nil {
		p.Stats = new(Stats)
	}
	if p.GiveWay == nil {
		p.GiveWay = func() {}
	}
	if p.Yield == nil {
		p.Yield = func() {}
	}
	if p.Now == nil {
		p.Now = func() int64 { return time.Now().UnixNano() }
	}
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

// arenaFor returns the arena of a batch such that all batches of n sources
// together stay within some 64 MiB, down to 32 KiB for a batch. Those of still more
// sources take what they hold.
func arenaFor(n int) int {
	return min(max(64<<20/(batchesFor(n)*max(n, 1)), leastArena), defaultArena)
}

const leastArena = 32 << 10

// batches returns how many batches each source may have under way. Where the
// sink holds them until they are acknowledged, some must be on their way while
// others fill: with eight, a producer waits more than it sends.
func (p *Pipeline) batches() int {
	n := batchesFor(len(p.Sources))
	if p.Held {
		n = max(n, manyBatches/max(len(p.Sources), 1))
	}
	return n
}

// outputs returns how many batches of an operator's own there may be at a time.
func (p *Pipeline) outputs() int {
	if p.Held {
		return manyBatches
	}
	return 6
}

// batchesFor returns how many batches each of n sources needs for reading,
// parsing and processing at once.
func batchesFor(n int) int {
	if n > 4 {
		return 3
	}
	return 2*runtime.GOMAXPROCS(0) + 4
}

// Package stream says how the parts of a pipeline meet: sources give batches
// of records, operators change them, sinks take them. Each contract is one
// method; what only some implementers can do is a second, optional interface.
//
// The engine (pkg/engine) runs a pipeline: it owns the goroutines, the order,
// the watermark and the commits. Parts may rely on being called as said here
// and need no lock of their own.
package stream

import (
	"context"
	"errors"

	"github.com/logctl/logctl/pkg/record"
)

// A Source gives the records of one or more partitions.
type Source interface {
	// Read fills the empty batch b with the next records of one partition:
	// Origin, Data or Recs, Next, Arrived, AtEnd, Last. It waits until there is at
	// least one record, but not until the batch is full. A source of bytes
	// fills Data with whole records and leaves Recs empty: the parser frames
	// them. A source of records fills both. A batch without records but with
	// an Origin announces a partition or, with AtEnd, that it has gone quiet.
	//
	// Read returns io.EOF when every partition has ended; b is then unused.
	// Any other error ends the pipeline. When ctx is done it returns soon,
	// with what it had (nil) or with ctx's error. One goroutine calls it.
	Read(ctx context.Context, b *record.Batch) error
}

// A Position is how far one partition has been dealt with: every record below
// Next.
type Position struct {
	Source    string // Origin.Source
	Partition int32
	Next      int64
	Done      bool // the partition has ended in this run, and its operator has said its last words
}

// A Committer is a Source that remembers positions: a consumer group.
type Committer interface {
	Source
	// Commit makes positions durable. All that the records below them caused
	// has been acknowledged before. It is called from another goroutine than
	// Read's.
	Commit(ctx context.Context, at []Position) error
}

// A Seeker is a Source that can begin where an earlier run ended.
type Seeker interface {
	Source
	// Seek is called once, before the first Read. Partitions that are not
	// named begin where they would have.
	Seek(at []Position) error
}

// A Grower is a Source that may be complete although its run is not the last one:
// a log that was rotated.
type Grower interface {
	Source
	// Grows reports whether another run will find more in it.
	Grows() bool
}

// A Pauser is a Source of several partitions that can hold some back while
// others catch up, for reading in time order.
type Pauser interface {
	Source
	// Pause holds a partition back, or lets it go on. Batches of it that were
	// on their way still arrive. It may be called at any time.
	Pause(o *record.Origin, hold bool)
}

// A Recaller is a Source with partitions that have ended when all of those have
// that they are filled from.
type Recaller interface {
	Source
	// Recall gives back marks of ends that an earlier reader of the partition has
	// met. It may be called at any time.
	Recall(o *record.Origin, ended []record.Mark)
}

// An Urgent is a Source that may have a barrier to hand out while every batch is
// in use.
type Urgent interface {
	Source
	// Urgent has a message when Read is to be called soon, with any batch.
	Urgent() <-chan struct{}
}

// A Peeker is a Source that can show its first bytes before it is read, so
// that the engine opens many files in the order of their first records.
type Peeker interface {
	Source
	// Peek fills b as Read does with the first few records, and leaves the
	// source as if it had not been called. It returns io.EOF where there are
	// none.
	Peek(b *record.Batch) error
}

// A Sized Source knows how many bytes it has in all, for showing progress.
type Sized interface {
	// Size returns the total and false where it is not known.
	Size() (int64, bool)
}

// A Chooser says whose records come next where sources are not equally urgent.
type Chooser interface {
	// Choose returns the source that comes next, -1 for none, and how many of its
	// records at most before it is asked again. waiting has an entry for each source.
	Choose(now int64, waiting []Waiting) (source, most int)
	// Took says that rows of a source have been given to the sink, and returns whether
	// they are urgent: where they are seen when they are committed, that is to be soon.
	Took(now int64, source int, rows record.Rows) (urgent bool)
}

// Waiting is what of a source has been read and is not processed yet.
type Waiting struct {
	Records int
	Since   int64 // the least stamp of those that come next in their partitions
	Awaited int64 // since when more of it is on its way and nothing of a partition is here; 0: none is
}

// An Output takes what an operator makes.
type Output interface {
	// Batch returns an empty batch to fill.
	Batch() (*record.Batch, error)
	// Emit hands rows on. Where the batch came from Batch, the caller gives
	// it up; rows of a batch that was passed to Process stay the engine's.
	Emit(rows record.Rows) error
}

// An Operator is a deterministic state machine over batches: equal input gives
// equal output. It does no I/O, starts no goroutine and reads no clock.
type Operator interface {
	// Process takes the next rows in order and emits what follows from them.
	// Rows that are not Live are to be passed over. It may change records and
	// append to the arena. rows is valid until it returns.
	Process(rows record.Rows, out Output) error
}

// A Preparer is an Operator with work that needs neither order nor state:
// evaluating expressions, parsing numbers, hashing keys.
type Preparer interface {
	// Prepare is called once for each whole batch before any of its rows is
	// processed, from several goroutines at a time, each with its own batch.
	Prepare(b *record.Batch)
}

// A Ticker is an Operator that acts on the passing of time.
type Ticker interface {
	// Tick says that event time has reached watermark (no record before it
	// is awaited) and that the wall clock shows now; both ns since 1970. It is
	// called after Process when the watermark has risen, and at least once a
	// second. The watermark is record.NoTime until it is known.
	Tick(watermark, now int64, out Output) error
}

// An Idler is a Ticker that acts on the silence of its task's partitions.
type Idler interface {
	Ticker
	// Idle is called before each Tick: whether none of the partitions holds time
	// back, each having been at its end and silent for as long as it may.
	Idle(idle bool)
}

// A Waiter is a Ticker for which it matters between which records time passes.
type Waiter interface {
	Ticker
	// Due returns the least watermark at which Tick will do something. The
	// engine calls Tick behind the very record with which it is reached, so
	// that what follows does not depend on where batches end.
	Due() int64
}

// A Finisher is an Operator that has something to say at the end of all input.
type Finisher interface {
	// Finish is called once, after the last Process, when all input has ended.
	// It is not called when the run was interrupted.
	Finish(out Output) error
}

// A Sink takes records.
type Sink interface {
	// Write takes the live ones of rows, in order. The bytes are valid until
	// it returns; a sink that needs them longer retains the batch. An error
	// ends the pipeline.
	Write(rows record.Rows) error
}

// A Flusher is a Sink that holds records back.
type Flusher interface {
	// Flush returns when all that was written is where it belongs, as durably
	// as the sink promises (acknowledged by Kafka, accepted by a pipe).
	Flush(ctx context.Context) error
}

// A Pusher is a Sink that gathers what it is given before it passes it on.
type Pusher interface {
	// Push passes on what is held, without waiting for more or for an answer.
	// The engine calls it when the input falls silent, so that pipes stay live.
	Push() error
}

// A Keeper is a Sink that keeps the source's positions with its records, in
// one transaction: what makes a pipeline into it exactly once.
type Keeper interface {
	Flusher
	// Positions returns what the last committed transaction holds.
	Positions(ctx context.Context) ([]Position, error)
	// Keep adds positions to what the next Flush commits.
	Keep(at []Position)
}

// A Tracker is a Sink that finishes records at their own pace and out of order,
// as a handler does that may refuse one and is given it again later. Write only
// takes them, and retains their batches; positions pass what is finished.
//
// A record is finished when all that it caused, its dead letter included, has
// been handed on, so that a Flush which comes after makes it durable.
type Tracker interface {
	// Finished returns p, lowered to the first record of its partition that was
	// written and is not finished.
	Finished(p Position) Position
	// Leave gives up partitions that another reader goes on with: of what is not
	// finished, nothing is begun any more, and nothing that comes of it is handed
	// on. Finished still tells where the other one has to begin.
	Leave(gone []*record.Origin)
	// Drain returns when everything is finished. With again, what has not been
	// begun may be left: the source can be read again from the positions. It ends
	// early with ctx's error, and may then be called again.
	Drain(ctx context.Context, again bool) error
}

// A Rationed is a Tracker that holds few records where choices are to count: what
// it has been given cannot be overtaken any more.
type Rationed interface {
	Tracker
	// Room returns how many more records it is to be given now, and what has a
	// message when that may be more.
	Room() (n int, more <-chan struct{})
}

// Stopped is the error of a sink that takes no more although nothing has failed:
// a run ends behind what was taken, as if it had read no further.
type Stopped struct {
	At int // the first of the rows that was not taken
}

// Error says that it is the end.
func (Stopped) Error() string { return "no more is taken" }

// ErrHeld is what a sink with a breaker says while that is open: of Write, that
// it took nothing; of Flush, that what it has is not settled, and that there is
// no use waiting for it now. Both may be tried again.
var ErrHeld = errors.New("the breaker is open")

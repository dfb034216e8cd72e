// Package stream has the interfaces of a pipeline: sources produce batches of records,
// operators process them, sinks take them. Each of these is one method; what only some
// implementations can do is a second, optional interface.
//
// The engine (pkg/engine) runs a pipeline: it owns the goroutines, the order, the
// watermark and the commits. It calls the parts as these comments say, so that they
// need no locks of their own.
package stream

import (
	"context"
	"errors"

	"github.com/logctl/logctl/pkg/record"
)

// A Source reads the records of one or more partitions.
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

// A Position says how far one partition has been processed: all records below Next have
// been.
type Position struct {
	Source    string // Origin.Source
	Partition int32
	Next      int64
	Done      bool   // the partition has ended in this run, and its operator has said its last words
	Begins    uint64 // Origin.Begins
}

// A Committer is a Source that remembers positions: a consumer group.
type Committer interface {
	Source
	// Commit makes positions durable. All output of the records below them has been
	// acknowledged before. It is called from another goroutine than Read.
	Commit(ctx context.Context, at []Position) error
}

// A Seeker is a Source that can begin where an earlier run ended.
type Seeker interface {
	Source
	// Seek is called once, before the first Read. Partitions that are not named begin
	// where they would without it.
	Seek(at []Position) error
}

// A Grower is a Source that knows whether more records will be added to it: a log that
// was rotated away is complete.
type Grower interface {
	Source
	// Grows reports whether a later run may find more in it.
	Grows() bool
}

// An Awaiter is a Source that can wait for records without a batch: one of thousands of
// files that are followed and quiet.
type Awaiter interface {
	Source
	// Await returns when Read should be called, at the latest when ctx is done. It is
	// called before each Read, by the same goroutine.
	Await(ctx context.Context)
}

// A Pauser is a Source of several partitions that can hold some back while
// others catch up, for reading in time order.
type Pauser interface {
	Source
	// Pause holds a partition back, or lets it continue. Batches that have been read
	// already still arrive. It may be called at any time.
	Pause(o *record.Origin, hold bool)
}

// A Holder is a Source of which others may have got partitions without its being told
// yet, as a member of a group that was stopped for a while.
type Holder interface {
	Source
	// Holds returns nil where what was read is still this reader's to go on with.
	Holds(ctx context.Context) error
}

// A Recaller is a Source whose partitions are filled from others, and end when all of
// those have ended.
type Recaller interface {
	Source
	// Recall returns to the source the end marks that an earlier reader of the
	// partition has seen. It may be called at any time.
	Recall(o *record.Origin, ended []record.Mark)
}

// An Urgent is a Source that may have to deliver a barrier while all batches are in
// use.
type Urgent interface {
	Source
	// Urgent has a message when Read should be called soon, with any batch.
	Urgent() <-chan struct{}
}

// A Peeker is a Source that can show its first bytes before it is read, so
// that the engine opens many files in the order of their first records.
type Peeker interface {
	Source
	// Peek fills b with the first few records, as Read does, and leaves the source
	// unchanged. It returns io.EOF if there are none.
	Peek(b *record.Batch) error
}

// A Chooser decides which source comes next when some are more urgent than others.
type Chooser interface {
	// Choose returns the source that comes next, -1 for none, and how many of its
	// records at most before Choose is called again. waiting has an entry for each
	// source.
	Choose(now int64, waiting []Waiting) (source, most int)
	// Took says that rows of a source have been given to the sink, and returns whether
	// they are urgent: where they are seen when they are committed, that is to be soon.
	Took(now int64, source int, rows record.Rows) (urgent bool)
}

// Waiting is about the records of a source that have been read and not yet processed.
type Waiting struct {
	Records int
	Since   int64 // the least stamp of those that come next in their partitions
	Awaited int64 // since when more of it is on its way and nothing of a partition is here; 0: none is
}

// An Output takes the rows that an operator makes.
type Output interface {
	// Batch returns an empty batch to fill.
	Batch() (*record.Batch, error)
	// Emit passes rows on. A batch that came from Batch belongs to the engine from then
	// on, as does one that was passed to Process. The error is Stopped where the run ends
	// with these rows or before all of them: see Taken.
	Emit(rows record.Rows) error
}

// An Operator is a deterministic state machine over batches: the same input gives the
// same output. It does no I/O, starts no goroutine and reads no clock.
type Operator interface {
	// Process takes the next rows in order and emits the results. It must skip rows
	// that are not Live. It may change records and append to the arena. rows is valid
	// until it returns.
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
	// Tick says that event time has reached watermark (no record before it is expected
	// any more) and that the wall clock shows now, both in ns since 1970. It is called
	// after Process when the watermark has risen, and at least once a second. The
	// watermark is record.NoTime until it is known.
	Tick(watermark, now int64, out Output) error
}

// An Idler is a Ticker that acts when the partitions of its task are silent.
type Idler interface {
	Ticker
	// Idle is called before each Tick. idle is true if every partition has been at its
	// end and silent for so long that it does not hold time back.
	Idle(idle bool)
}

// A Waiter is a Ticker whose results depend on the records between which time passes.
type Waiter interface {
	Ticker
	// Due returns the lowest watermark at which Tick will do something. The engine
	// calls Tick right after the record that reaches it, so that results do not depend
	// on where batches end.
	Due() int64
}

// A Finisher is an Operator that emits more at the end of all input.
type Finisher interface {
	// Finish is called once, after the last Process, when all input has ended. It is
	// not called when the run is interrupted.
	Finish(out Output) error
}

// A Sink takes records.
type Sink interface {
	// Write takes the live rows, in order. Their bytes are valid until it returns; a
	// sink that needs them longer retains the batch. An error ends the pipeline.
	Write(rows record.Rows) error
}

// A Flusher is a Sink that buffers records.
type Flusher interface {
	// Flush returns when everything that was written is as durable as the sink promises
	// (acknowledged by Kafka, accepted by a pipe).
	Flush(ctx context.Context) error
}

// A Pusher is a Sink that collects records before it passes them on.
type Pusher interface {
	// Push passes on what has been collected, without waiting for more or for an
	// answer. The engine calls it when the input falls silent, so that readers of a
	// pipe need not wait.
	Push() error
}

// A Keeper is a Sink that stores the positions of the source and the records in one
// transaction. This makes a pipeline exactly once.
type Keeper interface {
	Flusher
	// Positions returns the positions of the last committed transaction.
	Positions(ctx context.Context) ([]Position, error)
	// Keep adds positions to the transaction that the next Flush commits.
	Keep(at []Position)
}

// A Tracker is a Sink that finishes records at its own pace and out of order, such as
// handlers, which may refuse a record and get it again later. Write only accepts
// records, and retains their batches; positions pass only records that are finished.
//
// A record is finished when all of its output, including a dead letter, has been passed
// on, so that the next Flush makes it durable.
type Tracker interface {
	// Finished returns p, lowered to the first record of its partition that was
	// written and is not finished.
	Finished(p Position) Position
	// Leave gives up partitions that another reader will continue. No unfinished record
	// of them is begun any more, and no output of them is passed on. Finished still
	// says where the other reader has to begin.
	Leave(gone []*record.Origin)
	// Drain returns when everything is finished. With again, records that have not been
	// begun may be left, because the source can be read again from the positions. When
	// ctx is done it returns ctx's error, and may be called again.
	Drain(ctx context.Context, again bool) error
}

// A Rationed is a Tracker that wants only a few records at a time, because records that
// it has been given cannot be overtaken by more urgent ones.
type Rationed interface {
	Tracker
	// Room returns how many more records it takes now, and a channel that has a message
	// when that number may have risen.
	Room() (n int, more <-chan struct{})
}

// Stopped is the error of a sink or an output that takes no more although nothing has
// failed. The run ends as if it had read only the records that were taken.
type Stopped struct {
	At int // the first row of the batch that was not taken
}

// Error implements error.
func (Stopped) Error() string { return "no more is taken" }

// Taken returns those of the rows passed to Process that count as read, by the error
// of emitting them.
func Taken(rows record.Rows, err error) record.Rows {
	if stop, ok := errors.AsType[Stopped](err); ok {
		rows.Hi = stop.At
	}
	return rows
}

// ErrHeld is returned by a sink whose breaker is open. From Write it means that nothing
// was taken; from Flush, that records are not settled and that waiting is useless for
// now. Both may be called again.
var ErrHeld = errors.New("the breaker is open")

// ErrTooMany says that a source cannot be read because this process has too much open.
// That is no fault of the source: the run ends, rather than go on without it.
var ErrTooMany = errors.New("too many open files")

// ErrMoved says that the positions in a sink are not those that its writer has put there:
// another one reads the same partition into it.
var ErrMoved = errors.New("another writer has moved on")

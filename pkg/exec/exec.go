// Package exec is the door to other programs, the handlers of records. A handler is a
// command that keeps running: it reads records from stdin, one a line, and answers each
// with a line, in order. Or it is a command that is started once for each record.
//
// A record that a handler cannot process now is tried again later, without holding up
// the records of other keys. A record that it can never process becomes a dead letter.
// A handler that crashes, hangs or writes nonsense is started again, and gets the
// records that it has not answered.
package exec

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
	"github.com/logctl/logctl/pkg/stream"
)

// An Order says which records are handled one after the other.
type Order int

// The orders. Where a record has to wait for another attempt, those behind it
// in its order wait with it.
const (
	ByKey       Order = iota // those of one key; records without one are in no order
	ByPartition              // those of one partition
	Unordered
)

// Options say what handles records, and how. The zero value of a field is its
// default.
type Options struct {
	Command   string        // for sh -c
	Workers   int           // how many of them at a time, by default 1
	Order     Order         // by default ByKey
	PerRecord bool          // one process a record: status 0 is done, 75 asks for another attempt, else it is refused
	Envelope  bool          // the handler reads envelopes instead of values
	Timeout   time.Duration // how long an answer may take, by default a minute
	MaxLine   int           // greatest length of an answer, by default 1 MB
	Ahead     int           // how many records Room allows beside those that wait for another attempt; 0: any number

	Policy     retry.Policy
	Breaker    *limit.Breaker // while it is open nothing is given to handlers, and what fails is not held against records
	Out        stream.Sink    // takes what handlers write
	Dead       stream.Sink    // takes dead letters; nil: the first one ends the run
	Returns    bool           // Dead gives back what is not permanent, to be delivered again: that is no dead letter
	Later      stream.Sink    // takes records that have to wait long; nil: they wait in memory
	RetryTopic string         // where those come back from

	Wrote  func(n int64) // is told how many records were written to Out; may be nil
	Stderr io.Writer     // takes what handlers say there, rate-limited
	Note   func(string)  // tells a person something; may be nil
}

// A Sink gives records to handlers and writes their output to Options.Out. It is a
// stream.Sink, Flusher, Pusher and Tracker. Out, Dead and Later are called from several
// goroutines, each by one at a time. Dead may be shared with others if it is a
// stream.Locked.
type Sink struct {
	opt     Options
	workers []*worker
	track   tracker
	pool    *record.Pool // of what handlers write
	ctx     context.Context
	fail    context.CancelCauseFunc
	running sync.WaitGroup

	outMu   sync.Mutex // guards Out
	laterMu sync.Mutex // guards Later
	pushed  time.Time  // when Out was pushed last

	stderr   *complaints
	shared   shared
	graves   graves
	turn     int // the worker that is next
	seq      uint64
	lists    [][]entry    // of Write, one for each worker
	draining atomic.Int32 // see drainMode
	kept     atomic.Int64 // bytes of records that wait
	strayed  atomic.Bool  // it was said that a line is no answer
	spoken   atomic.Bool  // a handler has answered something
	hushed   atomic.Bool  // it was said that one does not answer

	Stats Stats
}

// Open returns a sink whose handlers start with the first records.
func Open(opt Options) *Sink {
	opt.Workers = max(opt.Workers, 1)
	if opt.Timeout == 0 {
		opt.Timeout = time.Minute
	}
	if opt.MaxLine == 0 {
		opt.MaxLine = 1_000_000
	}
	if opt.Note == nil {
		opt.Note = func(string) {}
	}
	if opt.Wrote == nil {
		opt.Wrote = func(int64) {}
	}
	if opt.Stderr == nil {
		opt.Stderr = io.Discard
	}
	if opt.Breaker == nil {
		opt.Breaker = new(limit.Breaker) // never opens
	}
	s := &Sink{
		opt: opt, pool: record.NewPool(2*opt.Workers+2, outArena), lists: make([][]entry, opt.Workers),
		shared: shared{workers: opt.Workers},
	}
	s.stderr = newComplaints(opt.Stderr)
	s.track.parts = map[partition]*part{}
	s.track.changed = make(chan struct{}, 1)
	s.track.room = make(chan struct{}, 1)
	s.graves.wake, s.graves.room = make(chan struct{}, 1), make(chan struct{}, 1)
	s.ctx, s.fail = context.WithCancelCause(context.Background())
	s.running.Go(s.dig)
	for n := range opt.Workers {
		w := newWorker(s, n)
		s.workers = append(s.workers, w)
		s.running.Go(w.run)
	}
	return s
}

const outArena = 256 << 10

// Write takes rows; it does not wait for them to be handled.
func (s *Sink) Write(rows record.Rows) error {
	if err := s.failure(); err != nil {
		return err
	}
	l := s.track.add(rows)
	if l == nil {
		return nil
	}
	retried := s.opt.RetryTopic != "" && rows.Origin != nil && rows.Origin.Source == s.opt.RetryTopic
	for row := rows.Lo; row < rows.Hi; row++ {
		if !rows.Recs[row].Live() {
			continue
		}
		e := entry{lot: l, row: int32(row), size: rows.Recs[row].Value.Len, seq: s.seq}
		s.seq++
		if retried {
			s.workers[s.next()].resume(e)
			continue
		}
		s.assign(e, s.id(rows, row))
	}
	s.share()
	return nil
}

// assign puts an entry where the worker will find it that handles its order.
func (s *Sink) assign(e entry, id uint64) {
	n := 0
	switch {
	case len(s.workers) == 1:
	case id != 0:
		n = int(id % uint64(len(s.workers)))
	default:
		s.shared.gather(e)
		return
	}
	e.id = id
	s.lists[n] = append(s.lists[n], e)
}

// share hands over what assign has gathered.
func (s *Sink) share() {
	for n, list := range s.lists {
		if len(list) > 0 {
			s.workers[n].take(list)
			clear(list)
			s.lists[n] = list[:0]
		}
	}
	if s.shared.publish() {
		for _, w := range s.workers {
			signal(w.wake)
		}
	}
}

func (s *Sink) next() int {
	s.turn = (s.turn + 1) % len(s.workers)
	return s.turn
}

// Flush makes the output of the handlers durable; see stream.Tracker.
func (s *Sink) Flush(ctx context.Context) error {
	if err := s.failure(); err != nil {
		return err
	}
	if err := flush(ctx, &s.outMu, s.opt.Out); err != nil {
		return err
	}
	return flush(ctx, &s.laterMu, s.opt.Later)
}

func flush(ctx context.Context, mu *sync.Mutex, to stream.Sink) error {
	f, ok := to.(stream.Flusher)
	if !ok {
		return nil
	}
	mu.Lock()
	defer mu.Unlock()
	return f.Flush(ctx)
}

// Push passes on what the output holds back.
func (s *Sink) Push() error {
	if err := s.failure(); err != nil {
		return err
	}
	s.outMu.Lock()
	defer s.outMu.Unlock()
	return s.push()
}

func (s *Sink) push() error {
	s.pushed = time.Now()
	if p, ok := s.opt.Out.(stream.Pusher); ok {
		return p.Push()
	}
	return nil
}

// pushEvery is how long output may be held while more of it comes.
const pushEvery = 100 * time.Millisecond

// deliver writes what handlers have written. With idle, nothing more is awaited
// for now.
func (s *Sink) deliver(b *record.Batch, idle bool) error {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	if len(b.Recs) > 0 {
		s.Stats.Output.Add(int64(len(b.Recs)))
		s.opt.Wrote(int64(len(b.Recs)))
		if err := s.opt.Out.Write(b.All()); err != nil {
			return err
		}
	}
	if idle || time.Since(s.pushed) > pushEvery {
		return s.push()
	}
	return nil
}

// postpone writes a record that is to be tried again to the retry topic.
func (s *Sink) postpone(b *record.Batch, row int, st *letter.State) error {
	s.Stats.Later.Add(1)
	s.laterMu.Lock()
	defer s.laterMu.Unlock()
	return s.opt.Later.Write(letterOf(b, row, st).All())
}

func letterOf(b *record.Batch, row int, st *letter.State) *record.Batch {
	l := record.NewBatch()
	l.Origin, l.Arrived = b.Origin, time.Now().UnixNano()
	letter.Append(l, b, row, st)
	return l
}

func (s *Sink) failure() error { return context.Cause(s.ctx) }

// Close ends the handlers: it closes their stdin, and kills those that do not exit
// then.
func (s *Sink) Close() error {
	s.fail(errClosed)
	for _, w := range s.workers {
		signal(w.wake)
	}
	s.running.Wait()
	return nil
}

// say tells a person something.
func (s *Sink) say(format string, args ...any) { s.opt.Note(fmt.Sprintf(format, args...)) }

var errClosed = fault.Usagef("", "the handlers are closed")

// signal makes sure that c has a message waiting.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// chance spreads attempts. All may use it at the same time.
var chance = rand.New(anyones{}) //nolint:gosec // there is nothing to guess

// anyones is the source of chance that everyone shares.
type anyones struct{}

func (anyones) Uint64() uint64 { return rand.Uint64() } //nolint:gosec // likewise

package engine

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A job is a batch on its way from its reader over a parser to the operator,
// or the word that a source has ended.
type job struct {
	*record.Batch
	source int
	parsed bool  // a parser is done with it
	size   int64 // bytes that were read
	buried int   // how many of its faults are dead letters
	end    bool  // the source has ended; there is no batch
	err    error // why, where it was not its end; of a batch, why it could not be parsed
}

// readers are the goroutines between the sources and the operator.
type readers struct {
	*Pipeline
	pool     *record.Pool   // whose like each source has while it is read
	arenas   *record.Arenas // lent to batches while they are filled, where these are many; else nil
	work     chan *job      // for the parsers
	queues   []queue        // of each source
	arrivals chan *job      // for the operator, parsed, in the order of each source
	reading  sync.WaitGroup
	parsing  sync.WaitGroup
	naming   sync.Once // the names of the first records' fields
}

func newReaders(p *Pipeline) *readers {
	r := &readers{Pipeline: p, pool: record.NewPool(1, p.Arena)}
	if p.Arena == leastArena {
		r.pool, r.arenas = record.NewPool(1, 0), record.NewArenas(p.Arena)
	}
	room := 0 // for every batch and every end: neither send ever waits
	for i := range p.Sources {
		room += r.most(i) + 1
	}
	r.work = make(chan *job, room)
	r.queues = make([]queue, len(p.Sources))
	r.arrivals = make(chan *job, room)
	return r
}

// most returns how many batches of a source there may be at a time.
func (r *readers) most(source int) int {
	if _, ok := r.Sources[source].(stream.Pauser); ok {
		return manyBatches
	}
	return r.batches()
}

// manyBatches is the pool of a source of several partitions, which must hold
// what the partitions that are ahead have to wait with.
const manyBatches = 32

// parseAll starts the parsers. They end when work is closed.
func (r *readers) parseAll() {
	for range r.Parsers {
		var parser Parser
		if r.Parser != nil {
			parser = r.Parser()
		}
		r.parsing.Go(func() {
			r.GiveWay()
			r.parse(parser)
		})
	}
}

func (r *readers) parse(parser Parser) {
	for j := range r.work {
		if len(j.Recs)+len(j.Data) > 0 { // the format of what only announces itself is not known yet
			r.prepare(parser, j)
		}
		r.queues[j.source].parsed(j, r.arrivals)
		r.Yield()
	}
}

// prepare does all that needs neither order nor state. A defect in it, which
// bytes from outside may bring to light, is an error that says where they are.
func (r *readers) prepare(parser Parser, j *job) {
	defer func() {
		if defect := recover(); defect != nil {
			j.err = fmt.Errorf("%s: a defect of logctl itself: %v", startOf(j.Batch), defect)
		}
	}()
	j.size = sizeOf(j.Batch)
	if parser != nil {
		parser.Parse(j.Batch)
	}
	if d, ok := parser.(Doubter); ok && d.Err() != nil {
		j.err = fmt.Errorf("%s: %w", startOf(j.Batch), d.Err())
		return
	}
	r.name(j)
	for _, p := range r.Prepare {
		p.Prepare(j.Batch)
	}
	if p, ok := r.Operator.(stream.Preparer); ok {
		p.Prepare(j.Batch)
	}
}

// startOf says where the batch begins.
func startOf(b *record.Batch) string {
	if len(b.Recs) > 0 {
		return Place(b, 0)
	}
	if b.Origin == nil {
		return "the input"
	}
	return fmt.Sprintf("%s@%d", b.Origin.Source, b.Base)
}

// sizeOf returns how many bytes a batch brings: all that was read where it is not
// framed yet, else those of its values.
func sizeOf(b *record.Batch) (size int64) {
	if len(b.Recs) == 0 {
		return int64(len(b.Data))
	}
	for i := range b.Recs {
		size += int64(b.Recs[i].Value.Len)
	}
	return size
}

// name notes which fields the first records have, before setters change them.
func (r *readers) name(j *job) {
	if r.Names != nil && len(j.Recs) > 0 {
		r.naming.Do(func() { r.Stats.names = r.Names(j.Batch) })
	}
}

// mostWays is of how many sources each reader gives way: it has a thread of its own then,
// and there may not be thousands of these.
const mostWays = 256

// start begins to read source i.
func (r *readers) start(ctx context.Context, i int) {
	r.reading.Go(func() {
		if len(r.Sources) <= mostWays {
			r.GiveWay()
		}
		end := &job{source: i, end: true, err: r.read(ctx, i)}
		r.queues[i].add(end)
		r.queues[i].parsed(end, r.arrivals)
	})
}

// read reads source i to its end, or until ctx is done.
func (r *readers) read(ctx context.Context, i int) error {
	pool := r.pool.Like(r.most(i))
	for {
		if a, ok := r.Sources[i].(stream.Awaiter); ok {
			a.Await(ctx)
		}
		b, err := r.batch(ctx, i, pool)
		if err != nil {
			return nil //nolint:nilerr // interrupted: an end like any other
		}
		err = r.fill(ctx, i, b)
		if err != nil {
			b.Release()
			if err == io.EOF || ctx.Err() != nil { // an error that wraps io.EOF is no end: a connection broke
				return nil //nolint:nilerr // as above
			}
			return err
		}
		r.begin(b)
		j := &job{Batch: b, source: i}
		r.queues[i].add(j)
		r.work <- j
		r.Yield()
	}
}

// fill reads a batch of source i.
func (r *readers) fill(ctx context.Context, i int, b *record.Batch) error {
	if r.arenas != nil {
		r.arenas.Lend(b)
		defer r.arenas.Settle(b)
	} else {
		b.Narrow(r.Arena)
		defer b.Widen()
	}
	return r.Sources[i].Read(ctx, b)
}

// batch returns an empty batch for source i.
func (r *readers) batch(ctx context.Context, i int, pool *record.Pool) (*record.Batch, error) {
	if u, ok := r.Sources[i].(stream.Urgent); ok {
		return pool.GetOr(ctx, u.Urgent())
	}
	return pool.Get(ctx)
}

// begin has the format found of a partition whose records came as such, by the
// first batch that has some.
func (r *readers) begin(b *record.Batch) {
	if r.Begin == nil || b.Origin == nil || b.Origin.Format != "" || len(b.Recs) == 0 {
		return
	}
	const enough = 32 << 10
	var sample []byte
	for i := range b.Recs {
		sample = append(append(sample, b.Value(i)...), '\n')
		if len(sample) > enough {
			break
		}
	}
	r.Begin(sample, b.Origin)
}

// stop waits for the goroutines to end, after which nothing arrives any more. Their
// context must be done, or their sources at an end.
func (r *readers) stop() {
	r.reading.Wait()
	close(r.work)
	r.parsing.Wait()
	close(r.arrivals)
}

package kafka

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
)

// A Header is a header that every record gets, after its own.
type Header struct {
	Key   string
	Value []byte
}

// A SinkConfig says how records are produced. The zero value of a field is its
// default.
type SinkConfig struct {
	Config
	Topic       string
	Acks        string        // all (the default, idempotent), 1, 0
	Codec       string        // none, gzip, snappy (the default), lz4, zstd
	BatchBytes  int           // by default what the topic allows
	Linger      time.Duration // how long a batch waits for more; 0 is 10 to 50 ms, less is none
	Buffer      int64         // bytes in flight, by default 32 MiB
	MaxBlock    time.Duration // how long Write waits while the buffer is full; by default a little more than Timeout
	Retries     int           // of one batch; by default as many as Timeout allows
	Timeout     time.Duration // how long no record may be acknowledged, by default 30 s
	Partitioner string        // murmur2 (the default), sticky, round-robin, partition:N, salt:KEY=N
	Headers     []Header
	Tombstones  bool   // an empty value becomes null
	Marks       bool   // marks of package shuffle go to every partition
	KeepTime    bool   // the record's time is its event time or the one of its source, not now
	Txn         string // transactional id: each Write is one transaction; see also Txn.OpenSink

	Note func(string) // tells a person that nothing has been acknowledged for a while; may be nil

	// OnFailed takes records that the topic refuses for what they are, marked
	// Bad with the reason, while the others go on. It is called from Write and
	// Flush. Without it the first such record ends the run.
	OnFailed func(*record.Batch) error

	// Breaker is told how requests fare: an acknowledgement is a success; a
	// connection or a request that fails, and each second in which nothing of what
	// is in flight is acknowledged, are failures. While it is open, Write and
	// Flush do not wait: they return an error that is stream.ErrHeld. What is in
	// flight stays so, without a time-out. Not with Txn.
	Breaker *limit.Breaker

	// Exhaust gives records that were sent Retries times in vain, and what is in
	// flight when Timeout is over, to OnFailed, where they would else end the run.
	Exhaust bool

	in *Txn // whose client sends
}

// A Sink produces records to a topic. It implements stream.Sink and
// stream.Flusher. Its methods are for one goroutine, except Report.
//
// Records are sent as they stand in their batch, which is retained until the
// last of them is acknowledged. What is in flight is bounded: Write waits when
// it is too much. A delivery that failed for good fails every later call.
type Sink struct {
	cfg     SinkConfig
	client  *kgo.Client
	metrics *kprom.Metrics
	link    link
	spread  kgo.Partitioner
	part    int32 // the partition of all records, or -1
	width   int32 // partitions of the topic
	limit   int64 // of the topic, on the bytes of one batch; 0 where unknown
	far     bool  // the cluster is long in answering

	adaptive  bool // how long batches wait follows how much comes
	lingering lingering

	ctx      context.Context
	fail     context.CancelCauseFunc
	inflight atomic.Int64
	freed    chan struct{} // something is no longer in flight
	chunks   sync.Pool
	filled   []*chunk // of the Write under way

	counts  counts
	looked  int64 // when somebody last looked for acknowledgements
	stalled int64 // when a second without an acknowledgement was last counted
	noted   int64 // the progress at which an outage was told of
	mu      sync.Mutex
	refused []*record.Batch // what OnFailed is still to be given, by origin
}

// A record in flight costs this much beside its bytes: 280 in the batch, for the client
// and in what is sent, and its share of the garbage that waits to be collected.
const recordCost = 450

// OpenSink returns a sink whose topic exists.
func OpenSink(ctx context.Context, cfg SinkConfig) (*Sink, error) {
	setDefault(&cfg.Timeout, 30*time.Second)
	setDefault(&cfg.MaxBlock, cfg.Timeout+time.Second) // what is given up makes room
	setDefault(&cfg.Buffer, 32<<20)
	s := &Sink{cfg: cfg, freed: make(chan struct{}, 1), metrics: newMetrics("produce")}
	s.ctx, s.fail = context.WithCancelCause(context.Background())
	s.chunks.New = func() any { return newChunk(s) }
	if err := s.inspect(ctx); err != nil {
		return nil, err
	}
	if cfg.in != nil {
		s.client = cfg.in.client
		return s, nil
	}
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	if s.client, err = cfg.open(ctx, opts...); err != nil {
		return nil, err
	}
	if cfg.Txn != "" {
		return s, s.checkTxn(ctx)
	}
	return s, nil
}

func setDefault[T int64 | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

// Write sends the live rows. It returns before they are acknowledged, except
// with transactions.
func (s *Sink) Write(rows record.Rows) error {
	if _, err := s.handBack(); err != nil {
		return err
	}
	if s.cfg.Txn != "" {
		return s.transact(rows)
	}
	return s.send(rows)
}

// send gives the live rows to the client.
func (s *Sink) send(rows record.Rows) error {
	size := s.fill(rows)
	if len(s.filled) == 0 {
		return s.failure()
	}
	err := s.reserve(size)
	if err == nil && s.cfg.in != nil {
		err = s.cfg.in.begin()
	}
	if err != nil {
		for _, c := range s.filled {
			s.chunks.Put(c)
		}
		return err
	}
	n := int64(0)
	for _, c := range s.filled {
		rows.Retain()
		n += int64(len(c.recs))
		s.counts.sent.Add(int64(len(c.recs)))
		for i := range c.recs {
			s.client.Produce(s.ctx, &c.recs[i], c.promise)
		}
	}
	if s.adaptive && s.lingering.wrote(time.Now().UnixNano(), n) {
		s.nudge()
	}
	return s.failure()
}

// reserve waits until there is room for n more bytes in flight. What is larger
// than the buffer goes alone. What lingers is sent then: nothing may come that would
// fill its batches. (Over a long link, adaptive lingering is not longer than an answer.)
func (s *Sink) reserve(n int64) error {
	began := time.Now()
	err := s.await(context.Background(), func() (bool, error) {
		used := s.inflight.Load()
		if used == 0 {
			s.counts.progress.Store(time.Now().UnixNano())
		}
		if used > 0 && used+n > s.cfg.Buffer && !(s.adaptive && s.lingering.far.Load()) {
			s.nudge()
		}
		if used > 0 && used+n > s.cfg.Buffer && time.Since(began) > s.cfg.MaxBlock {
			return false, fault.Hint(fmt.Errorf("topic %q: the buffer of %s stayed full for %s%s", s.cfg.Topic,
				human.Bytes(s.cfg.Buffer), human.Span(s.cfg.MaxBlock), s.lastError()),
				"raise --buffer or --max-block, or send less")
		}
		return used == 0 || used+n <= s.cfg.Buffer, nil
	})
	if err == nil {
		s.inflight.Add(n)
	}
	return err
}

// free says that n bytes are no longer in flight.
func (s *Sink) free(n int64) {
	s.inflight.Add(-n)
	signal(s.freed)
}

// await waits until ready says so, or an error. It fails the sink when nothing
// has been acknowledged for the time-out. (The client's own time-out counts
// from a record's time, which may be years ago.)
func (s *Sink) await(ctx context.Context, ready func() (bool, error)) error {
	var clock *time.Ticker
	s.noteAbsence(time.Now().UnixNano())
	for {
		if err := s.failure(); err != nil {
			return err
		}
		if ok, err := ready(); ok || err != nil {
			return err
		}
		if s.held() {
			return s.heldError()
		}
		if clock == nil {
			clock = time.NewTicker(min(s.cfg.Timeout, s.cfg.MaxBlock, time.Second) / 4)
			defer clock.Stop()
		}
		select {
		case <-s.freed:
		case <-s.ctx.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-clock.C:
			s.noteSilence(time.Now().UnixNano())
		}
	}
}

// Flush returns when every record that was written is acknowledged, or refused
// and handed to OnFailed.
func (s *Sink) Flush(ctx context.Context) error {
	if s.inflight.Load() > 0 {
		pushing, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() { _ = s.client.Flush(pushing) }() // what lingers goes now
	}
	for {
		err := s.await(ctx, func() (bool, error) { return s.inflight.Load() == 0, nil })
		if err != nil {
			return err
		}
		// OnFailed may have written something shorter, which may be refused by now.
		some, err := s.handBack()
		if err != nil {
			return err
		}
		if !some {
			return s.failure()
		}
	}
}

// handBack gives OnFailed the records that were refused, if there are some.
func (s *Sink) handBack() (some bool, err error) {
	s.mu.Lock()
	refused := s.refused
	s.refused = nil
	s.mu.Unlock()
	for _, b := range refused {
		if err := s.cfg.OnFailed(b); err != nil {
			return true, err
		}
	}
	return len(refused) > 0, nil
}

// Close ends the sink. What is still in flight is given up; Flush first.
func (s *Sink) Close() error {
	s.fail(kgo.ErrClientClosed)
	if s.cfg.in == nil {
		s.client.Close()
	}
	return nil
}

// Metrics returns the client's own metrics.
func (s *Sink) Metrics() prometheus.Collector { return s.metrics }

func newMetrics(subsystem string) *kprom.Metrics {
	return kprom.NewMetrics("logctl", kprom.Subsystem("kafka_"+subsystem),
		kprom.Registry(prometheus.NewRegistry()),
		kprom.FetchAndProduceDetail(kprom.ByTopic, kprom.Records, kprom.UncompressedBytes, kprom.CompressedBytes))
}

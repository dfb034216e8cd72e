package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// A TxnConfig says how transactions are made. The zero value of a field is its
// default.
type TxnConfig struct {
	Config
	ID      string        // transactional id; whoever opens it fences those that had it before
	Codec   string        // as in SinkConfig
	Timeout time.Duration // the cluster aborts a transaction that is open for so long; by default 10 s
}

// A Txn makes transactions: all that its sinks and its changelog are given
// between two commits, over any number of topics, and the positions of the groups
// that it was read from, is there for readers of committed records at once or
// not at all (KIP-98, KIP-447). It is for one goroutine.
type Txn struct {
	cfg    TxnConfig
	client *kgo.Client
	admin  *kadm.Client
	spread spread
	mu     sync.Mutex // guards sinks: a topic may be opened while others are written
	sinks  []*Sink
	flush  []func(context.Context) error // before a commit
	after  []func(context.Context) error // and behind it
	mark   *Mark                         // goes with each commit; nil for none
	open   bool
	groups []string // that the one under way holds offsets of
	ids    topicIDs
	aborts atomic.Int64
}

// Aborts returns how many transactions were given up. It may be called at any time.
func (t *Txn) Aborts() int64 { return t.aborts.Load() }

// ErrAborted says that a transaction was aborted for a reason that passes, such
// as a rebalance: nothing of it is seen, and reading again from what the group
// has committed does all of it again.
var ErrAborted = errors.New("the transaction was aborted")

// A spread gives each topic the partitioner of its sink. Others are written to
// partition by partition.
type spread struct{ of sync.Map }

// ForTopic returns the partitioner of one topic.
func (s *spread) ForTopic(topic string) kgo.TopicPartitioner {
	if p, ok := s.of.Load(topic); ok {
		return p.(kgo.Partitioner).ForTopic(topic)
	}
	return kgo.ManualPartitioner().ForTopic(topic)
}

// OpenTxn takes over the transactional id. A transaction that another holder of it
// has left open is aborted.
func OpenTxn(ctx context.Context, cfg TxnConfig) (*Txn, error) {
	setDefault(&cfg.Timeout, 10*time.Second)
	codec, err := compression(cfg.Codec)
	if err != nil {
		return nil, err
	}
	t := &Txn{cfg: cfg, ids: topicIDs{}}
	t.client, err = cfg.open(ctx,
		kgo.TransactionalID(cfg.ID), kgo.TransactionTimeout(cfg.Timeout), codec,
		kgo.RecordPartitioner(&t.spread), kgo.MaxBufferedRecords(1<<30), kgo.UnknownTopicRetries(20))
	if err != nil {
		return nil, err
	}
	t.admin = kadm.NewClient(t.client)
	if err := t.takeOver(ctx); err != nil {
		t.Close()
		return nil, cfg.explain(err, "")
	}
	return t, nil
}

// takeOver makes the transactional id this producer's. It waits while nobody
// coordinates it, as after the death of a broker.
func (t *Txn) takeOver(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*t.cfg.Timeout)
	defer cancel()
	for {
		_, _, err := t.client.ProducerID(ctx)
		if err == nil || !passes(err) {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// OpenSink returns a sink whose records are part of the transactions. Its Flush
// waits for the acknowledgements; Commit does that by itself. No two sinks of a
// Txn may have the same topic.
func (t *Txn) OpenSink(ctx context.Context, cfg SinkConfig) (*Sink, error) {
	if _, twice := t.spread.of.Load(cfg.Topic); twice {
		return nil, fault.Usagef("", "topic %q is written to by two outputs of one transaction", cfg.Topic)
	}
	cfg.Config, cfg.in = t.cfg.Config, t
	s, err := OpenSink(ctx, cfg)
	if err == nil {
		t.spread.of.Store(cfg.Topic, s.spread)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.sinks = append(t.sinks, s)
	}
	return s, err
}

// begin begins a transaction unless one is under way.
func (t *Txn) begin() error {
	if t.open {
		return nil
	}
	if err := t.client.BeginTransaction(); err != nil {
		return t.failed(nil, err)
	}
	t.open = true
	return nil
}

// Commit commits what was written, and positions of members of groups, of which no two
// read the same topic. An error that is ErrAborted may pass when they are read again;
// others do not.
func (t *Txn) Commit(ctx context.Context, members []*Source, at []stream.Position) error {
	if err := t.settle(ctx); err != nil {
		return err
	}
	for _, flush := range t.flush {
		if err := flush(ctx); err != nil {
			return err
		}
	}
	if !t.open {
		return commitApart(ctx, members, at)
	}
	asked := time.Now()
	err := t.addOffsets(ctx, members, at)
	if err == nil && t.mark != nil {
		err = t.mark.add(ctx)
	}
	if err == nil {
		err = t.client.EndTransaction(ctx, kgo.TryCommit)
	}
	t.open, t.groups = false, t.groups[:0]
	if err != nil {
		t.aborts.Add(1)
		_ = t.client.EndTransaction(context.WithoutCancel(ctx), kgo.TryAbort) // the cause is what matters
		return t.failed(members, err)
	}
	for _, m := range members {
		m.noteOwn(m.mine(at), asked)
		m.noteDone(at)
	}
	for _, f := range t.after {
		if err := f(ctx); err != nil {
			return err
		}
	}
	return nil
}

// commitApart commits positions where nothing was written that has to be seen with
// them.
func commitApart(ctx context.Context, members []*Source, at []stream.Position) error {
	for _, m := range members {
		if err := m.commitAll(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// settle returns when all records are acknowledged, those included that a sink
// refuses and that become dead letters of another one meanwhile.
func (t *Txn) settle(ctx context.Context) error {
	t.mu.Lock()
	sinks := slices.Clip(t.sinks)
	t.mu.Unlock()
	for open := true; open; {
		open = false
		for _, s := range sinks {
			if err := s.Flush(ctx); err != nil {
				return err
			}
		}
		for _, s := range sinks {
			open = open || s.inflight.Load() > 0
		}
	}
	return nil
}

// Abort gives up what was written since the last commit.
func (t *Txn) Abort(ctx context.Context) error {
	if !t.open {
		return nil
	}
	t.open = false
	t.aborts.Add(1)
	if err := t.client.AbortBufferedRecords(ctx); err != nil {
		return err
	}
	return t.client.EndTransaction(ctx, kgo.TryAbort)
}

// Around returns sink, which writes to the Txn's topics, with the positions of
// members of groups in its transactions. No two of them may read the same topic.
func (t *Txn) Around(sink stream.Sink, members ...*Source) *TxnSink {
	for _, m := range members {
		m.inTxn = true
	}
	return &TxnSink{Sink: sink, txn: t, members: members}
}

// A TxnSink is a stream.Keeper: a Flush is a transaction.
type TxnSink struct {
	stream.Sink
	txn     *Txn
	members []*Source
	at      []stream.Position
}

// Positions returns none: the groups know them.
func (k *TxnSink) Positions(context.Context) ([]stream.Position, error) { return nil, nil }

// Keep adds positions to what the next Flush commits.
func (k *TxnSink) Keep(at []stream.Position) { k.at = append(k.at, at...) }

// Flush commits what was written, with the positions.
func (k *TxnSink) Flush(ctx context.Context) error {
	at := k.at
	k.at = nil
	return k.txn.Commit(ctx, k.members, at)
}

// Close ends the Txn. A transaction that is under way is aborted.
func (t *Txn) Close() {
	if t.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = t.Abort(ctx) // the cluster does it otherwise, after the time-out
	t.client.Close()
	t.client = nil
}

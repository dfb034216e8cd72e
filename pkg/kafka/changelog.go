package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/stream"
)

// A ChangelogConfig says where state is kept. The zero value of a field is its
// default.
type ChangelogConfig struct {
	Config
	Topic      string // made where it is missing
	Partitions int    // one for each task
	Signature  string // of the operator; state of another one is refused
	Reset      bool   // discard what is kept

	// Local opens the copies that this machine has of the topic of the given id;
	// it, and what it returns, may be nil.
	Local func(id string) (Local, error)
}

// A Local keeps copies of states, so that a restart reads only the end of the
// changelog. A copy that is lost or too old costs time, nothing else.
type Local interface {
	// Load returns a task's copy and the offset of the changelog behind it, 0 where
	// there is none, or it is from before since, ns since 1970.
	Load(ctx context.Context, task stream.Task, since int64) (state *stream.Image, next int64, err error)
	// Save brings a task's copy up to date.
	Save(ctx context.Context, c stream.Copy) error
}

// A Changelog keeps the states of tasks in a compacted topic, the state of each
// task in the partition of its number: the last value under a key counts. It is a
// stream.Vault and a stream.Flusher. Save and Flush are for one goroutine.
//
// Its records carry the time when they were written, never event time: logs of
// last year do not make it expire.
type Changelog struct {
	cfg    ChangelogConfig
	client *kgo.Client
	admin  *kadm.Client
	txn    *Txn // whose transactions the records are part of; nil: they are acknowledged one by one

	pending  sync.WaitGroup
	failed   atomic.Pointer[error]
	local    Local
	mu       sync.Mutex        // guards what follows
	loading  map[int32]*copied // what was begun last to be loaded of a partition
	saved    map[int32]*copied
	restored atomic.Int64 // entries read by Load so far
	parcels  chan *parcel // to be filled again
}

// copied is what the local copy of a task lacks.
type copied struct {
	task    stream.Task
	signed  bool           // the operator's signature has been written
	all     bool           // the copy is to be made anew,
	base    stream.Entries // of these
	changes stream.Entries
	next    atomic.Int64 // offset behind the last acknowledged record
}

// keepsGone is how long a changelog says that an entry is gone. Longer than half of it
// no copy is believed: it might have entries of which nothing says so any more.
const keepsGone = 24 * time.Hour

// What the first byte of a key says.
const (
	entryKey     = 'e' // an entry of the state
	signatureKey = 's' // the signature of the operator
)

// OpenChangelog opens a changelog of its own producer.
func OpenChangelog(ctx context.Context, cfg ChangelogConfig) (*Changelog, error) {
	client, err := cfg.open(ctx, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(1<<30),
		kgo.UnknownTopicRetries(20))
	if err != nil {
		return nil, err
	}
	c, err := newChangelog(ctx, cfg, client)
	if err != nil {
		client.Close()
	}
	return c, err
}

// OpenChangelog opens a changelog whose records are part of the transactions.
func (t *Txn) OpenChangelog(ctx context.Context, cfg ChangelogConfig) (*Changelog, error) {
	cfg.Config = t.cfg.Config
	c, err := newChangelog(ctx, cfg, t.client)
	if err != nil {
		return nil, err
	}
	c.txn = t
	t.flush = append(t.flush, c.wait)
	t.after = append(t.after, c.copy)
	return c, nil
}

func newChangelog(ctx context.Context, cfg ChangelogConfig, client *kgo.Client) (*Changelog, error) {
	admin := &Admin{cfg: cfg.Config, adm: kadm.NewClient(client)}
	width, err := admin.Width(ctx, cfg.Topic)
	switch {
	case err != nil:
		return nil, err
	case width > 0 && cfg.Reset:
		if err := admin.Remove(ctx, cfg.Topic); err != nil {
			return nil, err
		}
	case width > 0 && cfg.Partitions > 0 && width != cfg.Partitions:
		return nil, stream.OtherWidth(fmt.Sprintf("topic %q", cfg.Topic), strconv.Itoa(width), strconv.Itoa(cfg.Partitions))
	}
	_, err = admin.Create(ctx, TopicSpec{Name: cfg.Topic, Partitions: cfg.Partitions, Configs: map[string]string{
		"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime",
		"delete.retention.ms": strconv.FormatInt(keepsGone.Milliseconds(), 10),
	}})
	if err != nil {
		return nil, err
	}
	c := &Changelog{
		cfg: cfg, client: client, admin: admin.adm, loading: map[int32]*copied{}, saved: map[int32]*copied{},
		parcels: make(chan *parcel, manyParcels),
	}
	if cfg.Local == nil {
		return c, nil
	}
	found, err := c.admin.ListTopics(ctx, cfg.Topic)
	if err != nil {
		return nil, cfg.explain(err, cfg.Topic)
	}
	c.local, err = cfg.Local(found[cfg.Topic].ID.String())
	return c, err
}

// Save sends entries to the task's partition. They are copied.
func (c *Changelog) Save(task stream.Task, entries stream.Entries, _ bool) error {
	if c.txn != nil {
		if err := c.txn.begin(); err != nil {
			return err
		}
	}
	part := c.copied(task)
	p := c.parcel(part)
	if !part.signed {
		part.signed = true
		c.send(p.add(signatureKey, nil, []byte(c.signature())), p)
	}
	err := entries.Each(func(key, value []byte) error {
		if p.full() {
			c.done(p)
			p = c.parcel(part)
		}
		c.send(p.add(entryKey, key, value), p)
		return nil
	})
	c.done(p)
	if c.local != nil {
		part.changes = append(part.changes, entries...)
	}
	return errors.Join(err, c.failure())
}

// signature returns what is written of the operator.
func (c *Changelog) signature() string { return stream.SignOver(c.cfg.Signature, c.cfg.Partitions) }

// copied returns what is known of a task's local copy.
func (c *Changelog) copied(task stream.Task) *copied {
	c.mu.Lock()
	defer c.mu.Unlock()
	part := c.saved[task.Partition]
	if part == nil {
		part = &copied{task: task}
		c.saved[task.Partition] = part
	}
	return part
}

func (c *Changelog) send(r *kgo.Record, p *parcel) {
	r.Topic, r.Partition = c.cfg.Topic, p.part.task.Partition
	c.pending.Add(1)
	c.client.Produce(context.Background(), r, p.acknowledge)
}

func (c *Changelog) acknowledged(p *parcel, r *kgo.Record, err error) {
	if err != nil {
		failed := err // err itself would be on the heap for every record
		c.failed.CompareAndSwap(nil, &failed)
	} else {
		p.part.next.Store(max(p.part.next.Load(), r.Offset+1))
	}
	c.done(p)
	c.pending.Done()
}

func (c *Changelog) failure() error {
	if err := c.failed.Load(); err != nil {
		return fmt.Errorf("keeping state: %w", c.cfg.explain(*err, c.cfg.Topic))
	}
	return nil
}

// Flush returns when all that was saved is acknowledged. In a transaction, the
// commit does that.
func (c *Changelog) Flush(ctx context.Context) error {
	if c.txn != nil {
		return nil
	}
	if err := c.wait(ctx); err != nil {
		return err
	}
	return c.copy(ctx)
}

func (c *Changelog) wait(ctx context.Context) error {
	if err := c.client.Flush(ctx); err != nil {
		return errors.Join(c.failure(), err)
	}
	c.pending.Wait()
	return c.failure()
}

// copy brings the local copies up to what is committed.
func (c *Changelog) copy(ctx context.Context) error {
	if c.local == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, part := range c.saved {
		if len(part.changes) == 0 && !part.all {
			continue
		}
		err := c.local.Save(ctx, stream.Copy{
			Task: part.task, All: part.all, Base: part.base, Changes: part.changes, Next: part.next.Load(),
			At: time.Now().UnixNano(),
		})
		if err != nil {
			return err
		}
		part.all, part.base, part.changes = false, nil, part.changes[:0]
	}
	return nil
}

// Close ends the changelog.
func (c *Changelog) Close() error {
	if c.txn == nil {
		c.client.Close()
	}
	return nil
}

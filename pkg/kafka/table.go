package kafka

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Table is what a compacted topic says: the last value of each key. It is for
// small topics that configure a fleet: all of it is in memory. Its methods may be
// called from several goroutines, Follow once.
type Table struct {
	cfg    SourceConfig
	client *kgo.Client // for Put
	at     []stream.Position

	mu     sync.Mutex
	values map[string][]byte
	places map[string]place // of what was said last about a key
}

// A place is where a record stands.
type place struct {
	partition int32
	offset    int64
}

// OpenTable reads a topic to its end.
func OpenTable(ctx context.Context, conn Config, topic string) (*Table, error) {
	t := &Table{
		cfg:    SourceConfig{Config: conn, Topics: []string{topic}},
		values: map[string][]byte{}, places: map[string]place{},
	}
	cfg := t.cfg
	var err error
	if cfg.Stop, err = ParseStop("end", time.Now()); err != nil {
		return nil, err
	}
	if err := t.read(ctx, cfg, nil); err != nil {
		return nil, err
	}
	t.client, err = conn.open(ctx, kgo.DefaultProduceTopic(topic), kgo.UnknownTopicRetries(20), kgo.ManualFlushing())
	return t, err
}

// Values returns the last value of each key.
func (t *Table) Values() map[string][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.values)
}

// Follow calls changed whenever values have come, until ctx is done, or reading
// fails for good.
func (t *Table) Follow(ctx context.Context, changed func()) error {
	err := t.read(ctx, t.cfg, changed)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end that was asked for
	}
	return err
}

// read reads the topic from where the last reading ended.
func (t *Table) read(ctx context.Context, cfg SourceConfig, changed func()) error {
	src, err := OpenSource(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // it was only read
	if err := src.Seek(t.at); err != nil {
		return err
	}
	b := record.NewBatch()
	b.Data = make([]byte, 0, 1<<20)
	for {
		b.Reset()
		err := src.Read(ctx, b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		t.take(b)
		if changed != nil && len(b.Recs) > 0 {
			changed()
		}
	}
}

// take takes over what a batch says.
func (t *Table) take(b *record.Batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range b.Recs {
		r := &b.Recs[i]
		var value []byte
		if r.Flags&record.Tombstone == 0 {
			value = append([]byte{}, b.Value(i)...)
		}
		t.set(string(b.Bytes(r.Key)), value, place{b.Origin.Partition, r.Offset})
	}
	if b.Origin == nil {
		return
	}
	for k, p := range t.at {
		if p.Source == b.Origin.Source && p.Partition == b.Origin.Partition {
			t.at[k].Next = max(p.Next, b.Next)
			return
		}
	}
	t.at = append(t.at, stream.Position{Source: b.Origin.Source, Partition: b.Origin.Partition, Next: b.Next})
}

// set takes over what the record at a place says of a key, nil that it is gone, unless a
// later one is known: what was put here is known before it is read.
func (t *Table) set(key string, value []byte, at place) {
	if last, known := t.places[key]; known && last.partition == at.partition && last.offset >= at.offset {
		return
	}
	t.places[key] = at
	if value == nil {
		delete(t.values, key)
		return
	}
	t.values[key] = value
}

// Put sets the values of keys; nil removes one. When it returns that is acknowledged, and
// Values tells it; others learn of it by Follow. What is in one partition, and no larger
// than a batch may be, is one batch: who follows sees all of it at once. When ctx is done
// before, it may be acknowledged later.
func (t *Table) Put(ctx context.Context, values map[string][]byte) error {
	var done kgo.FirstErrPromise
	stored := make([]bool, len(values))
	records := make([]kgo.Record, len(values))
	for k, key := range slices.Sorted(maps.Keys(values)) {
		records[k] = kgo.Record{Key: []byte(key), Value: values[key]}
		finish := done.Promise()
		t.client.Produce(ctx, &records[k], func(r *kgo.Record, err error) {
			stored[k] = err == nil
			finish(r, err)
		})
	}
	if err := t.client.Flush(ctx); err != nil { // what is under way may still be stored
		return t.cfg.explain(err, t.cfg.Topics[0])
	}
	err := done.Err()
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, r := range records {
		if stored[k] {
			t.set(string(r.Key), r.Value, place{r.Partition, r.Offset})
		}
	}
	return t.cfg.explain(err, t.cfg.Topics[0])
}

// Close ends the table.
func (t *Table) Close() error {
	t.client.Close()
	return nil
}

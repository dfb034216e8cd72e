package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/stream"
)

// Restored returns how many entries Load has read so far.
func (c *Changelog) Restored() int64 { return c.restored.Load() }

// Load gives the state of a task: the local copy, and what was written after it,
// up to the end that the partition has now. What of that belongs to an open
// transaction is waited for: the transaction of a member that died ends at the
// latest with its time-out, and until then its predecessor's state would be
// missed (as in KAFKA-10167).
func (c *Changelog) Load(ctx context.Context, task stream.Task, put func(key, value []byte) error) error {
	part := &copied{task: task}
	c.mu.Lock()
	c.loading[task.Partition] = part
	c.mu.Unlock()
	state, err := c.read(ctx, part)
	if err != nil {
		return err
	}
	anew := c.local != nil && part.all
	if anew {
		part.base = make(stream.Entries, 0, state.Size())
	}
	err = state.Each(func(key, value []byte) error {
		if anew {
			part.base.Append(key, value)
		}
		return put(key, value)
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loading[task.Partition] == part { // else the partition has left meanwhile and come back
		c.saved[task.Partition] = part
	}
	return nil
}

// read returns the state of a task, and notes in part what the local copy lacks of it.
func (c *Changelog) read(ctx context.Context, part *copied) (*stream.Image, error) {
	state, from := &stream.Image{}, int64(0)
	if c.local != nil {
		var err error
		if state, from, err = c.local.Load(ctx, part.task, time.Now().Add(-keepsGone/2).UnixNano()); err != nil {
			return nil, err
		}
	}
	first, end, err := c.bounds(ctx, part.task.Partition)
	if err != nil {
		return nil, fmt.Errorf("restoring state: %w", c.cfg.explain(err, c.cfg.Topic))
	}
	if from == 0 || from < first || from > end { // the copy is of a topic that was removed, or too old
		state, from, part.all = &stream.Image{}, first, true
	}
	part.next.Store(end)
	if from == end {
		return state, nil
	}
	return state, c.replay(ctx, part, from, state)
}

// replay adds the records of a partition, from an offset up to the end that is noted in
// part, to state, and to what the local copy lacks.
func (c *Changelog) replay(ctx context.Context, part *copied, from int64, state *stream.Image) error {
	client, err := c.cfg.open(ctx, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			c.cfg.Topic: {part.task.Partition: kgo.NewOffset().At(from)},
		}))
	if err != nil {
		return err
	}
	defer client.Close()
	signature, end := []byte(nil), part.next.Load()
	for next := from; next < end; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("restoring state: %w", c.cfg.explain(err, c.cfg.Topic))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			switch {
			case r.Attrs.IsControl() || len(r.Key) == 0:
			case r.Key[0] == signatureKey:
				signature = r.Value
			case r.Key[0] == entryKey:
				c.take(r, part, state)
			}
		})
		c.restored.Add(int64(fetches.NumRecords()))
	}
	part.signed = string(signature) == c.signature()
	return c.claim(signature)
}

// take takes in one entry of a changelog.
func (c *Changelog) take(r *kgo.Record, part *copied, state *stream.Image) {
	state.Add(r.Key[1:], r.Value)
	if part.all || c.local == nil {
		return
	}
	part.changes.Append(r.Key[1:], r.Value)
	if len(part.changes) > state.Size() {
		part.all, part.changes = true, nil // that is less to write
	}
}

// claim makes sure that a state is the operator's own.
func (c *Changelog) claim(signature []byte) error {
	if signature == nil {
		return nil
	}
	return stream.CheckSignature(fmt.Sprintf("topic %q", c.cfg.Topic), string(signature), c.signature())
}

// bounds returns the offsets at which a partition begins and ends, those of open
// transactions included. It waits for a leader.
func (c *Changelog) bounds(ctx context.Context, number int32) (first, end int64, err error) {
	at := part{c.cfg.Topic, number}
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		starts, err := c.admin.ListStartOffsets(ctx, c.cfg.Topic)
		ends, failed := c.admin.ListEndOffsets(ctx, c.cfg.Topic)
		if err = errors.Join(err, failed); err == nil {
			err = errors.Join(starts.Error(), ends.Error())
		}
		if err == nil || ctx.Err() != nil || time.Since(began) > reachLeader {
			return offsetOf(starts, at), offsetOf(ends, at), err
		}
	}
}

// reachLeader is how long a partition may have no leader.
const reachLeader = 30 * time.Second

package kafka

import (
	"bytes"
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
	state := map[string][]byte{}
	from, err := c.loadLocal(ctx, task, state)
	if err != nil {
		return err
	}
	part := &copied{task: task, all: from == 0}
	if err := c.replay(ctx, part, from, state); err != nil {
		return err
	}
	if err := c.claim(state[string(signatureKey)]); err != nil {
		return err
	}
	c.mu.Lock()
	c.saved[task.Partition] = part
	c.mu.Unlock()
	for key, value := range state {
		if key[0] != entryKey {
			continue
		}
		if err := put([]byte(key[1:]), value); err != nil {
			return err
		}
	}
	return nil
}

func (c *Changelog) loadLocal(ctx context.Context, task stream.Task, state map[string][]byte) (int64, error) {
	if c.local == nil {
		return 0, nil
	}
	return c.local.Load(ctx, task, func(key, value []byte) error {
		if value != nil { // a copy of an earlier build may say what is gone
			state[string(entryKey)+string(key)] = bytes.Clone(value)
		}
		return nil
	})
}

// claim makes sure that a state is the operator's own.
func (c *Changelog) claim(signature []byte) error {
	if signature == nil {
		return nil
	}
	return stream.CheckSignature(fmt.Sprintf("topic %q", c.cfg.Topic), string(signature), c.signature())
}

// replay adds the records of a partition, from an offset up to the end that it has
// now, to state, and to what the local copy lacks.
func (c *Changelog) replay(ctx context.Context, part *copied, from int64, state map[string][]byte) error {
	number := part.task.Partition
	first, end, err := c.bounds(ctx, number)
	if err != nil {
		return fmt.Errorf("restoring state: %w", c.cfg.explain(err, c.cfg.Topic))
	}
	if from < first || from > end { // the copy is of a topic that was removed, or too old
		clear(state)
		from, part.all = first, true
	}
	part.next.Store(end)
	if from == end {
		return nil
	}
	client, err := c.cfg.open(ctx, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.cfg.Topic: {number: kgo.NewOffset().At(from)}}))
	if err != nil {
		return err
	}
	defer client.Close()
	for next := from; next < end; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("restoring state: %w", c.cfg.explain(err, c.cfg.Topic))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if next = r.Offset + 1; !r.Attrs.IsControl() && len(r.Key) > 0 {
				c.take(r, part, state)
			}
		})
	}
	return nil
}

// take takes in one record of a changelog.
func (c *Changelog) take(r *kgo.Record, part *copied, state map[string][]byte) {
	if r.Value == nil {
		delete(state, string(r.Key))
	} else {
		state[string(r.Key)] = r.Value
		c.restored.Add(1)
	}
	switch {
	case r.Key[0] == signatureKey:
		part.signed = string(r.Value) == c.signature()
	case c.local != nil:
		part.entries.Append(r.Key[1:], r.Value)
	}
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

package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// CountSince returns how many records of a topic have come since a time, counted
// by offsets: of a compacted topic, or one with transactions, somewhat too many.
func (a *Admin) CountSince(ctx context.Context, topic string, since time.Time) (n int64, err error) {
	first, err := a.adm.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topic)
	if err != nil {
		return 0, a.cfg.explain(err, topic)
	}
	ends, err := a.adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, a.cfg.explain(err, topic)
	}
	if err := ends.Error(); err != nil {
		return 0, a.cfg.explain(err, topic)
	}
	ends.Each(func(end kadm.ListedOffset) {
		if from, ok := first.Lookup(topic, end.Partition); ok && from.Offset >= 0 {
			n += max(end.Offset-from.Offset, 0)
		}
	})
	return n, nil
}

// DeleteBefore deletes the records of a topic's partitions below the given
// offsets.
func (a *Admin) DeleteBefore(ctx context.Context, topic string, at map[int32]int64) error {
	var o kadm.Offsets
	for n, offset := range at {
		o.AddOffset(topic, n, offset, -1)
	}
	done, err := a.adm.DeleteRecords(ctx, o)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		return a.cfg.explain(err, topic)
	}
	return nil
}

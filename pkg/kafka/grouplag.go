package kafka

import (
	"cmp"
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
)

// TopicLag returns how many records of a topic the group that is furthest behind
// has not committed: of one group where it is named, else of all that have
// committed something of the topic. Where there is none it is all that the topic
// holds.
func (a *Admin) TopicLag(ctx context.Context, topic, group string) (int64, error) {
	first, err := a.adm.ListStartOffsets(ctx, topic)
	if err = cmp.Or(err, first.Error()); err != nil {
		return 0, a.cfg.explain(err, topic)
	}
	last, err := a.adm.ListEndOffsets(ctx, topic)
	if err = cmp.Or(err, last.Error()); err != nil {
		return 0, a.cfg.explain(err, topic)
	}
	groups := []string{group}
	if group == "" {
		listed, err := a.adm.ListGroups(ctx)
		if err != nil {
			return 0, a.cfg.explain(err, topic)
		}
		groups = listed.Groups()
	}
	most, some := int64(0), false
	for _, r := range a.adm.FetchManyOffsets(ctx, groups...) {
		if n, ok := lagOf(topic, first, last, r.Fetched); r.Err == nil && (ok || group != "") {
			most, some = max(most, n), true
		}
	}
	if !some {
		most, _ = lagOf(topic, first, last, nil)
	}
	return most, nil
}

// lagOf returns how many records of a topic lie behind what was committed, and
// whether anything was.
func lagOf(topic string, first, last kadm.ListedOffsets, committed kadm.OffsetResponses) (n int64, ok bool) {
	last.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if begin, found := first.Lookup(topic, end.Partition); found {
			at = begin.Offset
		}
		if c, found := committed.Lookup(topic, end.Partition); found && c.At >= 0 {
			at, ok = max(at, c.At), true
		}
		n += max(end.Offset-at, 0)
	})
	return n, ok
}

package kafka

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/logctl/logctl/pkg/table"
)

// freshWithin is how long the metadata of a topic that was just created may
// take to reach the broker that is asked.
const freshWithin = 2 * time.Second

// Homes returns the topics that are read as things are now, and which they are: the id
// of the cluster, "" for one that has none, and their own.
func (s *Source) Homes(ctx context.Context) (map[string]table.Home, error) {
	all, err := s.admin.Metadata(ctx)
	if err != nil {
		return nil, s.cfg.explain(err, "")
	}
	names := s.cfg.Topics
	if s.cfg.Pattern {
		names = slices.DeleteFunc(all.Topics.Names(), func(name string) bool { return !s.matches(name) })
	}
	homes := map[string]table.Home{}
	for _, name := range names {
		homes[name] = table.Home(all.Cluster)
		if t := all.Topics[name]; t.ID != (kadm.TopicID{}) {
			homes[name] += table.Home(" " + t.ID.String())
		}
	}
	return homes, nil
}

// findTopics returns the named topics. One that does not exist is an error,
// which names the one most like it.
func (c Config) findTopics(ctx context.Context, admin *kadm.Client, names []string) (kadm.TopicDetails, error) {
	give := time.Now().Add(freshWithin)
	for {
		found, err := admin.ListTopicsWithInternal(ctx, names...)
		if err != nil {
			return nil, c.explain(err, "")
		}
		missing, err := "", error(nil)
		for _, name := range names {
			t, ok := found[name]
			if ok && t.Err == nil {
				continue
			}
			missing, err = name, t.Err
			if !ok {
				err = kerr.UnknownTopicOrPartition
			}
			break
		}
		switch {
		case err == nil:
			return found, nil
		case !kerr.IsRetriable(err):
			return nil, c.explain(err, missing)
		case time.Now().After(give):
			return nil, c.notThere(ctx, admin, missing, err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// notThere says why a topic cannot be used.
func (c Config) notThere(ctx context.Context, admin *kadm.Client, topic string, err error) error {
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return c.explain(err, topic)
	}
	all, err := admin.ListTopics(ctx)
	if err != nil {
		return unknownTopic(topic, nil)
	}
	return unknownTopic(topic, all.Names())
}

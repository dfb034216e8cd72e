package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/fault"
)

// An Admin looks at topics and changes them. It is safe for concurrent use.
type Admin struct {
	cfg Config
	adm *kadm.Client
}

// A TopicSpec is a topic as it is to be.
type TopicSpec struct {
	Name        string            `yaml:"name"`
	Partitions  int               `yaml:"partitions"`  // 0: the broker's default, or as it is
	Replication int               `yaml:"replication"` // 0: the broker's default, or as it is
	Configs     map[string]string `yaml:"configs"`     // others are left as they are
}

// A Topic is a topic as it is.
type Topic struct {
	Name       string
	Internal   bool
	Partitions []Partition
	Configs    map[string]string // those that differ from the broker's; only described topics have them
	Size       int64             // bytes on disk of one copy, -1 where the brokers do not say
}

// A Partition is a partition as it is.
type Partition struct {
	Number   int32
	Leader   int32 // -1 where there is none
	Replicas []int32
	ISR      []int32
	First    int64 // offset of the first record
	End      int64 // offset behind the last record
	Size     int64 // bytes on disk at its leader, -1 where the brokers do not say
}

// Replication returns how many copies of the topic there are.
func (t *Topic) Replication() int {
	if len(t.Partitions) == 0 {
		return 0
	}
	return len(t.Partitions[0].Replicas)
}

// UnderReplicated returns how many partitions lack a copy that is in sync.
func (t *Topic) UnderReplicated() int {
	n := 0
	for _, p := range t.Partitions {
		if len(p.ISR) < len(p.Replicas) {
			n++
		}
	}
	return n
}

// OpenAdmin returns an Admin of a cluster that answers.
func OpenAdmin(ctx context.Context, cfg Config) (*Admin, error) {
	cfg.mutes = new(mutes)
	client, err := cfg.open(ctx, kgo.MetadataMinAge(10*time.Millisecond), kgo.RetryTimeout(askWithin))
	if err != nil {
		return nil, err
	}
	cfg.mutes.of(client, cfg)
	return &Admin{cfg, kadm.NewClient(client)}, nil
}

// Close closes the connections.
func (a *Admin) Close() { a.adm.Close() }

// Topics returns all topics by name, with their partitions; internal ones where
// asked for.
func (a *Admin) Topics(ctx context.Context, internal bool) ([]Topic, error) {
	list := a.adm.ListTopics
	if internal {
		list = a.adm.ListTopicsWithInternal
	}
	found, err := list(ctx)
	if err != nil {
		return nil, a.cfg.explain(err, "")
	}
	return a.describe(ctx, found)
}

// Describe returns the named topics with their configs. One that does not exist
// is an error that names the one most like it.
func (a *Admin) Describe(ctx context.Context, names ...string) ([]Topic, error) {
	found, err := a.cfg.findTopics(ctx, a.adm, names)
	if err != nil {
		return nil, err
	}
	topics, err := a.describe(ctx, found)
	if err != nil {
		return nil, err
	}
	for i := range topics {
		if topics[i].Configs, err = a.configs(ctx, topics[i].Name); err != nil {
			return nil, err
		}
	}
	return topics, nil
}

// Widths returns how many partitions each of the named topics has, in their order.
// It asks for nothing else, and so does not need every leader to answer.
func (a *Admin) Widths(ctx context.Context, names ...string) ([]int, error) {
	found, err := a.cfg.findTopics(ctx, a.adm, names)
	if err != nil {
		return nil, err
	}
	widths := make([]int, len(names))
	for i, name := range names {
		widths[i] = len(found[name].Partitions)
	}
	return widths, nil
}

// describe adds offsets and sizes to what the metadata says.
func (a *Admin) describe(ctx context.Context, found kadm.TopicDetails) ([]Topic, error) {
	names := found.Names()
	if len(names) == 0 {
		return nil, nil
	}
	first, err := a.adm.ListStartOffsets(ctx, names...)
	if err != nil {
		return nil, a.cfg.explain(err, "")
	}
	end, err := a.adm.ListEndOffsets(ctx, names...)
	if err != nil {
		return nil, a.cfg.explain(err, "")
	}
	sizes := a.sizes(ctx)
	var topics []Topic
	for _, d := range found.Sorted() {
		t := Topic{Name: d.Topic, Internal: d.IsInternal}
		for _, p := range d.Partitions.Sorted() {
			id := part{d.Topic, p.Partition}
			one := Partition{Number: p.Partition, Leader: p.Leader, Replicas: p.Replicas, ISR: p.ISR, Size: -1}
			one.First = offsetOf(first, id)
			one.End = offsetOf(end, id)
			if size, ok := sizes[copyOf{p.Leader, id}]; ok {
				one.Size = size
			}
			t.Partitions = append(t.Partitions, one)
		}
		t.Size = sumSizes(t.Partitions)
		topics = append(topics, t)
	}
	return topics, nil
}

// sumSizes returns the bytes of all partitions, -1 where one is not known.
func sumSizes(ps []Partition) int64 {
	var sum int64
	for _, p := range ps {
		if p.Size < 0 {
			return -1
		}
		sum += p.Size
	}
	return sum
}

// A copyOf is one copy of a partition.
type copyOf struct {
	broker int32
	part
}

// sizes returns the bytes on disk of every copy; none where the brokers do not
// say.
func (a *Admin) sizes(ctx context.Context) map[copyOf]int64 {
	sizes := map[copyOf]int64{}
	dirs, _ := a.adm.DescribeAllLogDirs(ctx, nil) // sizes are an extra that old brokers and some users lack
	for broker, ds := range dirs {
		ds.EachPartition(func(p kadm.DescribedLogDirPartition) {
			sizes[copyOf{broker, part{p.Topic, p.Partition}}] += p.Size
		})
	}
	return sizes
}

// configs returns the configs that were set for the topic itself.
func (a *Admin) configs(ctx context.Context, topic string) (map[string]string, error) {
	all, err := a.adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return nil, a.cfg.explain(err, topic)
	}
	set := map[string]string{}
	for _, rc := range all {
		if rc.Err != nil {
			return nil, a.cfg.explain(rc.Err, topic)
		}
		for _, c := range rc.Configs {
			if c.Source == kmsg.ConfigSourceDynamicTopicConfig {
				set[c.Key] = c.MaybeValue()
			}
		}
	}
	return set, nil
}

// Create creates a topic. It returns false where the topic exists already, as
// it stands, and an error where it exists with fewer or more partitions than
// asked for.
func (a *Admin) Create(ctx context.Context, spec TopicSpec) (bool, error) {
	if err := spec.Check(); err != nil {
		return false, err
	}
	partitions, replication := int32(-1), int16(-1)
	if spec.Partitions > 0 {
		partitions = int32(spec.Partitions)
	}
	if spec.Replication > 0 {
		replication = int16(spec.Replication)
	}
	configs := map[string]*string{}
	for k, v := range spec.Configs {
		configs[k] = &v
	}
	resp, err := a.adm.CreateTopics(ctx, partitions, replication, configs, spec.Name)
	if err == nil {
		err = resp[spec.Name].Err
	}
	switch {
	case err == nil:
		a.await(ctx, func(all kadm.TopicDetails) bool { return all.Has(spec.Name) })
		return true, nil
	case errors.Is(err, kerr.TopicAlreadyExists):
		return false, a.checkSame(ctx, spec)
	default:
		return false, a.refused(err, spec.Name, resp[spec.Name].ErrMessage)
	}
}

// await waits a little until the brokers' metadata shows what was changed, so
// that the next command sees it.
func (a *Admin) await(ctx context.Context, seen func(kadm.TopicDetails) bool) {
	for give := time.Now().Add(freshWithin); time.Now().Before(give) && ctx.Err() == nil; {
		if all, err := a.adm.ListTopics(ctx); err == nil && seen(all) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// checkSame refuses a topic that exists with another number of partitions.
func (a *Admin) checkSame(ctx context.Context, spec TopicSpec) error {
	if spec.Partitions == 0 {
		return nil
	}
	found, err := a.cfg.findTopics(ctx, a.adm, []string{spec.Name})
	if err != nil {
		return err
	}
	if n := len(found[spec.Name].Partitions); n != spec.Partitions {
		return fault.Hint(fmt.Errorf("topic %q exists with %d partitions, not %d", spec.Name, n, spec.Partitions),
			fmt.Sprintf("`logctl topic alter %s --partitions N` adds some", spec.Name))
	}
	return nil
}

// refused explains why a topic cannot be as asked for.
func (a *Admin) refused(err error, topic, message string) error {
	switch {
	case errors.Is(err, kerr.InvalidPartitions), errors.Is(err, kerr.InvalidReplicationFactor),
		errors.Is(err, kerr.InvalidConfig), errors.Is(err, kerr.InvalidTopicException), errors.Is(err, kerr.PolicyViolation):
		if message == "" {
			message = err.Error()
		}
		return fmt.Errorf("topic %q: %s", topic, message)
	}
	return a.cfg.explain(err, topic)
}

// Alter adds partitions to a topic and sets configs; a config with an empty
// value goes back to the broker's default. It returns what it changed.
func (a *Admin) Alter(ctx context.Context, spec TopicSpec) ([]Change, error) {
	if err := spec.Check(); err != nil {
		return nil, err
	}
	now, err := a.Describe(ctx, spec.Name)
	if err != nil {
		return nil, err
	}
	changes, err := differences(&now[0], spec)
	if err != nil {
		return nil, err
	}
	return changes, a.carryOut(ctx, spec, changes)
}

// Remove removes topics. One that does not exist is an error, and then none is
// removed.
func (a *Admin) Remove(ctx context.Context, names ...string) error {
	if _, err := a.cfg.findTopics(ctx, a.adm, names); err != nil {
		if missing, ok := errors.AsType[missingTopic](err); ok {
			return fault.Hint(missing, cmp.Or(missing.near, "`logctl topic ls` shows them"))
		}
		return err
	}
	resp, err := a.adm.DeleteTopics(ctx, names...)
	if err != nil {
		return a.cfg.explain(err, "")
	}
	for _, name := range names {
		if err := resp[name].Err; err != nil {
			return a.refused(err, name, resp[name].ErrMessage)
		}
	}
	a.await(ctx, func(all kadm.TopicDetails) bool { return !slices.ContainsFunc(names, all.Has) })
	return nil
}

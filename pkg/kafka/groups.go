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

	"github.com/logctl/logctl/pkg/fault"
)

// A Group is a consumer group as it is.
type Group struct {
	Name        string
	State       string // as Kafka says it: Stable, Empty, PreparingRebalance and others
	Protocol    string // how partitions are shared out, "" where nobody is there
	Share       bool   // it is a share group: who has a partition is not said, others may have it, too
	Coordinator int32
	Members     []Member
	Partitions  []Behind // those that the group has committed, or that a member has
}

// Kind says which kind of group it is.
func (g *Group) Kind() string {
	if g.Share {
		return "share"
	}
	return "consumer"
}

// A Member is one reader of a group.
type Member struct {
	ID, Instance, ClientID, Host string
	Assigned                     []Assigned
}

// Assigned is what a member has of a topic.
type Assigned struct {
	Topic      string  `json:"topic"`
	Partitions []int32 `json:"partitions"`
}

// Partitions returns how many are the member's own.
func (m *Member) Partitions() (n int) {
	for _, a := range m.Assigned {
		n += len(a.Partitions)
	}
	return n
}

// Name returns the stable name of a member, else the one that it was given.
func (m *Member) Name() string { return cmp.Or(m.Instance, m.ID) }

// Behind is how far a group is with a partition.
type Behind struct {
	Topic      string
	Partition  int32
	First, End int64
	Committed  int64  // -1 where the group has committed nothing; of a share group the first that is not done
	Member     string // whose it is, "" for nobody's

	left int64 // what a share group has still to do, of which some is behind Committed; -1 where it is not known
}

// Lag returns how many records the group has not read yet.
func (b *Behind) Lag() int64 {
	if b.left >= 0 {
		return b.left
	}
	if b.Committed < 0 {
		return b.End - b.First
	}
	return max(b.End-max(b.Committed, b.First), 0)
}

// Lag returns how many records of all partitions the group has not read yet.
func (g *Group) Lag() (n int64) {
	for i := range g.Partitions {
		n += g.Partitions[i].Lag()
	}
	return n
}

// Groups returns the names of all groups with their states.
func (a *Admin) Groups(ctx context.Context) ([]Group, error) {
	listed, err := a.adm.ListGroups(ctx)
	if err != nil {
		return nil, a.cfg.explain(err, "")
	}
	groups := make([]Group, 0, len(listed))
	for _, g := range listed.Sorted() {
		groups = append(groups, Group{
			Name: g.Group, State: g.State, Share: g.ProtocolType == "share", Coordinator: g.Coordinator,
		})
	}
	return groups, nil
}

// DescribeGroup returns a group with its members and how far it is. One that does
// not exist is an error that names the one most like it.
func (a *Admin) DescribeGroup(ctx context.Context, name string) (*Group, error) {
	g := &Group{Name: name, Coordinator: -1}
	if err := a.members(ctx, g); err != nil {
		return nil, err
	}
	if err := a.offsets(ctx, g); err != nil {
		return nil, err
	}
	if len(g.Members) == 0 && len(g.Partitions) == 0 {
		return nil, a.noGroup(ctx, name)
	}
	return g, a.ends(ctx, g)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (g *Group) add(m Member, parts kadm.TopicsSet) {
	m.Assigned = []Assigned{}
	for _, t := range parts.Sorted() {
		if t.Topic == "" {
			continue // the embedded broker does not name topics under KIP-848
		}
		m.Assigned = append(m.Assigned, Assigned{t.Topic, t.Partitions})
		for _, n := range t.Partitions {
			if at := g.partition(t.Topic, n); !g.Share {
				at.Member = m.Name()
			}
		}
	}
	g.Members = append(g.Members, m)
}

// partition returns what is known of a partition.
func (g *Group) partition(topic string, n int32) *Behind {
	i := slices.IndexFunc(g.Partitions, func(b Behind) bool { return b.Topic == topic && b.Partition == n })
	if i < 0 {
		i = len(g.Partitions)
		g.Partitions = append(g.Partitions, Behind{Topic: topic, Partition: n, Committed: -1, left: -1})
	}
	return &g.Partitions[i]
}

// ends adds where the partitions begin and end, and sorts them.
func (a *Admin) ends(ctx context.Context, g *Group) error {
	topics := map[string]bool{}
	for _, b := range g.Partitions {
		topics[b.Topic] = true
	}
	names := make([]string, 0, len(topics))
	for t := range topics {
		names = append(names, t)
	}
	if len(names) == 0 {
		return nil
	}
	first, err := a.adm.ListStartOffsets(ctx, names...)
	if err != nil {
		return a.cfg.explain(err, "")
	}
	last, err := a.adm.ListCommittedOffsets(ctx, names...)
	if err != nil {
		return a.cfg.explain(err, "")
	}
	for i := range g.Partitions {
		b := &g.Partitions[i]
		b.First, b.End = offsetOf(first, part{b.Topic, b.Partition}), offsetOf(last, part{b.Topic, b.Partition})
	}
	slices.SortFunc(g.Partitions, func(x, y Behind) int {
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	return nil
}

func (a *Admin) noGroup(ctx context.Context, name string) error {
	var known []string
	if all, err := a.Groups(ctx); err == nil {
		for _, g := range all {
			if g.Name == name { // it is empty
				return fault.Hint(fmt.Errorf("group %q %w", name, errNoGroup), "it is there: nothing was committed in it so far")
			}
			known = append(known, g.Name)
		}
	}
	hint := fault.DidYouMean(name, known)
	if hint == "" {
		hint = "`logctl group ls` shows them"
	}
	return fault.Hint(fmt.Errorf("group %q %w", name, errNoGroup), hint)
}

var errNoGroup = errors.New("does not exist, or has neither members nor offsets")

// A Move is a change of where a group goes on in a partition.
type Move struct {
	Topic     string
	Partition int32
	From, To  int64 // From is -1 where nothing was committed
}

// ResetGroup has a group go on from a bound in every partition of the topics; with
// no topics, of those that it has committed. It must have no members. With dry it
// only says what it would do.
func (a *Admin) ResetGroup(ctx context.Context, name string, topics []string, to Bound, dry bool) ([]Move, error) {
	g, err := a.DescribeGroup(ctx, name)
	switch {
	case err != nil && len(topics) == 0:
		return nil, err
	case err != nil:
		g = &Group{Name: name}
	case len(g.Members) > 0:
		return nil, fault.Hint(fmt.Errorf("group %q has %d members, which would go on where they are", name, len(g.Members)),
			"stop them first")
	}
	if len(topics) == 0 {
		for _, b := range g.Partitions {
			topics = append(topics, b.Topic)
		}
		slices.Sort(topics)
		topics = slices.Compact(topics)
	}
	if _, err := a.cfg.findTopics(ctx, a.adm, topics); err != nil {
		return nil, err
	}
	q := inquiry{
		cfg: SourceConfig{Config: a.cfg, Start: to, Timeout: time.Minute}, admin: a.adm, topics: topics,
		outage: func(error) {},
	}
	marks, err := q.marks(ctx)
	if err != nil {
		return nil, err
	}
	return a.move(ctx, g, to, marks, dry)
}

func (a *Admin) move(ctx context.Context, g *Group, to Bound, marks offsets, dry bool) ([]Move, error) {
	var moves []Move
	commit := kadm.Offsets{}
	for topic, parts := range marks.first {
		for n := range parts {
			m := Move{topic, n, -1, marks.begin(to, part{topic, n})}
			for _, b := range g.Partitions {
				if b.Topic == topic && b.Partition == n {
					m.From = b.Committed
				}
			}
			moves = append(moves, m)
			commit.AddOffset(topic, n, m.To, -1)
		}
	}
	slices.SortFunc(moves, func(x, y Move) int {
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	if dry {
		return moves, nil
	}
	if err := a.commit(ctx, g, commit); err != nil {
		return nil, fmt.Errorf("group %q: %w", g.Name, a.cfg.explain(err, ""))
	}
	return moves, nil
}

// RemoveGroups removes groups that have no members.
func (a *Admin) RemoveGroups(ctx context.Context, names ...string) error {
	resp, err := a.adm.DeleteGroups(ctx, names...)
	if err != nil {
		return a.cfg.explain(err, "")
	}
	for _, name := range names {
		switch err := resp[name].Err; {
		case errors.Is(err, kerr.GroupIDNotFound):
			return a.noGroup(ctx, name)
		case errors.Is(err, kerr.NonEmptyGroup):
			return fault.Hint(fmt.Errorf("group %q has members", name), "stop them first")
		case err != nil:
			return fmt.Errorf("group %q: %w", name, a.cfg.explain(err, ""))
		}
	}
	return nil
}

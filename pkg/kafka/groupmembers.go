package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/logctl/logctl/pkg/fault"
)

// members finds out who is in a group, under either protocol.
func (a *Admin) members(ctx context.Context, g *Group) error {
	classic, err := a.adm.DescribeGroups(ctx, g.Name)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return a.cfg.explain(err, "")
	}
	if d, ok := classic[g.Name]; ok && d.Err == nil && len(d.Members) > 0 {
		g.State, g.Protocol, g.Coordinator = d.State, d.Protocol, d.Coordinator.NodeID
		for _, m := range d.Members {
			g.add(Member{ID: m.MemberID, Instance: deref(m.InstanceID), ClientID: m.ClientID, Host: m.ClientHost},
				assignedOf(m))
		}
		return nil
	}
	if d := classic[g.Name]; d.Err != nil && !errors.Is(d.Err, kerr.GroupIDNotFound) {
		return a.cfg.explain(d.Err, "")
	}
	modern, err := a.adm.DescribeConsumerGroups(ctx, g.Name) // KIP-848, also of one that is said to be empty
	if d, ok := modern[g.Name]; err == nil && ok && d.Err == nil {
		g.State, g.Protocol, g.Coordinator = d.State, d.AssignorName, d.Coordinator.NodeID
		for _, m := range d.Members {
			g.add(Member{ID: m.MemberID, Instance: deref(m.InstanceID), ClientID: m.ClientID, Host: m.ClientHost}, m.Assignment)
		}
		return nil
	}
	if a.sharers(ctx, g); g.Share {
		return nil
	}
	if d, ok := classic[g.Name]; ok && d.State != "Dead" {
		g.State, g.Protocol, g.Coordinator = d.State, d.Protocol, d.Coordinator.NodeID
	}
	return nil
}

// sharers finds out who is in a group if it is a share group (KIP-932). Clusters that
// know of none have no such group.
func (a *Admin) sharers(ctx context.Context, g *Group) {
	shared, err := a.adm.DescribeShareGroups(ctx, g.Name)
	d, ok := shared[g.Name]
	if err != nil || !ok || d.Err != nil || d.GroupState == "Dead" {
		return
	}
	g.Share, g.State, g.Protocol, g.Coordinator = true, d.GroupState, d.Assignor, d.Coordinator.NodeID
	for _, m := range d.Members {
		g.add(Member{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost}, m.Assignment)
	}
}

// checkKind refuses the name of a group of the other kind: who joins that waits for
// ever. What the brokers do not tell is no reason to refuse.
func (c Config) checkKind(ctx context.Context, adm *kadm.Client, name string, share bool) error {
	a, g := &Admin{c, adm}, &Group{Name: name}
	if a.sharers(ctx, g); g.Share && !share {
		return fault.Hint(fmt.Errorf("group %q is a share group", name),
			fmt.Sprintf("--share-group %s joins it; a group that keeps offsets needs another name", name))
	}
	if g.Share || !share {
		return nil
	}
	// Another member may have made it a share group just now.
	if err := a.members(ctx, g); err == nil && !g.Share && g.State != "" {
		return fault.Hint(fmt.Errorf("group %q keeps offsets, and is no share group", name),
			fmt.Sprintf("--group %s joins it; a share group needs another name", name))
	}
	return nil
}

// offsets adds how far a group is.
func (a *Admin) offsets(ctx context.Context, g *Group) error {
	if g.Share {
		return a.shareOffsets(ctx, g)
	}
	committed, err := a.adm.FetchOffsets(ctx, g.Name)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return a.cfg.explain(err, "")
	}
	committed.Each(func(o kadm.OffsetResponse) {
		if o.Metadata == markNote {
			return
		}
		if at := g.partition(o.Topic, o.Partition); o.Err == nil {
			at.Committed = o.At
		}
	})
	return nil
}

func (a *Admin) shareOffsets(ctx context.Context, g *Group) error {
	begun, err := a.adm.DescribeShareGroupOffsets(ctx, g.Name)
	if err == nil {
		err = begun.Error()
	}
	if err != nil {
		return a.cfg.explain(err, "")
	}
	begun[g.Name].Offsets.Each(func(o kadm.ShareOffset) {
		if at := g.partition(o.Topic, o.Partition); o.Err == nil {
			at.Committed, at.left = o.StartOffset, o.Lag
		}
	})
	return nil
}

// commit has a group without members go on at the given offsets.
func (a *Admin) commit(ctx context.Context, g *Group, at kadm.Offsets) error {
	if !g.Share {
		return a.adm.CommitAllOffsets(ctx, g.Name, at)
	}
	done, err := a.adm.AlterShareGroupOffsets(ctx, g.Name, at)
	if err == nil {
		err = done.Error()
	}
	return err
}

func assignedOf(m kadm.DescribedGroupMember) kadm.TopicsSet {
	parts := kadm.TopicsSet{}
	if c, ok := m.Assigned.AsConsumer(); ok {
		for _, t := range c.Topics {
			parts.Add(t.Topic, t.Partitions...)
		}
	}
	return parts
}

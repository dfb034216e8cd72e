package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// A Change is one difference between a topic and its declaration.
type Change struct {
	Topic string
	What  string // topic, partitions or the name of a config
	From  string // "" where there was nothing
	To    string
}

// String says the change in words.
func (c Change) String() string {
	switch {
	case c.What == whatTopic:
		return c.Topic + ": " + c.To
	case c.From == "":
		return fmt.Sprintf("%s: %s %s", c.Topic, c.What, c.To)
	default:
		return fmt.Sprintf("%s: %s %s, was %s", c.Topic, c.What, c.To, c.From)
	}
}

// Apply makes topics as declared: creates those that are missing, adds
// partitions, sets configs. It removes nothing, and does nothing where one of them
// cannot be as declared. It returns the changes; with dry it makes none.
func (a *Admin) Apply(ctx context.Context, specs []TopicSpec, dry bool) (made []Change, _ error) {
	if err := checkSpecs(specs); err != nil {
		return nil, err
	}
	all, err := a.adm.ListTopics(ctx)
	if err != nil {
		return nil, a.cfg.explain(err, "")
	}
	plans := make([][]Change, len(specs))
	for i, spec := range specs {
		if plans[i], err = a.plan(ctx, spec, all.Has(spec.Name)); err != nil {
			return nil, err
		}
	}
	for i, spec := range specs {
		if !dry {
			if err := a.carryOut(ctx, spec, plans[i]); err != nil {
				return made, err
			}
		}
		made = append(made, plans[i]...)
	}
	return made, nil
}

// checkSpecs refuses declarations that no cluster can follow.
func checkSpecs(specs []TopicSpec) error {
	seen := map[string]bool{}
	for _, spec := range specs {
		if err := spec.Check(); err != nil {
			return err
		}
		if seen[spec.Name] {
			return fault.Usagef("", "topic %q is declared twice", spec.Name)
		}
		seen[spec.Name] = true
	}
	return nil
}

// Check refuses what no topic can be.
func (s *TopicSpec) Check() error {
	if !stream.ValidTopic(s.Name) {
		return fault.Usagef(`letters, digits, ".", "_" and "-", at most 249 of them, and not "." or ".." alone`,
			"topic %q: no topic can have this name", s.Name)
	}
	if s.Partitions < 0 || s.Replication < 0 {
		return fault.Usagef("", "topic %q: %d partitions and %d copies: want 0, which is the broker's default, or more",
			s.Name, s.Partitions, s.Replication)
	}
	return nil
}

// plan returns what has to change for a topic to be as declared.
func (a *Admin) plan(ctx context.Context, spec TopicSpec, exists bool) ([]Change, error) {
	if !exists {
		to := "created"
		if spec.Partitions > 0 {
			to = fmt.Sprintf("created with %d partitions", spec.Partitions)
		}
		return []Change{{Topic: spec.Name, What: whatTopic, To: to}}, nil
	}
	now, err := a.Describe(ctx, spec.Name)
	if err != nil {
		return nil, err
	}
	return differences(&now[0], spec)
}

// What a change is about, where it is no config.
const (
	whatTopic      = "topic"
	whatPartitions = "partitions"
)

// differences returns what differs; an error where it cannot be changed.
func differences(now *Topic, spec TopicSpec) ([]Change, error) {
	var changes []Change
	n := len(now.Partitions)
	switch {
	case spec.Partitions != 0 && spec.Partitions < n:
		return nil, fault.Hint(fmt.Errorf("topic %q has %d partitions: they cannot be reduced to %d",
			now.Name, n, spec.Partitions), "create another topic and copy the records")
	case spec.Partitions > n:
		changes = append(changes, Change{now.Name, whatPartitions, fmt.Sprint(n), fmt.Sprint(spec.Partitions)})
	}
	if have := now.Replication(); spec.Replication != 0 && spec.Replication != have {
		return nil, fault.Hint(fmt.Errorf("topic %q has %d copies, not %d", now.Name, have, spec.Replication),
			"kafka-reassign-partitions.sh moves copies between brokers")
	}
	for _, k := range slices.Sorted(maps.Keys(spec.Configs)) {
		if have := now.Configs[k]; have != spec.Configs[k] {
			changes = append(changes, Change{now.Name, k, have, spec.Configs[k]})
		}
	}
	return changes, nil
}

// carryOut makes changes.
func (a *Admin) carryOut(ctx context.Context, spec TopicSpec, changes []Change) error {
	var configs []kadm.AlterConfig
	for _, c := range changes {
		switch c.What {
		case whatTopic:
			_, err := a.Create(ctx, spec)
			return err
		case whatPartitions:
			resp, err := a.adm.UpdatePartitions(ctx, spec.Partitions, spec.Name)
			if err == nil {
				err = resp[spec.Name].Err
			}
			if err != nil {
				return a.refused(err, spec.Name, resp[spec.Name].ErrMessage)
			}
			a.await(ctx, func(all kadm.TopicDetails) bool { return len(all[spec.Name].Partitions) == spec.Partitions })
		default:
			alter := kadm.AlterConfig{Op: kadm.SetConfig, Name: c.What, Value: &c.To}
			if c.To == "" {
				alter.Op, alter.Value = kadm.DeleteConfig, nil
			}
			configs = append(configs, alter)
		}
	}
	if len(configs) == 0 {
		return nil
	}
	resp, err := a.adm.AlterTopicConfigs(ctx, configs, spec.Name)
	if err != nil {
		return a.cfg.explain(err, spec.Name)
	}
	for _, r := range resp {
		if r.Err != nil {
			return a.refused(r.Err, spec.Name, r.ErrMessage)
		}
	}
	return nil
}

package main

import (
	"context"

	"github.com/logctl/logctl/pkg/kafka"
)

// bound is a table that takes a topic from one cluster alone.
type bound interface {
	Belongs(ctx context.Context, topic, cluster string) error
}

// bind has a table whose rows are known by topic, partition and offset take each
// topic from one cluster alone.
func (p *pipeline) bind(table bound) error {
	for _, s := range p.Sources {
		src, ok := s.(*kafka.Source)
		if !ok {
			continue
		}
		cluster, topics, err := src.Place(p.cmd.Context())
		if err != nil {
			return err
		}
		for _, topic := range topics {
			if err := table.Belongs(p.cmd.Context(), topic, cluster); err != nil {
				return err
			}
		}
	}
	return nil
}

package main

import (
	"context"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/table"
)

// bound is what keeps positions in topics, which mean nothing in others of their names.
type bound interface {
	Belongs(ctx context.Context, topic string, home table.Home) error
}

// bind has a table whose rows are known by topic, partition and offset, or a checkpoint,
// take each topic from one cluster alone, and no other one of its name.
func (p *pipeline) bind(to bound) error {
	for _, s := range p.Sources {
		src, ok := s.(*kafka.Source)
		if !ok {
			continue
		}
		homes, err := src.Homes(p.cmd.Context())
		if err != nil {
			return err
		}
		for topic, home := range homes {
			if err := to.Belongs(p.cmd.Context(), topic, home); err != nil {
				return err
			}
		}
	}
	return nil
}

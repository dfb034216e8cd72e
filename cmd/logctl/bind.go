package main

import (
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/store"
)

// bind has a table whose rows are known by topic, partition and offset take each
// topic from one cluster alone.
func (p *pipeline) bind(table *store.Sink) error {
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

package store

import (
	"context"
	"fmt"

	"github.com/logctl/logctl/pkg/fault"
)

const createClusters = `CREATE TABLE IF NOT EXISTS _logctl_clusters (
	sink TEXT NOT NULL, source TEXT NOT NULL, cluster TEXT NOT NULL, PRIMARY KEY (sink, source)) WITHOUT ROWID`

// Belongs binds the positions and rows of a topic in the sink's table to the
// cluster that the topic is of, by its id. Positions say nothing in another
// cluster, and rows with the same place there would replace one another: where
// the topic is bound to another one, that is the error.
func (s *Sink) Belongs(ctx context.Context, topic, cluster string) error {
	_, err := exec(ctx, s.c, `INSERT INTO _logctl_clusters (sink, source, cluster) VALUES (?, ?, ?)
		ON CONFLICT DO NOTHING`, s.name, topic, cluster)
	if err != nil {
		return s.failed("opening", err)
	}
	bound := ""
	err = query(ctx, s.c, "SELECT cluster FROM _logctl_clusters WHERE sink = ? AND source = ?",
		func(row []any) { bound = text(row[0]) }, s.name, topic)
	if err != nil {
		return s.failed("opening", err)
	}
	if bound != cluster {
		return fault.Hint(s.failed("writing to", fmt.Errorf("its positions of topic %q are those of another Kafka cluster "+
			"(%s, not %s)", topic, bound, cluster)), "write into another table, as in sqlite:"+s.path+"#other")
	}
	return nil
}

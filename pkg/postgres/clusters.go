package postgres

import (
	"context"
	"fmt"

	"github.com/logctl/logctl/pkg/fault"
)

const createClusters = `CREATE TABLE IF NOT EXISTS _logctl_clusters (
	sink text NOT NULL, source text NOT NULL, cluster text NOT NULL, PRIMARY KEY (sink, source))`

// Belongs binds the positions and rows of a topic in the sink's table to the id of its
// cluster. It returns an error if the topic is bound to another cluster: the positions
// would be meaningless there, and rows of the two would replace each other.
func (s *Sink) Belongs(ctx context.Context, topic, cluster string) error {
	_, err := s.query(ctx, `INSERT INTO _logctl_clusters (sink, source, cluster) VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, s.name, topic, cluster)
	if err != nil {
		return s.failed("opening", err)
	}
	rows, err := s.query(ctx, "SELECT cluster FROM _logctl_clusters WHERE sink = $1 AND source = $2", s.name, topic)
	if err != nil {
		return s.failed("opening", err)
	}
	if bound := rows[0][0]; bound != cluster {
		return fault.Hint(s.failed("writing to", fmt.Errorf("its positions of topic %q are those of another Kafka cluster "+
			"(%s, not %s)", topic, bound, cluster)), "name another table behind the #")
	}
	return nil
}

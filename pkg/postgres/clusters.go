package postgres

import (
	"context"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/table"
)

const createClusters = `CREATE TABLE IF NOT EXISTS _logctl_clusters (
	sink text NOT NULL, source text NOT NULL, cluster text NOT NULL, PRIMARY KEY (sink, source))`

// Belongs binds the positions and rows of a topic in the sink's table to where the topic
// is. It returns an error if they are bound to another one: the positions would be
// meaningless there, and rows of the two would replace each other.
func (s *Sink) Belongs(ctx context.Context, topic string, home table.Home) error {
	_, err := s.query(ctx, `INSERT INTO _logctl_clusters (sink, source, cluster) VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, s.name, topic, string(home))
	if err != nil {
		return s.failed("opening", err)
	}
	rows, err := s.query(ctx, "SELECT cluster FROM _logctl_clusters WHERE sink = $1 AND source = $2", s.name, topic)
	if err != nil {
		return s.failed("opening", err)
	}
	renew, err := home.Settle(topic, table.Home(rows[0][0]))
	if err != nil {
		return fault.Hint(s.failed("writing to", err), "name another table behind the #")
	}
	if renew {
		_, err = s.query(ctx, "UPDATE _logctl_clusters SET cluster = $1 WHERE sink = $2 AND source = $3",
			string(home), s.name, topic)
	}
	return err
}

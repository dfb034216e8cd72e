package store

import (
	"context"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/table"
)

const createClusters = `CREATE TABLE IF NOT EXISTS _logctl_clusters (
	sink TEXT NOT NULL, source TEXT NOT NULL, cluster TEXT NOT NULL, PRIMARY KEY (sink, source)) WITHOUT ROWID`

// Belongs binds the positions and rows of a topic in the sink's table to where the topic
// is. Positions say nothing of another one, and rows with the same place there would
// replace one another: where the topic is bound to another one, that is the error.
func (s *Sink) Belongs(ctx context.Context, topic string, home table.Home) error {
	if err := bind(ctx, s.c, s.name, topic, home); err != nil {
		return fault.Hint(s.failed("writing to", err), "write into another table, as in sqlite:"+s.path+"#other")
	}
	return nil
}

// Belongs binds the positions in a topic to where the topic is.
func (k *Checkpoint) Belongs(ctx context.Context, topic string, home table.Home) error {
	err := exec(ctx, k.c, createClusters)
	if err == nil {
		err = bind(ctx, k.c, "", topic, home)
	}
	return fault.Hint(k.failed("going on from", err), "discard the checkpoint with --reset")
}

// bind notes where a topic is, or returns why what is known of it is of another one.
func bind(ctx context.Context, c *conn, sink, topic string, home table.Home) error {
	err := exec(ctx, c, `INSERT INTO _logctl_clusters (sink, source, cluster) VALUES (?, ?, ?)
		ON CONFLICT DO NOTHING`, sink, topic, string(home))
	if err != nil {
		return err
	}
	bound := table.Home("")
	err = query(ctx, c, "SELECT cluster FROM _logctl_clusters WHERE sink = ? AND source = ?",
		func(row []any) { bound = table.Home(text(row[0])) }, sink, topic)
	if err != nil {
		return err
	}
	renew, err := home.Settle(topic, bound)
	if renew {
		err = exec(ctx, c, "UPDATE _logctl_clusters SET cluster = ? WHERE sink = ? AND source = ?",
			string(home), sink, topic)
	}
	return err
}

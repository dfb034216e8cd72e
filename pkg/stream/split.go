package stream

import "github.com/logctl/logctl/pkg/record"

// Split returns a sink that gives each record to one of sinks, whose index choose
// returns. The order of records is kept. It is a Flusher and a Pusher.
func Split(choose func(b *record.Batch, i int) int, sinks ...Sink) Sink {
	return &split{fanout: sinks, choose: choose, views: make([]*record.Batch, len(sinks))}
}

type split struct {
	fanout
	choose func(b *record.Batch, i int) int
	views  []*record.Batch // of the rows at hand, for each sink
}

func (s *split) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		k := s.choose(rows.Batch, i)
		if s.views[k] == nil {
			s.views[k] = record.NewBatch()
		}
		s.views[k].Recs = append(s.views[k].Recs, rows.Recs[i])
	}
	var err error
	for k, v := range s.views {
		if v == nil {
			continue
		}
		v.View(rows.Batch) // now that choosing, which may move the arena, is done
		if err == nil {
			err = s.fanout[k].Write(v.All())
		}
		v.Release()
		s.views[k] = nil
	}
	return err
}

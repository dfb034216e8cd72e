package guard

import "github.com/logctl/logctl/pkg/human"

// Summary says in words what happened to records that could not be sent at once, "" if
// there were none. Call it after the run.
func (s *Sink) Summary() string {
	n := s.cfg.Breaker.Opened()
	text := ""
	for _, x := range []struct {
		what string
		n    int64
	}{
		{"breaker opened", n},
		{"spooled", s.counts.spooled.Load()},
		{"replayed", s.counts.replayed.Load()},
		{"expired in the spool", s.counts.expired.Load()},
		{"missing in the spool", s.missing()},
		{"waiting in the spool", s.spooledNow()},
		{"sent to the fallback", s.counts.diverted.Load()},
		{"dropped", s.counts.dropped.Load()},
	} {
		if x.n == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += x.what + " " + human.Count(x.n)
	}
	return text
}

// Dropped returns how many records were dropped.
func (s *Sink) Dropped() int64 { return s.counts.dropped.Load() }

func (s *Sink) spooledNow() int64 {
	if s.cfg.Spool == nil {
		return 0
	}
	return s.cfg.Spool.Len()
}

func (s *Sink) missing() int64 {
	if s.cfg.Spool == nil {
		return 0
	}
	return s.cfg.Spool.Lost()
}

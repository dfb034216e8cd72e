package kafka

import (
	"fmt"
	"time"

	"github.com/logctl/logctl/pkg/human"
)

const (
	// longSilence is after how long without an acknowledgement a person is told.
	longSilence = 5 * time.Second

	// longAbsence is after how long between two looks it was this process that was away:
	// it was stopped, the machine slept, or somebody has set its clock.
	longAbsence = 2 * time.Second
)

// noteSilence sees to it that nothing is acknowledged.
func (s *Sink) noteSilence(now int64) {
	s.noteAbsence(now)
	s.noteOutage(now)
	s.notePause(now)
}

// noteAbsence has a silence begin now if nobody has looked for a while: what came meanwhile
// could not be heard.
func (s *Sink) noteAbsence(now int64) {
	if away := now - s.looked; s.looked != 0 && (away < 0 || away > int64(longAbsence)) {
		s.counts.progress.Store(now)
	}
	s.looked = now
}

// noteOutage says once for each outage that nothing is acknowledged.
func (s *Sink) noteOutage(now int64) {
	last := s.counts.progress.Load()
	silent := time.Duration(now - last)
	if s.cfg.Note == nil || silent < longSilence || s.noted == last || s.inflight.Load() == 0 {
		return
	}
	s.noted = last
	s.cfg.Note(fmt.Sprintf("topic %q: kafka at %s has acknowledged nothing for %s%s; waiting for it", s.cfg.Topic,
		s.cfg.addr(), human.Span(silent.Round(time.Second)), s.lastError()))
}

// notePause sees to what is in flight and not acknowledged: each second of that
// is a failure for the breaker; without one, after the time-out, for the sink.
func (s *Sink) notePause(now int64) {
	since := s.counts.progress.Load()
	if s.inflight.Load() == 0 {
		return
	}
	if s.cfg.Breaker == nil {
		if now-since > int64(s.cfg.Timeout) {
			s.timedOut()
		}
		return
	}
	if now-max(since, s.stalled) >= int64(time.Second) {
		s.stalled = now
		s.cfg.Breaker.Done(now, false)
	}
}

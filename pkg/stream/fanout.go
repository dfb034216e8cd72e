package stream

import (
	"context"
	"errors"

	"github.com/logctl/logctl/pkg/record"
)

// Fanout returns a sink that writes everything to all sinks, in order. It is a Flusher
// and a Pusher. A single sink is returned as it is, so that its other methods are not
// hidden.
func Fanout(sinks ...Sink) Sink {
	if len(sinks) == 1 {
		return sinks[0]
	}
	return fanout(sinks)
}

type fanout []Sink

// Write stops at the first sink that fails: the pipeline ends, and nothing that
// only some of them have is committed.
func (f fanout) Write(rows record.Rows) error {
	for _, s := range f {
		if err := s.Write(rows); err != nil {
			return err
		}
	}
	return nil
}

func (f fanout) Flush(ctx context.Context) error {
	var errs []error
	for _, s := range f {
		if fl, ok := s.(Flusher); ok {
			errs = append(errs, fl.Flush(ctx))
		}
	}
	return errors.Join(errs...)
}

func (f fanout) Push() error {
	var errs []error
	for _, s := range f {
		if p, ok := s.(Pusher); ok {
			errs = append(errs, p.Push())
		}
	}
	return errors.Join(errs...)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/term"
)

// run opens and runs the pipeline with all that surrounds it: progress,
// --listen, the summary, and the closing of what was opened.
func (p *pipeline) run() error {
	p.listen()
	stop := func() {}
	err := p.open()
	if err == nil {
		err = p.join()
	}
	if err == nil {
		stop, err = p.flags.daemon.serve(p.cmd, p.ready, p.routes, append(p.metrics, p.Stats)...)
	}
	if err != nil {
		return p.close(err)
	}
	defer stop()
	for _, f := range p.starters {
		f()
	}
	quiet, _ := p.cmd.Flags().GetBool("quiet")
	progress := term.StartProgress(p.cmd.ErrOrStderr(), quiet, p.progress)
	err = p.work(p.cmd.Context())
	progress.Stop()
	if p.ended != nil {
		p.ended()
	}
	if err = p.close(err); errors.Is(err, syscall.EPIPE) {
		return err // whoever read the output has had enough: nothing is worth saying
	}
	if errors.Is(err, kafka.ErrAborted) {
		return err // it begins again
	}
	p.summary()
	if err == nil {
		err = p.givenUp()
	}
	if err == nil && p.Strict && p.Stats.Bad.Load() > 0 {
		return fault.No("bad records")
	}
	return err
}

// say tells a person something on stderr, unless --quiet.
func (p *pipeline) say(text string) { note(p.cmd, "%s", text) }

// work takes all records from the sources to the sinks. What ended it passes where the
// members of groups that read say so: see kafka.ErrAborted.
func (p *pipeline) work(ctx context.Context) error {
	err := engine.Run(ctx, p.Pipeline)
	for _, s := range p.Sources {
		if src, ok := s.(*kafka.Source); ok && err != nil {
			err = src.Judge(ctx, err)
		}
	}
	return err
}

// read gives what is read, topics as k says, to a sink, prepared by what p holds, and
// closes what was opened. Nothing is said of it.
func (p *pipeline) read(to stream.Sink, k kafkaInput) error {
	p.consumer = &k
	return p.close(p.feed(to))
}

// feed does the same, and leaves open what is.
func (p *pipeline) feed(to stream.Sink) error {
	var err error
	if p.Sources, err = p.openSources(); err != nil {
		return err
	}
	p.Sink = to
	return engine.Run(p.cmd.Context(), p.Pipeline)
}

// ready says why nobody should rely on the run yet: its state is not there.
func (p *pipeline) ready() error {
	if n := p.Stats.Restoring.Load(); n > 0 {
		return fmt.Errorf("state is being restored: %s of its tasks are not ready", human.Count(n))
	}
	if p.doubt != nil {
		return p.doubt()
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/load"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/term"
)

// openSinks opens where the pipeline writes to.
func (p *pipeline) openSinks() error {
	list, err := p.flags.output.endpoints()
	if err != nil {
		return err
	}
	if why := notOnce(list); p.Exactly && p.txn == nil && why != "" {
		return fault.Usagef("write to topics, to one sqlite:FILE#TABLE or postgres://HOST/DB#TABLE, or take "+
			"--delivery at-least-once", "exactly once cannot be kept %s", why)
	}
	var sinks []stream.Sink
	for _, e := range list {
		s, err := p.openMain(e)
		if err != nil {
			return err
		}
		sinks = append(sinks, s)
	}
	p.Sink = stream.Fanout(sinks...)
	if p.txn != nil && p.Exactly {
		p.Sink = p.txn.Around(p.Sink, p.members()...)
	}
	for _, s := range sinks {
		if to, ok := s.(bound); ok && (p.Exactly || len(p.flags.output.unique) == 0) {
			if err := p.bind(to); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepPace has the sink given records no faster than asked for.
func (p *pipeline) keepPace() {
	if p.pace != nil {
		p.Sink, p.Arena = load.Pace(p.cmd.Context(), p.Sink, *p.pace, p.rest()), pacedArena(*p.pace)
	}
}

// pacedArena returns the size of batches that wait for their turn: small, so that
// little is in flight when the run is interrupted.
func pacedArena(s limit.Schedule) int {
	const perRecord, least, most = 64, 512, 16 << 10
	return int(min(max(s.Most()*perRecord, least), most))
}

// rest returns for how long a run that is interrupted goes on at its pace with
// what it has read: not at all where that can be read again, as from files and
// topics, and of a pipe for most of --drain.
func (p *pipeline) rest() time.Duration {
	for _, e := range p.endpoints {
		info, err := os.Stat(e.Path)
		piped := e.Scheme == stream.File && err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice|os.ModeSocket) != 0
		if piped || e.Scheme == stream.Stdio {
			return p.Drain * 3 / 4
		}
	}
	return 0
}

// notOnce says why output and positions cannot be committed in one transaction;
// "" where they can.
func notOnce(list endpoints) string {
	if len(list) != 1 {
		return "in several outputs: one may be committed when the other is not"
	}
	switch list[0].Scheme {
	case stream.SQLite, stream.Postgres:
		return ""
	case stream.Stdio:
		return "in a pipe: what its reader has taken cannot be taken back"
	case stream.File:
		return "in files: they have no transactions"
	default:
		return fmt.Sprintf("in a %s endpoint yet", list[0].Scheme)
	}
}

func (p *pipeline) openSink(e stream.Endpoint) (stream.Sink, error) {
	f := &p.flags.output
	switch e.Scheme {
	case stream.Stdio:
		enc, err := f.encoder(term.Width(p.cmd.OutOrStdout()))
		if err != nil {
			return nil, err
		}
		if err := p.checkStdout(p.cmd.OutOrStdout()); err != nil {
			return nil, err
		}
		return p.closing(stdio.NewWriter(p.stdout(), "stdout", enc))
	case stream.File:
		opt, err := f.files(p.durable)
		if err != nil {
			return nil, err
		}
		if err := p.checkFile(e.Path, opt); err != nil {
			return nil, err
		}
		return p.createFile(e.Path, opt)
	case stream.Kafka:
		return p.openTopic(e, nil)
	case stream.SQLite, stream.Postgres:
		return p.openTable(e)
	case stream.Null:
		return new(stdio.Null), nil
	case stream.HTTP:
	}
	return nil, fault.Usagef("a file, -, kafka:TOPIC, sqlite:FILE#TABLE, postgres://HOST/DB#TABLE or null:",
		"nothing can be written to %s: yet", e.Scheme)
}

// stdout returns where data goes by default. Where that is a pipe or a terminal whose
// reader stands still, an interrupted run waits for it no longer than --drain.
func (p *pipeline) stdout() io.Writer {
	file, ok := p.cmd.OutOrStdout().(*os.File)
	if !ok {
		return p.cmd.OutOrStdout()
	}
	over := make(chan struct{})
	context.AfterFunc(p.cmd.Context(), func() { time.AfterFunc(p.Drain, func() { close(over) }) })
	return stdio.NewOutlet(file, over)
}

// closing has s closed at the end.
func (p *pipeline) closing(s interface {
	stream.Sink
	Close() error
},
) (stream.Sink, error) {
	p.atEnd(s.Close)
	return s, nil
}

// sideSink opens where dead letters or late records go: to a file as
// envelopes, to Kafka raw with headers.
func (p *pipeline) sideSink(name string) (stream.Sink, error) {
	e, err := stream.ParseEndpoint(name)
	if err != nil {
		return nil, err
	}
	if p.checkpoint != nil && e.Scheme != stream.File {
		return nil, fault.Usagef("", "--checkpoint: what was written can only be cut back in files, not in %q", name)
	}
	if e.Scheme != stream.File && e.Scheme != stream.Stdio {
		return p.openSink(e)
	}
	side := outputFlags{format: "envelope"}
	if e.Scheme == stream.Stdio {
		enc, err := side.encoder(0)
		if err != nil {
			return nil, err
		}
		return p.closing(stdio.NewWriter(p.stdout(), "stdout", enc))
	}
	opt, err := side.files(p.durable)
	if err != nil {
		return nil, err
	}
	return p.createFile(e.Path, opt)
}

// openLate opens where an operator writes late records, whole as they came, if that is
// named.
func (p *pipeline) openLate(name string, set func(stream.Sink)) error {
	if name == "" {
		return nil
	}
	p.Plan.Whole = true
	sink, err := p.sideSink(name)
	if err == nil {
		set(p.aside(sink))
	}
	return err
}

// aside has an operator write to a sink beside the output.
func (p *pipeline) aside(sink stream.Sink) stream.Sink {
	g := engine.NewGate(sink)
	p.Sides = append(p.Sides, g)
	return g
}

func (p *pipeline) createFile(path string, opt stdio.FileOptions) (stream.Sink, error) {
	s, err := stdio.Create(path, opt)
	if err != nil {
		return nil, err
	}
	p.checkpoint.writes(path, s)
	return p.closing(s)
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// stateFlags say what of a run is kept for the next one. Every command whose
// operator has a state has them.
type stateFlags struct {
	path     string
	flush    bool
	reset    bool
	delivery string
	keyed    bool

	advertise string
}

func (f *stateFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.path, "checkpoint", "",
		"keep in `FILE` how far the input was read, and the state: the next run goes on there, each record once")
	fs.BoolVar(&f.flush, "flush", false, "with --checkpoint: the input ends, write what is open instead of keeping it")
	fs.BoolVar(&f.reset, "reset", false, "with --checkpoint or --group: discard the state that is kept, begin anew")
	addDelivery(fs, &f.delivery)
	fs.BoolVar(&f.keyed, "keyed", false,
		"with --group: equal groups have equal record keys, so that records need not be taken to another partition")
	fs.StringVar(&f.advertise, "advertise", "",
		"with --group: other instances reach --listen at `HOST:PORT` (default where it listens)")
}

// A checkpoint is that of a run being put together.
type checkpoint struct {
	*store.Checkpoint
	files map[string]store.Output // that the run writes
	err   error
}

// open opens the checkpoint, if there is to be one, of the operator that p has.
// It comes before anything else is opened.
func (f *stateFlags) open(p *pipeline) error {
	if f.path == "" {
		if f.flush || f.reset && !p.cmd.Flags().Changed("group") {
			return fault.Usagef("", "--flush needs a --checkpoint, --reset that or a --group")
		}
		return nil
	}
	op, ok := p.Operator.(stream.Stateful)
	if !ok {
		return fault.Usagef("", "the state of this %s cannot be kept", p.cmd.Name())
	}
	if err := p.checkCheckpoint(); err != nil {
		return err
	}
	if info, err := os.Stat(f.path); err == nil && info.Size() == 0 && !f.reset {
		note(p.cmd, "checkpoint %q is empty: the input is read from its beginning", f.path)
	}
	k, err := store.OpenCheckpoint(p.cmd.Context(), f.path, store.CheckpointOptions{
		Signature: op.Signature() + p.readingFlags(), Reset: f.reset,
	})
	if err != nil {
		return err
	}
	p.atEnd(k.Close)
	p.checkpoint = &checkpoint{Checkpoint: k, files: map[string]store.Output{}}
	p.durable, p.Continues = true, !f.flush
	return nil
}

// readingFlags returns the flags that decide what is read as which record.
func (p *pipeline) readingFlags() string {
	var b strings.Builder
	for _, name := range []string{"where", "time-field", "format", "multiline", "envelope", "max-record", "tz"} {
		if flag := p.cmd.Flags().Lookup(name); flag != nil && flag.Changed {
			fmt.Fprintf(&b, " --%s %q", name, flag.Value)
		}
	}
	return b.String()
}

// checkCheckpoint refuses what cannot be cut back to where a run was.
func (p *pipeline) checkCheckpoint() error {
	f := &p.flags.output
	list, err := f.endpoints()
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Scheme != stream.File && e.Scheme != stream.Null {
			return fault.Usagef("as in --to rows.ndjson",
				"--checkpoint: what was written can only be cut back in files: want --to FILE")
		}
	}
	switch {
	case f.rotateSize > 0 || f.rotateEvery > 0:
		return fault.Usagef("", "--checkpoint: files that are rotated cannot be cut back")
	case !slices.Contains([]string{"json", "envelope", "template"}, f.format):
		return fault.Usagef("-o json is a row a line", "--checkpoint: -o %s is for one run, and several write to a file",
			f.format)
	case p.Limit > 0:
		return fault.Usagef("", "--checkpoint: with --limit it is not known how far the input was dealt with")
	}
	return nil
}

// writes notes a file that the run writes.
func (k *checkpoint) writes(path string, s *stdio.File) {
	if k == nil {
		return
	}
	path = filepath.Clean(path)
	if k.files[path] != nil {
		k.err = fault.Usagef("", "--checkpoint: %q is written to twice", path)
	}
	k.files[path] = s
}

// resume has the run, all of which is open by now, go on from the checkpoint.
func (k *checkpoint) resume(ctx context.Context, p *pipeline) error {
	if k == nil || k.err != nil {
		return k.failure()
	}
	if err := p.bind(k); err != nil {
		return err
	}
	if err := k.Attach(ctx, p.Sink, k.files); err != nil {
		return err
	}
	p.Sink, p.Vault, p.Exactly = k.Checkpoint, k.Checkpoint, true
	if p.endpoints.of(stream.Kafka) > 0 {
		return nil
	}
	at, err := k.Positions(ctx)
	if err != nil {
		return err
	}
	rest, gone, err := stdio.Rest(p.Sources, at, p.reading())
	if err != nil {
		return err
	}
	p.Sources = append(rest, p.Sources...)
	return k.Forget(ctx, gone)
}

func (k *checkpoint) failure() error {
	if k == nil {
		return nil
	}
	return k.err
}

// unfinished says what an interrupted run has not written, or what is kept for the
// next one: n windows or the like whose time was not over.
func (p *pipeline) unfinished(what string, n int64) string {
	switch {
	case n == 0:
		return ""
	case p.checkpoint != nil && (p.Continues || p.cmd.Context().Err() != nil):
		return what + " kept " + human.Count(n)
	case p.cmd.Context().Err() != nil:
		return what + " not written " + human.Count(n)
	}
	return ""
}

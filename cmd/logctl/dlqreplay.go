package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/listing"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/transform"
)

// replayFlags say which letters are replayed, where to and how fast.
type replayFlags struct {
	dlqFlags
	daemon    daemonFlags
	to        []string // one
	rate      string
	transform string
	breaker   string
	limit     int64
	dryRun    bool
	again     bool
	ifNewer   bool
	auto      string
	every     time.Duration
}

const original = "original"

func newDLQReplay() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay --from ENDPOINT",
		Short: "Send dead letters back to where they came from, or elsewhere",
		Long: `Replay sends the payload of each letter, byte for byte unless --transform changes it,
with its key and its own headers back to the topic that it came from, in the order in
which they died. That a letter was replayed is noted among the dead letters: a second
replay passes it over, and one that was killed goes on where it had come to. From a topic
to topics of the same cluster the record and the note are one transaction.

A record that dies again after a replay is a new letter: --breaker stops when too many do.`,
		Example: `  # What would be sent
  logctl dlq replay --from kafka:app-logs-dlq --class TIMEOUT --dry-run -o table

  # A hundred a second, until ten come back
  logctl dlq replay --from kafka:app-logs-dlq --class TIMEOUT --rate 100/s --breaker 10`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.dlqFlags.add(cmd)
	fs := cmd.Flags()
	f.addFilter(fs)
	fs.StringArrayVar(&f.to, "to", []string{original}, "`ENDPOINT` to send to: original is the topic that each came from")
	_ = cmd.RegisterFlagCompletionFunc("to", completeTarget)
	fs.StringVar(&f.rate, "rate", "", "letters a second, as `100/s` (default as fast as it goes)")
	fs.StringVar(&f.transform, "transform", "", "change the payload, a JSON object: `NAME=EXPR,…`")
	fs.StringVar(&f.breaker, "breaker", "", "stop when `N` replayed letters have come back, or P%/N: P % after at least N")
	fs.Int64Var(&f.limit, "limit", 0, "no more than `N` letters (0: all)")
	fs.BoolVar(&f.dryRun, "dry-run", false, "only say what would be done")
	fs.BoolVar(&f.again, "again", false, "also what was replayed already")
	fs.BoolVar(&f.ifNewer, "if-newer", false,
		"only letters that are newer than all records of their key in their topic: nothing newer is overwritten")
	fs.StringVar(&f.auto, "auto", "", "replay the letters of `CLASS` again and again, every --every")
	durationVar(fs, &f.every, "every", 10*time.Minute, "how often --auto does so")
	addForm(fs, &f.form, forms...)
	section(fs, runningSection, f.daemon.add)
	return cmd
}

func (f *replayFlags) run(cmd *cobra.Command) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	if f.auto == "" {
		return f.once(cmd)
	}
	f.classes, f.anyClass = append(f.classes, f.auto), true
	if f.dryRun {
		return f.once(cmd)
	}
	stop, err := f.daemon.serve(cmd, nil, f.routes(cmd))
	if err != nil {
		return err
	}
	defer stop()
	if hint := dlq.Misspelt(f.auto); hint != "" {
		note(cmd, "--auto %q is no class or kind of logctl's own: %s", f.auto, hint)
	}
	return f.goOn(cmd)
}

// goOn replays again and again until it is interrupted. What fails after the first
// time is said and tried again by the next one: a cluster that is down comes back.
func (f *replayFlags) goOn(cmd *cobra.Command) error {
	clock := time.NewTicker(f.every)
	defer clock.Stop()
	for first := true; ; first = false {
		switch err := f.once(cmd); {
		case err == nil || cmd.Context().Err() != nil:
		case !errors.Is(err, errCameBack) && (first || fault.Status(err) == fault.Usage):
			return err
		default:
			note(cmd, "%v; the next attempt is in %s", err, human.Span(f.every))
		}
		select {
		case <-clock.C:
		case <-cmd.Context().Done():
			return nil
		}
	}
}

// check refuses what contradicts itself.
func (f *replayFlags) check(cmd *cobra.Command) error {
	switch {
	case f.limit < 0:
		return fault.Usagef("", "--limit %d: want 0, which is no limit, or more", f.limit)
	case f.auto == "" && f.daemon.listen != "":
		return fault.Usagef("`logctl dlq stats --listen` answers questions", "--listen is for --auto: a replay ends")
	case f.auto == "" && given(cmd, "every"):
		return fault.Usagef("as in --auto TRANSIENT --every 10m", "--every is how often --auto replays")
	case f.every <= 0:
		return fault.Usagef("as in --every 10m", "--every %v: want more than nothing", f.every)
	}
	return nil
}

// once replays what there is now.
func (f *replayFlags) once(cmd *cobra.Command) error {
	p, err := f.payloads(cmd)
	if err != nil {
		return err
	}
	r, err := f.prepare(cmd)
	if err != nil {
		return err
	}
	letters, before, err := f.choose(cmd)
	if err != nil {
		return r.end(err)
	}
	if f.dryRun {
		if before > 0 {
			note(cmd, "%s", replayedBefore(before))
		}
		return r.end(listing.Objects(cmd.OutOrStdout(), f.form, rowsOf(letters, 1, 0)))
	}
	for i := range letters {
		r.chosen[letters[i].Place] = true
	}
	if len(letters) > 0 {
		err = p.read(r, everything)
	}
	if err = r.end(err); err != nil && r.sent == 0 || f.auto != "" && len(letters) == 0 {
		return err
	}
	said := fmt.Sprintf("%s of %s letters replayed", human.Count(r.sent), human.Count(int64(len(letters))))
	if left := int64(len(letters)) - r.sent; left > 0 && err == nil && cmd.Context().Err() == nil {
		said += "; " + human.Count(left) + " are no JSON objects, which --transform changes, and stay"
	}
	if before > 0 {
		said += "; " + replayedBefore(before)
	}
	note(cmd, "%s", said)
	return err
}

// payloads returns what reads the letters, and changes them as --transform says.
func (f *replayFlags) payloads(cmd *cobra.Command) (*pipeline, error) {
	p, err := f.pipeline(cmd)
	if err != nil || f.transform == "" {
		return p, err
	}
	input := inputFlags{format: "ndjson", envelope: p.flags.input.envelope, maxRecord: longLetter}
	if p.decoder, err = input.decoder(true); err != nil {
		return nil, err
	}
	p.Begin = p.decoder.Begin
	set, err := transform.NewSet(f.transform, p.Plan)
	p.Prepare = append(p.Prepare, set)
	return p, err
}

// replayedBefore says why letters are passed over.
func replayedBefore(n int) string {
	return human.Count(int64(n)) + " were replayed before (--again sends them once more)"
}

// choose returns the letters that are to be replayed, and how many are not
// because they have been.
func (f *replayFlags) choose(cmd *cobra.Command) (letters []dlq.Letter, before int, err error) {
	look := f.dlqFlags.letters
	if f.auto != "" { // says nothing, again and again
		look = func(cmd *cobra.Command) (*dlq.Index, error) { return f.index(cmd, f.filter(time.Now())) }
	}
	x, err := look(cmd)
	if err != nil {
		return nil, 0, err
	}
	if f.again {
		letters = x.Unpurged()
	} else {
		letters, before = x.Letters(), x.Marked(dlq.Replayed)
	}
	if f.ifNewer {
		if letters, err = f.newest(cmd, letters); err != nil {
			return nil, 0, err
		}
	}
	if f.limit > 0 && int64(len(letters)) > f.limit {
		letters = letters[:f.limit]
	}
	return letters, before, nil
}

// completeTarget offers the original beside the endpoints.
func completeTarget(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	found, what := completeEndpoint(cmd, args, typed)
	if strings.HasPrefix(original, typed) {
		found = append(found, original)
	}
	return found, what
}

// target returns where letters are sent to; none is where each came from.
func (f *replayFlags) target() (stream.Endpoint, error) {
	if len(f.to) != 1 {
		return stream.Endpoint{}, fault.Usagef("", "replay sends to one --to, not to %d", len(f.to))
	}
	name := f.to[0]
	if name == original {
		return stream.Endpoint{}, nil
	}
	if !strings.ContainsAny(name, "./:") && fault.Nearest(name, []string{original}) != "" {
		return stream.Endpoint{}, fault.Usagef("did you mean original? A file of that name is ./"+name,
			"--to %q: want original or an endpoint", name)
	}
	if name == f.from[0] {
		return stream.Endpoint{}, fault.Usagef("leave --to out: they go to where they came from",
			"--to %q is where the letters are", name)
	}
	return stream.ParseEndpoint(name)
}

// prepare opens what letters are sent by.
func (f *replayFlags) prepare(cmd *cobra.Command) (*replayer, error) {
	from, err := f.endpoint()
	if err != nil {
		return nil, err
	}
	rate, err := limit.ParseSchedule(f.rate)
	if err != nil {
		return nil, fmt.Errorf("--rate: %w", err)
	}
	trip, err := limit.ParseTrip(f.breaker)
	if err != nil {
		return nil, fmt.Errorf("--breaker: %w", err)
	}
	to, err := f.target()
	if err != nil {
		return nil, err
	}
	r := &replayer{
		f: f, cmd: cmd, from: from, to: to, trip: trip, pace: limit.Bucket{Schedule: rate},
		chosen: map[dlq.Place]bool{}, sinks: map[string]stream.Sink{}, began: time.Now(),
	}
	if f.dryRun {
		return r, nil
	}
	return r, r.open()
}

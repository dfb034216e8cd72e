package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// shedFlags say what gives way when what matters more is behind.
type shedFlags struct {
	when  string
	to    string
	every time.Duration
}

func (f *shedFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.when, "shed", "", "divert what a rule sends while readers are behind: "+
		"`RULE` when lag(kafka:TOPIC) > N, or lag(kafka:TOPIC, GROUP); low and default are rules, too")
	fs.StringVar(&f.to, "shed-to", "kafka:logs-batch", "where it goes meanwhile: `ENDPOINT`")
	durationVar(fs, &f.every, "shed-every", time.Second, "how often the lag is looked at")
}

// A shedder swaps the rules in force as readers fall behind and catch up.
type shedder struct {
	*rulebook
	flags *shedFlags
	rule  route.Shed
	admin *kafka.Admin
	on    bool // guarded by rulebook.mu
}

// newShedder returns nil where nothing is to be shed.
func (f *shedFlags) newShedder(b *rulebook) (*shedder, error) {
	if f.when == "" {
		return nil, refuseUnused(b.p.cmd, new(shedFlags).add, "shedding, and nothing is shed",
			"as in --shed 'low when lag(kafka:logs-critical) > 100'")
	}
	rule, err := route.ParseShed(f.when)
	if err != nil {
		return nil, err
	}
	if _, err := stream.ParseEndpoint(f.to); err != nil {
		return nil, err
	}
	if f.every <= 0 {
		return nil, fault.Usagef("", "--shed-every %v: want more than nothing", f.every)
	}
	_, err = rule.Apply(b.file, f.to)
	return &shedder{rulebook: b, flags: f, rule: rule}, err
}

// open connects to the cluster whose readers are looked at, and opens what takes the
// load that is shed.
func (s *shedder) open() error {
	s.on = true
	_, err := s.try(s.text)
	if s.on = false; err != nil {
		return err
	}
	conn, err := s.p.flags.kafka.config(stream.Endpoint{})
	if err != nil {
		return err
	}
	s.admin, err = kafka.OpenAdmin(s.p.cmd.Context(), conn)
	return err
}

// watch looks at the lag until ctx is done.
func (s *shedder) watch(ctx context.Context) {
	defer s.admin.Close()
	tick := time.NewTicker(s.flags.every)
	defer tick.Stop()
	known := true
	for {
		lag, err := s.admin.TopicLag(ctx, s.rule.Topic, s.rule.Group)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.stats.Unknown.Add(1) // it stays as it is while nobody can tell
			if known {
				note(s.p.cmd, "--shed: how far readers are behind is not known, and nothing changes: %v%s",
					err, suffix(fault.HintOf(err)))
			}
			known = false
		default:
			known = true
			s.look(lag)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look puts other rules in force where the lag demands it.
func (s *shedder) look(lag int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Lag.Store(lag)
	on := s.rule.On(lag, s.on)
	if on == s.on {
		return
	}
	s.on = on
	t, err := s.try(s.text)
	if err != nil {
		s.on = !on
		s.reject(err)
		return
	}
	s.live.Set(t)
	where := "where it did"
	if on {
		s.stats.Sheds.Add(1)
		where = "to " + s.flags.to
	}
	note(s.p.cmd, "behind in %s by %s: %s goes %s", s.rule.Topic, count(int(lag), "record"), s.rule.Rule, where)
}

// apply diverts what is shed. Rules without the one that gives way are refused when they
// come, not when the load does.
func (s *shedder) apply(f *route.File, opt *route.Options) (*route.File, error) {
	if s == nil {
		return f, nil
	}
	changed, err := s.rule.Apply(f, s.flags.to)
	if err == nil && !s.on {
		return f, nil
	}
	if err == nil && !slices.Equal(changed.Default, f.Default) {
		opt.Default = changed.Default
	}
	return changed, err
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// profileFlags say how records of some classes are produced in another way than
// the rest.
type profileFlags struct {
	list []string
	by   string
}

// A profile is a name and what is different under it.
type profile struct {
	name  string
	topic string // "" for the one of --to
	edits []func(*kafka.SinkConfig)
}

func (f *profileFlags) add(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.list, "profile", nil, "produce the records of a class in a way of their own: "+
		"`NAME=SETTING:VALUE,…` with acks, linger, compression, batch-bytes, to (repeatable)")
	fs.StringVar(&f.by, "profile-by", "", "`EXPR` whose text names the profile of a record; others follow the flags")
}

const profileHint = `as in --profile critical=acks:all,linger:0 --profile bulk=acks:0,to:bulk --profile-by 'class'`

// use has a pipeline's records go by profile.
func (f *profileFlags) use(p *pipeline) error {
	if len(f.list) == 0 && f.by == "" {
		return nil
	}
	if len(f.list) == 0 || f.by == "" {
		return fault.Usagef(profileHint, "--profile and --profile-by go together")
	}
	to, err := p.flags.output.endpoints()
	switch {
	case err != nil:
		return err
	case !to.only(stream.Kafka):
		return fault.Usagef("as in --to kafka:app-logs",
			"profiles are for one topic that is written to, and those of their own")
	case p.sink != nil || p.producer.txn != "" || p.guard != nil && p.guard.asked:
		return fault.Usagef("drop one of them", "profiles go with neither --outbox, --txn, a breaker nor a spool")
	}
	p.guard.drop()
	var profiles []profile
	for _, text := range f.list {
		one, err := parseProfile(text)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(profiles, func(p profile) bool { return p.name == one.name }) {
			return fault.Usagef("one --profile names all settings of a class: NAME=SETTING:VALUE,SETTING:VALUE",
				"--profile %q is there twice", one.name)
		}
		profiles = append(profiles, one)
	}
	by, err := expr.Compile(f.by, p.Plan)
	if err != nil {
		return err
	}
	p.sink = func() (stream.Sink, error) { return p.openProfiles(to[0], profiles, by) }
	return nil
}

// parseProfile reads NAME=SETTING:VALUE,….
func parseProfile(text string) (profile, error) {
	name, settings, ok := strings.Cut(text, "=")
	one := profile{name: name}
	if !ok || name == "" {
		return one, fault.Usagef(profileHint, "--profile %q: want NAME=SETTING:VALUE", text)
	}
	for s := range strings.SplitSeq(settings, ",") {
		key, value, _ := strings.Cut(s, ":")
		if key == "to" {
			one.topic = strings.TrimPrefix(value, "kafka:") // as in --to, or the name alone
			continue
		}
		edit, err := profileEdit(key, value)
		if err != nil {
			return one, fault.Usagef(profileHint, "--profile %q: %w", text, err)
		}
		one.edits = append(one.edits, edit)
	}
	return one, nil
}

// profileEdit returns what a setting changes.
func profileEdit(key, value string) (func(*kafka.SinkConfig), error) {
	settings := []string{"acks", "linger", "compression", "batch-bytes", "to"}
	switch key {
	case "acks":
		return func(c *kafka.SinkConfig) { c.Acks = value }, nil
	case "compression":
		return func(c *kafka.SinkConfig) { c.Codec = value }, nil
	case "linger":
		d, err := parseLinger(value)
		return func(c *kafka.SinkConfig) { c.Linger = d }, err
	case "batch-bytes":
		n, err := human.ParseSize(value)
		if err == nil && n < leastBatch {
			err = fmt.Errorf("batch-bytes %d: want at least %d", n, leastBatch)
		}
		return func(c *kafka.SinkConfig) { c.BatchBytes = int(n) }, err
	}
	return nil, fmt.Errorf("unknown setting %q: want one of %s", key, strings.Join(settings, ", "))
}

// openProfiles opens the topic of --to as the flags say, and once more for each
// profile.
func (p *pipeline) openProfiles(to stream.Endpoint, profiles []profile, by *expr.Expr) (stream.Sink, error) {
	plain, err := p.openTopic(to, nil)
	if err != nil {
		return nil, err
	}
	sinks, index := []stream.Sink{plain}, map[string]int{}
	for _, one := range profiles {
		e := to
		if one.topic != "" {
			e.Topics = []string{one.topic}
		}
		s, err := p.openTopic(e, func(c *kafka.SinkConfig) {
			for _, edit := range one.edits {
				edit(c)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("profile %q: %w", one.name, err)
		}
		index[one.name] = len(sinks)
		sinks = append(sinks, s)
	}
	return stream.Split(func(b *record.Batch, i int) int { return index[string(b.Text(by.Value(b, i)))] },
		slices.Clip(sinks)...), nil
}

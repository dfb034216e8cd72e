package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/member"
	"github.com/logctl/logctl/pkg/stream"
)

// kafkaInput says how topics are read.
type kafkaInput struct {
	group      string
	balancer   string
	instance   string
	session    time.Duration
	isolation  string
	start      string
	stop       string
	partitions []int32
	warnLag    int64

	// What a command sets beside its flags.
	fetch    int             // bytes of one fetch at most; 0: as many as the source's default
	unpacked int             // likewise, of a batch when it is unpacked
	shuffled *kafka.Shuffled // the topic is one of package shuffle
	widths   *kafka.Widths   // numbers of partitions that the run relies on; nil for none
}

func (f *kafkaInput) add(fs *pflag.FlagSet) {
	fs.StringVarP(&f.group, "group", "g", "", "read as a member of consumer group `NAME`")
	f.balancer, f.isolation = kafka.Balancers[0], isolations[0]
	choiceVar(fs, &f.balancer, "balancer", kafka.Balancers,
		"`HOW` a group shares partitions: cooperative-sticky, sticky, range, roundrobin, kip848")
	fs.StringVar(&f.instance, "instance-id", "",
		"stable `ID` of this member (default one kept with the state; - for none)")
	durationVar(fs, &f.session, "session-timeout", 8*time.Second, "a silent member loses its partitions after so long")
	choiceVar(fs, &f.isolation, "isolation", isolations,
		"`LEVEL` of transactions: read_committed or read_uncommitted")
	fs.StringVar(&f.start, "start", "", "where to begin: beginning, end, -1h, -10 (the last ten of each partition), "+
		"a `TIME` or an offset; a group's committed offset wins (default beginning)")
	fs.StringVar(&f.stop, "stop", "", "where to end: end (what is there now), +10, a `TIME` or an offset (default never)")
	fs.Int64Var(&f.warnLag, "warn-lag", 0,
		"say when more than `N` records are not read yet, and when they are again (0: never)")
	fs.Int32SliceVar(&f.partitions, "only-partitions", nil, "read these partitions alone: `N,…`")
}

// isolations are the values of --isolation.
var isolations = []string{"read_committed", "read_uncommitted"}

// finite reports whether reading ends by itself.
func (f *kafkaInput) finite() bool { return f != nil && f.stop != "" }

// open opens the topics of an endpoint.
func (f *kafkaInput) open(p *pipeline, e stream.Endpoint) (*kafka.Source, error) {
	if f == nil {
		return nil, fault.Usagef("logctl consume reads topics", "%s does not read from Kafka", p.cmd.Name())
	}
	cfg, err := f.config(p, e)
	if err != nil {
		return nil, err
	}
	src, err := kafka.OpenSource(p.cmd.Context(), cfg)
	if err != nil {
		return nil, err
	}
	p.atEnd(src.Close)
	p.lag.add(src)
	p.notes = append(p.notes, func() string { return deletedUnread(src) })
	p.metrics = append(p.metrics, f.labelled(p, e, src.Metrics()))
	if f.warnLag > 0 {
		p.atEnd(src.WatchLag(f.warnLag, p.say))
	}
	return src, nil
}

func (f *kafkaInput) config(p *pipeline, e stream.Endpoint) (kafka.SourceConfig, error) {
	var c kafka.SourceConfig
	conn, err := p.flags.kafka.config(e)
	if err != nil {
		return c, err
	}
	c = kafka.SourceConfig{
		Config: conn, Topics: e.Topics, Pattern: e.Pattern, Except: e.Except, Partitions: f.partitions,
		Group: f.group, Balancer: f.balancer,
		Session: f.session, Uncommitted: f.isolation == isolations[1],
		FetchBytes: f.fetch, PartitionBytes: f.fetch / 8,
		MaxRecord: int(p.flags.input.maxRecord), Unpacked: f.unpacked,
		Note: p.say, Yield: p.Yield,
	}
	if c.Start, err = kafka.ParseStart(f.start, time.Now()); err != nil {
		return c, fmt.Errorf("--start: %w", err)
	}
	if c.Stop, err = kafka.ParseStop(f.stop, time.Now()); err != nil {
		return c, fmt.Errorf("--stop: %w", err)
	}
	c.Shuffled, c.Widths, c.Finishes = f.shuffled, f.widths, p.New != nil
	if f.shuffled != nil {
		c.MaxRecord = 0 // values are several records, of which none is longer
	}
	c.Keeps = p.New != nil || p.Exactly
	if f.group != "" {
		c.InstanceID, err = f.member(p)
		if c.InstanceID != "" && p.endpoints.of(stream.Kafka) > 1 {
			c.InstanceID += "-" + strings.Join(c.Topics, ",") // each input is a member of its own
		}
	}
	return c, err
}

// deletedUnread says in the summary how many records were deleted before they were read.
func deletedUnread(src *kafka.Source) string {
	if n := src.Deleted(); n > 0 {
		return "deleted unread " + human.Count(n)
	}
	return ""
}

// labelled tells the metrics of an input from those of others.
func (f *kafkaInput) labelled(p *pipeline, e stream.Endpoint, c prometheus.Collector) prometheus.Collector {
	if p.endpoints.of(stream.Kafka) < 2 {
		return c
	}
	return prometheus.WrapCollectorWith(prometheus.Labels{"input": strings.Join(e.Topics, ",")}, c)
}

// member returns the stable id of this instance: the given one, or that of the
// first slot of its group that no other instance on this machine holds.
func (f *kafkaInput) member(p *pipeline) (string, error) {
	switch f.instance {
	case "":
	case "-":
		return "", nil
	default:
		return f.instance, nil
	}
	if p.slot != nil {
		return p.slot.ID, nil
	}
	root, err := stateDir()
	if err != nil {
		return "", err
	}
	slot, err := member.Claim(root, f.group)
	if err != nil {
		return "", fault.Hint(err, "--instance-id ID names the member, --instance-id - leaves it without a name")
	}
	p.atEnd(slot.Release)
	p.slot = slot
	return slot.ID, nil
}

// stateDir is where state is kept between runs: $XDG_STATE_HOME/logctl.
func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "logctl"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.Hint(err, "set XDG_STATE_HOME")
	}
	return filepath.Join(home, ".local", "state", "logctl"), nil
}

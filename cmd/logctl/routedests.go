package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// rulesFlags say by which rules records are routed.
type rulesFlags struct {
	rules string
	match string
	watch bool

	classify string
}

// The ways to choose among the rules that match.
const (
	matchAll   = "all"
	matchFirst = "first"
)

func (f *rulesFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.rules, "rules", "",
		"route by the rules in `FILE`, or in the compacted topic kafka:TOPIC, a rule a key")
	fs.StringVar(&f.classify, "classify", "",
		"route by urgency, to four topics: the classes in `FILE`, or default for those that are built in")
	f.match = matchAll
	choiceVar(fs, &f.match, "match", []string{matchAll, matchFirst},
		"`WHICH` rules count of those that match: all, or the first by priority")
}

func (f *rulesFlags) check() error {
	if f.classify != "" && f.rules != "" {
		return fault.Usagef("leave one of them out", "both --rules and --classify say where records go")
	}
	return nil
}

// destinations are the endpoints that rules send to, opened as rules come to name
// them.
type destinations struct {
	base pipeline // as it was when they began to open: what changes later is the pipeline's own
	set  *route.Destinations

	mu      sync.Mutex
	clients opened
	sides   []sideSink

	bestEffort bool
	guard      *routeGuard // nil for none
}

func newDestinations() *destinations {
	d := new(destinations)
	d.set = route.NewDestinations(d.open)
	return d
}

// open opens a destination. With --fanout best-effort those that stand first in no
// rule are not waited for.
func (d *destinations) open(name string, first bool) (stream.Sink, error) {
	if !d.bestEffort || first {
		return d.openOne(name, true)
	}
	side := engine.Detach(func() (stream.Sink, error) { return d.openOne(name, false) })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sides = append(d.sides, sideSink{name, side})
	return side, nil
}

// openFallback opens what takes records while breakers are open. It has no breaker
// of its own.
func (d *destinations) openFallback() error {
	if d.guard == nil || d.guard.fallback == "" {
		return nil
	}
	guard := d.guard
	d.guard = nil
	defer func() { d.guard = guard }()
	var err error
	guard.aside, err = d.openOne(guard.fallback, true)
	return err
}

// A sideSink is a destination that is not waited for.
type sideSink struct {
	name string
	*engine.Detached
}

// openOne opens one endpoint; that it does not close well is a failure where all that
// is sent to it must arrive. Rules that change while the pipeline runs open theirs
// beside it: what it has for itself is left alone.
func (d *destinations) openOne(name string, all bool) (stream.Sink, error) {
	e, err := stream.ParseEndpoint(name)
	if err != nil {
		return nil, err
	}
	if e.Secret() {
		return nil, fault.Usagef("it comes from PGPASSWORD or ~/.pgpass, too",
			"a destination has a password in its URL: the names of destinations are shown in metrics and by the API")
	}
	if d.base.inTxn {
		if err := onlyTopics([]string{name}); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	own := d.base
	own.opened = opened{outputs: slices.Clip(d.base.outputs)}
	var sink stream.Sink
	if e.Scheme == stream.Kafka && d.guard != nil && d.guard.on() {
		sink, err = d.guard.open(&own, e)
	} else {
		sink, err = own.openSink(e)
	}
	d.clients.atEnd(func() error {
		if err := own.close(nil); all {
			return err
		}
		return nil // what it lost is in the summary
	})
	for _, m := range own.metrics { // several clients of one kind
		d.clients.metrics = append(d.clients.metrics, prometheus.WrapCollectorWith(prometheus.Labels{"destination": name}, m))
	}
	return sink, err
}

// collect tells the metrics of the clients that destinations have.
func (d *destinations) collect(ch chan<- prometheus.Metric) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.clients.metrics {
		m.Collect(ch)
	}
}

// close closes all of them, those first that are not waited for.
func (d *destinations) close() error {
	for _, s := range d.lossy() {
		_ = s.Close() // what it lost is in the summary
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clients.close(nil)
}

// lossy returns the destinations that may have lost records.
func (d *destinations) lossy() []sideSink {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sides)
}

// summary says what went where, and which rules matched nothing.
func (r *routing) summary() string {
	var parts, unused []string
	for _, d := range r.dests.set.All() {
		parts = append(parts, fmt.Sprintf("%s %s", d.Name, human.Count(d.Sent.Load())))
	}
	said := []string{"to " + strings.Join(parts, " ")}
	limited := int64(0)
	for _, rule := range r.live.Table().File.Rules {
		counts := r.stats.Of(rule.Name)
		limited += counts.Limited.Load()
		if counts.Hits.Load() == 0 {
			unused = append(unused, rule.Name)
		}
	}
	for _, x := range []struct {
		what string
		n    int64
	}{{"no rule", r.stats.Default.Load()}, {"sampled out", r.stats.Sampled.Load()}, {"over a limit", limited}} {
		if x.n > 0 {
			said = append(said, fmt.Sprintf("%s %s", x.what, human.Count(x.n)))
		}
	}
	for _, s := range r.dests.lossy() {
		if s.Lost() > 0 {
			said = append(said, fmt.Sprintf("lost for %s %s (%v)", s.name, human.Count(s.Lost()), s.Broken()))
		}
	}
	if len(unused) > 0 {
		said = append(said, "rules that matched nothing: "+strings.Join(unused[:min(len(unused), 10)], " "))
	}
	return strings.Join(said, ", ")
}

package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/host"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/peers"
	"github.com/logctl/logctl/pkg/stream"
)

// A fleet answers questions about the state of a command: of this run, and in a
// group of all instances that share it.
type fleet struct {
	asker      *engine.Asker
	stats      *engine.Stats
	lag        *lagSum
	partitions int           // the state is in so many parts, over all instances
	source     *kafka.Source // by which instances know each other; nil where this is the only one
	circle     peers.Circle
}

// openFleet has the questions of routes that put them to it answered.
func (p *pipeline) openFleet() *fleet {
	p.Ask = engine.NewAsker()
	p.fleet = &fleet{asker: p.Ask, stats: p.Stats, lag: p.lag, partitions: 1}
	return p.fleet
}

// join makes the fleet one of the instances of p's group. All is open by then, and
// nothing is served yet.
func (p *pipeline) join() error {
	d := &p.flags.daemon
	if p.fleet == nil || p.New == nil || d.listen == "" {
		return nil
	}
	token, err := readSecret(d.tokenFile)
	if err != nil {
		return err
	}
	client, err := httpapi.NewClient(token, d.tlsCert)
	if err != nil {
		return err
	}
	if d.tlsCert != "" {
		client.Secure() // any member of the group can say that it is to be asked in plain text
	}
	source, ok := p.Sources[0].(*kafka.Source)
	if !ok {
		return errors.New("a group reads one input of topics")
	}
	others := peers.Recent[[]peers.Peer]{Get: func(ctx context.Context) ([]peers.Peer, error) {
		members, err := source.Others(ctx)
		list := make([]peers.Peer, 0, len(members))
		for i := range members {
			list = append(list, peers.Peer{Name: members[i].Name(), URL: members[i].Address()})
		}
		return list, err
	}}
	p.fleet.source = source
	p.fleet.circle = peers.Circle{Others: others.Value, Client: client, Within: askWithin + time.Second}
	d.bound = func(url string) error {
		url, err := advertised(p.cmd.Context(), url, p.advertise, p.flags.kafka.brokers)
		source.Announce(url)
		return err
	}
	return nil
}

// listen sees to it that questions are answered while records keep all cores busy.
// What reads, parses and commits gives way to the operators and to those who ask, and
// who works long yields while somebody asks. A processor of Go's scheduler looks for
// what has come in over the network when it has nothing else to run, or after 10 ms,
// and one whose thread gives way does nothing at all meanwhile. Where there are many
// more of them than cores one is always at leisure, and the operating system shares out
// the cores.
func (p *pipeline) listen() {
	if p.fleet == nil || p.flags.daemon.listen == "" {
		return
	}
	p.GiveWay = host.GiveWay
	p.Yield = func() {
		if p.Ask.Lately() {
			host.Yield()
		}
	}
	if os.Getenv("GOMAXPROCS") == "" {
		p.Parsers = cmp.Or(p.Parsers, cores)
		runtime.GOMAXPROCS(4 * cores)
	}
}

// cores is how many there are for this process.
var cores = runtime.GOMAXPROCS(0)

// A question is put to every instance, and what they say is made into one answer.
type question[T any] struct {
	look  func(engine.View) (T, error)      // while an instance's operators rest
	merge func([]T, *standing) (any, error) // in any order; each knows other partitions
	found func([]T) bool                    // whether they know the key that is asked for; nil: all keys are
	more  []string                          // parameters for other instances: names and values
}

// asks returns a question of pattern with the parameters that it has, and local,
// with which instances ask each other.
func asks(pattern string, do func(*httpapi.Request) (any, error), params ...string) httpapi.Route {
	return httpapi.Route{Pattern: pattern, Do: do, Params: append(params, "local")}
}

// put answers a request: of another instance with what is known here.
//
// What is known of a key is with one instance. It is found, or it is not there,
// or nobody can tell as long as an instance is missing: 503. Answers about all keys
// are partial where an instance does not answer, and 503 while state is on its way.
func put[T any](f *fleet, r *httpapi.Request, q question[T]) (any, error) {
	if isLocal(r) {
		p, err := lookHere(r.Context(), f, q.look)
		if err != nil {
			return nil, err
		}
		return peers.Envelope(f.name(), p), nil
	}
	said, s, err := survey(r.Context(), f, r.Target(append(q.more, "local", "true")...), q.look)
	if err != nil {
		return nil, err
	}
	ofKey := q.found != nil
	if ofKey && !q.found(said) && s.Partial || !ofKey && (s.passes || s.here == 0) {
		return nil, httpapi.Unavailable("%s", s.reasons())
	}
	return q.merge(said, s)
}

// isLocal reports whether another instance asks for what is known here.
func isLocal(r *httpapi.Request) bool { return r.Query("local") == "true" }

// name returns what this instance is called by the others.
func (f *fleet) name() string {
	if f.source == nil {
		return ""
	}
	return f.source.Name()
}

// survey returns what the instances know, and what that is worth. Instances whose
// answers cannot be added up are left out.
func survey[T any](
	ctx context.Context, f *fleet, path string, look func(engine.View) (T, error),
) ([]T, *standing, error) {
	s := newStanding(f.partitions)
	var said []T
	mine, err := lookHere(ctx, f, look)
	if err != nil {
		return nil, nil, err
	}
	if s.add(f.name(), "", &mine.state) {
		said = append(said, mine.Said)
	}
	if f.source != nil && s.here < f.partitions {
		replies, err := peers.Ask[part[T]](ctx, &f.circle, path)
		if err != nil {
			s.absent(absence{Reason: "it is not known which other instances there are: " + err.Error()})
		}
		for i := range replies {
			switch reply := &replies[i]; {
			case reply.Err != nil:
				s.absent(absence{Instance: reply.Name, Address: reply.URL, Reason: reply.Err.Error()})
			case s.add(reply.Name, reply.URL, &reply.Said.state):
				said = append(said, reply.Said.Said)
			}
		}
	}
	s.settle(time.Now())
	return said, s, nil
}

// lookHere asks the operators of this run.
func lookHere[T any](ctx context.Context, f *fleet, look func(engine.View) (T, error)) (p part[T], err error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var failed error
	asked := f.asker.Ask(ctx, func(v engine.View) {
		p.state = stateOf(v)
		p.Said, failed = look(v)
	})
	if asked != nil {
		return p, httpapi.Unavailable("%w", asked)
	}
	p.Progress = progressOf(f.stats)
	p.Lag = f.lag.sum(ctx)
	return p, failed
}

// askWithin is how long a question may wait for the records that are being
// processed.
const askWithin = 5 * time.Second

// operatorsOf returns the operators of a run whose state is there, by partition.
func operatorsOf[O any](v engine.View) []O {
	byPartition := func(a, b stream.Task) int { return cmp.Compare(a.Partition, b.Partition) }
	tasks := slices.SortedFunc(maps.Keys(v.Operators), byPartition)
	list := make([]O, 0, len(tasks))
	for _, t := range tasks {
		if o, ok := v.Operators[t].(O); ok {
			list = append(list, o)
		}
	}
	return list
}

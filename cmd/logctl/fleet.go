package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"runtime"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/host"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/peers"
)

// openFleet has the questions of routes that put them to it answered.
func (p *pipeline) openFleet() *fleet.Fleet {
	p.Ask = engine.NewAsker()
	p.fleet = &fleet.Fleet{Asker: p.Ask, Stats: p.Stats, Lag: p.lag.sum, Partitions: 1}
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
	p.fleet.Name = source.Name
	p.fleet.Circle = peers.Circle{Others: others.Value, Client: client, Within: fleet.Within + time.Second}
	d.bound = func(url string) error {
		url, err := advertised(p.cmd.Context(), url, d.name, p.flags.kafka.brokers)
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
// the cores. Four for each core may all be taken by readers, parsers, operators, a commit,
// the client of Kafka and the collector, whose threads wait for a core with them: a
// question then found none.
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
		runtime.GOMAXPROCS(8 * cores)
	}
}

// cores is how many there are for this process.
var cores = runtime.GOMAXPROCS(0)

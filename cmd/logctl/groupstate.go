package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// A grouping says how a stateful command is shared out over a consumer group.
type grouping struct {
	by   []string                          // what its state is grouped by, as --by says it
	new  func(stream.Task) stream.Operator // another operator like the pipeline's
	late func() int64                      // how many records were too late
}

// run runs a command with a state. With --strict it has failed where records were too late.
func (f *stateFlags) run(p *pipeline, g grouping) error {
	if err := f.runGrouped(p, g); err != nil {
		return err
	}
	if p.flags.input.strict && g.late() > 0 {
		return fault.No("late records")
	}
	return nil
}

// runGrouped runs the command by itself, or as a member of a group.
func (f *stateFlags) runGrouped(p *pipeline, g grouping) error {
	if p.consumer.group == "" {
		if f.delivery != atLeastOnce && f.path == "" {
			return p.close(fault.Usagef("--checkpoint FILE does it for files, --group for topics",
				"--delivery %s: nothing remembers how far this run came", f.delivery))
		}
		return p.run()
	}
	if err := f.checkGroup(p); err != nil {
		return p.close(err)
	}
	widths, err := p.upstreams()
	if err != nil {
		return p.close(err)
	}
	p.New, p.Idle = g.new, p.flags.input.idle
	if f.inPlace(widths, g.by) {
		return p.close(f.runTasks(p, p.endpoints[0].Topics[0], widths[0]))
	}
	if p.Plan.Placed {
		return p.close(fault.Usagef("--keyed where the topic's key is that of the groups; --by _partition for one topic",
			"_topic, _partition and _offset are not known where a group takes records to another partition"))
	}
	return f.runShuffled(p, g, widths)
}

// checkGroup refuses what a group cannot do.
func (f *stateFlags) checkGroup(p *pipeline) error {
	switch {
	case f.path != "":
		return fault.Usagef("leave --checkpoint out: a group keeps its state in Kafka",
			"both --group and --checkpoint keep the state")
	case f.delivery == atMostOnce:
		return fault.Usagef("at-least-once or exactly-once",
			"--delivery at-most-once: the state of a %s would miss what was lost", p.cmd.Name())
	case !p.endpoints.only(stream.Kafka):
		return fault.Usagef("name the topics in one: kafka:a,b", "a group reads one input")
	}
	return nil
}

// inPlace reports whether equal keys are in one partition as they are.
func (f *stateFlags) inPlace(widths []int, by []string) bool {
	if len(widths) != 1 {
		return false
	}
	keyed := f.keyed && len(by) > 0 // with no key there is one group, of all partitions
	return keyed || widths[0] == 1 || slices.Equal(by, []string{"_key"}) || slices.Contains(by, "_partition")
}

// upstreams returns how many partitions each topic has that is read.
func (p *pipeline) upstreams() ([]int, error) {
	e := p.endpoints[0]
	conn, err := p.flags.kafka.config(e)
	if err != nil {
		return nil, err
	}
	admin, err := kafka.OpenAdmin(p.cmd.Context(), conn)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if e.Pattern {
		return nil, fault.Usagef("name the topics: kafka:a,b",
			"%s --group %s: topics that a pattern matches come and go, and with them state", p.cmd.Name(), p.consumer.group)
	}
	return admin.Widths(p.cmd.Context(), e.Topics...)
}

// runTasks runs p with a task for each partition of a topic, whose states are in
// the group's changelog or, exactly once into a table, beside the rows.
func (f *stateFlags) runTasks(p *pipeline, topic string, partitions int) error {
	op, ok := p.Operator.(stream.Stateful)
	if !ok {
		return fmt.Errorf("the state of %s cannot be kept", p.cmd.Name())
	}
	signature := op.Signature() + " from " + topic + p.readingFlags()
	p.consumer.widths = &kafka.Widths{
		Of: map[string]int{topic: partitions}, Cause: "equal keys may be in others than before",
		Hint: fmt.Sprintf("--reset discards the state and begins anew; a topic made anew with %d partitions goes on with it",
			partitions),
	}
	once := f.delivery == exactlyOnce
	list, err := p.flags.output.endpoints()
	if err != nil {
		return err
	}
	p.Exactly, p.inTxn, p.durable = once, once && list.of(stream.Kafka) == len(list), true
	p.flags.daemon.name = f.advertise
	if p.fleet != nil {
		p.fleet.Partitions = partitions
	}
	inTable := once && list.only(databases...)
	if inTable {
		p.tables.Signature, p.tables.Reset = stream.SignOver(signature, partitions), f.reset
	}
	p.wrap = func(sink stream.Sink) (stream.Sink, error) {
		if inTable {
			p.Vault, _ = sink.(stream.Vault)
			return sink, nil
		}
		return sink, f.openChangelog(p, signature, partitions)
	}
	return p.run()
}

// openChangelog opens where the group keeps its state.
func (f *stateFlags) openChangelog(p *pipeline, signature string, partitions int) error {
	ctx := p.cmd.Context()
	cfg := kafka.ChangelogConfig{
		Topic: p.consumer.group + "-state", Partitions: partitions, Signature: signature, Reset: f.reset,
		Local: func(id string) (kafka.Local, error) { return p.openCopies(id, stream.SignOver(signature, partitions)) },
	}
	var c *kafka.Changelog
	var err error
	if p.txn != nil {
		c, err = p.txn.OpenChangelog(ctx, cfg)
	} else if cfg.Config, err = p.flags.kafka.config(p.endpoints[0]); err == nil {
		c, err = kafka.OpenChangelog(ctx, cfg)
	}
	if err != nil {
		return err
	}
	p.atEnd(c.Close)
	p.Vault = c
	return nil
}

// openCopies opens the copies of the group's state on this machine, beside the
// member's name; none where it has no place of its own.
func (p *pipeline) openCopies(topic, signature string) (kafka.Local, error) {
	if p.slot == nil {
		return nil, nil
	}
	path := filepath.Join(p.slot.Dir, "state.db")
	c, err := store.OpenCopies(p.cmd.Context(), path, topic+" "+signature, p.say)
	if err != nil {
		return nil, err
	}
	p.atEnd(c.Close)
	return c, nil
}

// untilCommitted runs a command again, from what is committed, for as long as its
// transactions are aborted for reasons that pass, such as a rebalance, or its group went
// on without it. Brokers may be away for a minute then.
func untilCommitted(cmd *cobra.Command, run func() error) error {
	var since time.Time
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := run()
		switch {
		case errors.Is(err, kafka.ErrTaken):
			return err
		case errors.Is(err, kafka.ErrAborted):
			since = time.Now()
		case !kafka.Unreachable(err) || time.Since(since) > time.Minute:
			return err
		}
		if cmd.Context().Err() != nil {
			note(cmd, "%v; the next run does again what was in it", firstLine(err))
			return nil //nolint:nilerr // nothing is lost
		}
		note(cmd, "%v; it begins again from what is committed", firstLine(err))
		select {
		case <-time.After(pause):
		case <-cmd.Context().Done():
			return nil
		}
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

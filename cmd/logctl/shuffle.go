package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/shuffle"
	"github.com/logctl/logctl/pkg/stream"
)

// shuffleRetention is how long the internal topic keeps records: as long as the
// second half may be behind the first.
const shuffleRetention = 24 * 60 * 60 * 1000 // ms

// runShuffled runs a command whose groups are not those of the topic's key: one
// pipeline takes the records to the partition of their group, over an internal
// topic, and p reads that. Each is a consumer group of its own.
func (f *stateFlags) runShuffled(p *pipeline, g grouping, widths []int) error {
	input := p.consumer
	topic := shuffleTopic(input)
	width, err := p.makeShuffleTopic(topic, slices.Max(widths))
	if err != nil {
		return p.close(err)
	}
	parent := p.cmd.Context()
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	p.cmd.SetContext(ctx) // when one half fails, the other one ends
	defer p.cmd.SetContext(parent)
	parts := p.relyOn(widths)
	form := shuffle.NewForm(p.Plan)
	first, stops, err := f.firstHalf(p, shuffle.Config{Form: form, Width: width, Place: kafka.ByKey(width)}, g)
	if err != nil {
		return p.close(err)
	}
	p.Prepare, p.Begin, p.Names = nil, nil, nil // what is filtered out does not get here, nor the form of records
	p.Parser = func() engine.Parser { return shuffle.NewReader(form, p.Plan) }
	p.endpoints = endpoints{{Scheme: stream.Kafka, Topics: []string{topic}, Brokers: p.endpoints[0].Brokers}}
	p.consumer = input.shuffle(topic)
	p.consumer.shuffled = &kafka.Shuffled{Upstreams: parts, Group: input.group, Ends: input.finite(), Stops: stops}
	p.Strict, p.dead.elsewhere = false, true // what does not parse does not get here either

	var failed error
	var done sync.WaitGroup
	done.Go(func() {
		if failed = first.close(first.work(ctx)); failed != nil {
			cancel()
		}
	})
	p.ended = func() {
		if !input.finite() {
			cancel()
		}
		done.Wait()
		p.Stats.TakeInput(first.Stats)
		p.Prepare = first.Prepare
	}
	err = f.runTasks(p, topic, width)
	cancel()
	done.Wait()
	if failed != nil && (errors.Is(err, context.Canceled) || errors.Is(failed, kafka.ErrTaken)) {
		return failed // what the other half says is only that it was stopped, or the same
	}
	return errors.Join(err, failed)
}

// shuffleTopic returns the name of the internal topic.
func shuffleTopic(k *kafkaInput) string { return k.group + "-shuffle" }

// relyOn has the first half end when a topic that it reads is given partitions, and
// returns how many there are. Marks come from each of them, in every run.
func (p *pipeline) relyOn(widths []int) (parts int) {
	p.consumer.widths = &kafka.Widths{
		Of: map[string]int{}, Cause: "time in the internal topic is the least of all of them",
		Hint: "started again, logctl goes on with all of them",
	}
	for i, topic := range p.endpoints[0].Topics {
		p.consumer.widths.Of[topic] = widths[i]
		parts += widths[i]
	}
	return parts
}

// makeShuffleTopic creates the internal topic where there is none, and returns how
// many partitions it has: it keeps them when the input is given more.
func (p *pipeline) makeShuffleTopic(name string, partitions int) (int, error) {
	conn, err := p.flags.kafka.config(p.endpoints[0])
	if err != nil {
		return 0, err
	}
	admin, err := kafka.OpenAdmin(p.cmd.Context(), conn)
	if err != nil {
		return 0, err
	}
	defer admin.Close()
	if n, err := admin.Width(p.cmd.Context(), name); n > 0 || err != nil {
		return n, err
	}
	_, err = admin.Create(p.cmd.Context(), kafka.TopicSpec{Name: name, Partitions: partitions, Configs: map[string]string{
		"cleanup.policy": "delete", "retention.ms": strconv.Itoa(shuffleRetention),
	}})
	return partitions, err
}

// firstHalf opens the pipeline that fills the internal topic, and says where its
// input ends.
func (f *stateFlags) firstHalf(p *pipeline, cfg shuffle.Config, g grouping,
) (*pipeline, []stream.Position, error) {
	flags, topic := *p.flags, shuffleTopic(p.consumer)
	flags.output = outputFlags{format: "json", to: []string{"kafka:" + topic}}
	if b := p.endpoints[0].Brokers; len(b) > 0 {
		flags.output.to[0] = fmt.Sprintf("kafka://%s/%s", strings.Join(b, ","), topic)
	}
	flags.limit = 0
	first, err := flags.newPipeline(p.cmd, p.cmd.Flags().Args())
	if err != nil {
		return nil, nil, err
	}
	if p.Plan.Time >= 0 {
		first.Plan.ReadTime(flags.input.timeField)
	}
	if op, ok := p.Operator.(interface{ TakeTimes() *aggregate.Times }); ok {
		first.Prepare = append(first.Prepare, op.TakeTimes()) // a time that cannot be right is not to be in marks either
	}
	if cfg.Keys, err = aggregate.CompileKeys(g.by, first.Plan); err != nil {
		return nil, nil, err
	}
	cfg.Form = cfg.Form.Over(first.Plan, p.Plan)
	first.Operator = shuffle.New(cfg)
	var stops []stream.Position
	first.New = func(task stream.Task) stream.Operator {
		op := shuffle.New(cfg)
		op.Begin(task.Source, task.Partition, stopOf(stops, task))
		return op
	}
	first.Order, first.lag, first.consumer = engine.InTime, p.lag, p.consumer
	first.producer.marks = true
	first.Exactly, first.inTxn = f.delivery == exactlyOnce, f.delivery == exactlyOnce
	if err := first.open(); err != nil {
		return nil, nil, first.close(err)
	}
	src, _ := first.Sources[0].(*kafka.Source)
	if stops, err = src.Stops(p.cmd.Context()); err != nil {
		return nil, nil, first.close(err)
	}
	return first, stops, nil
}

// stopOf returns where the partition of a task is read to.
func stopOf(stops []stream.Position, task stream.Task) int64 {
	for _, at := range stops {
		if at.Source == task.Source && at.Partition == task.Partition {
			return at.Next
		}
	}
	return 0
}

// shuffle returns how the internal topic is read.
func (f *kafkaInput) shuffle(topic string) *kafkaInput {
	second := *f
	second.group, second.start, second.stop, second.partitions = topic, "", "", nil
	second.isolation = "read_committed"
	return &second
}

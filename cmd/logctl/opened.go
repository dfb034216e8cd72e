package main

import (
	"errors"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/kafka"
)

// opened is what a run, or a part of it, has open.
type opened struct {
	closers []func() error // called at the end, the last one first
	metrics []prometheus.Collector
	topics  []*kafka.Sink // for their reports
	outputs []string      // topics and tables written to, as metrics call them
}

// atEnd has f called when the run ends, before what was opened earlier is closed.
func (o *opened) atEnd(f func() error) { o.closers = append(o.closers, f) }

// close closes what was opened, and adds what goes wrong to err unless that
// says it already.
func (o *opened) close(err error) error {
	for _, v := range slices.Backward(o.closers) {
		switch e := v(); {
		case err == nil: // as it is: where it comes again it is known
			err = e
		case e != nil && !errors.Is(err, e):
			err = errors.Join(err, e)
		}
	}
	o.closers = nil
	return err
}

// show adds metrics of an output, and tells them from those of others: the main one,
// late records and dead letters may all go to Kafka, and to one topic.
func (o *opened) show(output string, c prometheus.Collector) {
	name := output
	for n := 2; slices.Contains(o.outputs, name); n++ {
		name = output + "#" + strconv.Itoa(n)
	}
	o.outputs = append(o.outputs, name)
	o.metrics = append(o.metrics, prometheus.WrapCollectorWith(prometheus.Labels{"output": name}, c))
}

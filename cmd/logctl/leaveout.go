package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// leaveOut has the patterns among the inputs leave out the topics that the run itself
// writes to: its output would come back as input, and a bad record as another one, without
// end. A topic of bad or late records that is an input by its name is refused.
func (f *streamFlags) leaveOut(cmd *cobra.Command, inputs endpoints) error {
	for _, name := range f.output.to {
		leaveOut(inputs, name)
	}
	for _, flag := range []string{"dlq", "late"} {
		set := cmd.Flag(flag)
		if set == nil || set.Value.String() == "" {
			continue
		}
		if topic := leaveOut(inputs, set.Value.String()); topic != "" {
			return fault.Usagef("name another topic",
				"--%s %s: topic %q is read, too: what is written there would come back without end", flag, set.Value, topic)
		}
	}
	return nil
}

// leaveOut has patterns leave out the topic that is written to. It returns its name
// where it is an input of that name.
func leaveOut(inputs endpoints, output string) (read string) {
	to, err := stream.ParseEndpoint(output)
	if err != nil || to.Scheme != stream.Kafka || to.Pattern || len(to.Topics) != 1 {
		return "" // who opens it says what is wrong
	}
	for i := range inputs {
		e := &inputs[i]
		switch {
		case e.Scheme != stream.Kafka || !slices.Equal(e.Brokers, to.Brokers):
		case e.Pattern:
			e.Except = append(e.Except, to.Topics[0])
		case slices.Contains(e.Topics, to.Topics[0]):
			read = to.Topics[0]
		}
	}
	return read
}

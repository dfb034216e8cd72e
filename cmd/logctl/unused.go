package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// refuseUnused refuses flags of a group, which add adds, where nothing reads
// them: to ignore --start or --rate would give another answer than was asked
// for. Values from the environment and the configuration file are defaults for
// many commands and pass.
func refuseUnused(cmd *cobra.Command, add func(*pflag.FlagSet), use, hint string) error {
	group := pflag.NewFlagSet("", pflag.ContinueOnError)
	add(group)
	var err error
	group.VisitAll(func(f *pflag.Flag) {
		if err == nil && given(cmd, f.Name) {
			err = fault.Usagef(hint, "--%s is for %s", f.Name, use)
		}
	})
	return err
}

// given reports whether a flag of cmd stands on the command line.
func given(cmd *cobra.Command, name string) bool {
	f := cmd.Flags().Lookup(name)
	return f != nil && f.Changed && len(f.Annotations[originKey]) == 0
}

// refuseEmpty refuses flags of these names that were given with nothing in them,
// as a variable of the shell that is not set leaves them.
func refuseEmpty(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		if f == nil || !f.Changed || strings.TrimSpace(f.Value.String()) != "" {
			continue
		}
		what, _ := pflag.UnquoteUsage(f)
		return fault.Usagef("leave --"+name+" out where there is none", "--%s is empty: want %s", name, what)
	}
	return nil
}

// checkUse refuses flags of topics where none is read.
func (f *kafkaInput) checkUse(p *pipeline) error {
	if slices.ContainsFunc(p.endpoints, func(e stream.Endpoint) bool { return e.Scheme == stream.Kafka }) {
		return nil
	}
	return refuseUnused(p.cmd, new(kafkaInput).add, "reading topics, and no input is one", "as in --from kafka:app-logs")
}

// checkUse refuses flags of the load where none is made.
func (f *generateFlags) checkUse(cmd *cobra.Command) error {
	switch f.profile {
	case "":
	case hostProfile:
		return refuseUnused(cmd, new(generateFlags).addMadeUp, "made-up load alone", "what --generate host tells is measured")
	default:
		return nil
	}
	return refuseUnused(cmd, new(generateFlags).add, "made-up load alone", "as in --generate http")
}

// checkUse refuses flags of producing where no topic is written to, and those
// that say which partition in two ways.
func (f *kafkaOutput) checkUse(cmd *cobra.Command, to []stream.Endpoint) error {
	if !slices.ContainsFunc(to, func(e stream.Endpoint) bool { return e.Scheme == stream.Kafka }) {
		return refuseUnused(cmd, new(kafkaOutput).add, "writing topics, and no output is one", "as in --to kafka:app-logs")
	}
	switch {
	case given(cmd, "partition") && given(cmd, "partitioner"):
		return fault.Usagef("leave one of them out", "both --partition and --partitioner say where records go")
	case given(cmd, "timeout") && f.timeout == 0:
		return fault.Usagef("as in --timeout 30s", "--timeout 0: want more than nothing")
	case given(cmd, "buffer") && f.buffer <= 0:
		return fault.Usagef("as in --buffer 32MiB", "--buffer %d: want more than nothing", f.buffer)
	}
	return nil
}

// checkUse refuses flags of a breaker and a spool where there is none.
func (f *guardFlags) checkUse(cmd *cobra.Command) error {
	for _, name := range []string{"breaker-open", "on-open"} {
		if f.trip == nil && given(cmd, name) {
			return fault.Usagef("as in --breaker 10", "--%s is for a breaker, and there is none", name)
		}
	}
	if f.spoolDir == "" && given(cmd, "spool-bytes") {
		return fault.Usagef("as in --spool /var/spool/logctl", "--spool-bytes is how large a --spool may be")
	}
	return nil
}

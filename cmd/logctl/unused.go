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

// refuseEmpty refuses flags that were given with nothing in them, as a variable of the
// shell that is not set leaves them: a group without a name would be none.
func refuseEmpty(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && given(cmd, f.Name) && blank(f) {
			err = fault.Usagef("leave --"+f.Name+" out where there is none", "--%s is empty: want %s", f.Name, wants(f))
		}
	})
	return err
}

// blank reports whether a flag takes texts and has none.
func blank(f *pflag.Flag) bool {
	texts := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		texts = list.GetSlice()
	} else if f.Value.Type() != "string" {
		return false
	}
	return strings.TrimSpace(strings.Join(texts, "")) == ""
}

// wants returns what help says a flag takes.
func wants(f *pflag.Flag) string {
	_, what, _ := strings.Cut(strings.TrimSpace(flagName(f)), " ")
	if i := strings.LastIndexByte(what, ' '); i >= 0 { // behind the letter
		what = what[i+1:]
	}
	return what
}

// needs are the flags that say more of what another one asks for, and nothing
// without it.
var needs = map[string]string{
	"balancer": "group", "instance-id": "group", "session-timeout": "group",
	"user": "sasl", "password-file": "sasl",
	"dlq-spool-bytes": "dlq-spool", "spool-bytes": "spool", "spool-ttl": "spool",
	"pprof": "listen", "retention": "listen", "retention-size": "listen", "advertise": "listen",
	"abandoned": "on-abandon",
}

// refuseStray refuses flags that need another one that has no value, from wherever.
func refuseStray(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		needed := cmd.Flags().Lookup(needs[f.Name])
		if err == nil && needed != nil && needed.Value.String() == "" && given(cmd, f.Name) {
			err = fault.Usagef("as in --"+needed.Name+" "+wants(needed), "--%s is for --%s, and there is none",
				f.Name, needed.Name)
		}
	})
	if emit := cmd.Flags().Lookup("emit"); err == nil && emit != nil && given(cmd, "every") &&
		!slices.Contains([]string{"update", "both"}, emit.Value.String()) {
		err = fault.Usagef("as in --emit update --every 10s", "--every is for --emit update")
	}
	return err
}

// checkUse refuses flags that all commands share where nothing reads them.
func (p *pipeline) checkUse() error {
	if err := p.flags.http.checkUse(p); err != nil {
		return err
	}
	if err := p.flags.daemon.checkUse(p.cmd, p.takesPosts()); err != nil {
		return err
	}
	if err := p.flags.input.checkUse(p); err != nil || p.sink != nil {
		return err
	}
	to, err := p.flags.output.endpoints()
	if err != nil {
		return err
	}
	return p.flags.output.checkUse(p.cmd, to)
}

// use has topics read as f says, and refuses its flags where none is read.
func (f *kafkaInput) use(p *pipeline) error {
	p.consumer = f
	if p.endpoints.of(stream.Kafka) > 0 {
		if f.warnLag < 0 {
			return fault.Usagef("", "--warn-lag %d: want 0, which is never, or more", f.warnLag)
		}
		return nil
	}
	return refuseUnused(p.cmd, new(kafkaInput).add, "reading topics, and no input is one", "as in --from kafka:app-logs")
}

// checkUse refuses what says how lines are read where no input has lines.
func (f *inputFlags) checkUse(p *pipeline) error {
	records := p.endpoints.of(stream.Kafka) + p.endpoints.of(databases...)
	if p.made != nil || records < len(p.endpoints) {
		return nil
	}
	for _, name := range []string{"follow", "multiline"} {
		if given(p.cmd, name) {
			return fault.Usagef("leave it out", "--%s is for files and pipes, and no input is one", name)
		}
	}
	return nil
}

// checkUse refuses what says how an output is written that is not among to.
func (f *outputFlags) checkUse(cmd *cobra.Command, to endpoints) error {
	if given(cmd, "unique") && to.of(databases...) == 0 {
		return fault.Usagef("as in --to sqlite:logs.db#events", "--unique is for tables, and no output is one")
	}
	for _, name := range []string{"rotate-size", "rotate-every"} {
		if given(cmd, name) && to.of(stream.File) == 0 {
			return fault.Usagef("as in --to app.log", "--%s is for files, and no output is one", name)
		}
	}
	if (f.template != "" || f.format != "json" && given(cmd, "output")) && to.of(databases...) == len(to) {
		return fault.Usagef("leave it out: rows have the fields of the records as columns",
			"-o and --template are for files, pipes and topics, and no output is one")
	}
	return nil
}

// checkUse refuses what says who may call where nobody can.
func (f *daemonFlags) checkUse(cmd *cobra.Command, posts bool) error {
	for _, name := range []string{"auth-token-file", "listen-cert", "listen-key"} {
		if f.listen == "" && !posts && given(cmd, name) {
			return fault.Usagef("as in --listen :8080", "--%s is for --listen, and there is none", name)
		}
	}
	return nil
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
func (f *kafkaOutput) checkUse(cmd *cobra.Command, to endpoints) error {
	if to.of(stream.Kafka) == 0 {
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

// checkUse refuses flags of a breaker where there is none: on says that there is.
func (f *guardFlags) checkUse(cmd *cobra.Command, on bool) error {
	for _, name := range []string{"breaker-open", "on-open"} {
		if !on && given(cmd, name) {
			return fault.Usagef("as in --breaker 10", "--%s is for a breaker, and there is none", name)
		}
	}
	return nil
}

package main

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/transform"
)

// dedupFlags say which records are the same.
type dedupFlags struct {
	fields []string
	ttl    time.Duration

	dropped atomic.Int64 // by a sink
}

func (f *dedupFlags) add(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.fields, "dedup", nil, "drop records whose `FIELDS` are those of one that came within --dedup-ttl")
	durationVar(fs, &f.ttl, "dedup-ttl", 5*time.Minute, "for how long a record is remembered")
}

// apply has the pipeline drop duplicates: in the transaction of its only sink
// where that is a table, else in memory.
func (f *dedupFlags) apply(p *pipeline, handled bool) error {
	if len(f.fields) == 0 {
		return refuseUnused(p.cmd, f.add, "dropping duplicates", "as in --dedup id")
	}
	if f.ttl <= 0 {
		return fault.Usagef("as in --dedup-ttl 5m", "--dedup-ttl %v: want more than nothing", f.ttl)
	}
	once := transform.NewOnce(f.fields, f.ttl, p.Plan)
	list, err := p.flags.output.endpoints()
	if err != nil {
		return err
	}
	durable := list.only(databases...) && !handled
	count := f.dropped.Load
	if durable {
		p.tables.Once, p.tables.OnceTTL, p.tables.Dropped = once, f.ttl, func(n int) {
			f.dropped.Add(int64(n))
			p.Stats.Out.Add(-int64(n)) // they were counted when the table was given them
		}
	} else {
		d := transform.NewDedup(once)
		p.Operator, count = d, d.Dropped
		if p.endpoints.of(stream.Kafka) > 0 {
			note(p.cmd, "--dedup remembers in memory: a restart forgets (into one sqlite: or postgres: table it does not)")
		}
	}
	p.notes = append(p.notes, func() string {
		if n := count(); n > 0 {
			return "duplicates of " + strings.Join(f.fields, ",") + " " + human.Count(n)
		}
		return ""
	})
	return nil
}

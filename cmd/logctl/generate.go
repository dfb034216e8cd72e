package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/generate"
	"github.com/logctl/logctl/pkg/host"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/load"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// generateFlags say what load to make instead of reading an input.
type generateFlags struct {
	profile  string
	duration time.Duration
	start    string
	records  generate.Options
}

// firstTime is the event time of the first generated record, so that a seed
// stands for the same bytes on any day.
const firstTime = "2026-01-01T00:00:00Z"

// hostProfile is not made up: the figures of this machine.
const hostProfile = "host"

// profiles are what --generate takes.
func profiles() []string { return append(generate.Profiles(), hostProfile) }

func (f *generateFlags) add(fs *pflag.FlagSet) {
	choiceVar(fs, &f.profile, "generate", profiles(), "make records of `PROFILE` instead of reading: "+
		strings.Join(generate.Profiles(), ", ")+"; or host: this machine's cpu, memory and disk, every second")
	durationVar(fs, &f.duration, "duration", 0, "stop making records after so long (0: no limit)")
	f.addMadeUp(fs)
}

// addMadeUp adds what is said of records that are made up.
func (f *generateFlags) addMadeUp(fs *pflag.FlagSet) {
	fs.Uint64Var(&f.records.Seed, "seed", 1, "equal seeds make equal records")
	fs.StringVar(&f.start, "event-start", firstTime, "event `TIME` of the first record, or now")
	durationVar(fs, (*time.Duration)(&f.records.Step), "event-step", time.Millisecond, "event time between records")
	fs.Float64Var(&f.records.Late, "late-share", 0, "`SHARE` of records stamped one to ten minutes early")
	fs.Float64Var(&f.records.Disorder, "disorder-share", 0, "`SHARE` of records stamped up to two seconds early")
	fs.Float64Var(&f.records.Malformed, "malformed-share", 0, "`SHARE` of records that are cut short")
}

// source returns the source of the load, or nil where none is asked for. note
// takes what a person should know.
func (f *generateFlags) source(
	schedule limit.Schedule, most int64, inputs bool, note func(string),
) (stream.Source, error) {
	if f.profile == "" {
		return nil, nil
	}
	if inputs {
		return nil, fault.Usagef("drop one of them", "--generate reads no input")
	}
	if f.profile == hostProfile {
		return host.Open(host.Config{Schedule: schedule, Limit: most, Duration: f.duration, Note: note}), nil
	}
	if most == 0 && f.duration == 0 {
		return nil, fault.Usagef("as in --limit 100000 or --duration 1m", "--generate needs an end")
	}
	var err error
	f.records.Profile = f.profile
	if f.records.Start, err = stamp.ParseText(f.start, time.Now().UnixNano()); err != nil {
		return nil, fault.Usagef("as in "+firstTime+" or now", "--event-start: %w", err)
	}
	return load.Open(load.Config{Records: f.records, Schedule: schedule, Limit: most, Duration: f.duration})
}

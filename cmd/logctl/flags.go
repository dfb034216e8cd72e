package main

import (
	"strings"
	"time"
	_ "time/tzdata" // zones on machines that have none

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// durationFlag reads a duration as people write it, days and weeks included, but no
// negative one: no flag means anything by that.
type durationFlag time.Duration

func (d *durationFlag) Type() string   { return "duration" }
func (d *durationFlag) String() string { return human.Span(time.Duration(*d)) }
func (d *durationFlag) Set(s string) error {
	v, err := human.ParseDuration(s)
	if err == nil && v < 0 {
		err = fault.Usagef("", "%q: want 0 or more", s)
	}
	*d = durationFlag(v)
	return err
}

func durationVar(fs *pflag.FlagSet, p *time.Duration, name string, value time.Duration, usage string) {
	*p = value
	fs.Var((*durationFlag)(p), name, usage)
}

// sizeFlag reads a number of bytes as people write it.
type sizeFlag int64

func (n *sizeFlag) Type() string   { return "size" }
func (n *sizeFlag) String() string { return human.Size(int64(*n)) }
func (n *sizeFlag) Set(s string) error {
	v, err := human.ParseSize(s)
	*n = sizeFlag(v)
	return err
}

func sizeVar(fs *pflag.FlagSet, p *int64, name string, value int64, usage string) {
	*p = value
	fs.Var((*sizeFlag)(p), name, usage)
}

// loadZone returns the time zone of a name, Local, or an offset such as +02:00;
// nil for UTC.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return nil, nil
	}
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		if at, err := time.Parse("-07:00", name); err == nil {
			_, east := at.Zone()
			return time.FixedZone(name, east), nil // at's own may be the machine's, with its summer time
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fault.Usagef("as in Europe/Berlin, America/New_York, Local, UTC or +02:00", "unknown time zone %q", name)
	}
	return zone, nil
}

package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/spool"
)

// guardFlags say what to do while the cluster that is written to is down.
type guardFlags struct {
	breaker    string
	openFor    time.Duration
	onOpen     string
	critical   string
	spoolDir   string
	spoolBytes int64
	spoolTTL   time.Duration
}

func (f *guardFlags) add(fs *pflag.FlagSet) {
	breakerVars(fs, &f.breaker, &f.openFor)
	choiceVar(fs, &f.onOpen, "on-open", policies,
		"what records do while the breaker is open: `POLICY` block, drop or spool (default spool with --spool, else block)")
	fs.StringVar(&f.critical, "critical", "", "records for which `EXPR` is true go into the --spool all the same")
	fs.StringVar(&f.spoolDir, "spool", "", "directory `DIR` in which records wait, to be sent in order later")
	sizeVar(fs, &f.spoolBytes, "spool-bytes", spool.DefaultMaxBytes,
		"greatest size of the spool; when it is full records wait")
	durationVar(fs, &f.spoolTTL, "spool-ttl", 0,
		"records that have waited in the spool for longer are counted and not sent (0: none)")
}

// breakerVars declares what is said of a breaker, wherever there is one. Without
// --breaker produce has one of defaultTrip with --spool or posted records.
func breakerVars(fs *pflag.FlagSet, trip *string, openFor *time.Duration) {
	fs.StringVar(trip, "breaker", "",
		"stop trying for --breaker-open after `N` failures in a row, or P%/N: P % of the last N")
	durationVar(fs, openFor, "breaker-open", limit.DefaultOpenFor, "how long it stays open; then one attempt is made")
}

// defaultTrip is when the breaker opens of what has one without being told to.
const defaultTrip = "10"

var policies = []string{string(guard.Block), string(guard.Drop), string(guard.Spool)}

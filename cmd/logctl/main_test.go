package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/fault"
)

var update = flag.Bool("update", false, "rewrite golden sections of testdata/script and generated files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"logctl": main})
}

// TestScript runs testdata/script: what each command does, as its users see it.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", env.WorkDir+"/config")
			env.Setenv("XDG_STATE_HOME", env.WorkDir+"/state")
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		Cmds: scriptCommands,
	})
}

// startKafka is the script command "kafka TOPIC…": it starts a private broker
// with topics of three partitions and points LOGCTL_BROKERS at it. A second one
// knows nothing of the first.
func startKafka(ts *testscript.TestScript, neg bool, topics []string) {
	if neg {
		ts.Fatalf("unsupported: ! kafka")
	}
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "broker")
	ts.Check(err)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topics...), kfake.DataDir(dir))
	ts.Check(err)
	ts.Defer(c.Close)
	ts.Setenv("LOGCTL_BROKERS", strings.Join(c.ListenAddrs(), ","))
}

// brimful is a disk without room.
type brimful struct{}

func (brimful) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestHelpThatCannotBeWritten: help is output like any other.
func TestHelpThatCannotBeWritten(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"window", "--help"}, {"help", "window"}, {}} {
		var stderr bytes.Buffer
		if got := run(args, nil, brimful{}, &stderr); got != fault.Failed || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%q: status %d, %q", args, got, stderr.String())
		}
	}
}

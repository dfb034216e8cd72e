package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kfake"
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

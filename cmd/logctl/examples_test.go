package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"
)

// TestExamplesRun runs every example of every help in a directory where the
// files that they name are, against a broker with the topics that they name.
func TestExamplesRun(t *testing.T) {
	walk(newRoot(), func(c *cobra.Command) {
		if c.Runnable() && c.Example == "" && !c.HasSubCommands() {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.SplitSeq(strings.ReplaceAll(c.Example, "\\\n", ""), "\n") {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				e := newExample(t, !strings.Contains(line, "topic create"), brokersFor(line))
				e.furnish(t, line)
				e.run(t, line)
			})
		}
	})
}

// An example is the place where a line of a help is run.
type example struct {
	dir string
	env []string
}

// newExample makes the place: app.log, access.log, topics.yaml, and a broker,
// with topics where they are wanted.
func newExample(t *testing.T, topics bool, brokers int) *example {
	t.Helper()
	e := &example{dir: t.TempDir()}
	var seeds []kfake.Opt
	if topics {
		seeds = append(seeds, kfake.SeedTopics(3, "app-logs", "app-logs-old", "app-logs-dlq", "access", "load",
			"critical-logs", "low-logs"))
	}
	c, err := kfake.NewCluster(append(seeds, kfake.NumBrokers(brokers), kfake.DataDir(filepath.Join(e.dir, "kafka")))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	e.env = append(os.Environ(), "LOGCTL_BROKERS="+strings.Join(c.ListenAddrs(), ","), "HOME="+e.dir,
		"XDG_CONFIG_HOME="+e.dir, "XDG_STATE_HOME="+e.dir)
	access, err := filepath.Abs("../../testdata/logs/apache_access.log")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(access, filepath.Join(e.dir, "access.log")); err != nil {
		t.Fatal(err)
	}
	declared := "topics:\n  - {name: app-logs, partitions: 12, configs: {retention.ms: \"604800000\"}}\n"
	if err := os.WriteFile(filepath.Join(e.dir, "topics.yaml"), []byte(declared), 0o600); err != nil {
		t.Fatal(err)
	}
	rules := "rules:\n  - {name: failures, match: status >= 500, to: failures.log}\n" +
		"tests:\n  - {name: a failure, record: {status: 503}, rules: [failures]}\n"
	if err := os.WriteFile(filepath.Join(e.dir, "rules.yaml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	e.run(t, "logctl produce --generate http --limit 500 --event-start now --to app.log")
	if topics {
		e.run(t, "logctl produce --to kafka:app-logs app.log")
	}
	return e
}

// brokersFor returns how many brokers an example is about.
func brokersFor(line string) int {
	if strings.Contains(line, "--expect-brokers 3") {
		return 3
	}
	return 1
}

// furnish makes what only some examples name: a group, dead letters, an outbox.
func (e *example) furnish(t *testing.T, line string) {
	t.Helper()
	if strings.Contains(line, "consume reconcile") {
		e.run(t, "logctl consume --from kafka:app-logs --stop end --to sqlite:logs.db")
	}
	for what, make := range map[string]string{
		"logctl group ": "logctl consume --from kafka:app-logs --group archive --stop end --to null:",
		"kafka:app-logs-dlq": "logctl produce --to kafka:app-logs -p 0 app.log && logctl consume --from kafka:app-logs --stop end " +
			"--format 'regex:^(?P<x>no)$' --dlq kafka:app-logs-dlq --to null:",
		"logctl produce outbox status": "logctl produce --outbox sqlite:outbox.db --to kafka:app-logs app.log",
	} {
		if strings.Contains(line, what) && !strings.Contains(line, "consume ") {
			e.run(t, make)
		}
	}
}

// run runs a line, which must end with 0 and know all fields that it names. A
// command that would not end by itself is interrupted when it has spoken.
func (e *example) run(t *testing.T, line string) {
	t.Helper()
	if words := strings.Fields(line); len(words) > 2 && words[2] == "query" {
		line += " --at " + e.serve(t, words[1])
	}
	stays := strings.HasPrefix(line, "logctl broker") || strings.Contains(line, "--follow") || strings.Contains(line, "--from http:") ||
		strings.Contains(line, "--every 30s") || strings.Contains(line, "group watch")
	if strings.HasPrefix(line, "logctl broker") {
		line += " --addr :0"
	}
	if stays {
		line = strings.Replace(line, "http::8080", "http::0", 1)
		if !strings.Contains(line, "--every") && !strings.Contains(line, "group watch") {
			line += " --listen :0"
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), endless)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", line)
	cmd.Dir, cmd.Env = e.dir, e.env
	var out bytes.Buffer
	spoken := &firstWrite{to: &out, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = spoken, spoken
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if stays {
		select {
		case <-spoken.done:
		case <-ctx.Done():
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out.String())
	}
	for _, doubt := range []string{"no record has a field", "comparisons of text"} {
		if strings.Contains(out.String(), doubt) {
			t.Errorf("%s:\n%s", line, out.String())
		}
	}
}

// serve starts a command that answers questions about app.log, and returns where.
func (e *example) serve(t *testing.T, name string) (url string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "logctl", name, "--follow", "--listen", "127.0.0.1:0", "app.log")
	var said text
	cmd.Dir, cmd.Env, cmd.Stderr = e.dir, e.env, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	eventually(t, "it says where it listens", func() bool {
		m := listening.FindStringSubmatch(said.String())
		if m != nil {
			url = m[1]
		}
		return m != nil
	})
	return url
}

// firstWrite closes done when something is written.
type firstWrite struct {
	to   *bytes.Buffer
	done chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.to.Len() == 0 && len(p) > 0 {
		close(w.done)
	}
	return w.to.Write(p)
}

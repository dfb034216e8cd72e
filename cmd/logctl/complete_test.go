package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestComplete asks for what the shell asks for when Tab is pressed.
func TestComplete(t *testing.T) {
	defer func(was time.Duration) { completeWithin = was }(completeWithin)
	completeWithin = time.Minute
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "access", "app-logs"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Setenv("LOGCTL_BROKERS", strings.Join(c.ListenAddrs(), ","))
	commitAs(t, "archive", c.ListenAddrs())
	commitAs(t, "mailer", c.ListenAddrs())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	const logs = "../../testdata/logs/"
	array := filepath.Join(t.TempDir(), "array.json")
	if err := os.WriteFile(array, []byte("[\n {\n  \"service\": \"a\",\n  \"status\": 200\n }\n]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ line, offers, not string }{
		{"consume --from kaf|", "kafka:", "sqlite:"},
		{"consume --from kafka:|", "kafka:access kafka:app-logs", ""},
		{"produce --to kafka:ap|", "kafka:app-logs", ""},
		{"consume --from kafka:access,|", "kafka:access,app-logs", ""},
		{"topic describe |", "access app-logs", ""},
		{"topic ls -o |", "json table csv", "envelope"},
		{"window -o |", "json csv tsv table", ""},
		{"window --format |", "ndjson combined syslog", ""},
		{"window " + logs + "apache_access.log --by |", "client status path", ""},
		{"window " + logs + "auth.log --by service,|", "service,host", ""},
		{"window --from " + logs + "auth.log --by |", "host service", "client"},
		{"window " + array + " --by |", "service status", ""},
		{"window --size |", "", "s"},
		{"consume --delivery |", "at-least-once exactly-once", ""},
		{"consume --balancer |", "kip848 range", ""},
		{"produce --generate |", "http app host", ""},
		{"produce --on-open |", "block drop spool", ""},
		{"produce --ack-mode |", "durable accept", ""},
		{"produce outbox status -o |", "table json", "csv"},
		{"dlq ls --class |", "transient TIMEOUT", ""},
		{"dlq replay --auto |", "transient", ""},
		{"dlq replay --to |", "original", ""},
		{"dlq replay --to kafka:ap|", "kafka:app-logs", "original"},
		{"config show topic |", "apply ls", "help"},
		{"consume --group |", "archive mailer", ""},
		{"consume -g |", "archive", ""},
		{"consume --share-group |", "", "archive"},
		{"group describe |", "archive mailer", ""},
		{"group describe archive |", "", "mailer"},
		{"group rm archive |", "mailer", "archive"},
		{"topic rm access |", "app-logs", "access"},
		{"group reset archive --topics |", "access app-logs", ""},
		{"group reset archive --topics access,|", "access,app-logs", "access,access"},
		{"group reset archive --to |", "beginning end", "null:"},
		{"consume --exec cat --retry-topic |", "app-logs", ""},
		{"route --rules kafka:a|", "kafka:access kafka:app-logs", ""},
		{"route --classify |", "default", ""},
		{"consume --isolation |", "read_committed read_uncommitted", ""},
		{"sessionize --emit |", "closed update", "final"},
		{"dlq stats -o |", "json table", "csv"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			var out, errs bytes.Buffer
			args := strings.Split(strings.TrimSuffix(tt.line, "|"), " ")
			if status := run(append([]string{"__complete"}, args...), strings.NewReader(""), &out, &errs); status != 0 {
				t.Fatalf("status %d: %s", status, errs.String())
			}
			offered := strings.Fields(out.String())
			for want := range strings.FieldsSeq(tt.offers) {
				if !slices.Contains(offered, want) {
					t.Errorf("offers %q, want %s", offered, want)
				}
			}
			if tt.not != "" && slices.Contains(offered, tt.not) {
				t.Errorf("offers %q, not wanted: %s", offered, tt.not)
			}
		})
	}
}

// commitAs has a group be there that has read what is in a topic.
func commitAs(t *testing.T, group string, brokers []string) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	var at kadm.Offsets
	at.Add(kadm.Offset{Topic: "app-logs", LeaderEpoch: -1})
	if err := kadm.NewClient(cl).CommitAllOffsets(t.Context(), group, at); err != nil {
		t.Fatal(err)
	}
}

// TestCompleteWithoutKafka checks that a broker that is not there costs
// neither an error nor much time.
func TestCompleteWithoutKafka(t *testing.T) {
	t.Setenv("LOGCTL_BROKERS", "127.0.0.1:1")
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out bytes.Buffer
	if status := run([]string{"__complete", "consume", "--from", "kafka:"}, nil, &out, new(bytes.Buffer)); status != 0 || out.String() != ":4\n" {
		t.Errorf("status %d, offers %q", status, out.String())
	}
}

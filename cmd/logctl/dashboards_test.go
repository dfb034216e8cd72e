package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/kafka"
)

var metricName = regexp.MustCompile(`logctl_[a-z_]+[a-z]`)

// Dashboards and alerts ask for metrics that there are: their names stand in the
// source, or are those of a producer, which the Kafka client names.
func TestDashboardsAskForMetricsThatThereAre(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "../../pkg/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	source.WriteString(producerMetrics(t))
	found := 0
	for _, pattern := range []string{"../../scripts/prometheus/*", "../../scripts/grafana/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range metricName.FindAllString(string(text), -1) {
				found++
				// A prefix that a package gives all its metrics stands apart from the rest.
				rest := strings.TrimPrefix(name, "logctl_")
				_, short, _ := strings.Cut(rest, "_")
				if !strings.Contains(source.String(), `"`+name+`"`) && !strings.Contains(source.String(), `"`+rest+`"`) &&
					!strings.Contains(source.String(), `"`+short+`"`) {
					t.Errorf("%s asks for %s, which no part of logctl tells", filepath.Base(f), name)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no dashboard, or one that asks for nothing")
	}
}

// producerMetrics returns descriptions of the metrics of a producer.
func producerMetrics(t *testing.T) string {
	t.Helper()
	c := &embed(t).client
	sink, err := kafka.OpenSink(t.Context(), kafka.SinkConfig{Config: kafka.Config{Brokers: c.addrs}, Topic: c.topic(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	described := make(chan *prometheus.Desc)
	go func() {
		sink.Metrics().Describe(described)
		close(described)
	}()
	var all strings.Builder
	for d := range described {
		all.WriteString(d.String())
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
	return all.String()
}

// Dashboards and alerts are what the programs that load them can read.
func TestDashboardsAreWellFormed(t *testing.T) {
	for pattern, read := range map[string]func([]byte, any) error{
		"../../scripts/prometheus/*.yaml": yaml.Unmarshal, "../../scripts/grafana/*.json": json.Unmarshal,
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(files))
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var all map[string]any
			if err := read(text, &all); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
}

// Alerts are raised by what they are about, and by nothing else.
func TestAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool, of Debian's package prometheus, is not installed")
	}
	files, err := filepath.Glob("../../testdata/prometheus/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	out, err := exec.CommandContext(t.Context(), promtool, append([]string{"test", "rules"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
